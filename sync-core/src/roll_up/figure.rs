//! What a roll-up says: a figure for each row, and how many reports it stands on.

use crate::form::formula::Unresolved;
use crate::identity::UnitId;
use crate::number::{Number, Range};
use std::collections::BTreeMap;

/// The figure of one row at one unit, over its own report and those below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What it comes to.
    pub value: FigureValue,
    /// Reports that count in the row, "no occurrence" included; for a recomputed figure those of
    /// the row it refers to that has the fewest.
    pub counted: u32,
    /// Reports that say it did not occur; zero of what is counted.
    pub no_occurrence: u32,
    /// Reports in which the row, or one it is computed from, is in open conflict. Above zero the
    /// figure is provisional.
    pub in_conflict: u32,
    /// Reports with a value the row cannot count: words for an amount, a choice not in the list.
    pub unusable: u32,
}

impl Figure {
    /// True while a conflict below is open.
    pub fn is_provisional(&self) -> bool {
        self.in_conflict > 0
    }
}

/// What a row comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FigureValue {
    /// No report has anything in the row.
    Nothing,
    /// Amounts added up.
    Sum(Range),
    /// Computed again from figures of the same node.
    Recomputed(Range),
    /// It cannot be computed; the reason.
    Unresolved(Unresolved),
    /// Percentages whose parts are not in the form: from the lowest to the highest.
    Spread(Range),
    /// How many reports chose what, by the number of the choice; choices nobody made are left out.
    Choices(BTreeMap<Number, u32>),
    /// Words, each with the unit that wrote them, in the order of the tree.
    Texts {
        /// The first of them.
        listed: Vec<(UnitId, String)>,
        /// How many more there are.
        more: u32,
    },
}

impl FigureValue {
    /// The amount, for figures that are one.
    pub fn range(&self) -> Option<Range> {
        match self {
            Self::Sum(range) | Self::Recomputed(range) => Some(*range),
            Self::Nothing
            | Self::Unresolved(_)
            | Self::Spread(_)
            | Self::Choices(_)
            | Self::Texts { .. } => None,
        }
    }
}

/// How many reports a node stands on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Units that owe a report.
    pub due: u32,
    /// Those that have one.
    pub reported: u32,
    /// Those of them that came after the due date.
    pub late: u32,
    /// Those of them with an open conflict in a row of the template.
    pub in_conflict: u32,
    /// Those of them filled by another version of the template.
    pub other_version: u32,
}

impl Coverage {
    /// Units that owe a report and have none.
    pub fn missing(&self) -> u32 {
        self.due.saturating_sub(self.reported)
    }

    /// True when every due report is there and none is in conflict.
    pub fn is_complete(&self) -> bool {
        self.missing() == 0 && self.in_conflict == 0
    }
}

/// All figures of one unit, in the order of the template's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// One for each row.
    pub figures: Vec<Figure>,
    /// What they stand on.
    pub coverage: Coverage,
}
