//! Everything a run is drawn with, printed before it.

use std::fmt;

use crate::dice::Dice;

/// The knobs of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knobs {
    /// Areas below the province.
    pub areas: usize,
    /// Communes below the areas.
    pub communes: usize,
    /// Tablets enrolled at the start.
    pub tablets: usize,
    /// Periods that are reported on.
    pub periods: usize,
    /// Rows of the form.
    pub codes: usize,
    /// Operations while faults are on.
    pub steps: usize,
    /// Bytes after which the journals begin a new segment.
    pub segment_bytes_max: u64,
    /// Bytes of entries that a tablet asks for in one answer.
    pub answer_bytes_max: u64,
    /// Requests the node commits as one group at most.
    pub group_max: usize,
    /// Weight of typing among all operations.
    pub typing: usize,
    /// Weight of moving messages.
    pub moving: usize,
    /// Weight of losing, repeating and garbling messages.
    pub losing: usize,
    /// Weight of crashes and failing disks.
    pub crashing: usize,
    /// Weight of copies taken and put back.
    pub copying: usize,
    /// Whose folders are put back: the node's, or the tablets'. Not both in one run: a number that a
    /// node forgot and its tablet forgot too is used twice, and nobody can tell.
    pub copies_node: bool,
    /// Weight of catalogue changes.
    pub administering: usize,
    /// Weight of hostile parts.
    pub attacking: usize,
    /// Weight of clocks that jump.
    pub jumping: usize,
    /// Of a hundred edits, those outside one's own unit.
    pub straying: usize,
}

impl Knobs {
    /// Draws the knobs of a run.
    pub fn draw(dice: &mut Dice) -> Self {
        let some = |dice: &mut Dice, most: usize| {
            if dice.one_in(3) {
                0
            } else {
                dice.below(most) + 1
            }
        };
        Self {
            areas: dice.between(1, 2),
            communes: dice.between(1, 4),
            tablets: dice.between(2, 5),
            periods: dice.between(1, 2),
            codes: dice.between(2, 5),
            steps: dice.between(120, 320),
            segment_bytes_max: [1_024, 4_096, 32_768, 1 << 20]
                .get(dice.below(4))
                .copied()
                .unwrap_or(4_096),
            answer_bytes_max: if dice.one_in(3) {
                dice.between(300, 3_000) as u64
            } else {
                1 << 18
            },
            group_max: dice.between(1, 5),
            typing: dice.between(15, 50),
            moving: dice.between(30, 80),
            losing: some(dice, 15),
            crashing: some(dice, 10),
            copying: some(dice, 4),
            copies_node: dice.one_in(2),
            administering: some(dice, 5),
            attacking: some(dice, 4),
            jumping: some(dice, 3),
            straying: if dice.one_in(2) { 0 } else { dice.below(20) },
        }
    }
}

impl fmt::Display for Knobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
