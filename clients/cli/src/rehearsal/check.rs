//! Holding the province's totals against the published figures, cell by cell.

use std::collections::BTreeMap;

use sync_core::form::Aggregation;
use sync_core::number::{Number, Range};
use sync_core::report::{self, Finding};
use sync_core::roll_up::{Coverage, FigureValue, TotalFinding};

use super::{Options, Plan, RehearsalError, Role, fill, watch};
use crate::tablet::TabletError;
use crate::totals::DeviceTotals;
use crate::view::figure_text;

/// One published cell against the total.
#[derive(Debug, Clone)]
pub struct CheckRow {
    /// The code.
    pub code: String,
    /// The label.
    pub label: String,
    /// The published figure.
    pub expected: Number,
    /// The total as it is.
    pub actual: String,
    /// Whether it must be equal, and is; none for cells that are not added up.
    pub equal: Option<bool>,
}

/// What checking found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Every published cell.
    pub rows: Vec<CheckRow>,
    /// Reports in.
    pub coverage: Coverage,
    /// What the roll-up says against the published figures.
    pub findings: Vec<TotalFinding>,
    /// What speaks against the province's own report as printed.
    pub own_findings: Vec<Finding>,
}

impl Checked {
    /// Cells that should be equal and are not.
    pub fn differences(&self) -> usize {
        self.rows
            .iter()
            .filter(|row| row.equal == Some(false))
            .count()
    }

    /// Cells that are equal.
    pub fn equal(&self) -> usize {
        self.rows
            .iter()
            .filter(|row| row.equal == Some(true))
            .count()
    }
}

/// Reads everything from the server once more and compares.
pub fn check(options: &Options, plan: &Plan) -> Result<Checked, RehearsalError> {
    let (mut tablet, _) = watch::open_reviewer(options, plan)?;
    let totals = DeviceTotals::new(&mut tablet, plan.template.id(), &options.period)?;
    let missing = || RehearsalError::Missing("the province".to_owned());
    let top = totals.top().ok_or_else(missing)?;
    let roll_up = totals.roll_up();
    let table = roll_up.table(top).ok_or_else(missing)?;
    let coverage = table.coverage;
    let mut rows = Vec::new();
    for (row, figure) in plan.template.rows().iter().zip(&table.figures) {
        let (Some(index), Some(expected)) = (
            plan.template.row_index(&row.code),
            plan.published.get(&row.code),
        ) else {
            continue;
        };
        let equal = match plan.template.aggregation(index) {
            Aggregation::Sum => Some(figure.value == FigureValue::Sum(Range::from(*expected))),
            Aggregation::Choices => {
                let chosen = plan.choices.get(&row.code).copied().unwrap_or(*expected);
                let counts = BTreeMap::from([(chosen, coverage.due)]);
                Some(figure.value == FigureValue::Choices(counts))
            }
            Aggregation::Recomputed | Aggregation::Spread | Aggregation::Texts => None,
        };
        rows.push(CheckRow {
            code: row.code.clone(),
            label: row.label.clone(),
            expected: *expected,
            actual: figure_text(figure),
            equal,
        });
    }
    let province = plan.of_role(&Role::Province)?;
    let subject = fill::subject(options, plan, province, &tablet)?;
    let own = tablet.sealed_document(&subject)?.cells();
    let stated = own
        .iter()
        .filter_map(|(code, rivals)| match rivals.as_slice() {
            [one] => match one.value {
                sync_core::cell::CellValue::Number(number) => Some((code.clone(), number)),
                sync_core::cell::CellValue::Empty
                | sync_core::cell::CellValue::NoOccurrence
                | sync_core::cell::CellValue::Text(_) => None,
            },
            _ => None,
        });
    let stated: BTreeMap<String, Number> = stated.collect();
    let findings = roll_up.findings_against(top, &stated).ok_or_else(missing)?;
    let own_findings = report::findings(&plan.template, &own);
    tablet.close().map_err(|error: TabletError| error)?;
    Ok(Checked {
        rows,
        coverage,
        findings,
        own_findings,
    })
}
