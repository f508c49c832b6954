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
    /// A note beside a row; null empties.
    Note { code: String, text: Option<String> },
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
