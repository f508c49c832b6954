//! Apportionment: shares add up exactly, follow the weights, and stay within their wholes.

use super::*;
use proptest::prelude::*;

fn numbers(values: &[i64]) -> Vec<Number> {
    values.iter().copied().map(Number::from).collect()
}

fn sum(shares: &[Number]) -> Number {
    let add = |sum: Number, share: &Number| sum.checked_add(*share).expect("small");
    shares.iter().fold(Number::ZERO, add)
}

proptest! {
    #[test]
    fn shares_add_up_and_follow_the_weights(
        total in -1_000_000_i128..1_000_000,
        scale in 0_u32..4,
        weights in proptest::collection::vec(0_i64..1_000, 1..40),
    ) {
        let total = Number::from_parts(total, scale).expect("small");
        let heavy: i64 = weights.iter().sum();
        let shares = apportion(total, &numbers(&weights));
        if heavy == 0 {
            prop_assert_eq!(shares.is_ok(), total == Number::ZERO);
            return Ok(());
        }
        let shares = shares.expect("there is a weight");
        prop_assert_eq!(sum(&shares), total);
        for (share, weight) in shares.iter().zip(&weights) {
            prop_assert!(*weight > 0 || *share == Number::ZERO);
            prop_assert!(share.scale() <= total.scale());
            let quota = total.checked_mul(Number::from(*weight)).expect("small")
                .checked_div(Number::from(heavy)).expect("not zero");
            let step = Number::from_parts(1, total.scale()).expect("small");
            prop_assert!(share.checked_sub(quota).expect("small").abs() < step);
        }
    }

    #[test]
    fn parts_stay_within_their_wholes(
        wholes in proptest::collection::vec(0_i64..50, 1..30),
        done in 0_i64..1_000,
    ) {
        let total: i64 = wholes.iter().sum();
        prop_assume!(total > 0);
        let done = done.min(total);
        let shares = apportion(done.into(), &numbers(&wholes)).expect("there is a weight");
        for (share, whole) in shares.iter().zip(&wholes) {
            prop_assert!(*share <= Number::from(*whole));
        }
    }
}

#[test]
fn the_largest_remainder_goes_first() {
    let shares = apportion(Number::from(10), &numbers(&[1, 1, 1])).expect("weights");
    assert_eq!(shares, numbers(&[4, 3, 3]));
    let shares = apportion(Number::from(7), &numbers(&[5, 0, 3, 2])).expect("weights");
    // Quotas 3.5, 0, 2.1, 1.4.
    assert_eq!(shares, numbers(&[4, 0, 2, 1]));
    let refused = apportion(Number::from(1), &numbers(&[-1, 2]));
    assert_eq!(refused, Err(ApportionError::NegativeWeight));
}
