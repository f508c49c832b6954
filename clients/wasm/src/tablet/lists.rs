//! What spans reports: the list of work, and totals of what is on this tablet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use sync_core::access;
use sync_core::batch::Entry as PartEntry;
use sync_core::catalogue::Duty;
use sync_core::date::Date;
use sync_core::document::{Subject, SubjectKind};
use sync_core::identity::{DocumentId, UnitId};
use sync_core::org_unit::OrgTree;
use sync_core::period::Period;
use sync_core::roll_up::{RollUp, Submission};

use super::{Step, StepError, TabletState, unit_name};
use crate::view;

impl TabletState {
    /// See [`crate::Tablet::work`].
    pub fn work(&mut self, now: i64, app: &str) -> Step {
        self.count_by(app);
        let today = Date::of_timestamp(now);
        let tree = self.tree_on(today)?;
        let catalogue = self.device.catalogue();
        let person = self.own_person();
        let mut wanted: BTreeMap<Subject, Option<Duty>> = BTreeMap::new();
        for duty in catalogue.duties() {
            for unit in tree.of_kind(&duty.unit_kind) {
                let mine = person
                    .is_some_and(|person| access::may_read(catalogue, person, unit.unit, now));
                if mine {
                    let subject = report_subject(duty, unit.unit);
                    wanted.insert(subject, Some(duty.clone()));
                }
            }
        }
        for subject in self.device.subjects()?.into_values() {
            wanted.entry(subject).or_insert(None);
        }
        let waiting = self.waiting_documents()?;
        let mut items = Vec::with_capacity(wanted.len());
        for (subject, duty) in wanted {
            let id = subject.document_id();
            let count = self.count(id, &subject)?;
            let template = self.template(&subject.template, count.version)?;
            let is_late = duty
                .as_ref()
                .is_some_and(|duty| today.to_string() > duty.due);
            items.push(json!({
                "document": id, "template": subject.template, "unit": subject.unit,
                "period": subject.period, "title": template.title(),
                "unit_name": unit_name(self.device.catalogue(), subject.unit),
                "due": duty.map(|duty| duty.due), "past_due": is_late,
                "filled": count.filled, "rows": template.rows().len(),
                "conflicts": count.conflicts, "findings": count.findings,
                "draft_edits": self.device.draft(id).map_or(0, |draft| draft.edits.len()),
                "waiting": waiting.contains(&id),
            }));
        }
        Ok(json!(items).to_string())
    }

    /// See [`crate::Tablet::totals`].
    pub fn totals(&mut self, template: &str, period: &str, unit: &str, _now: i64) -> Step {
        let period: Period = period
            .parse()
            .map_err(|_| StepError::Argument(format!("{period} is no period")))?;
        let unit: UnitId = unit
            .parse()
            .map_err(|_| StepError::Argument("no unit".to_owned()))?;
        let form = self.newest_template(template)?;
        let tree = self.tree_on(period.last_day())?;
        let written = period.to_string();
        let catalogue = self.device.catalogue();
        let due: BTreeSet<UnitId> = catalogue
            .duties()
            .filter(|duty| duty.template == template && duty.period == written)
            .flat_map(|duty| tree.of_kind(&duty.unit_kind))
            .map(|record| record.unit)
            .collect();
        let mut roll_up = RollUp::new(Arc::clone(&form), Arc::new(tree), &due);
        for subject in self.device.subjects()?.into_values() {
            if subject.template != template || subject.period != written {
                continue;
            }
            let document = self.device.with_draft(&subject)?;
            let cells = document.cells();
            let submission = (!cells.is_empty()).then(|| Submission {
                cells: &cells,
                template_version: document.template_version().unwrap_or(form.version()),
                late: false,
            });
            // A unit that owes no report is no part of the totals; that is no fault.
            let _ = roll_up.set_report(subject.unit, submission);
        }
        let coverage = roll_up.coverage(unit);
        let figures: BTreeMap<&str, Value> = form
            .rows()
            .iter()
            .filter_map(|row| {
                let figure = roll_up.figure(unit, &row.code)?;
                let range = figure.value.range()?;
                let mut value = view::range_json(range);
                if let Some(object) = value.as_object_mut() {
                    object.insert("provisional".to_owned(), json!(figure.is_provisional()));
                }
                Some((row.code.as_str(), value))
            })
            .collect();
        Ok(json!({
            "unit": unit, "figures": figures,
            "due": coverage.as_ref().map(|coverage| coverage.due),
            "reported": coverage.as_ref().map(|coverage| coverage.reported),
            "missing": roll_up.missing(unit), "in_conflict": roll_up.in_conflict(unit),
        })
        .to_string())
    }

    fn waiting_documents(&self) -> Result<BTreeSet<DocumentId>, StepError> {
        let mut documents = BTreeSet::new();
        for part in self.device.outbox().keys() {
            if let Some(part) = self.device.part(*part)? {
                documents.extend(part.part().entries.iter().map(PartEntry::document));
            }
        }
        Ok(documents)
    }

    pub(super) fn tree_on(&self, day: Date) -> Result<OrgTree, StepError> {
        OrgTree::of_catalogue(self.device.catalogue(), day)
            .map_err(|error| StepError::Damaged(error.to_string()))
    }
}

fn report_subject(duty: &Duty, unit: UnitId) -> Subject {
    Subject {
        kind: SubjectKind::Report,
        template: duty.template.clone(),
        unit,
        period: duty.period.clone(),
    }
}
