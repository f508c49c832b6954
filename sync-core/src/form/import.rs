//! Reading a transcribed form: the JSON in which printed forms are written down.
//!
//! What this product has a field for goes there; every other key of the file is kept as an
//! annotation, so that nothing printed is dropped. Errors name the place in the file.

use super::validate::Parts;
use super::{Choice, Indicator, Kind, OutlinePart, Section, Template, TemplateError};
use crate::period::PeriodKind;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Why a transcription could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormImportError {
    /// Not JSON.
    #[error("form file, line {line}, column {column}: {message}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the JSON reader says.
        message: String,
    },
    /// Something is absent that must be there.
    #[error("form file: {0} is missing")]
    Missing(String),
    /// Something is of another type than it must be.
    #[error("form file: {place} must be {expected}")]
    Type {
        /// Where in the file.
        place: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A name that is not defined.
    #[error("form file: {place} has the unknown value `{value}`")]
    Unknown {
        /// Where in the file.
        place: String,
        /// What stands there.
        value: String,
    },
    /// A formula that cannot be read.
    #[error("form file: {place}: {error}")]
    Formula {
        /// Where in the file.
        place: String,
        /// What is wrong with it.
        error: super::formula::FormulaError,
    },
    /// The rows do not make a template.
    #[error("form file: {0}")]
    Template(#[from] TemplateError),
}

impl Template {
    /// Reads a transcribed form as version `version` of a template with the file's id.
    pub fn import(text: &str, version: u32) -> Result<Self, FormImportError> {
        let value: Value = serde_json::from_str(text).map_err(|error| FormImportError::Json {
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
        })?;
        let mut file = Fields::of(value, String::new())?;
        let period_name = file.required("period_type")?;
        let period =
            PeriodKind::from_name(&period_name).ok_or_else(|| FormImportError::Unknown {
                place: file.place("period_type"),
                value: period_name,
            })?;
        let mut rows = Vec::new();
        let mut sections = Vec::new();
        for (index, section) in file.list("sections")?.into_iter().enumerate() {
            sections.push(read_section(section, index, &mut rows)?);
        }
        let mut outline = Vec::new();
        for (index, part) in file.list("outline")?.into_iter().enumerate() {
            outline.push(read_part(part, index)?);
        }
        let parts = Parts {
            id: file.required("id")?,
            version,
            title: file.required("title_vi")?,
            period,
            respondent: file.optional("respondent_vi")?,
            sections,
            outline,
            rows,
            annotations: file.rest(),
            local: BTreeMap::new(),
        };
        Ok(Self::from_parts(parts)?)
    }
}

fn read_section(
    value: Value,
    index: usize,
    rows: &mut Vec<Indicator>,
) -> Result<Section, FormImportError> {
    let mut fields = Fields::of(value, format!("sections[{index}]"))?;
    let written = fields.required("id")?;
    let id = written.to_lowercase();
    // What the print shows may be no name at all: `Phụ lục 1`.
    let printed = fields.optional("printed_vi")?.unwrap_or(written);
    let first_row = rows.len();
    for (row, indicator) in fields.list("indicators")?.into_iter().enumerate() {
        let place = format!("sections[{index}].indicators[{row}]");
        rows.push(read_row(indicator, place)?);
    }
    Ok(Section {
        printed: (printed != id).then_some(printed),
        id,
        title: fields.required("title_vi")?,
        owner: fields.optional("owner_vi")?,
        form_label: fields.optional("form_label_vi")?,
        annotations: fields.rest(),
        first_row,
        row_count: rows.len() - first_row,
    })
}

fn read_part(value: Value, index: usize) -> Result<OutlinePart, FormImportError> {
    let mut fields = Fields::of(value, format!("outline[{index}]"))?;
    let level = match fields.map.get("level") {
        None | Some(Value::Null) => 1,
        Some(_) => {
            let level = u8::try_from(fields.integer("level")?);
            level.map_err(|_| fields.wrong("level", "a small number"))?
        }
    };
    Ok(OutlinePart {
        id: fields.required("id")?,
        title: fields.required("title_vi")?,
        level,
        help: fields.optional("help_vi")?,
    })
}

fn read_row(value: Value, place: String) -> Result<Indicator, FormImportError> {
    let mut fields = Fields::of(value, place)?;
    let kind_name = fields.required("kind")?;
    let kind = Kind::from_name(&kind_name).ok_or_else(|| FormImportError::Unknown {
        place: fields.place("kind"),
        value: kind_name,
    })?;
    let formula = fields.optional("formula")?;
    let formula = formula.map(|text| text.parse()).transpose();
    let formula = formula.map_err(|error| FormImportError::Formula {
        place: fields.place("formula"),
        error,
    })?;
    let mut choices = Vec::new();
    for (index, choice) in fields.list("choices")?.into_iter().enumerate() {
        let place = format!("{}[{index}]", fields.place("choices"));
        let mut choice = Fields::of(choice, place)?;
        choices.push(Choice {
            value: choice.integer("value")?,
            label: choice.required("label_vi")?,
        });
    }
    let own = fields.flag("cumulative")?;
    // The mark may stand on the row this one is a part of.
    let inherited = fields.flag("cumulative_inherited")?;
    let mut annotations = BTreeMap::new();
    if inherited {
        annotations.insert("cumulative_inherited".to_owned(), "true".to_owned());
    }
    Ok(Indicator {
        code: fields.required("code")?,
        stt: fields.optional("stt")?.unwrap_or_default(),
        label: fields.required("label_vi")?,
        unit: fields.optional("unit_vi")?.unwrap_or_default(),
        kind,
        choices,
        parent: fields.optional("parent")?,
        cumulative: own || inherited,
        formula,
        computed_only: fields.flag("computed_only")?,
        note: fields.optional("note_vi")?,
        annotations: {
            annotations.append(&mut fields.rest());
            annotations
        },
    })
}

/// The keys of one JSON object that were not used yet, with its place in the file.
struct Fields {
    place: String,
    map: Map<String, Value>,
}

impl Fields {
    fn of(value: Value, place: String) -> Result<Self, FormImportError> {
        match value {
            Value::Object(map) => Ok(Self { place, map }),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Err(FormImportError::Type {
                place: if place.is_empty() {
                    "the file".to_owned()
                } else {
                    place
                },
                expected: "an object",
            }),
        }
    }

    fn place(&self, key: &str) -> String {
        if self.place.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.place)
        }
    }

    fn wrong(&self, key: &str, expected: &'static str) -> FormImportError {
        FormImportError::Type {
            place: self.place(key),
            expected,
        }
    }

    fn optional(&mut self, key: &str) -> Result<Option<String>, FormImportError> {
        match self.map.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Err(self.wrong(key, "text"))
            }
        }
    }

    fn required(&mut self, key: &str) -> Result<String, FormImportError> {
        let found = self.optional(key)?;
        found.ok_or_else(|| FormImportError::Missing(self.place(key)))
    }

    fn flag(&mut self, key: &str) -> Result<bool, FormImportError> {
        match self.map.remove(key) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Err(self.wrong(key, "true or false"))
            }
        }
    }

    fn integer(&mut self, key: &str) -> Result<i64, FormImportError> {
        let found = self.map.remove(key);
        let number = found.as_ref().and_then(Value::as_i64);
        number.ok_or_else(|| self.wrong(key, "an integer"))
    }

    fn list(&mut self, key: &str) -> Result<Vec<Value>, FormImportError> {
        match self.map.remove(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                Err(self.wrong(key, "a list"))
            }
        }
    }

    /// Every other key that holds something, as text.
    fn rest(self) -> BTreeMap<String, String> {
        self.map
            .into_iter()
            .filter_map(|(key, value)| match value {
                Value::Null => None,
                Value::String(text) => Some((key, text)),
                other
                @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    Some((key, other.to_string()))
                }
            })
            .collect()
    }
}
