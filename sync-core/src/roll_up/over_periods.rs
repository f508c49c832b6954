//! One table for several periods: amounts add up, "lũy kế" takes the latest, ratios are recomputed.

use super::figure::{Coverage, Figure, FigureValue, Table};
use super::table::recompute;
use crate::form::formula::Unresolved;
use crate::form::{Aggregation, Template};
use crate::limits;
use crate::period::Period;

/// Figures of one unit over several periods, from its table in each; the order given is of no
/// account. Coverage counts one report for each unit and period.
pub fn over_periods(template: &Template, tables: &[(Period, &Table)]) -> Table {
    let mut sorted: Vec<&(Period, &Table)> = tables.iter().collect();
    sorted.sort_by_key(|(period, _)| (period.last_day(), period.first_day()));
    let mut figures = Vec::with_capacity(template.rows().len());
    for (row, indicator) in template.rows().iter().enumerate() {
        let of_row: Vec<&Figure> = sorted
            .iter()
            .filter_map(|(_, table)| table.figures.get(row))
            .filter(|figure| figure.value != FigureValue::Nothing)
            .collect();
        let aggregation = template.aggregation(row);
        let latest_only = indicator.cumulative || aggregation == Aggregation::Choices;
        let combined = if latest_only {
            of_row.last().map(|latest| (*latest).clone())
        } else {
            of_row
                .split_first()
                .map(|(first, later)| later.iter().fold((*first).clone(), combine))
        };
        figures.push(combined.unwrap_or(Figure {
            value: FigureValue::Nothing,
            counted: 0,
            no_occurrence: 0,
            in_conflict: 0,
            unusable: 0,
        }));
    }
    recompute(template, &mut figures);
    let add = |mut sum: Coverage, (_, table): &&(Period, &Table)| {
        sum.due += table.coverage.due;
        sum.reported += table.coverage.reported;
        sum.late += table.coverage.late;
        sum.in_conflict += table.coverage.in_conflict;
        sum.other_version += table.coverage.other_version;
        sum
    };
    Table {
        figures,
        coverage: sorted.iter().fold(Coverage::default(), add),
    }
}

fn combine(mut all: Figure, next: &&Figure) -> Figure {
    all.counted += next.counted;
    all.no_occurrence += next.no_occurrence;
    all.in_conflict += next.in_conflict;
    all.unusable += next.unusable;
    all.value = combine_values(all.value, &next.value);
    all
}

/// One row is always one kind of figure; what could not be computed in one period stays so.
fn combine_values(first: FigureValue, next: &FigureValue) -> FigureValue {
    if let (FigureValue::Sum(sum), FigureValue::Sum(more)) = (&first, next) {
        return match sum.checked_add(*more) {
            Ok(sum) => FigureValue::Sum(sum),
            Err(error) => FigureValue::Unresolved(Unresolved::from(error)),
        };
    }
    if let (FigureValue::Spread(spread), FigureValue::Spread(more)) = (&first, next) {
        return FigureValue::Spread(spread.with(more.low()).with(more.high()));
    }
    if let FigureValue::Unresolved(_) = first {
        return first;
    }
    if let FigureValue::Unresolved(_) = next {
        return next.clone();
    }
    let FigureValue::Texts { mut listed, more } = first else {
        return first;
    };
    let FigureValue::Texts {
        listed: added,
        more: more_added,
    } = next
    else {
        return FigureValue::Texts { listed, more };
    };
    let room = limits::TEXTS_LISTED_MAX.saturating_sub(listed.len());
    listed.extend(added.iter().take(room).cloned());
    let left = u32::try_from(added.len().saturating_sub(room)).unwrap_or(u32::MAX);
    FigureValue::Texts {
        listed,
        more: more.saturating_add(*more_added).saturating_add(left),
    }
}
