//! What settling a conflict would do to a total above it.

use super::RowCell;
use crate::cell::{CellValue, Rival};
use crate::number::{Number, Range};

/// What a value adds to a total that adds its row up; nothing there adds zero.
pub fn settled_amount(value: &CellValue) -> Number {
    match value {
        CellValue::Empty | CellValue::NoOccurrence | CellValue::Text(_) => Number::ZERO,
        CellValue::Number(number) => *number,
    }
}

/// A total that adds up the contested cell, as it would be with `chosen` in its place; `None` for
/// more digits than a number has. What else is open in the total stays open.
pub fn if_settled(total: Range, contested: &[Rival], chosen: &CellValue) -> Option<Range> {
    let open = RowCell::of(contested).amount();
    let open = open.unwrap_or(Range::from(Number::ZERO));
    let settled = settled_amount(chosen);
    let without = |end: Number, of: Number| end.checked_sub(of).ok()?.checked_add(settled).ok();
    let low = without(total.low(), open.low())?;
    let high = without(total.high(), open.high())?;
    Some(Range::between(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{ActorId, ChangeHash};

    fn rivals(values: &[i64]) -> Vec<Rival> {
        let rival = |value: &i64| Rival {
            value: CellValue::Number((*value).into()),
            actor: ActorId([0; 16]),
            claimed_at: 0,
            change: ChangeHash([0; 32]),
        };
        values.iter().map(rival).collect()
    }

    fn between(low: i64, high: i64) -> Range {
        Range::between(low.into(), high.into())
    }

    #[test]
    fn a_choice_takes_its_own_conflict_out_of_the_range_and_no_other() {
        let contested = rivals(&[7_412, 7_421]);
        // Another commune's conflict of 5 stays open.
        let total = between(606_446, 606_460);
        let chosen = |value: i64| if_settled(total, &contested, &CellValue::Number(value.into()));
        assert_eq!(chosen(7_412), Some(between(606_446, 606_451)));
        assert_eq!(chosen(7_421), Some(between(606_455, 606_460)));
        assert_eq!(
            chosen(7_400),
            Some(between(606_434, 606_439)),
            "a third value"
        );
        let emptied = if_settled(total, &contested, &CellValue::Empty);
        assert_eq!(emptied, Some(between(599_034, 599_039)));
    }
}
