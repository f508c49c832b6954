//! From what a person wrote in a file to edits of a report: nothing is guessed, every fault is named.
//!
//! JSON is an object `{"code": value}`: a text is read as typed into the cell (`"1.893"` is 1893), a
//! JSON number is exact as it stands, `null` empties the cell, `false` or the text `kps` says that it
//! did not occur. CSV has the columns code and value, separated by comma, semicolon or tab; an empty
//! value is no entry, `null` empties.

use std::collections::BTreeMap;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use sync_core::cell::CellValue;
use sync_core::document::{Edit, Entry};
use sync_core::form::entry::{self, EntryFault};
use sync_core::form::{Indicator, Template};

/// What is wrong with one line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: the line of a CSV file, or the place in the order of a JSON object, from 1.
    pub row: usize,
    /// The indicator code as written.
    pub code: String,
    /// What was written.
    pub written: String,
    /// What is wrong.
    pub problem: FaultProblem,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultProblem {
    /// The template has no such row.
    UnknownCode,
    /// The code came before.
    Repeated,
    /// What is written is no value of the row.
    Entry(EntryFault),
}

impl FaultProblem {
    /// The machine code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown-code",
            Self::Repeated => "repeated-code",
            Self::Entry(fault) => fault.code(),
        }
    }

    /// The numbers that may have been meant, as a person would write them.
    pub fn readings(&self) -> Vec<String> {
        match self {
            Self::Entry(fault) => fault
                .readings()
                .iter()
                .map(|reading| reading.to_vietnamese())
                .collect(),
            Self::UnknownCode | Self::Repeated => Vec::new(),
        }
    }
}

/// Why a file became no edits. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypedError {
    /// Not JSON, or no object.
    #[error("the file is no JSON object: {0}")]
    Json(String),
    /// A CSV line without its two columns, or an open quotation.
    #[error("line {0} of the file has no columns code and value")]
    Csv(usize),
    /// Lines that are wrong, all of them.
    #[error("{} lines of the file are wrong", .0.len())]
    Faults(Vec<Fault>),
}

/// One line of a file.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    row: usize,
    code: String,
    value: Value,
}

/// Reads a file by its look: JSON if it begins with a brace, else CSV.
pub fn read(template: &Template, text: &str, now: i64) -> Result<Vec<Edit>, TypedError> {
    edits(template, &lines(text)?, now)
}

/// Everything that is written in a file, in its order, as it is written.
pub fn written(text: &str) -> Result<Vec<(String, Value)>, TypedError> {
    let lines = lines(text)?.into_iter();
    Ok(lines.map(|line| (line.code, line.value)).collect())
}

fn lines(text: &str) -> Result<Vec<Line>, TypedError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        read_json(text)
    } else {
        read_csv(text)
    }
}

/// An object as a list, so that a repeated key is seen.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs;
            fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.write_str("an object of values by indicator code")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(InOrder)
    }
}

fn read_json(text: &str) -> Result<Vec<Line>, TypedError> {
    let Pairs(pairs) =
        serde_json::from_str(text).map_err(|error| TypedError::Json(error.to_string()))?;
    let line = |(index, (code, value)): (usize, (String, Value))| Line {
        row: index + 1,
        code,
        value,
    };
    Ok(pairs.into_iter().enumerate().map(line).collect())
}

fn read_csv(text: &str) -> Result<Vec<Line>, TypedError> {
    let first = text.lines().next().unwrap_or_default();
    let separator = ['\t', ';', ',']
        .into_iter()
        .find(|mark| first.contains(*mark))
        .unwrap_or(',');
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let row = index + 1;
        if line.trim().is_empty() {
            continue;
        }
        let fields = split(line, separator).ok_or(TypedError::Csv(row))?;
        let [code, written, ..] = fields.as_slice() else {
            return Err(TypedError::Csv(row));
        };
        let (code, written) = (code.trim(), written.trim());
        let is_heading = row == 1 && matches!(code, "code" | "mã" | "ma");
        if is_heading || written.is_empty() {
            continue;
        }
        let value = match written {
            "null" => Value::Null,
            text => Value::String(text.to_owned()),
        };
        lines.push(Line {
            row,
            code: code.to_owned(),
            value,
        });
    }
    Ok(lines)
}

/// The fields of one line; none for a quotation that does not end.
pub fn split(line: &str, separator: char) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.trim_end_matches('\r').chars().peekable();
    while let Some(character) = characters.next() {
        let field = fields.last_mut()?;
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            mark if mark == separator && !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    (!quoted).then_some(fields)
}

fn edits(template: &Template, lines: &[Line], now: i64) -> Result<Vec<Edit>, TypedError> {
    let mut faults = Vec::new();
    let mut edits = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        let read = match template.row(&line.code) {
            None => Err(FaultProblem::UnknownCode),
            Some(_) if seen.insert(&line.code, line.row).is_some() => Err(FaultProblem::Repeated),
            Some(row) => cell(row, &line.value).map_err(FaultProblem::Entry),
        };
        match read {
            Ok(value) => edits.push(Edit {
                entry: Entry::Cell {
                    code: line.code.clone(),
                    value,
                },
                typed_at: now,
            }),
            Err(problem) => faults.push(Fault {
                row: line.row,
                code: line.code.clone(),
                written: match &line.value {
                    Value::String(text) => text.clone(),
                    other @ (Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::Array(_)
                    | Value::Object(_)) => other.to_string(),
                },
                problem,
            }),
        }
    }
    if faults.is_empty() {
        Ok(edits)
    } else {
        Err(TypedError::Faults(faults))
    }
}

/// The value of a cell of this row.
pub fn cell(row: &Indicator, value: &Value) -> Result<CellValue, EntryFault> {
    match value {
        Value::Null => Ok(CellValue::Empty),
        _ if row.computed_only => Err(EntryFault::ComputedOnly),
        Value::Bool(false) => Ok(CellValue::NoOccurrence),
        Value::String(text) => entry::read(row, text),
        Value::Number(number) => {
            let number = number.to_string();
            let number = number.parse().map_err(|_| EntryFault::NotANumber)?;
            entry::number_of(row, number)
        }
        Value::Bool(true) | Value::Array(_) | Value::Object(_) => Err(EntryFault::NotAValue),
    }
}

#[cfg(test)]
mod tests;
