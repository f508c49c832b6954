//! Opening a figure: what a unit's own report and each unit directly below add to it.

use super::RollUp;
use super::figure::{Coverage, Figure};
use super::report_cells::RowCell;
use crate::identity::UnitId;

/// One part of a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// The unit it comes from.
    pub unit: UnitId,
    /// The cell of that unit's own report, if it has one: value, or all rivals.
    pub cell: Option<RowCell>,
    /// The figure over the unit and everything below it. Nothing for the opened unit's own report,
    /// of which the cell says it all.
    pub figure: Option<Figure>,
    /// What the figure stands on.
    pub coverage: Coverage,
}

impl RollUp {
    /// The parts of a figure: first the unit's own report if it owes one, then the units directly
    /// below, by code. `None` for an unknown unit or code.
    pub fn contributions(&self, unit: UnitId, code: &str) -> Option<Vec<Contribution>> {
        let index = self.tree.index(unit)?;
        let row = self.template.row_index(code)?;
        let mut parts = Vec::new();
        if self.due.get(index) == Some(&true) {
            let report = self.reports.get(index).and_then(Option::as_ref);
            parts.push(Contribution {
                unit,
                cell: self.cell_at(index, row).cloned(),
                figure: None,
                coverage: Coverage {
                    due: 1,
                    reported: u32::from(report.is_some()),
                    late: u32::from(report.is_some_and(|report| report.late)),
                    in_conflict: u32::from(
                        report.is_some_and(|report| report.cells.conflicts() > 0),
                    ),
                    other_version: u32::from(
                        report.is_some_and(|report| {
                            report.template_version != self.template.version()
                        }),
                    ),
                },
            });
        }
        for child in self.tree.child_indexes(index) {
            let Some(record) = self.tree.record_at(child) else {
                continue;
            };
            parts.push(Contribution {
                unit: record.unit,
                cell: self.cell_at(child, row).cloned(),
                figure: self.figure(record.unit, code),
                coverage: self.coverage(record.unit).unwrap_or_default(),
            });
        }
        Some(parts)
    }
}
