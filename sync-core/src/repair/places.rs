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

    /// The place that comes next.
    pub(super) fn ahead(&self) -> u64 {
        self.next
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
    number((bits >> 11) + 1) / number(1 << 53)
}

/// A number far below 2^63, which machines convert in one step as a signed one only.
fn number(of: u64) -> f64 {
    of.cast_signed() as f64
}

/// The place that follows on one.
fn after(place: u64, state: u64) -> u64 {
    let at = number(place);
    let reach = (at + 1.0) * (at + 2.0) / random(state);
    let next = (reach + 0.25).sqrt() - 1.5;
    // Rounded up. It is a whole number already where a fraction has no room.
    let whole = next as i64;
    let up = whole.saturating_add(i64::from((whole as f64) < next));
    up.cast_unsigned().max(place.saturating_add(1))
}

impl Iterator for Places {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let place = self.next;
        self.state = self.state.wrapping_add(STEP);
        self.next = after(place, self.state);
        Some(place)
    }
}
