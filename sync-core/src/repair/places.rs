//! Which symbols a member is in: the first, and then ever fewer of those that follow.
//!
//! A member is in symbol `i` with probability `2 / (i + 2)`. After being in `i` it is in none of those
//! up to `j` with probability `(i + 1)(i + 2) / ((j + 1)(j + 2))`, the product of not being in each; so
//! one random number `r` tells the next: the first `j` for which that is at most `r`. It takes one square
//! root, which is exact to the last bit on every machine, as division and rounding are.

/// The numbers of a member's symbols, ascending, without end.
#[derive(Debug, Clone)]
pub struct Places {
    state: u64,
    next: u64,
}

impl Places {
    /// The places that follow from the spread of a member.
    pub(super) fn of(spread: u64) -> Self {
        Self {
            state: spread,
            next: 0,
        }
    }
}

/// Steps of the generator's state: the golden ratio of 2^64, so that every state comes.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// One random number above 0 and at most 1, of a state (the finish of SplitMix64).
fn random(state: u64) -> f64 {
    let mut bits = state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    ((bits >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

impl Iterator for Places {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let place = self.next;
        self.state = self.state.wrapping_add(STEP);
        let at = place as f64;
        let reach = (at + 1.0) * (at + 2.0) / random(self.state);
        let next = ((reach + 0.25).sqrt() - 1.5).ceil() as u64;
        self.next = next.max(place.saturating_add(1));
        Some(place)
    }
}
