//! Figures of one report as somebody wrote them down, read to be looked through: nothing is refused.
//!
//! JSON is an object by indicator code. What stands beside a code is the value, or an object with the
//! `value` – else what was `printed` – and a `note`. A text is read as typed into the cell (`"1.893"`
//! is 1893), `null` and the empty text are an empty cell, `false` or `kps` say that it did not occur.
//! What is no number of its row stays as words, and a code that comes twice with different values is
//! a conflict: a finding says so. `§` and the id of a part of the outline is the key of its words, whose quoted
//! figures are held against the cells. CSV has the columns code and value, as for `fill`.

use std::collections::BTreeMap;

use serde_json::Value;
use sync_core::cell::{CellValue, Rival};
use sync_core::document::margin::WORDS_MARK;
use sync_core::form::entry::{self, EntryFault};
use sync_core::form::{Indicator, Kind, Template, TemplateError};
use sync_core::identity::{ActorId, ChangeHash};
use sync_core::number::{self, Number, Reading};

use crate::administration::ImportError;
use crate::typed::{self, TypedError};

/// The cells of one report with the notes beside them, by code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// What stands in each cell.
    pub cells: BTreeMap<String, Vec<Rival>>,
    /// What is noted beside it.
    pub notes: BTreeMap<String, String>,
    /// The words of the report, by part.
    pub narrative: BTreeMap<String, String>,
}

impl Figures {
    /// Reads a file by its look: JSON if it begins with a brace, else CSV.
    pub fn read(template: &Template, text: &str) -> Result<Self, TypedError> {
        let mut figures = Self::default();
        for (code, written) in typed::written(text)? {
            if let (Some(part), Value::String(words)) = (code.strip_prefix(WORDS_MARK), &written) {
                figures.narrative.insert(part.to_owned(), words.clone());
                continue;
            }
            let (value, note) = match written {
                Value::Object(mut cell) => {
                    let note = cell.remove("note");
                    let value = cell.remove("value").or_else(|| cell.remove("printed"));
                    (value.unwrap_or(Value::Null), note)
                }
                value @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)) => (value, None),
            };
            if let Some(Value::String(note)) = note
                && !note.trim().is_empty()
            {
                figures.notes.insert(code.clone(), note);
            }
            let rivals = figures.cells.entry(code.clone()).or_default();
            let rival = rival(cell(template.row(&code), &value), rivals.len());
            if rivals.iter().all(|known| known.value != rival.value) {
                rivals.push(rival);
            }
        }
        Ok(figures)
    }

    /// The numbers alone, where there is one: what other figures are compared with.
    pub fn numbers(&self) -> BTreeMap<String, Number> {
        let number = |(code, rivals): (&String, &Vec<Rival>)| match rivals.as_slice() {
            [rival] => match rival.value {
                CellValue::Number(number) => Some((code.clone(), number)),
                CellValue::NoOccurrence => Some((code.clone(), Number::ZERO)),
                CellValue::Empty | CellValue::Text(_) => None,
            },
            _ => None,
        };
        self.cells.iter().filter_map(number).collect()
    }
}

/// A template from its text: the product's own, or a transcribed form.
pub fn template(text: &str) -> Result<Template, TemplateFileError> {
    let own = serde_json::from_str::<Value>(text).is_ok_and(|file| file.get("schema").is_some());
    if own {
        return Ok(Template::from_json(text.trim_end().as_bytes())?);
    }
    Ok(Template::import(text, 1).map_err(ImportError::from)?)
}

/// Why a file is no template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateFileError {
    /// It says that it is one of the product, and is not.
    #[error(transparent)]
    Own(#[from] TemplateError),
    /// It is no transcribed form.
    #[error(transparent)]
    Transcribed(#[from] ImportError),
}

/// A value that no device typed: its place in the file tells it from others of its cell.
fn rival(value: CellValue, place: usize) -> Rival {
    Rival {
        value,
        actor: ActorId([u8::try_from(place).unwrap_or(u8::MAX); 16]),
        claimed_at: 0,
        change: ChangeHash([0; 32]),
    }
}

/// What is written, as a value of the row; words where it is none.
fn cell(row: Option<&Indicator>, written: &Value) -> CellValue {
    match written {
        Value::Null => CellValue::Empty,
        Value::Bool(false) => CellValue::NoOccurrence,
        Value::String(text) if text.trim().is_empty() => CellValue::Empty,
        Value::String(text) => row.map_or_else(|| words(text), |row| typed_text(row, text)),
        // The shortest text that names a 64-bit float is the decimal that was written.
        Value::Number(number) => {
            let text = number.to_string();
            text.parse()
                .map_or_else(|_| words(&text), CellValue::Number)
        }
        other @ (Value::Bool(true) | Value::Array(_) | Value::Object(_)) => {
            words(&other.to_string())
        }
    }
}

/// A text as typed. What the row would not take is a number all the same where it is clearly one.
fn typed_text(row: &Indicator, text: &str) -> CellValue {
    let fault = match entry::read(row, text) {
        Ok(value) => return value,
        Err(fault) => fault,
    };
    let numeric = match fault {
        EntryFault::NotWhole(_) | EntryFault::NotInCodeList | EntryFault::ComputedOnly => true,
        EntryFault::Ambiguous(_)
        | EntryFault::NotANumber
        | EntryFault::NotAPercentage
        | EntryFault::NotAValue => false,
    };
    match number::read(text) {
        Reading::Clear(typed) if numeric && (!typed.percent || row.kind == Kind::Percent) => {
            CellValue::Number(typed.number)
        }
        Reading::Clear(_) | Reading::Unsure { .. } | Reading::Refused(_) => words(text),
    }
}

fn words(text: &str) -> CellValue {
    CellValue::Text(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Template {
        template(r#"{"id":"t","title_vi":"T","period_type":"year","sections":[{"id":"I","title_vi":"S","indicators":[
            {"code":"a","label_vi":"Số hồ sơ","unit_vi":"Hồ sơ","kind":"integer"},
            {"code":"p","label_vi":"Tỷ lệ","unit_vi":"%","kind":"percent"},
            {"code":"w","label_vi":"Lời","kind":"text"}]}]}"#)
        .expect("a form")
    }

    fn values(text: &str) -> Vec<(String, Vec<CellValue>)> {
        let figures = Figures::read(&form(), text).expect("figures");
        let values = |rivals: Vec<Rival>| rivals.into_iter().map(|rival| rival.value).collect();
        let cells = figures.cells.into_iter();
        cells.map(|(code, rivals)| (code, values(rivals))).collect()
    }

    fn one(code: &str, value: CellValue) -> (String, Vec<CellValue>) {
        (code.to_owned(), vec![value])
    }

    fn number(text: &str) -> CellValue {
        CellValue::Number(Number::from_canonical(text).expect("canonical"))
    }

    #[test]
    fn values_are_numbers_texts_and_objects_with_notes() {
        let text = r#"{"a":"1.893","p":{"value":99.65,"note":"19 sở"},"w":"tốt"}"#;
        assert_eq!(
            values(text),
            [
                one("a", number("1893")),
                one("p", number("99.65")),
                one("w", words("tốt"))
            ]
        );
        let notes = Figures::read(&form(), text).expect("figures").notes;
        assert_eq!(notes, BTreeMap::from([("p".into(), "19 sở".into())]));
        let printed = r#"{"a":{"printed":"kps"},"p":{"printed":"62%"},"w":null}"#;
        assert_eq!(
            values(printed),
            [
                one("a", CellValue::NoOccurrence),
                one("p", number("62")),
                one("w", CellValue::Empty)
            ]
        );
        assert_eq!(values("mã;giá trị\na;1.893\n"), [one("a", number("1893"))]);
    }

    #[test]
    fn nothing_written_is_refused_or_lost() {
        assert_eq!(
            values(r#"{"a":"1,5","p":"nhiều","x":true}"#),
            [
                one("a", number("1.5")),
                one("p", words("nhiều")),
                one("x", words("true"))
            ]
        );
        let twice = values(r#"{"a":1,"a":2,"a":1}"#);
        assert_eq!(twice, [("a".into(), vec![number("1"), number("2")])]);
        assert!(Figures::read(&form(), "{").is_err());
    }

    #[test]
    fn a_template_is_read_from_the_file_the_product_writes() {
        let form = form();
        let own = String::from_utf8(form.to_json()).expect("text");
        assert_eq!(
            template(&own).expect("a template").to_json(),
            form.to_json()
        );
        assert!(template(r#"{"schema":1}"#).is_err());
        assert!(template("[]").is_err());
    }
}
