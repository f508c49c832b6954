//! How far reports are filled, section by section of the form.

use super::{RollUp, RowCell};
use crate::form::{Indicator, Kind, Section};
use crate::identity::UnitId;

/// How far one section of a report is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filling {
    /// Rows that are asked for and have something, an emptied cell included: somebody looked.
    pub filled: u32,
    /// Rows in open conflict.
    pub conflicts: u32,
}

/// A row that somebody has to fill: no heading, and nothing that a formula gives.
fn is_asked(row: &Indicator) -> bool {
    row.kind != Kind::Heading && !row.computed_only && row.formula.is_none()
}

impl RollUp {
    /// How many rows of a section somebody has to fill.
    pub fn rows_asked(&self, section: &Section) -> u32 {
        let rows = self.template.rows_of(section).iter();
        rows.map(|row| u32::from(is_asked(row))).sum()
    }

    /// How far the report of a unit is filled, for each section in order; `None` without a report.
    pub fn filling(&self, unit: UnitId) -> Option<Vec<Filling>> {
        let report = self.report(unit)?;
        let sections = self.template.sections().iter();
        let filling = sections.map(|section| {
            let mut filling = Filling::default();
            let rows = self.template.rows_of(section).iter();
            for (row, at) in rows.zip(section.first_row..) {
                let (stands, contested) = match report.cells.row(at) {
                    None | Some(RowCell::Untyped | RowCell::Computed(_)) => (false, false),
                    Some(RowCell::Conflict(_)) => (true, true),
                    Some(
                        RowCell::Empty
                        | RowCell::NoOccurrence
                        | RowCell::Number(_)
                        | RowCell::Text(_),
                    ) => (true, false),
                };
                filling.filled += u32::from(stands && is_asked(row));
                filling.conflicts += u32::from(contested);
            }
            filling
        });
        Some(filling.collect())
    }
}
