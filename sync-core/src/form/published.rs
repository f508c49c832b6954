//! Published figures of a form: what was printed and what it was read as, by code.

use crate::number::Number;
use serde_json::Value;
use std::collections::BTreeMap;

/// One printed cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFigure {
    /// The number; nothing for a cell left empty, which is not zero.
    pub value: Option<Number>,
    /// What was printed.
    pub printed: String,
    /// The note that was printed beside it.
    pub note: String,
    /// What the transcriber remarked.
    pub remark: Option<String>,
}

/// Why a file of figures could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FiguresError {
    /// Not JSON.
    #[error("figures file, line {line}, column {column}: {message}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the JSON reader says.
        message: String,
    },
    /// A cell that is not an object with a `value`.
    #[error("figures file: cell `{0}` must be an object with a value")]
    Cell(String),
    /// A value that is neither null nor a number of at most 28 digits.
    #[error("figures file: the value of cell `{0}` is no number")]
    Value(String),
}

/// Reads figures: an object of cells `{"value": number or null, "printed"?, "note"?, "remark"?}`.
pub fn read_figures(text: &str) -> Result<BTreeMap<String, PublishedFigure>, FiguresError> {
    let cells: BTreeMap<String, Value> =
        serde_json::from_str(text).map_err(|error| FiguresError::Json {
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
        })?;
    let read = |(code, cell): (String, Value)| {
        let figure = read_figure(&code, &cell)?;
        Ok((code, figure))
    };
    cells.into_iter().map(read).collect()
}

fn read_figure(code: &str, cell: &Value) -> Result<PublishedFigure, FiguresError> {
    let text = |key: &str| cell.get(key).and_then(Value::as_str).map(str::to_owned);
    let value = match cell.get("value") {
        Some(Value::Null) => None,
        // The shortest text that names a 64-bit float is the decimal that was written.
        Some(Value::Number(number)) => Some(
            Number::from_canonical(&number.to_string())
                .or_else(|_| number.as_f64().unwrap_or(f64::NAN).to_string().parse())
                .map_err(|_| FiguresError::Value(code.to_owned()))?,
        ),
        Some(Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
            return Err(FiguresError::Value(code.to_owned()));
        }
        None => return Err(FiguresError::Cell(code.to_owned())),
    };
    Ok(PublishedFigure {
        value,
        printed: text("printed").unwrap_or_default(),
        note: text("note").unwrap_or_default(),
        remark: text("remark"),
    })
}
