//! Arguments as the page writes them.

use serde::Deserialize;
use sync_core::document::{Subject, SubjectKind};
use sync_core::identity::UnitId;
use sync_core::period::Period;

use crate::tablet::StepError;

/// Which report.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubjectText {
    template: String,
    unit: UnitId,
    period: String,
}

/// One thing typed. A cell: `text` as typed, null empties, and `reading` settles an ambiguous number.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "kind")]
pub(crate) enum Typed {
    /// A cell as typed.
    Cell { code: String, text: Option<String> },
    /// A cell set to a number that a person chose: canonical, from a rival or a question.
    Number { code: String, number: String },
    /// A cell where nothing occurred.
    NoOccurrence { code: String },
    /// The figure of the period before, marked until somebody confirms it.
    Carry { code: String },
    /// A note beside a row; null empties.
    Note { code: String, text: Option<String> },
    /// Where the figure comes from; null empties.
    Source { code: String, text: Option<String> },
    /// Why a figure stands though a rule speaks against it; null empties.
    Reason {
        code: String,
        rule: String,
        text: Option<String>,
    },
    /// Something said about a cell.
    Comment { code: String, text: String },
    /// All that was said about a cell is dealt with.
    Resolve { code: String },
    /// It is not dealt with after all.
    Reopen { code: String },
    /// The report goes on by this version of its form.
    Version { version: u32 },
}

impl Typed {
    /// The code of a cell that is to take the figure of the period before.
    pub(crate) fn carries(&self) -> Option<String> {
        match self {
            Self::Carry { code } => Some(code.clone()),
            Self::Cell { .. }
            | Self::Number { .. }
            | Self::NoOccurrence { .. }
            | Self::Note { .. }
            | Self::Source { .. }
            | Self::Reason { .. }
            | Self::Comment { .. }
            | Self::Resolve { .. }
            | Self::Reopen { .. }
            | Self::Version { .. } => None,
        }
    }

    /// True for what is said about a cell and changes nothing of the report: whoever may read may say it.
    pub(crate) fn is_comment(&self) -> bool {
        match self {
            Self::Comment { .. } | Self::Resolve { .. } | Self::Reopen { .. } => true,
            Self::Cell { .. }
            | Self::Number { .. }
            | Self::NoOccurrence { .. }
            | Self::Carry { .. }
            | Self::Note { .. }
            | Self::Source { .. }
            | Self::Reason { .. }
            | Self::Version { .. } => false,
        }
    }
}

pub(crate) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, StepError> {
    serde_json::from_str(text).map_err(|error| StepError::Argument(error.to_string()))
}

/// The subject that a text names; its period in canonical form.
pub(crate) fn subject(text: &str) -> Result<Subject, StepError> {
    let written: SubjectText = parse(text)?;
    let period: Period = written
        .period
        .parse()
        .map_err(|_| StepError::Argument(format!("{} is no period", written.period)))?;
    Ok(Subject {
        kind: SubjectKind::Report,
        template: written.template,
        unit: written.unit,
        period: period.to_string(),
    })
}
