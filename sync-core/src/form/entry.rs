//! What a person typed into a cell, read by the kind of its row: nothing is guessed.

use super::{Indicator, Kind};
use crate::cell::CellValue;
use crate::number::{self, Number, Reading};

/// Why a typed text is no value of a row. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryFault {
    /// It may mean several numbers; these, the likeliest first.
    Ambiguous(Vec<Number>),
    /// It is no number.
    NotANumber,
    /// A percentage in a row that is none.
    NotAPercentage,
    /// A choice that the code list does not have.
    NotInCodeList,
    /// Nobody types this row: the formula alone counts.
    ComputedOnly,
    /// Not of the kind that the row takes: a number where words belong, or no single value.
    NotAValue,
}

impl EntryFault {
    /// The machine code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ambiguous(_) => "ambiguous-number",
            Self::NotANumber => "not-a-number",
            Self::NotAPercentage => "not-a-percentage",
            Self::NotInCodeList => "not-in-code-list",
            Self::ComputedOnly => "computed-only",
            Self::NotAValue => "not-a-value",
        }
    }
}

/// Reads what was typed: `1.893` is 1893, `99,65` is 99.65, `kps` says that it did not occur. An
/// empty text is no number: who empties a cell says so ([`CellValue::Empty`]).
pub fn read(row: &Indicator, text: &str) -> Result<CellValue, EntryFault> {
    if row.computed_only {
        return Err(EntryFault::ComputedOnly);
    }
    if is_no_occurrence(text) {
        return Ok(CellValue::NoOccurrence);
    }
    let reading = match row.kind {
        Kind::Text => return Ok(CellValue::Text(text.to_owned())),
        Kind::Integer | Kind::Choice => number::read_whole(text),
        Kind::Decimal | Kind::Percent | Kind::MoneyMillionVnd | Kind::Heading => number::read(text),
    };
    match reading {
        Reading::Clear(typed) if typed.percent && row.kind != Kind::Percent => {
            Err(EntryFault::NotAPercentage)
        }
        Reading::Clear(typed) => number_of(row, typed.number),
        Reading::Unsure { readings, .. } => Err(EntryFault::Ambiguous(readings)),
        Reading::Refused(_) => Err(EntryFault::NotANumber),
    }
}

/// A number as the value of a row, if it can be one.
pub fn number_of(row: &Indicator, number: Number) -> Result<CellValue, EntryFault> {
    match row.kind {
        _ if row.computed_only => Err(EntryFault::ComputedOnly),
        Kind::Choice
            if !row
                .choices
                .iter()
                .any(|choice| Number::from(choice.value) == number) =>
        {
            Err(EntryFault::NotInCodeList)
        }
        Kind::Integer if !number.is_integer() => Err(EntryFault::Ambiguous(vec![number])),
        Kind::Text => Err(EntryFault::NotAValue),
        Kind::Integer
        | Kind::Decimal
        | Kind::Percent
        | Kind::MoneyMillionVnd
        | Kind::Choice
        | Kind::Heading => Ok(CellValue::Number(number)),
    }
}

/// The words and the abbreviation for "it did not occur in the period".
fn is_no_occurrence(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    matches!(text.as_str(), "kps" | "không phát sinh" | "khong phat sinh")
}
