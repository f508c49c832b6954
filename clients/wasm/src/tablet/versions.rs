//! A report and the versions of its form: what a newer one would change, and what has lost its row.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sync_core::cell::{CellValue, Rival};
use sync_core::document::Subject;
use sync_core::form::{Difference, Template, local};

use super::local_rows::last_day;
use super::{Step, StepError, TabletState};
use crate::json;

impl TabletState {
    /// See [`crate::Tablet::newer_version`].
    pub fn newer_version(&mut self, subject: &str) -> Step {
        let subject = json::subject(subject)?;
        let begun = self.template_of(&subject)?;
        let newest = self.newest_template(&subject.template)?;
        // What units added goes along: it is no part of what a version of the form is.
        let newest = self
            .filled(&newest, subject.unit, last_day(&subject))?
            .template;
        if newest.version() <= begun.version() {
            return Ok(Value::Null.to_string());
        }
        let document = self.device.with_draft(&subject)?;
        let differences = newest.differences_from(&begun);
        let differences: Vec<Value> = differences.iter().map(difference_json).collect();
        let losing = self.without_row(&subject, &newest, &document.cells());
        let lost_before = self.without_row(&subject, &begun, &document.cells());
        let losing: Vec<Value> = losing
            .into_iter()
            .filter(|one| !lost_before.contains(one))
            .collect();
        Ok(json!({
            "from": begun.version(), "to": newest.version(), "note": newest.published_note(),
            "differences": differences, "losing": losing,
        })
        .to_string())
    }

    /// Values that stand where the form has no row: their codes, and what the newest version that had
    /// the row printed for it. Nothing of them is lost; they are not added up.
    pub(super) fn without_row(
        &mut self,
        subject: &Subject,
        template: &Template,
        cells: &BTreeMap<String, Vec<Rival>>,
    ) -> Vec<Value> {
        let holds = |rivals: &[Rival]| rivals.iter().any(|rival| rival.value != CellValue::Empty);
        let codes: Vec<String> = cells
            .iter()
            .filter(|(code, rivals)| template.row(code).is_none() && holds(rivals))
            .map(|(code, _)| code.clone())
            .collect();
        let mut told = Vec::with_capacity(codes.len());
        for code in codes {
            let (label, unit) = self
                .printed_for(&subject.template, &code)
                .unwrap_or_default();
            told.push(json!({"code": code, "label": label, "unit": unit}));
        }
        told
    }

    /// Label and unit of a row in the newest version that has it.
    fn printed_for(&mut self, id: &str, code: &str) -> Option<(String, String)> {
        if let Some((unit, row)) = local::of_code(code) {
            let rows = self.local_rows_of(id, unit).ok()?;
            let row = rows.row(row)?;
            return Some((row.label.clone(), row.unit.clone()));
        }
        let known = self.device.catalogue().templates();
        let versions: Vec<u32> = known
            .filter(|template| template.id == id)
            .map(|template| template.version)
            .collect();
        versions.into_iter().rev().find_map(|version| {
            let template = self.template(id, version).ok()?;
            let row = template.row(code)?;
            Some((row.label.clone(), row.unit.clone()))
        })
    }

    /// The version a person moves a report to: one that is published.
    pub(super) fn published(&mut self, id: &str, version: u32) -> Result<u32, StepError> {
        self.template(id, version)
            .map(|template| template.version())
    }
}

/// One difference, as the page draws it.
pub(crate) fn difference_json(difference: &Difference) -> Value {
    json!({
        "code": difference.code, "label": difference.label, "aspect": difference.aspect.code(),
        "before": difference.before, "after": difference.after,
    })
}
