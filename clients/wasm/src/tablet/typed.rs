//! What a person typed, as edits of the core: read by the kind of its row.

use serde_json::{Value, json};
use sync_core::cell::CellValue;
use sync_core::document::{Edit, Entry, Subject};
use sync_core::form::{Template, entry};
use sync_core::number::Number;

use super::{Step, StepError, TabletState};
use crate::json::{self, Typed};
use crate::view;

impl TabletState {
    /// The edits of what was typed; the first of a report says which version of the form it is filled by.
    pub(super) fn typed_edits(
        &mut self,
        subject: &Subject,
        edits: &str,
        typed_at: i64,
    ) -> Result<Vec<Edit>, StepError> {
        let typed: Vec<Typed> = json::parse(edits)?;
        let template = self.template_of(subject)?;
        let mut entries = Vec::with_capacity(typed.len() + 1);
        if self.version_of(subject)?.is_none() && !typed.iter().all(Typed::is_comment) {
            entries.push(Entry::TemplateVersion(template.version()));
        }
        let carry: Vec<String> = typed.iter().filter_map(Typed::carries).collect();
        let mut carried = self.carried(subject, &template, &carry)?;
        for one in &typed {
            entries.push(match one {
                Typed::Version { version } => {
                    Entry::TemplateVersion(self.published(&subject.template, *version)?)
                }
                Typed::Carry { code } => carried
                    .remove(code)
                    .ok_or_else(|| StepError::NothingEarlier(code.clone()))?,
                Typed::Comment { .. } | Typed::Resolve { .. } | Typed::Reopen { .. } => {
                    self.comment_of(subject, one)?
                }
                Typed::Cell { .. }
                | Typed::Number { .. }
                | Typed::NoOccurrence { .. }
                | Typed::Note { .. }
                | Typed::Source { .. }
                | Typed::Reason { .. } => entry_of(&template, one)?,
            });
        }
        let edit = |entry| Edit { entry, typed_at };
        Ok(entries.into_iter().map(edit).collect())
    }

    /// See [`crate::Tablet::read_typed`].
    pub fn read_typed(
        &mut self,
        template: &str,
        code: &str,
        text: &str,
        version: Option<u32>,
        of: Option<&str>,
    ) -> Step {
        let template = self.asked_form(template, version, of)?.template;
        Ok(reading(&template, code, text)?.to_string())
    }

    /// See [`crate::Tablet::read_all`].
    pub fn read_all(
        &mut self,
        template: &str,
        cells: &str,
        version: Option<u32>,
        of: Option<&str>,
    ) -> Step {
        let template = self.asked_form(template, version, of)?.template;
        let cells: Vec<(String, String)> = json::parse(cells)?;
        let read = |(code, text): &(String, String)| reading(&template, code, text);
        let readings = cells.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(json!(readings).to_string())
    }
}

/// What a typed text would be in a row.
fn reading(template: &Template, code: &str, text: &str) -> Result<Value, StepError> {
    let row = template
        .row(code)
        .ok_or_else(|| StepError::Unknown(code.to_owned()))?;
    Ok(match entry::read(row, text) {
        Ok(value) => json!({"value": view::value_json(&value)}),
        Err(fault) => {
            let readings = fault.readings();
            let readings = readings.iter().map(
                |number| json!({"number": number.canonical(), "text": number.to_vietnamese()}),
            );
            json!({"fault": fault.code(), "readings": readings.collect::<Vec<_>>()})
        }
    })
}

/// The entry of a value or a text that was typed for a row.
pub(super) fn entry_of(template: &Template, typed: &Typed) -> Result<Entry, StepError> {
    let row = |code: &str| {
        template
            .row(code)
            .ok_or_else(|| StepError::Unknown(code.to_owned()))
    };
    let fault = |fault: entry::EntryFault| StepError::Typed(fault.code().to_owned());
    let (code, value) = match typed {
        Typed::Note { code, text } => {
            row(code)?;
            return Ok(Entry::Note {
                code: code.clone(),
                text: text.clone(),
            });
        }
        Typed::Source { code, text } => {
            row(code)?;
            return Ok(Entry::Source {
                code: code.clone(),
                text: text.clone(),
            });
        }
        Typed::Reason { code, rule, text } => {
            row(code)?;
            return Ok(Entry::Reason {
                code: code.clone(),
                rule: rule.clone(),
                text: text.clone(),
            });
        }
        Typed::Carry { .. }
        | Typed::Comment { .. }
        | Typed::Resolve { .. }
        | Typed::Reopen { .. }
        | Typed::Version { .. } => {
            return Err(StepError::Argument("no value of a cell".to_owned()));
        }
        Typed::Cell { code, text: None } => (code, CellValue::Empty),
        Typed::Cell {
            code,
            text: Some(text),
        } => (code, entry::read(row(code)?, text).map_err(fault)?),
        Typed::Number { code, number } => {
            let number = Number::from_canonical(number)
                .map_err(|_| StepError::Argument("no canonical number".to_owned()))?;
            (code, entry::number_of(row(code)?, number).map_err(fault)?)
        }
        Typed::NoOccurrence { code } => (code, CellValue::NoOccurrence),
    };
    row(code)?;
    Ok(Entry::Cell {
        code: code.clone(),
        value,
    })
}
