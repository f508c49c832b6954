//! One report's cells sorted into the rows of its template, conflicts and computed values included.

use crate::cell::{CellValue, Rival};
use crate::form::formula::Unresolved;
use crate::form::{Aggregation, Template};
use crate::number::{Number, Range};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What stands in one row of one report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RowCell {
    /// Nobody typed anything.
    #[default]
    Untyped,
    /// Emptied on purpose: not zero.
    Empty,
    /// "Không phát sinh": zero of what is counted, and said so.
    NoOccurrence,
    /// A number.
    Number(Number),
    /// Words.
    Text(Box<str>),
    /// Nothing was typed; the formula of the row, which adds rows of this report, gives this.
    Computed(Box<Range>),
    /// Different values stand side by side, none is picked.
    Conflict(Box<[Rival]>),
}

impl RowCell {
    /// What stands when these rivals do. Equal values are no conflict.
    pub fn of(rivals: &[Rival]) -> Self {
        let Some((first, others)) = rivals.split_first() else {
            return Self::Untyped;
        };
        if others.iter().any(|other| other.value != first.value) {
            return Self::Conflict(rivals.into());
        }
        match &first.value {
            CellValue::Empty => Self::Empty,
            CellValue::NoOccurrence => Self::NoOccurrence,
            CellValue::Number(number) => Self::Number(*number),
            CellValue::Text(text) => Self::Text(text.as_str().into()),
        }
    }

    /// The amount it adds to a total; `None` when it adds nothing because nothing is there.
    ///
    /// Of a conflict it is the range of what each way of settling it adds, where an empty cell or
    /// words add nothing.
    pub fn amount(&self) -> Option<Range> {
        match self {
            Self::Untyped | Self::Empty | Self::Text(_) => None,
            Self::NoOccurrence => Some(Range::from(Number::ZERO)),
            Self::Number(number) => Some(Range::from(*number)),
            Self::Computed(range) => Some(**range),
            Self::Conflict(rivals) => {
                let amounts = rivals.iter().map(|rival| match &rival.value {
                    CellValue::Empty | CellValue::Text(_) => None,
                    CellValue::NoOccurrence => Some(Number::ZERO),
                    CellValue::Number(number) => Some(*number),
                });
                let amounts: Vec<Option<Number>> = amounts.collect();
                amounts.iter().any(Option::is_some).then(|| {
                    let added = amounts
                        .into_iter()
                        .map(|amount| amount.unwrap_or(Number::ZERO));
                    let mut added = added.map(Range::from);
                    let first = added.next().unwrap_or(Range::from(Number::ZERO));
                    added.fold(first, |range, other| range.with(other.low()))
                })
            }
        }
    }

    /// True for an open conflict, and for what was computed from one.
    pub fn is_provisional(&self) -> bool {
        match self {
            Self::Conflict(_) => true,
            Self::Computed(range) => range.single().is_none(),
            Self::Untyped | Self::Empty | Self::NoOccurrence | Self::Number(_) | Self::Text(_) => {
                false
            }
        }
    }
}

/// One report's cells by row index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportCells {
    rows: Box<[RowCell]>,
    unknown: Vec<String>,
    conflicts: u32,
}

impl ReportCells {
    /// Sorts cells into rows and computes what sums nobody typed come to. Codes the template does
    /// not know are remembered, not counted.
    pub fn new(template: &Template, cells: &BTreeMap<String, Vec<Rival>>) -> Self {
        let mut rows = vec![RowCell::Untyped; template.rows().len()].into_boxed_slice();
        let mut unknown = Vec::new();
        let mut conflicts = 0;
        let mut codes = template.codes();
        let mut next = codes.next();
        // Both sides are in byte order of the codes.
        for (code, rivals) in cells {
            let mut place = None;
            while let Some((known, row)) = next {
                match known.cmp(code.as_str()) {
                    Ordering::Less => next = codes.next(),
                    Ordering::Equal => {
                        place = rows.get_mut(row);
                        next = codes.next();
                        break;
                    }
                    Ordering::Greater => break,
                }
            }
            match place {
                Some(place) => {
                    *place = RowCell::of(rivals);
                    conflicts += u32::from(place.is_provisional());
                }
                None => unknown.push(code.clone()),
            }
        }
        let mut report = Self {
            rows,
            unknown,
            conflicts,
        };
        report.compute_sums(template);
        report
    }

    /// A formula proposes: its sum counts where nobody typed one, and wherever typing is not wanted.
    fn compute_sums(&mut self, template: &Template) {
        for row in template.evaluation_order() {
            let computed_only = template
                .rows()
                .get(*row)
                .is_some_and(|indicator| indicator.computed_only);
            let untyped = matches!(self.rows.get(*row), Some(RowCell::Untyped));
            if template.aggregation(*row) != Aggregation::Sum || !(untyped || computed_only) {
                continue;
            }
            let Some(formula) = template.formula(*row) else {
                continue;
            };
            let outcome = formula.evaluate(&|input: &usize| {
                let amount = self.rows.get(*input).and_then(RowCell::amount);
                amount.ok_or(Unresolved::MissingInput)
            });
            if let Some(place) = self.rows.get_mut(*row) {
                *place = match outcome {
                    Ok(range) => RowCell::Computed(Box::new(range)),
                    Err(_) => RowCell::Untyped,
                };
            }
        }
    }

    /// The cells in the order of the template's rows.
    pub fn rows(&self) -> &[RowCell] {
        &self.rows
    }

    /// The cell of a row.
    pub fn row(&self, row: usize) -> Option<&RowCell> {
        self.rows.get(row)
    }

    /// Codes that are no rows of the template.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// How many cells are in open conflict.
    pub fn conflicts(&self) -> u32 {
        self.conflicts
    }
}
