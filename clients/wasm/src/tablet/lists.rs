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
        let mut wanted: BTreeMap<Subject, Option<Deadline>> = BTreeMap::new();
        let begun = self.device.subjects()?.into_values();
        let is_report = |subject: &Subject| subject.kind == SubjectKind::Report;
        let begun: BTreeSet<Subject> = begun.filter(is_report).collect();
        for duty in catalogue.duties() {
            let retired = catalogue.template_retired(&duty.template).is_some();
            for owed in catalogue.owed(duty, &tree) {
                let unit = owed.unit.unit;
                let mine =
                    person.is_some_and(|person| access::may_read(catalogue, person, unit, now));
                // What a unit was let off is no work; what it began all the same is shown below.
                let Some(day) = owed.due().filter(|_| mine) else {
                    continue;
                };
                let deadline = Deadline {
                    day: day.to_owned(),
                    put_off: owed.exception.map(|exception| exception.reason.clone()),
                };
                let subject = report_subject(duty, unit);
                // Of a template that is retired no new report is begun; what was begun goes on.
                if retired && !begun.contains(&subject) {
                    continue;
                }
                let kept = wanted.entry(subject).or_default();
                if kept.as_ref().is_none_or(|kept| kept.day < deadline.day) {
                    *kept = Some(deadline);
                }
            }
        }
        for subject in begun {
            wanted.entry(subject).or_insert(None);
        }
        let waiting = self.waiting_documents()?;
        let mut items = Vec::with_capacity(wanted.len());
        for (subject, deadline) in wanted {
            let id = subject.document_id();
            let count = self.count(id, &subject)?;
            let template = self.template(&subject.template, count.version)?;
            let rows = template.rows().len() + self.local_row_count(&subject)?;
            let is_late = deadline
                .as_ref()
                .is_some_and(|deadline| today.to_string() > deadline.day);
            let (due, put_off) = match deadline {
                Some(Deadline { day, put_off }) => (Some(day), put_off),
                None => (None, None),
            };
            items.push(json!({
                "document": id, "template": subject.template, "unit": subject.unit,
                "period": subject.period, "title": template.title(), "version": count.version,
                "unit_name": unit_name(self.device.catalogue(), subject.unit),
                "due": due, "past_due": is_late, "put_off": put_off,
                "filled": count.filled, "rows": rows,
                "conflicts": count.conflicts, "findings": count.findings,
                "draft_edits": self.device.draft(id).map_or(0, |draft| draft.edits.len()),
                "waiting": waiting.contains(&id), "not_here": self.device.left_out(&subject).is_some(),
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
        // With the rows of the unit and of those above it: what an area added is added up over its units.
        let form = self.newest_template(template)?;
        let form = self.filled(&form, unit, period.last_day())?.template;
        let tree = self.tree_on(period.last_day())?;
        let written = period.to_string();
        let mut reports = Vec::new();
        for subject in self.device.subjects()?.into_values() {
            let is_of = subject.kind == SubjectKind::Report && subject.template == template;
            if !is_of || subject.period != written {
                continue;
            }
            let document = self.device.with_draft(&subject)?;
            let cells = document.cells();
            if !cells.is_empty() {
                let version = document.template_version().unwrap_or(form.version());
                reports.push((subject.unit, cells, version));
            }
        }
        // Who was let off is missing nowhere, and counts if it reports all the same.
        let reported = |unit: UnitId| reports.iter().any(|(of, ..)| *of == unit);
        let catalogue = self.device.catalogue();
        let due: BTreeSet<UnitId> = catalogue
            .duties()
            .filter(|duty| duty.template == template && duty.period == written)
            .flat_map(|duty| catalogue.owed(duty, &tree))
            .map(|owed| (owed.unit.unit, owed.is_exempt()))
            .filter(|(unit, is_exempt)| !is_exempt || reported(*unit))
            .map(|(unit, _)| unit)
            .collect();
        let mut roll_up = RollUp::new(Arc::clone(&form), Arc::new(tree), &due);
        for (unit, cells, template_version) in &reports {
            let submission = Submission {
                cells,
                template_version: *template_version,
                late: false,
            };
            // A unit that owes no report is no part of the totals; that is no fault.
            let _ = roll_up.set_report(*unit, Some(submission));
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

/// By when a report is due.
struct Deadline {
    /// yyyy-mm-dd.
    day: String,
    /// Why the unit has a day of its own, if it has.
    put_off: Option<String>,
}

fn report_subject(duty: &Duty, unit: UnitId) -> Subject {
    Subject {
        kind: SubjectKind::Report,
        template: duty.template.clone(),
        unit,
        period: duty.period.clone(),
    }
}
