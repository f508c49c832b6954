//! What two sets of parts differ in, told in about as many bytes as the difference is large: a
//! rateless invertible Bloom lookup table.
//!
//! One side *streams symbols* of its set. A symbol is the exclusive or of some members' short ids, that
//! of their checksums, and how many they are ([`Symbol`]). The first symbol has every member, the later
//! ones fewer and fewer; which ones a member is in follows from its id alone (`places`). The other
//! side takes its own symbols away ([`Comparison`]): what both have cancels out, whatever its size, and
//! what is left are symbols of the difference. One with a single member is recognised by its checksum;
//! that member is found, taken out of all its symbols, and leaves others with a single one. About 1.4
//! symbols for each member of the difference are enough, and nobody has to know beforehand how many
//! that will be: if they are too few, more of the same stream follow.
//!
//! **Keyed.** Short ids, checksums and places depend on a key that is drawn for each repair
//! ([`RepairKey`]). So nobody can make parts whose ids fall together, and two that do so by chance do
//! not with the next key.
//!
//! **Nothing found here is believed.** A table that is wrong, by chance or by malice, is recognised
//! where it contradicts itself or the own set ([`Contradiction`]); and what is found only says which
//! parts to ask for and which to offer. Work is bounded by the symbols taken.

mod comparison;
mod key;
mod places;
mod symbol;
#[cfg(test)]
mod tests;

pub use comparison::{Comparison, Contradiction, Difference};
pub use key::{RepairKey, ShortId};
pub use places::Places;
pub(crate) use symbol::{Stretch, read_symbols, write_symbols};
pub use symbol::{Symbol, symbols};

use crate::limits;

/// True if comparing sets of these sizes is cheaper than reading the other one: below a half in common
/// it cannot be.
pub fn is_worth_comparing(ours: u64, theirs: u64) -> bool {
    let (small, large) = (ours.min(theirs), ours.max(theirs));
    small > 0 && large.div_ceil(2) <= small
}

/// How many symbols to tell next after `told`, of sets of these sizes.
pub fn next_symbols(told: usize, ours: u64, theirs: u64) -> usize {
    let enough = |members: u64| {
        let symbols = members.saturating_add(members / 2).saturating_add(16);
        usize::try_from(symbols).unwrap_or(usize::MAX)
    };
    let next = match told {
        // They differ in so many at least, and in no more than all they have.
        0 => enough(ours.abs_diff(theirs))
            .max(limits::REPAIR_SYMBOLS_FIRST)
            .min(enough(ours.saturating_add(theirs))),
        told => told,
    };
    next.min(limits::REPAIR_SYMBOLS_PER_ANSWER_MAX)
        .min(limits::REPAIR_SYMBOLS_MAX.saturating_sub(told))
}
