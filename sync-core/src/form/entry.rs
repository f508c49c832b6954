//! What a person typed into a cell, read by the kind of its row: nothing is guessed.

use super::{Indicator, Kind};
use crate::cell::CellValue;
use crate::number::{self, Number, Question, Reading};

/// Why a typed text is no value of a row. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryFault {
    /// It may mean several numbers; these, the likeliest first.
    Ambiguous(Vec<Number>),
    /// It has decimal places and the row takes whole numbers; these may have been meant.
    NotWhole(Vec<Number>),
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
            Self::NotWhole(_) => "not-whole",
            Self::NotANumber => "not-a-number",
            Self::NotAPercentage => "not-a-percentage",
            Self::NotInCodeList => "not-in-code-list",
            Self::ComputedOnly => "computed-only",
            Self::NotAValue => "not-a-value",
        }
    }

    /// The numbers that a person may choose from instead, the likeliest first.
    pub fn readings(&self) -> &[Number] {
        match self {
            Self::Ambiguous(readings) | Self::NotWhole(readings) => readings,
            Self::NotANumber
            | Self::NotAPercentage
            | Self::NotInCodeList
            | Self::ComputedOnly
            | Self::NotAValue => &[],
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
        Reading::Unsure { question, readings } => Err(unsure(row, question, readings)),
        Reading::Refused(_) => Err(EntryFault::NotANumber),
    }
}

/// What is asked about an unclear number: only what the row would take is offered.
fn unsure(row: &Indicator, question: Question, readings: Vec<Number>) -> EntryFault {
    let taken: Vec<Number> = readings
        .into_iter()
        .filter(|number| number_of(row, *number).is_ok())
        .collect();
    // Every row of numbers takes some reading; only a code list may have none of them.
    if taken.is_empty() {
        return EntryFault::NotInCodeList;
    }
    match question {
        Question::NotWhole => EntryFault::NotWhole(taken),
        Question::DotAsDecimalMark
        | Question::ForeignMarks
        | Question::Grouping
        | Question::LeadingZeros => EntryFault::Ambiguous(taken),
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
        Kind::Integer if !number.is_integer() => Err(EntryFault::NotWhole(vec![number.rounded(0)])),
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

#[cfg(test)]
mod tests;
