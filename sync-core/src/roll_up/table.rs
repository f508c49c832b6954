//! Figures of one node: totals as they are, everything else gathered from the reports below.

use super::RollUp;
use super::figure::{Coverage, Figure, FigureValue, Table};
use super::report_cells::RowCell;
use super::total::RowTotal;
use crate::cell::CellValue;
use crate::form::formula::{Outcome, Unresolved};
use crate::form::{Aggregation, Template};
use crate::identity::UnitId;
use crate::limits;
use crate::number::{Number, Range};
use std::collections::BTreeMap;

impl RollUp {
    /// How many reports a unit's figures stand on; `None` for a unit outside the tree.
    pub fn coverage(&self, unit: UnitId) -> Option<Coverage> {
        let node = self.totals.get(self.tree.index(unit)?)?;
        Some(node.coverage)
    }

    /// The figure of one row; `None` for an unknown unit or code.
    pub fn figure(&self, unit: UnitId, code: &str) -> Option<Figure> {
        let index = self.tree.index(unit)?;
        let row = self.template.row_index(code)?;
        if self.template.aggregation(row) != Aggregation::Recomputed {
            return Some(self.plain_figure(index, row));
        }
        // Only the rows the formula leads to are needed.
        let mut figures: BTreeMap<usize, Figure> = BTreeMap::new();
        let mut stack = vec![row];
        let mut needed = vec![false; self.template.rows().len()];
        while let Some(at) = stack.pop() {
            match needed.get_mut(at) {
                Some(seen) if !*seen => *seen = true,
                Some(_) | None => continue,
            }
            if self.template.aggregation(at) == Aggregation::Recomputed {
                let formula = self.template.formula(at);
                stack.extend(formula.iter().flat_map(|formula| formula.references()));
            } else {
                figures.insert(at, self.plain_figure(index, at));
            }
        }
        for at in self.template.evaluation_order() {
            let is_needed = needed.get(*at).copied().unwrap_or(false);
            if is_needed && !figures.contains_key(at) {
                let figure = recomputed(&self.template, *at, |input| figures.get(&input));
                figures.insert(*at, figure);
            }
        }
        figures.remove(&row)
    }

    /// Every figure of a unit; `None` for a unit outside the tree.
    pub fn table(&self, unit: UnitId) -> Option<Table> {
        let index = self.tree.index(unit)?;
        let rows = 0..self.template.rows().len();
        let mut figures: Vec<Figure> = rows.map(|row| self.plain_figure(index, row)).collect();
        recompute(&self.template, &mut figures);
        Some(Table {
            figures,
            coverage: self.totals.get(index)?.coverage,
        })
    }

    /// The figure of a row that is not computed from others; of one that is, what was typed there.
    fn plain_figure(&self, index: usize, row: usize) -> Figure {
        let aggregation = self.template.aggregation(row);
        let own;
        let total = match self.totals.get(index).and_then(|node| node.row(row)) {
            Some(total) => total,
            None => {
                let mut alone = RowTotal::default();
                if let Some(cell) = self.cell_at(index, row) {
                    alone.count(aggregation, cell, true);
                }
                own = alone;
                &own
            }
        };
        let mut figure = Figure {
            value: FigureValue::Nothing,
            counted: total.counted,
            no_occurrence: total.no_occurrence,
            in_conflict: total.provisional,
            unusable: total.unusable,
        };
        match aggregation {
            Aggregation::Sum if total.counted > 0 => {
                figure.value = match total.range() {
                    Some(range) => FigureValue::Sum(range),
                    None => FigureValue::Unresolved(Unresolved::TooManyDigits),
                };
            }
            Aggregation::Sum | Aggregation::Recomputed => {}
            Aggregation::Spread => figure.value = self.spread(index, row),
            Aggregation::Choices => self.count_choices(index, row, &mut figure),
            Aggregation::Texts => figure.value = self.list_texts(index, row),
        }
        figure
    }

    pub(super) fn cell_at(&self, index: usize, row: usize) -> Option<&RowCell> {
        let report = self.reports.get(index).and_then(Option::as_ref);
        report.and_then(|report| report.cells.row(row))
    }

    /// The cells of a row in the reports at and below a node, with the places of their units.
    fn cells_below(&self, index: usize, row: usize) -> impl Iterator<Item = (usize, &RowCell)> {
        let range = self.tree.subtree_range(index);
        let reports = self.reports.get(range.clone()).unwrap_or_default();
        range.zip(reports).filter_map(move |(at, report)| {
            let cell = report.as_ref()?.cells.row(row)?;
            Some((at, cell))
        })
    }

    /// Lowest to highest of the percentages typed; every rival of a conflict may be the one.
    fn spread(&self, index: usize, row: usize) -> FigureValue {
        let mut spread: Option<Range> = None;
        let mut widen = |number: Number| {
            spread = Some(match spread {
                Some(range) => range.with(number),
                None => Range::from(number),
            });
        };
        for (_, cell) in self.cells_below(index, row) {
            match cell {
                RowCell::Number(number) => widen(*number),
                RowCell::Conflict(rivals) => {
                    for rival in rivals.iter() {
                        if let CellValue::Number(number) = &rival.value {
                            widen(*number);
                        }
                    }
                }
                RowCell::Untyped
                | RowCell::Empty
                | RowCell::NoOccurrence
                | RowCell::Text(_)
                | RowCell::Computed(_) => {}
            }
        }
        spread.map_or(FigureValue::Nothing, FigureValue::Spread)
    }

    /// Counts choices. What is not in the list is moved from what counts to what cannot be used.
    fn count_choices(&self, index: usize, row: usize, figure: &mut Figure) {
        let mut choices: BTreeMap<Number, u32> = BTreeMap::new();
        let listed = |number: &Number| {
            let indicator = self.template.rows().get(row);
            let mut known = indicator.iter().flat_map(|indicator| &indicator.choices);
            known.any(|choice| Number::from(choice.value) == *number)
        };
        for (_, cell) in self.cells_below(index, row) {
            match cell {
                RowCell::Number(number) if listed(number) => {
                    *choices.entry(*number).or_default() += 1;
                }
                RowCell::Number(_) => {
                    figure.counted = figure.counted.saturating_sub(1);
                    figure.unusable += 1;
                }
                RowCell::Untyped
                | RowCell::Empty
                | RowCell::NoOccurrence
                | RowCell::Text(_)
                | RowCell::Computed(_)
                | RowCell::Conflict(_) => {}
            }
        }
        if !choices.is_empty() {
            figure.value = FigureValue::Choices(choices);
        }
    }

    fn list_texts(&self, index: usize, row: usize) -> FigureValue {
        let mut listed = Vec::new();
        let mut more = 0;
        for (at, cell) in self.cells_below(index, row) {
            let text = match cell {
                RowCell::Text(text) => text.to_string(),
                RowCell::Number(number) => number.canonical(),
                RowCell::Untyped
                | RowCell::Empty
                | RowCell::NoOccurrence
                | RowCell::Computed(_)
                | RowCell::Conflict(_) => continue,
            };
            match self.tree.record_at(at) {
                Some(record) if listed.len() < limits::TEXTS_LISTED_MAX => {
                    listed.push((record.unit, text));
                }
                Some(_) | None => more += 1,
            }
        }
        if listed.is_empty() {
            FigureValue::Nothing
        } else {
            FigureValue::Texts { listed, more }
        }
    }
}

/// Computes every recomputed row of a table from the others.
pub(super) fn recompute(template: &Template, figures: &mut [Figure]) {
    for row in template.evaluation_order() {
        if template.aggregation(*row) != Aggregation::Recomputed {
            continue;
        }
        let figure = recomputed(template, *row, |input| figures.get(input));
        if let Some(place) = figures.get_mut(*row) {
            *place = figure;
        }
    }
}

/// The figure of a row whose formula is computed from other figures.
fn recomputed<'a>(
    template: &Template,
    row: usize,
    figure: impl Fn(usize) -> Option<&'a Figure>,
) -> Figure {
    let formula = template.formula(row);
    let inputs = || {
        let references = formula.iter().flat_map(|formula| formula.references());
        references.filter_map(|input| figure(*input))
    };
    let outcome: Outcome = match formula {
        Some(formula) => formula.evaluate(&|input: &usize| amount(figure(*input))),
        None => Err(Unresolved::MissingInput),
    };
    let counted = inputs().map(|input| input.counted).min().unwrap_or(0);
    Figure {
        value: match outcome {
            Ok(range) => FigureValue::Recomputed(range),
            Err(Unresolved::MissingInput) if counted == 0 => FigureValue::Nothing,
            Err(reason) => FigureValue::Unresolved(reason),
        },
        counted,
        no_occurrence: 0,
        in_conflict: inputs().map(|input| input.in_conflict).max().unwrap_or(0),
        unusable: 0,
    }
}

/// A figure as a formula takes it in.
fn amount(figure: Option<&Figure>) -> Outcome {
    match figure.map(|figure| &figure.value) {
        Some(FigureValue::Sum(range) | FigureValue::Recomputed(range)) => Ok(*range),
        Some(FigureValue::Unresolved(reason)) => Err(*reason),
        // A percentage that cannot be added up has no one value for the node.
        Some(
            FigureValue::Nothing
            | FigureValue::Spread(_)
            | FigureValue::Choices(_)
            | FigureValue::Texts { .. },
        )
        | None => Err(Unresolved::MissingInput),
    }
}
