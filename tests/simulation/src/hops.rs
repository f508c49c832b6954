//! The nodes between tablets and province: how many a run has, and what happens to them.
//!
//! Drawn from a chance of their own, beside the ordinary operations: a run without edges is byte for
//! byte what it was before there were any.

use std::fmt;

use crate::dice::Dice;
use crate::knobs::Knobs;
use crate::operations::{Operation, Place, draw_crashing};
use crate::setting::TEN_YEARS;

/// Sets the chance of the edges apart from all other chance of a seed.
const APART: u64 = 0x65_64_67_65;

/// The knobs of the edges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hops {
    /// Areas with an edge server of their own.
    pub edges: usize,
    /// Of a hundred steps, those in which something happens at an edge as well.
    pub percent: usize,
    /// Weight of requests and rounds upward.
    pub climbing: usize,
    /// Weight of edges that serve what has arrived.
    pub serving: usize,
    /// Weight of tablets that talk to another node from now on.
    pub roaming: usize,
    /// Weight of tablets whose two branches come to an edge and to the province.
    pub branching: usize,
    /// Weight of crashes and failing disks.
    pub crashing: usize,
    /// Weight of copies taken and put back.
    pub copying: usize,
    /// Weight of clocks that jump.
    pub jumping: usize,
}

impl Hops {
    /// Draws the edges of a seed, and the chance that is left for them.
    pub fn draw(seed: u64, knobs: &Knobs) -> (Self, Dice) {
        let mut dice = Dice::new(seed ^ APART);
        let if_any = |weight: usize, drawn: usize| if weight == 0 { 0 } else { drawn };
        let hops = Self {
            edges: [0, 0, 0, 1, 1, 2].get(dice.below(6)).copied().unwrap_or(0),
            percent: dice.between(20, 70),
            climbing: dice.between(2, 12),
            serving: dice.between(4, 12),
            roaming: dice.between(1, 5),
            branching: if_any(
                knobs.copying * usize::from(!knobs.copies_node),
                dice.between(0, 1),
            ),
            crashing: if_any(knobs.crashing, dice.between(1, 4)),
            copying: if_any(
                knobs.copying * usize::from(knobs.copies_node),
                dice.between(1, 2),
            ),
            jumping: if_any(knobs.jumping, 1),
        };
        (hops, dice)
    }

    /// Draws what happens in a step at the edges of a field with so many tablets, if anything.
    pub fn operation(&self, knobs: &Knobs, tablets: usize, dice: &mut Dice) -> Option<Operation> {
        if self.edges == 0 || !dice.percent(self.percent) {
            return None;
        }
        let edge = dice.below(self.edges);
        let place = Place::Edge(edge);
        let weights = [
            self.climbing,
            self.serving,
            self.roaming,
            self.branching,
            self.crashing,
            self.copying,
            self.jumping,
        ];
        Some(match dice.weighted(&weights) {
            0 if dice.one_in(3) => Operation::Round(edge),
            0 => Operation::Climb(edge),
            1 => Operation::ServeAt(edge, dice.between(1, knobs.group_max)),
            2 => {
                let at = dice.below(self.edges + 1).checked_sub(1);
                let tablet = dice.below(tablets);
                Operation::Roam { tablet, at }
            }
            3 => Operation::Branch {
                tablet: dice.below(tablets),
                edge,
            },
            4 => draw_crashing(place, dice),
            5 if dice.one_in(2) => Operation::Copy(place),
            5 => Operation::Restore(place),
            _ => {
                let years = TEN_YEARS / 10 * dice.between(1, 10) as i64;
                Operation::Jump(place, if dice.one_in(2) { years } else { -years })
            }
        })
    }
}

impl fmt::Display for Hops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.edges {
            0 => Ok(()),
            _ => write!(f, " {self:?}"),
        }
    }
}
