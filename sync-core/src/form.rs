//! A form template: sections of indicators, with units, parts, code lists and formulas.
//!
//! A template is a catalogue record and its bytes are signed, so it has one canonical text: JSON of
//! our own schema 1, keys in the order below, no white space, keys that hold nothing left out.
//!
//! ```text
//! template    schema (1), id, version, title, period, respondent?, sections, outline?, annotations?
//! section     id, printed?, title, owner?, form_label?, indicators, annotations?
//! indicator   code, stt?, label, unit?, kind, choices?, parent?, cumulative?, formula?,
//!             computed_only?, note?, annotations?
//! choice      value (integer), label
//! outline     id, title, level? (2 or 3), help?
//! annotations text by name, sorted: what else the printed form or its transcription says
//! ```
//!
//! `period` is one of `year half quarter nine_months month programme`; `kind` is one of `integer
//! decimal percent money_million_vnd choice text heading`. A section id obeys the rule of narrative
//! names (1–64 of `a–z 0–9 - .`); `printed` is what the print shows in its place.

mod difference;
pub mod drafted;
pub mod entry;
pub mod formula;
pub mod import;
pub mod local;
mod outline;
pub mod printed;
pub mod published;
mod validate;
mod wire;

use crate::period::PeriodKind;
use formula::Formula;
use std::collections::BTreeMap;

pub use difference::{Aspect, Difference};
pub use outline::OutlinePart;
pub use validate::TemplateError;

/// A template that holds together: codes are unique, parents and references exist, formulas do not
/// go round in circles, everything is within its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    id: String,
    version: u32,
    title: String,
    period: PeriodKind,
    respondent: Option<String>,
    sections: Vec<Section>,
    outline: Vec<OutlinePart>,
    annotations: BTreeMap<String, String>,
    rows: Vec<Indicator>,
    by_code: BTreeMap<String, usize>,
    formulas: Vec<Option<Formula<usize>>>,
    evaluation_order: Vec<usize>,
    aggregations: Vec<Aggregation>,
    /// The rows that units added, by code; none in a template as it was published.
    local: BTreeMap<String, local::Standing>,
}

/// One printed table of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Stable name, 1–64 of `a–z 0–9 - .`; a narrative of the section has the same name.
    pub id: String,
    /// What is printed for it, if that is not the id: `VII`.
    pub printed: Option<String>,
    /// Its title.
    pub title: String,
    /// The agency that owns its rows, if the print names one.
    pub owner: Option<String>,
    /// The label of the printed table: `Biểu mẫu 1`.
    pub form_label: Option<String>,
    /// What else is said about it, by name.
    pub annotations: BTreeMap<String, String>,
    /// Index of its first row in [`Template::rows`].
    pub first_row: usize,
    /// How many rows it has.
    pub row_count: usize,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    /// Unique in the template; cells are keyed by it.
    pub code: String,
    /// The ordinal that is printed: `2.1.`, `Trong đó`, or nothing.
    pub stt: String,
    /// The label.
    pub label: String,
    /// The unit of measure that is printed, or nothing.
    pub unit: String,
    /// What a cell of it holds.
    pub kind: Kind,
    /// The code list of a choice; empty for other kinds.
    pub choices: Vec<Choice>,
    /// Code of the row it is a part of.
    pub parent: Option<String>,
    /// "Lũy kế": a figure holds all up to its period, so over several periods the latest counts.
    pub cumulative: bool,
    /// What the row comes to, by its codes.
    pub formula: Option<Formula>,
    /// Nobody types it: the formula alone counts.
    pub computed_only: bool,
    /// A note that is printed or was made in transcription.
    pub note: Option<String>,
    /// What else is said about it, by name.
    pub annotations: BTreeMap<String, String>,
}

/// What a cell of a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A whole number of things.
    Integer,
    /// An exact decimal.
    Decimal,
    /// A percentage: 99.65 for 99,65 %.
    Percent,
    /// Million đồng.
    MoneyMillionVnd,
    /// One of a code list.
    Choice,
    /// Words.
    Text,
    /// A heading; a print may still carry a figure in it.
    Heading,
}

impl Kind {
    /// Every kind with its name in the canonical text.
    pub const NAMES: [(Self, &'static str); 7] = [
        (Self::Integer, "integer"),
        (Self::Decimal, "decimal"),
        (Self::Percent, "percent"),
        (Self::MoneyMillionVnd, "money_million_vnd"),
        (Self::Choice, "choice"),
        (Self::Text, "text"),
        (Self::Heading, "heading"),
    ];

    /// Its name in the canonical text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Percent => "percent",
            Self::MoneyMillionVnd => "money_million_vnd",
            Self::Choice => "choice",
            Self::Text => "text",
            Self::Heading => "heading",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        let found = Self::NAMES.iter().find(|(_, known)| *known == name);
        found.map(|(kind, _)| *kind)
    }

    /// True when a formula may refer to such a row and its cells hold amounts.
    pub fn is_numeric(self) -> bool {
        match self {
            Self::Integer | Self::Decimal | Self::Percent | Self::MoneyMillionVnd => true,
            Self::Heading => true,
            Self::Choice | Self::Text => false,
        }
    }
}

/// One entry of a code list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The number printed for it; unique in its list.
    pub value: i64,
    /// Its label.
    pub label: String,
}

/// How figures of a row go up the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aggregation {
    /// Amounts add up. A formula of sums gives what was not typed.
    Sum,
    /// Computed again from figures already rolled up, never averaged.
    Recomputed,
    /// A percentage without its parts: lowest, highest, count; never added.
    Spread,
    /// Counted by choice.
    Choices,
    /// Listed.
    Texts,
}

impl Template {
    /// The template id: 1–64 of `a–z 0–9 -`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The version, from 1.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The kind of period a report of it covers.
    pub fn period(&self) -> PeriodKind {
        self.period
    }

    /// Who fills it, as printed.
    pub fn respondent(&self) -> Option<&str> {
        self.respondent.as_deref()
    }

    /// What else is said about the whole form, by name.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The sections in the printed order.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The parts of the report's words, in their order; most forms have none.
    pub fn outline(&self) -> &[OutlinePart] {
        &self.outline
    }

    /// The part of the outline with that id.
    pub fn outline_part(&self, id: &str) -> Option<&OutlinePart> {
        self.outline.iter().find(|part| part.id == id)
    }

    /// Every row in the printed order. Row indexes are positions in this slice.
    pub fn rows(&self) -> &[Indicator] {
        &self.rows
    }

    /// The rows of one section.
    pub fn rows_of(&self, section: &Section) -> &[Indicator] {
        let end = section.first_row + section.row_count;
        self.rows.get(section.first_row..end).unwrap_or_default()
    }

    /// Row index of a code.
    pub fn row_index(&self, code: &str) -> Option<usize> {
        self.by_code.get(code).copied()
    }

    /// The row of a code.
    pub fn row(&self, code: &str) -> Option<&Indicator> {
        self.rows.get(self.row_index(code)?)
    }

    /// Codes in byte order with their row indexes.
    pub fn codes(&self) -> impl Iterator<Item = (&str, usize)> {
        self.by_code.iter().map(|(code, row)| (code.as_str(), *row))
    }

    /// The formula of a row over row indexes.
    pub fn formula(&self, row: usize) -> Option<&Formula<usize>> {
        self.formulas.get(row)?.as_ref()
    }

    /// Rows with a formula, each after the rows its formula refers to.
    pub fn evaluation_order(&self) -> &[usize] {
        &self.evaluation_order
    }

    /// How figures of a row go up the tree. Rows beyond the end are listed.
    pub fn aggregation(&self, row: usize) -> Aggregation {
        let known = self.aggregations.get(row).copied();
        known.unwrap_or(Aggregation::Texts)
    }

    /// How figures of every row go up the tree, by row index.
    pub fn aggregations(&self) -> &[Aggregation] {
        &self.aggregations
    }

    /// The canonical text, as it is signed.
    pub fn to_json(&self) -> Vec<u8> {
        wire::write(self)
    }

    /// Reads the canonical text and nothing else: what it returns writes the same bytes.
    pub fn from_json(bytes: &[u8]) -> Result<Self, TemplateError> {
        wire::read(bytes)
    }
}

#[cfg(test)]
mod tests;
