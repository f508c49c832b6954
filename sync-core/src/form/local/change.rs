//! Adding a row of a unit and changing one: what a person asks for, as edits of the unit's document.

use super::{Field, LocalRow, LocalRowId, LocalRows, RowPlace, code, legible, of_code};
use crate::cell::CellValue;
use crate::document::{Edit, Entry};
use crate::form::validate::{TemplateError, check_choices};
use crate::form::{Choice, Kind, Template};
use crate::limits;

/// A row that a person wants to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDraft {
    /// What it is called.
    pub label: String,
    /// The same in English; may be empty.
    pub label_en: String,
    /// The unit of measure; may be empty.
    pub unit: String,
    /// What a cell of it holds.
    pub kind: Kind,
    /// The code list of a choice.
    pub choices: Vec<Choice>,
    /// Where it stands.
    pub place: RowPlace,
    /// What helps whoever fills it; may be empty.
    pub help: String,
}

/// What a person changes of a row: what is none stays as it is. The kind stays: values were typed by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowChange {
    /// What it is called.
    pub label: Option<String>,
    /// The same in English; empty for none.
    pub label_en: Option<String>,
    /// The unit of measure.
    pub unit: Option<String>,
    /// Where it stands.
    pub place: Option<RowPlace>,
    /// What helps whoever fills it.
    pub help: Option<String>,
    /// Not used any more, or used again.
    pub retired: Option<bool>,
}

/// Why a row is not added or changed. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocalRowError {
    /// A row of the form itself: it belongs to the province.
    #[error("row `{0}` is one of the form itself, which no unit changes")]
    Locked(String),
    /// No row of this unit.
    #[error("`{0}` is no row that this unit added")]
    Unknown(String),
    /// It is called nothing.
    #[error("a row needs a label")]
    LabelMissing,
    /// A label or a help text that is too long.
    #[error(
        "a text of the row is longer than {} bytes",
        limits::LOCAL_ROW_TEXT_BYTES_MAX
    )]
    TextTooLong,
    /// A heading.
    #[error("a row of a unit holds a value and is no heading")]
    Heading,
    /// Neither a row nor a section of the form.
    #[error("the form has no place `{0}` to add a row at")]
    Place(String),
    /// The unit has as many as it may.
    #[error("a unit adds at most {} rows to a form", limits::LOCAL_ROWS_MAX)]
    TooMany,
    /// It makes no row of a form.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl LocalRowError {
    /// The machine code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked(_) => "row-locked",
            Self::Unknown(_) => "row-unknown",
            Self::LabelMissing => "row-label-missing",
            Self::TextTooLong => "row-text-too-long",
            Self::Heading => "row-heading",
            Self::Place(_) => "row-place",
            Self::TooMany => "row-too-many",
            Self::Template(_) => "row-choices",
        }
    }
}

/// The edits that add a row to those of a unit, in the document of that unit. `template` is the form that the person
/// sees.
pub fn add(
    template: &Template,
    rows: &LocalRows,
    id: LocalRowId,
    draft: &RowDraft,
    typed_at: i64,
) -> Result<Vec<Edit>, LocalRowError> {
    if rows.in_use().count() >= limits::LOCAL_ROWS_MAX || rows.row(id).is_some() {
        return Err(LocalRowError::TooMany);
    }
    if draft.kind == Kind::Heading {
        return Err(LocalRowError::Heading);
    }
    let label = required(&draft.label)?;
    check_choices(&code(rows.unit, id), draft.kind, &draft.choices)?;
    check_place(template, &draft.place)?;
    let mut put = Edits::new(id, typed_at);
    put.text(Field::Label, label);
    put.text(Field::Kind, draft.kind.name().to_owned());
    put.text(Field::Place, draft.place.written());
    let others = [
        (Field::LabelEn, &draft.label_en),
        (Field::Unit, &draft.unit),
        (Field::Help, &draft.help),
    ];
    for (field, typed) in others {
        let text = within(typed)?;
        if !text.is_empty() {
            put.text(field, text);
        }
    }
    if draft.kind == Kind::Choice {
        put.text(Field::Choices, super::written_choices(&draft.choices));
    }
    Ok(put.edits)
}

/// The edits that change a row of a unit. What already stands so, and by everybody, is not written again.
pub fn change(
    template: &Template,
    rows: &LocalRows,
    row: &str,
    change: &RowChange,
    typed_at: i64,
) -> Result<Vec<Edit>, LocalRowError> {
    let unknown = || match template.local_row(row).is_none() && template.row(row).is_some() {
        true => LocalRowError::Locked(row.to_owned()),
        false => LocalRowError::Unknown(row.to_owned()),
    };
    let (unit, id) = of_code(row).ok_or_else(unknown)?;
    let known = rows.row(id).filter(|_| unit == rows.unit);
    let known = known.ok_or_else(unknown)?;
    let mut put = Edits::new(id, typed_at);
    if let Some(label) = &change.label {
        put.text_if(known, Field::Label, required(label)?, &known.label);
    }
    let others = [
        (Field::LabelEn, &change.label_en, known.label_en.as_deref()),
        (Field::Unit, &change.unit, Some(known.unit.as_str())),
        (Field::Help, &change.help, known.help.as_deref()),
    ];
    for (field, typed, stands) in others {
        if let Some(typed) = typed {
            put.text_if(known, field, within(typed)?, stands.unwrap_or_default());
        }
    }
    if let Some(place) = &change.place {
        check_place(template, place)?;
        put.text_if(known, Field::Place, place.written(), &known.place.written());
    }
    if let Some(retired) = change.retired
        && (retired != known.retired || known.contested.contains(&Field::Retired))
    {
        if !retired && rows.in_use().count() >= limits::LOCAL_ROWS_MAX {
            return Err(LocalRowError::TooMany);
        }
        let value = match retired {
            true => CellValue::Number(1.into()),
            false => CellValue::Empty,
        };
        put.put(Field::Retired, value);
    }
    Ok(put.edits)
}

struct Edits {
    id: LocalRowId,
    typed_at: i64,
    edits: Vec<Edit>,
}

impl Edits {
    fn new(id: LocalRowId, typed_at: i64) -> Self {
        let edits = Vec::new();
        Self {
            id,
            typed_at,
            edits,
        }
    }

    fn put(&mut self, field: Field, value: CellValue) {
        let code = field.key(self.id);
        self.edits.push(Edit {
            entry: Entry::Cell { code, value },
            typed_at: self.typed_at,
        });
    }

    fn text(&mut self, field: Field, text: String) {
        self.put(field, CellValue::Text(text));
    }

    /// Where two values stand side by side, saying one of them again settles it.
    fn text_if(&mut self, row: &LocalRow, field: Field, text: String, stands: &str) {
        if text != stands || row.contested.contains(&field) {
            self.text(field, text);
        }
    }
}

fn required(text: &str) -> Result<String, LocalRowError> {
    let label = within(text)?;
    match label.is_empty() {
        true => Err(LocalRowError::LabelMissing),
        false => Ok(label),
    }
}

fn within(text: &str) -> Result<String, LocalRowError> {
    match text.len() <= limits::LOCAL_ROW_TEXT_BYTES_MAX {
        true => Ok(legible(text)),
        false => Err(LocalRowError::TextTooLong),
    }
}

fn check_place(template: &Template, place: &RowPlace) -> Result<(), LocalRowError> {
    let has_section = template
        .sections()
        .iter()
        .any(|section| section.id == place.section);
    let is_row = |code: &String| template.row(code).is_some() && template.local_row(code).is_none();
    match &place.under {
        Some(under) if !is_row(under) => Err(LocalRowError::Place(under.clone())),
        Some(_) | None if !has_section => Err(LocalRowError::Place(place.section.clone())),
        Some(_) | None => Ok(()),
    }
}
