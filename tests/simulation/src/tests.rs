//! A few hundred seeds, the determinism itself, and each planted mistake. Thousands of seeds are run
//! by the program.

use super::*;

/// Seeds within which a planted mistake must be noticed.
const SEEDS_PER_BUG: u64 = 2_000;

fn replay(outcome: &Outcome) -> String {
    format!(
        "{:?}\n{}\ncargo run -p simulation --bin simulate -- --seed {} --trace",
        outcome.violation, outcome.knobs, outcome.seed
    )
}

#[test]
fn nothing_acknowledged_is_lost_and_everybody_agrees() {
    let (mut steps, mut parts) = (0, 0);
    for seed in 0..300 {
        let outcome = run(seed, None, false);
        assert_eq!(outcome.violation, None, "{}", replay(&outcome));
        steps += outcome.steps;
        parts += outcome.parts;
    }
    // A run in which nothing happened would promise nothing.
    assert!(steps > 300 * 120, "{steps} steps");
    assert!(parts > 300 * 5, "{parts} parts");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in [0, 7, 1_000, 123_456_789, u64::MAX] {
        let (once, again) = (run(seed, None, true), run(seed, None, true));
        assert_eq!(once, again);
        assert!(once.trace.len() > once.steps);
        assert_eq!(run(seed, None, false).digest, once.digest, "kept or not");
        assert_ne!(run(seed ^ 1, None, false).digest, once.digest);
    }
}

#[test]
fn each_planted_mistake_is_noticed() {
    for bug in Bug::ALL {
        let noticed =
            (0..SEEDS_PER_BUG).find(|seed| run(*seed, Some(bug), false).violation.is_some());
        assert!(noticed.is_some(), "{bug} is not noticed");
    }
}

#[test]
fn a_planted_mistake_has_one_name() {
    for bug in Bug::ALL {
        assert_eq!(Bug::from_name(bug.name()), Some(bug));
    }
}
