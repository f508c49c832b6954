//! A report between processes: what is typed into it, and what can be read in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sync_core::cell::CellValue;
use sync_core::document::{Edit, Entry, Subject, SubjectKind};
use sync_core::identity::UnitId;

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct About {
    /// The template.
    pub template: String,
    /// The unit.
    pub unit: UnitId,
    /// The period in its canonical form.
    pub period: String,
}

impl About {
    /// As the core names it.
    pub fn subject(&self) -> Subject {
        Subject {
            kind: SubjectKind::Report,
            template: self.template.clone(),
            unit: self.unit,
            period: self.period.clone(),
        }
    }

    /// As the core named it.
    pub fn of(subject: &Subject) -> Self {
        Self {
            template: subject.template.clone(),
            unit: subject.unit,
            period: subject.period.clone(),
        }
    }
}

/// What goes into one cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TypedValue {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// One thing typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// The cell.
    pub code: String,
    /// Its value.
    pub value: TypedValue,
    /// The note beside it, which an empty one empties; none: nobody touched it.
    pub note: Option<String>,
    /// When, seconds since 1970.
    pub at: i64,
}

impl Typed {
    /// As the core takes it.
    pub fn edits(&self) -> Vec<Edit> {
        let value = match &self.value {
            TypedValue::Number(number) => CellValue::Number((*number).into()),
            TypedValue::Text(text) => CellValue::Text(text.clone()),
        };
        let cell = Entry::Cell {
            code: self.code.clone(),
            value,
        };
        let note = self.note.as_ref().map(|note| Entry::Note {
            code: self.code.clone(),
            text: (!note.is_empty()).then(|| note.clone()),
        });
        let entries = std::iter::once(cell).chain(note);
        let edit = |entry| Edit {
            entry,
            typed_at: self.at,
        };
        entries.map(edit).collect()
    }
}

/// What one person types into one report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Which report.
    pub about: About,
    /// What is typed, in order.
    pub typed: Vec<Typed>,
}

/// A value that stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seen {
    /// The value as text.
    pub value: String,
    /// Who typed it: the name of the person whose key signed it.
    pub by: String,
    /// When, as the device claims.
    pub at: i64,
}

/// What stands in a cell: several values are a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeenCell {
    /// The values.
    pub values: Vec<Seen>,
    /// The notes beside it.
    pub notes: Vec<Seen>,
}

/// A report as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenPage {
    /// Which report.
    pub about: About,
    /// Its cells by code.
    pub cells: BTreeMap<String, SeenCell>,
}
