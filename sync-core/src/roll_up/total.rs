//! Totals of a node that can be added to and taken from exactly, in any order.

use super::Report;
use super::figure::Coverage;
use super::report_cells::RowCell;
use crate::form::{Aggregation, Template};
use crate::number::{Number, Range};

/// An exact sum, kept as one integer for each number of decimal places. Adding and taking away
/// wrap, so they undo each other whatever the order; a mantissa is below 2^94, so it takes 2^33
/// reports to reach the end of 128 bits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ExactSum {
    whole: i128,
    /// (decimal places, sum of mantissas): ascending, without zero sums.
    fractions: Vec<(u32, i128)>,
}

impl ExactSum {
    fn add_at(&mut self, scale: u32, mantissa: i128) {
        if scale == 0 {
            self.whole = self.whole.wrapping_add(mantissa);
            return;
        }
        match self.fractions.binary_search_by_key(&scale, |entry| entry.0) {
            Ok(at) => {
                if let Some((_, sum)) = self.fractions.get_mut(at) {
                    *sum = sum.wrapping_add(mantissa);
                    if *sum == 0 {
                        self.fractions.remove(at);
                    }
                }
            }
            Err(at) if mantissa != 0 => self.fractions.insert(at, (scale, mantissa)),
            Err(_) => {}
        }
    }

    fn add(&mut self, number: Number, sign: i128) {
        self.add_at(number.scale(), number.mantissa().wrapping_mul(sign));
    }

    fn add_sum(&mut self, other: &Self) {
        self.whole = self.whole.wrapping_add(other.whole);
        for (scale, mantissa) in &other.fractions {
            self.add_at(*scale, *mantissa);
        }
    }

    /// The sum as a number; `None` when it needs more than 28 digits.
    fn value(&self) -> Option<Number> {
        let mut total = Number::from_parts(self.whole, 0)?;
        for (scale, mantissa) in &self.fractions {
            total = total
                .checked_add(Number::from_parts(*mantissa, *scale)?)
                .ok()?;
        }
        Some(total)
    }
}

/// What the reports at and below a node come to in one row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RowTotal {
    low: ExactSum,
    /// High minus low: zero unless there are conflicts.
    slack: ExactSum,
    /// Reports with something in the row that counts, "no occurrence" included.
    pub(super) counted: u32,
    /// Reports that say it did not occur.
    pub(super) no_occurrence: u32,
    /// Reports in which the row is in conflict or computed from a conflict.
    pub(super) provisional: u32,
    /// Reports with words where an amount belongs, or another value the row cannot count.
    pub(super) unusable: u32,
}

impl RowTotal {
    /// The sum; `None` when it needs more than 28 digits.
    pub(super) fn range(&self) -> Option<Range> {
        let low = self.low.value()?;
        if self.slack == ExactSum::default() {
            return Some(Range::from(low));
        }
        let high = low.checked_add(self.slack.value()?).ok()?;
        Some(Range::between(low, high))
    }

    /// Counts a cell in, or out with `add` false.
    pub(super) fn count(&mut self, aggregation: Aggregation, cell: &RowCell, add: bool) {
        let sums = aggregation == Aggregation::Sum;
        let sign = if add { 1 } else { -1 };
        match cell {
            RowCell::Untyped | RowCell::Empty => {}
            RowCell::NoOccurrence => {
                step(&mut self.counted, add);
                step(&mut self.no_occurrence, add);
            }
            RowCell::Number(number) => {
                step(&mut self.counted, add);
                if sums {
                    self.low.add(*number, sign);
                }
            }
            RowCell::Text(_) => match aggregation {
                Aggregation::Texts => step(&mut self.counted, add),
                Aggregation::Sum
                | Aggregation::Recomputed
                | Aggregation::Spread
                | Aggregation::Choices => step(&mut self.unusable, add),
            },
            RowCell::Computed(_) | RowCell::Conflict(_) => {
                let amount = cell.amount();
                if cell.is_provisional() {
                    step(&mut self.provisional, add);
                }
                if let Some(amount) = amount {
                    step(&mut self.counted, add);
                    if sums {
                        self.add_range(amount, sign);
                    }
                }
            }
        }
    }

    fn add_range(&mut self, amount: Range, sign: i128) {
        self.low.add(amount.low(), sign);
        self.slack.add(amount.high(), sign);
        self.slack.add(amount.low(), -sign);
    }

    fn add_total(&mut self, other: &Self) {
        self.low.add_sum(&other.low);
        self.slack.add_sum(&other.slack);
        self.counted += other.counted;
        self.no_occurrence += other.no_occurrence;
        self.provisional += other.provisional;
        self.unusable += other.unusable;
    }
}

fn step(counter: &mut u32, add: bool) {
    *counter = if add {
        counter.wrapping_add(1)
    } else {
        counter.wrapping_sub(1)
    };
}

/// What the reports at and below a node come to. A node with nothing below it keeps no rows: its
/// report says it all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeTotals {
    rows: Vec<RowTotal>,
    pub(super) coverage: Coverage,
}

impl NodeTotals {
    pub(super) fn new(has_children: bool, template: &Template) -> Self {
        let count = if has_children {
            template.rows().len()
        } else {
            0
        };
        Self {
            rows: vec![RowTotal::default(); count],
            coverage: Coverage::default(),
        }
    }

    pub(super) fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }

    pub(super) fn row(&self, row: usize) -> Option<&RowTotal> {
        self.rows.get(row)
    }

    pub(super) fn add_report(&mut self, template: &Template, report: &Report) {
        self.count(template, report, true);
    }

    pub(super) fn take_report(&mut self, template: &Template, report: &Report) {
        self.count(template, report, false);
    }

    fn count(&mut self, template: &Template, report: &Report, add: bool) {
        let coverage = &mut self.coverage;
        step(&mut coverage.reported, add);
        if report.late {
            step(&mut coverage.late, add);
        }
        if report.cells.conflicts() > 0 {
            step(&mut coverage.in_conflict, add);
        }
        if report.template_version != template.version() {
            step(&mut coverage.other_version, add);
        }
        let aggregations = template.aggregations();
        let cells = report.cells.rows().iter().zip(aggregations);
        for (row, (cell, aggregation)) in self.rows.iter_mut().zip(cells) {
            row.count(*aggregation, cell, add);
        }
    }

    /// Adds what a node below came to, except for what it owes, which never changes.
    pub(super) fn add_node(&mut self, below: &Self) {
        let coverage = &mut self.coverage;
        coverage.reported += below.coverage.reported;
        coverage.late += below.coverage.late;
        coverage.in_conflict += below.coverage.in_conflict;
        coverage.other_version += below.coverage.other_version;
        for (row, other) in self.rows.iter_mut().zip(&below.rows) {
            row.add_total(other);
        }
    }
}
