//! Which printed form a report is filled by, and what that form says about its rows.

use std::sync::Arc;

use sync_core::document::{Entry, Subject};
use sync_core::form::Template;
use sync_core::report::review::Checks;

use super::local_rows::{Filled, last_day};
use super::{StepError, TabletState};
use crate::json;

impl TabletState {
    /// The form that a report is filled by, with the rows of its unit and of those above it.
    pub(super) fn template_of(&mut self, subject: &Subject) -> Result<Arc<Template>, StepError> {
        Ok(self.filled_by(subject)?.template)
    }

    /// The version that a report is filled by, as it was published; the newest for one that nobody began.
    pub(super) fn published_of(&mut self, subject: &Subject) -> Result<Arc<Template>, StepError> {
        match self.version_of(subject)? {
            Some(version) => self.template(&subject.template, version),
            None => self.newest_template(&subject.template),
        }
    }

    /// The version a report says it is filled by. Asked with every key: no copy of the document is made.
    pub(super) fn version_of(&mut self, subject: &Subject) -> Result<Option<u32>, StepError> {
        let draft = self.device.draft(subject.document_id());
        let typed = draft.and_then(|draft| {
            draft.edits.iter().rev().find_map(|edit| match edit.entry {
                Entry::TemplateVersion(version) => Some(version),
                Entry::Cell { .. }
                | Entry::Carried { .. }
                | Entry::Note { .. }
                | Entry::Source { .. }
                | Entry::Reason { .. }
                | Entry::Comment { .. }
                | Entry::Narrative { .. }
                | Entry::NarrativeText { .. }
                | Entry::SignOff { .. }
                | Entry::Attachment { .. } => None,
            })
        });
        match typed {
            Some(version) => Ok(Some(version)),
            None => Ok(self.device.load(subject)?.template_version()),
        }
    }

    /// The form that is asked for: by its version, the newest if none is said, and as the report of a unit is filled by
    /// it, `of` a subject; as it was published for none.
    pub(super) fn asked_form(
        &mut self,
        id: &str,
        version: Option<u32>,
        of: Option<&str>,
    ) -> Result<Filled, StepError> {
        let published = self.asked_template(id, version)?;
        match of {
            Some(subject) => {
                let subject = json::subject(subject)?;
                self.filled(&published, subject.unit, last_day(&subject))
            }
            None => Ok(Filled::published(published)),
        }
    }

    /// The version that is asked for; the newest if none is.
    fn asked_template(
        &mut self,
        id: &str,
        version: Option<u32>,
    ) -> Result<Arc<Template>, StepError> {
        match version {
            Some(version) => self.template(id, version),
            None => self.newest_template(id),
        }
    }

    pub(super) fn newest_template(&mut self, id: &str) -> Result<Arc<Template>, StepError> {
        let newest = self.device.catalogue().newest_template(id);
        let version = newest.map(|newest| newest.version);
        let version = version.ok_or_else(|| StepError::Unknown(id.to_owned()))?;
        self.template(id, version)
    }

    pub(super) fn checks_of(&mut self, template: &Template) -> Arc<Checks> {
        let key = (template.id().to_owned(), template.version());
        let checks = self.checks.entry(key);
        Arc::clone(checks.or_insert_with(|| Arc::new(Checks::of(template))))
    }

    pub(super) fn template(&mut self, id: &str, version: u32) -> Result<Arc<Template>, StepError> {
        let key = (id.to_owned(), version);
        if let Some(template) = self.templates.get(&key) {
            return Ok(Arc::clone(template));
        }
        let kept = self.device.catalogue().template(id, version);
        let kept = kept.ok_or_else(|| StepError::Unknown(id.to_owned()))?;
        let template = Template::from_json(&kept.content)
            .map_err(|error| StepError::Damaged(error.to_string()))?;
        let template = Arc::new(template);
        self.templates.insert(key, Arc::clone(&template));
        Ok(template)
    }
}
