//! Rows that units add to forms, on the command line: the form of a report with them, and their faults in words.

use sync_core::catalogue::Catalogue;
use sync_core::document::Subject;
use sync_core::form::Template;
use sync_core::form::local::{self, LocalRowError, LocalRows};
use sync_core::identity::UnitId;
use sync_core::period::Period;

use crate::lookup;
use crate::trouble::{Exit, Trouble};
use crate::{Tablet, TabletError};

/// The rows that a unit added to a form, with what is drafted on this device.
pub fn rows_of(
    tablet: &mut Tablet,
    template: &str,
    unit: UnitId,
) -> Result<LocalRows, TabletError> {
    let document = tablet.document(&Subject::local_rows(template, unit))?;
    Ok(LocalRows::of(unit, &document.cells()))
}

/// The units whose rows stand in a report: those further up first.
pub fn units_of(catalogue: &Catalogue, subject: &Subject) -> Vec<UnitId> {
    let period: Option<Period> = subject.period.parse().ok();
    let day = period.map(|period| period.last_day().to_string());
    local::units_of(catalogue, subject.unit, &day.unwrap_or_default())
}

/// The newest version of a form as a report is filled by it: with the rows of its unit and of those above it.
pub fn filled(tablet: &mut Tablet, subject: &Subject) -> Result<Template, Trouble> {
    let catalogue = tablet.device().catalogue();
    let published = lookup::template(catalogue, &subject.template)?;
    let mut all = Vec::new();
    for unit in units_of(catalogue, subject) {
        all.push(rows_of(tablet, &subject.template, unit)?);
    }
    Ok(published.with_local_rows(&all))
}

impl From<LocalRowError> for Trouble {
    fn from(error: LocalRowError) -> Self {
        let reason = error.to_string();
        let said = Self::new(error.code(), Exit::Input);
        match error {
            LocalRowError::Locked(row)
            | LocalRowError::Unknown(row)
            | LocalRowError::Place(row) => said.with("row", row),
            LocalRowError::Template(_) => said.with("reason", reason),
            LocalRowError::LabelMissing
            | LocalRowError::TextTooLong
            | LocalRowError::Heading
            | LocalRowError::TooMany => said,
        }
    }
}

#[cfg(test)]
mod tests {
    use messages::Language;

    use super::*;

    #[test]
    fn every_fault_of_a_row_has_a_sentence() {
        let text = String::new;
        let faults = [
            LocalRowError::Locked(text()),
            LocalRowError::Unknown(text()),
            LocalRowError::LabelMissing,
            LocalRowError::TextTooLong,
            LocalRowError::Heading,
            LocalRowError::Place(text()),
            LocalRowError::TooMany,
            LocalRowError::Template(sync_core::form::TemplateError::Choices(text())),
        ];
        for fault in faults {
            let id = Trouble::from(fault).message_id();
            for language in Language::ALL {
                assert!(messages::has(language, &id), "{id}");
            }
        }
    }
}
