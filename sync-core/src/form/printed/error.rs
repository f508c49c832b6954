//! Why the sheets of a workbook make no template. Each names where to look.

use super::outline::OutlineRow;
use super::sheet::{Place, Sheet};
use crate::form::TemplateError;
use crate::limits;

/// Why there is no proposal. Nothing was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrintedError {
    /// A workbook without a sheet that holds anything.
    #[error("the workbook is empty")]
    NoSheets,
    /// No line of any sheet is a header.
    #[error("{0}: no header with a column of labels and one of ordinals, units or figures")]
    NoHeader(Place),
    /// A header, and no row under it.
    #[error("{0}: no row under this header")]
    NoRows(Place),
    /// Two rows that come to the same code.
    #[error("{place}: code `{code}` stands at {first} already")]
    RepeatedCode {
        /// The second one.
        place: Place,
        /// The code.
        code: String,
        /// The first one.
        first: Place,
    },
    /// A printed formula that refers to no row of figures.
    #[error("{place}: the formula of `{code}` refers to `{reference}`, which is no row of figures")]
    MissingReference {
        /// Where the formula stands.
        place: Place,
        /// The row.
        code: String,
        /// What it refers to.
        reference: String,
    },
    /// Printed formulas that depend on each other.
    #[error("{place}: the formula of `{code}` depends on itself")]
    CircularFormula {
        /// Where one of them stands.
        place: Place,
        /// The row.
        code: String,
    },
    /// A cell with more text than a label or note may have.
    #[error("{0}: more than {max} bytes of text", max = limits::TEMPLATE_TEXT_BYTES_MAX)]
    TextTooLong(Place),
    /// More rows than are read.
    #[error("{0}: more rows than a form has")]
    TooManyRows(Place),
    /// More cells or merged regions than are read.
    #[error("{0}: more than {max} cells", max = limits::SHEET_CELLS_MAX)]
    TooManyCells(Place),
    /// The rows do not make a template.
    #[error("{place}: {error}")]
    Template {
        /// The row, as far as it is known.
        place: Place,
        /// Why not.
        error: TemplateError,
    },
}

impl PrintedError {
    /// Every machine code, for whoever has the sentences.
    pub const CODES: [&'static str; 10] = [
        "workbook-empty",
        "no-header",
        "no-rows",
        "repeated-code",
        "missing-reference",
        "circular-formula",
        "text-too-long",
        "too-many-rows",
        "too-many-cells",
        "no-template",
    ];

    /// The machine code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSheets => "workbook-empty",
            Self::NoHeader(_) => "no-header",
            Self::NoRows(_) => "no-rows",
            Self::RepeatedCode { .. } => "repeated-code",
            Self::MissingReference { .. } => "missing-reference",
            Self::CircularFormula { .. } => "circular-formula",
            Self::TextTooLong(_) => "text-too-long",
            Self::TooManyRows(_) => "too-many-rows",
            Self::TooManyCells(_) => "too-many-cells",
            Self::Template { .. } => "no-template",
        }
    }

    /// Where to look.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::NoSheets => None,
            Self::NoHeader(place) | Self::NoRows(place) => Some(place),
            Self::TextTooLong(place) | Self::TooManyRows(place) | Self::TooManyCells(place) => {
                Some(place)
            }
            Self::RepeatedCode { place, .. }
            | Self::MissingReference { place, .. }
            | Self::CircularFormula { place, .. }
            | Self::Template { place, .. } => Some(place),
        }
    }

    /// The values of its sentence: where, and what.
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        let mut said = Vec::new();
        if let Some(place) = self.place() {
            said.push(("sheet", place.sheet.clone()));
            said.push(("row", place.row.to_string()));
            said.push(("column", place.column_letters()));
            said.push(("place", place.to_string()));
        }
        match self {
            Self::RepeatedCode { code, first, .. } => {
                said.push(("cell", code.clone()));
                said.push(("first", first.to_string()));
            }
            Self::MissingReference {
                code, reference, ..
            } => {
                said.push(("cell", code.clone()));
                said.push(("reference", reference.clone()));
            }
            Self::CircularFormula { code, .. } => said.push(("cell", code.clone())),
            Self::Template { error, .. } => said.push(("reason", error.to_string())),
            Self::NoSheets
            | Self::NoHeader(_)
            | Self::NoRows(_)
            | Self::TextTooLong(_)
            | Self::TooManyRows(_)
            | Self::TooManyCells(_) => {}
        }
        said
    }

    /// The first cell that a person sees, since none belongs to a header.
    pub(super) fn no_header(sheets: &[Sheet]) -> Self {
        let seen = sheets.iter().filter(|sheet| !sheet.is_hidden());
        let first = seen.chain(sheets).find_map(Sheet::first_place);
        first.map_or(Self::NoSheets, Self::NoHeader)
    }
}

/// What a template lacks, at the row it speaks of.
pub(super) fn of_template(
    sheets: &[Sheet],
    rows: &[OutlineRow],
    error: TemplateError,
) -> PrintedError {
    let code = match &error {
        TemplateError::DuplicateCode(code)
        | TemplateError::ParentCircle(code)
        | TemplateError::CircularFormula(code)
        | TemplateError::FormulaNotAllowed(code)
        | TemplateError::Choices(code)
        | TemplateError::ComputedWithoutFormula(code)
        | TemplateError::DuplicateSection(code)
        | TemplateError::UnknownPeriod(code) => code,
        TemplateError::UnknownKind { code, .. }
        | TemplateError::UnknownParent { code, .. }
        | TemplateError::Formula { code, .. }
        | TemplateError::UnknownReference { code, .. }
        | TemplateError::NotNumericReference { code, .. }
        | TemplateError::DuplicateChoice { code, .. } => code,
        TemplateError::Limit { place, .. } => place,
        TemplateError::Name { name, .. } => name,
        TemplateError::Json { .. }
        | TemplateError::Schema(_)
        | TemplateError::NotCanonical
        | TemplateError::DuplicateOutlinePart(_)
        | TemplateError::Version => "",
    };
    let row = rows.iter().find(|row| row.code == *code).or(rows.first());
    let place = row.and_then(|row| {
        let sheet = sheets.get(row.row.sheet)?;
        Some(sheet.place(row.row.line, row.row.places.label))
    });
    match place {
        Some(place) => PrintedError::Template { place, error },
        None => PrintedError::NoSheets,
    }
}
