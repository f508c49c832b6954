//! The value of one cell, and one of several concurrent values (a rival).

use crate::identity::{ActorId, ChangeHash};
use crate::number::Number;

/// What a cell holds once somebody typed in it. A cell nobody ever typed in has no value at all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CellValue {
    /// Emptied on purpose: not zero, and not the same as never typed.
    Empty,
    /// "Không phát sinh": the thing counted did not occur in the period.
    NoOccurrence,
    /// An exact number; a choice is the number printed for it.
    Number(Number),
    /// Words.
    Text(String),
}

/// One value of a cell with where it came from. A cell with two different ones is in conflict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rival {
    /// What was typed.
    pub value: CellValue,
    /// The chain that typed it.
    pub actor: ActorId,
    /// When it was typed, as that device claims, seconds since 1970 UTC.
    pub claimed_at: i64,
    /// The change that carries it.
    pub change: ChangeHash,
}
