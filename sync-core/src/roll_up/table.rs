//! Figures of one node: totals as they are, everything else gathered from the reports below.

use super::RollUp;
use super::figure::{Coverage, Figure, FigureValue, Table};
use super::report_cells::RowCell;
use super::total::RowTotal;
use crate::cell::CellValue;
use crate::form::formula::{Outcome, Unresolved};
use crate::form::{Aggregation, Indicator, Template};
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
            return self.plain_figures(index, &[row]).pop();
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
                figures.extend(
                    self.plain_figures(index, &[at])
                        .pop()
                        .map(|figure| (at, figure)),
                );
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
        let rows: Vec<usize> = (0..self.template.rows().len()).collect();
        let mut figures = self.plain_figures(index, &rows);
        recompute(&self.template, &mut figures);
        Some(Table {
            figures,
            coverage: self.totals.get(index)?.coverage,
        })
    }

    /// The figures of rows that are not computed from others; of those that are, how many cells
    /// were typed.
    fn plain_figures(&self, index: usize, rows: &[usize]) -> Vec<Figure> {
        let totals = rows.iter().map(|row| {
            let aggregation = self.template.aggregation(*row);
            let node = self.totals.get(index).and_then(|node| node.row(*row));
            let mut figure = match (node, self.cell_at(index, *row)) {
                (Some(total), _) => total_figure(aggregation, total),
                (None, Some(cell)) => {
                    let mut alone = RowTotal::default();
                    alone.count(aggregation, cell, true);
                    total_figure(aggregation, &alone)
                }
                (None, None) => total_figure(aggregation, &RowTotal::default()),
            };
            if figure.counted == 0 {
                figure.value = FigureValue::Nothing;
            }
            figure
        });
        let mut figures: Vec<Figure> = totals.collect();
        self.gather(index, rows, &mut figures);
        figures
    }

    pub(super) fn cell_at(&self, index: usize, row: usize) -> Option<&RowCell> {
        let report = self.reports.get(index).and_then(Option::as_ref);
        report.and_then(|report| report.cells.row(row))
    }

    /// Fills in what no total can hold: lowest and highest, choices, words. One pass over the
    /// reports below for all rows, since a report's cells lie side by side in memory.
    fn gather(&self, index: usize, rows: &[usize], figures: &mut [Figure]) {
        let mut gathering: Vec<(usize, &mut Figure, Gathering)> = Vec::new();
        for (row, figure) in rows.iter().zip(figures) {
            if let Some(start) = Gathering::of(self.template.aggregation(*row)) {
                gathering.push((*row, figure, start));
            }
        }
        if gathering.is_empty() {
            return;
        }
        for at in self.tree.subtree_range(index) {
            let Some(report) = self.reports.get(at).and_then(Option::as_ref) else {
                continue;
            };
            let unit = self.tree.record_at(at).map(|record| record.unit);
            for (row, _, gathered) in &mut gathering {
                if let (Some(cell), Some(unit)) = (report.cells.row(*row), unit) {
                    gathered.take(unit, cell);
                }
            }
        }
        for (row, figure, gathered) in gathering {
            if let Some(indicator) = self.template.rows().get(row) {
                gathered.finish(indicator, figure);
            }
        }
    }
}

/// A figure as far as totals tell it.
fn total_figure(aggregation: Aggregation, total: &RowTotal) -> Figure {
    let value = match (aggregation, total.range()) {
        (Aggregation::Sum, Some(range)) => FigureValue::Sum(range),
        (Aggregation::Sum, None) => FigureValue::Unresolved(Unresolved::TooManyDigits),
        (
            Aggregation::Recomputed
            | Aggregation::Spread
            | Aggregation::Choices
            | Aggregation::Texts,
            _,
        ) => FigureValue::Nothing,
    };
    Figure {
        value,
        counted: total.counted,
        no_occurrence: total.no_occurrence,
        in_conflict: total.provisional,
        unusable: total.unusable,
    }
}

/// What is gathered from the reports below for one row.
enum Gathering {
    Spread(Option<Range>),
    Choices(BTreeMap<Number, u32>),
    Texts {
        listed: Vec<(UnitId, String)>,
        more: u32,
    },
}

impl Gathering {
    fn of(aggregation: Aggregation) -> Option<Self> {
        match aggregation {
            Aggregation::Sum | Aggregation::Recomputed => None,
            Aggregation::Spread => Some(Self::Spread(None)),
            Aggregation::Choices => Some(Self::Choices(BTreeMap::new())),
            Aggregation::Texts => Some(Self::Texts {
                listed: Vec::new(),
                more: 0,
            }),
        }
    }

    fn take(&mut self, unit: UnitId, cell: &RowCell) {
        match (self, cell) {
            (Self::Spread(spread), RowCell::Number(number)) => widen(spread, *number),
            // Every rival of a conflict may be the one.
            (Self::Spread(spread), RowCell::Conflict(rivals)) => {
                for rival in rivals.iter() {
                    if let CellValue::Number(number) = &rival.value {
                        widen(spread, *number);
                    }
                }
            }
            (Self::Choices(choices), RowCell::Number(number)) => {
                *choices.entry(*number).or_default() += 1;
            }
            (Self::Texts { listed, more }, RowCell::Text(_) | RowCell::Number(_)) => {
                if listed.len() >= limits::TEXTS_LISTED_MAX {
                    *more += 1;
                } else if let RowCell::Text(text) = cell {
                    listed.push((unit, text.to_string()));
                } else if let RowCell::Number(number) = cell {
                    listed.push((unit, number.canonical()));
                }
            }
            (
                Self::Spread(_) | Self::Choices(_) | Self::Texts { .. },
                RowCell::Untyped
                | RowCell::Empty
                | RowCell::NoOccurrence
                | RowCell::Text(_)
                | RowCell::Computed(_)
                | RowCell::Conflict(_),
            ) => {}
        }
    }

    /// Choices that are not in the list are moved from what counts to what cannot be used.
    fn finish(self, indicator: &Indicator, figure: &mut Figure) {
        figure.value = match self {
            Self::Spread(spread) => spread.map_or(FigureValue::Nothing, FigureValue::Spread),
            Self::Choices(mut choices) => {
                choices.retain(|number, count| {
                    let mut known = indicator.choices.iter();
                    let listed = known.any(|choice| Number::from(choice.value) == *number);
                    if !listed {
                        figure.counted = figure.counted.saturating_sub(*count);
                        figure.unusable = figure.unusable.saturating_add(*count);
                    }
                    listed
                });
                match choices.is_empty() {
                    true => FigureValue::Nothing,
                    false => FigureValue::Choices(choices),
                }
            }
            Self::Texts { listed, .. } if listed.is_empty() => FigureValue::Nothing,
            Self::Texts { listed, more } => FigureValue::Texts { listed, more },
        };
    }
}

fn widen(spread: &mut Option<Range>, number: Number) {
    *spread = Some(match spread {
        Some(range) => range.with(number),
        None => Range::from(number),
    });
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
