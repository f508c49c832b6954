//! How long is waited before a broken link is tried again.

use std::time::Duration;

use crate::sealed_key::random;

/// A wait of half to all of `longest`, by chance: tablets that lost one link together do not come back
/// together. Without random bytes it is all of it.
pub(crate) fn spread(longest: Duration) -> Duration {
    let half = longest / 2;
    let drawn: [u8; 4] = random().unwrap_or([u8::MAX; 4]);
    let share = f64::from(u32::from_le_bytes(drawn)) / f64::from(u32::MAX);
    half + half.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn waits_differ_and_stay_in_their_half() {
        let longest = Duration::from_secs(8);
        let waits: BTreeSet<_> = (0..200).map(|_| spread(longest)).collect();
        assert!(waits.len() > 100, "{} waits", waits.len());
        assert!(
            waits
                .iter()
                .all(|wait| *wait >= longest / 2 && *wait <= longest)
        );
        let early = waits.iter().filter(|wait| **wait < longest * 3 / 4).count();
        assert!(
            (50..150).contains(&early),
            "{early} of 200 in the first half"
        );
    }
}
