//! Rows that units add to forms: the form of a report with them, and the sheet where they are added and changed.
//!
//! What the documents of a unit and of those above it hold is read once, and again when they hold something else
//! ([`LogReader::stamp`](sync_core::log::LogReader::stamp)); a key that is typed in a report costs as many look-ups as
//! there are tiers.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use sync_core::access;
use sync_core::date::Date;
use sync_core::document::Subject;
use sync_core::form::local::{
    self, Field, LocalRow, LocalRowId, LocalRows, RowChange, RowDraft, RowPlace,
};
use sync_core::form::{Choice, Kind, Template};
use sync_core::identity::{UnitId, labelled_hash};
use sync_core::period::Period;
use sync_core::report::review::Checks;

use super::counts::follow;
use super::{Step, StepError, TabletState, unit_name};
use crate::{json, view};

/// Forms with rows of units that are kept made: the report in hand, and one beside it.
const KEPT: usize = 4;

/// Which state of a unit's rows was read, and what they are.
#[derive(Debug)]
pub(super) struct Read {
    stamp: ([u8; 8], usize),
    rows: Arc<LocalRows>,
}

/// A form as a unit fills it, with what it says about its rows.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    pub(super) template: Arc<Template>,
    pub(super) checks: Arc<Checks>,
    /// Stands for the rows of units in it; empty for none.
    pub(super) mark: String,
    /// What it was made of.
    of: Vec<Arc<LocalRows>>,
}

/// A row to be added, as the page says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    label: String,
    label_en: String,
    unit: String,
    kind: String,
    choices: Vec<(i64, String)>,
    section: String,
    under: Option<String>,
    help: String,
}

/// What is to be changed of one.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Change {
    label: Option<String>,
    label_en: Option<String>,
    unit: Option<String>,
    help: Option<String>,
    place: Option<(String, Option<String>)>,
    retired: Option<bool>,
}

impl Filled {
    /// A form as it was published, looked at and not filled.
    pub(super) fn published(template: Arc<Template>) -> Self {
        Self {
            checks: Arc::new(Checks::default()),
            template,
            mark: String::new(),
            of: Vec::new(),
        }
    }
}

impl TabletState {
    /// The rows that a unit added to a form, with what is typed and not sealed.
    pub(super) fn local_rows_of(
        &mut self,
        template: &str,
        unit: UnitId,
    ) -> Result<Arc<LocalRows>, StepError> {
        let subject = Subject::local_rows(template, unit);
        let id = subject.document_id();
        let drafted = self.device.draft(id).map_or(0, |draft| draft.edits.len());
        let stamp = (self.device.log().stamp(id)?, drafted);
        let key = (template.to_owned(), unit);
        if let Some(read) = self.local_rows.get(&key)
            && read.stamp == stamp
        {
            return Ok(Arc::clone(&read.rows));
        }
        let cells = match drafted {
            0 => follow(&self.device.log(), id, &subject)?.extract().cells,
            _ => self.device.with_draft(&subject)?.cells(),
        };
        let rows = Arc::new(LocalRows::of(unit, &cells));
        let read = Read {
            stamp,
            rows: Arc::clone(&rows),
        };
        self.local_rows.insert(key, read);
        Ok(rows)
    }

    /// The rows that stand in the reports of a unit on a day, those of units further up first.
    fn local_rows_for(
        &mut self,
        template: &str,
        unit: UnitId,
        day: Date,
    ) -> Result<Vec<Arc<LocalRows>>, StepError> {
        let units = local::units_of(self.device.catalogue(), unit, &day.to_string());
        let rows = units.into_iter();
        rows.map(|unit| self.local_rows_of(template, unit))
            .collect()
    }

    /// How many rows a report of a unit has beside those of the form.
    pub(super) fn local_row_count(&mut self, subject: &Subject) -> Result<usize, StepError> {
        let all = self.local_rows_for(&subject.template, subject.unit, last_day(subject))?;
        Ok(all.iter().map(|rows| rows.in_use().count()).sum())
    }

    /// A form as a report of a unit is filled by it on a day.
    pub(super) fn filled(
        &mut self,
        published: &Arc<Template>,
        unit: UnitId,
        day: Date,
    ) -> Result<Filled, StepError> {
        let mut of = self.local_rows_for(published.id(), unit, day)?;
        of.retain(|rows| rows.in_use().next().is_some());
        if of.is_empty() {
            return Ok(Filled {
                template: Arc::clone(published),
                checks: self.checks_of(published),
                mark: String::new(),
                of,
            });
        }
        let same = |kept: &&Filled| {
            let (id, version) = (kept.template.id(), kept.template.version());
            kept.of == of && id == published.id() && version == published.version()
        };
        if let Some(kept) = self.filled.iter().find(same) {
            return Ok(kept.clone());
        }
        let all: Vec<LocalRows> = of.iter().map(|rows| LocalRows::clone(rows)).collect();
        let template = published.with_local_rows(&all);
        let made = Filled {
            checks: Arc::new(Checks::of(&template)),
            mark: mark(&template),
            template: Arc::new(template),
            of,
        };
        self.filled.truncate(KEPT - 1);
        self.filled.insert(0, made.clone());
        Ok(made)
    }

    /// The same for a report, by whatever version it is filled.
    pub(super) fn filled_by(&mut self, subject: &Subject) -> Result<Filled, StepError> {
        let published = self.published_of(subject)?;
        self.filled(&published, subject.unit, last_day(subject))
    }

    /// See [`crate::Tablet::local_rows`].
    pub fn local_rows(&mut self, subject: &str, now: i64) -> Step {
        let subject = json::subject(subject)?;
        let filled = self.filled_by(&subject)?;
        let day = last_day(&subject).to_string();
        let mut units = local::units_of(self.device.catalogue(), subject.unit, &day);
        units.reverse();
        let mut told = Vec::with_capacity(units.len());
        for unit in units {
            let rows = self.local_rows_of(&subject.template, unit)?;
            let may = self.may_add(unit, now);
            if !may && rows.rows.is_empty() {
                continue;
            }
            let document = self
                .device
                .with_draft(&Subject::local_rows(&subject.template, unit))?;
            let kept = self.origins(document.subject())?;
            let origins = kept.of(&self.device, &self.authors);
            let history = |row: &LocalRow, field: Field| -> Vec<Value> {
                let values = document.cell_history(&field.key(row.id));
                values
                    .iter()
                    .map(|one| view::rival_json(one, &origins))
                    .collect()
            };
            let rows: Vec<Value> = rows
                .rows
                .iter()
                .map(|row| {
                    let mut value = row_json(&filled.template, unit, row);
                    if let Some(value) = value.as_object_mut() {
                        value.insert("labels".to_owned(), json!(history(row, Field::Label)));
                        value.insert("retirings".to_owned(), json!(history(row, Field::Retired)));
                    }
                    value
                })
                .collect();
            let catalogue = self.device.catalogue();
            told.push(json!({
                "unit": unit, "name": unit_name(catalogue, unit), "own": unit == subject.unit,
                "may": may, "rows": rows,
            }));
        }
        Ok(json!(told).to_string())
    }

    /// See [`crate::Tablet::add_local_row`].
    pub fn add_local_row(
        &mut self,
        subject: &str,
        unit: &str,
        draft: &str,
        now: i64,
        random: &[u8],
    ) -> Step {
        let subject = json::subject(subject)?;
        let unit = self.unit_that_adds(unit, now)?;
        let draft: Draft = json::parse(draft)?;
        let random = random
            .try_into()
            .map_err(|_| StepError::Argument("no random bytes".to_owned()))?;
        let id = LocalRowId::new(now, random);
        let choice = |(value, label)| Choice { value, label };
        let draft = RowDraft {
            label: draft.label,
            label_en: draft.label_en,
            unit: draft.unit,
            kind: Kind::from_name(&draft.kind)
                .ok_or_else(|| StepError::Argument("no kind of row".to_owned()))?,
            choices: draft.choices.into_iter().map(choice).collect(),
            place: RowPlace {
                section: draft.section,
                under: draft.under,
            },
            help: draft.help,
        };
        let template = self.filled_by(&subject)?.template;
        let rows = self.local_rows_of(&subject.template, unit)?;
        if rows.row(id).is_some() {
            // Asked again by a page that had no answer: it stands.
            return Ok(json!({"code": local::code(unit, id)}).to_string());
        }
        let edits = local::add(&template, &rows, id, &draft, now)?;
        self.write_local(&subject.template, unit, &edits)?;
        Ok(json!({"code": local::code(unit, id)}).to_string())
    }

    /// See [`crate::Tablet::change_local_row`].
    pub fn change_local_row(&mut self, subject: &str, code: &str, change: &str, now: i64) -> Step {
        let subject = json::subject(subject)?;
        let change: Change = json::parse(change)?;
        let template = self.filled_by(&subject)?.template;
        let place = |(section, under)| RowPlace { section, under };
        let change = RowChange {
            label: change.label,
            label_en: change.label_en,
            unit: change.unit,
            help: change.help,
            place: change.place.map(place),
            retired: change.retired,
        };
        let unit = match local::of_code(code) {
            Some((unit, _)) => self.unit_that_adds(&unit.to_string(), now)?,
            None => subject.unit,
        };
        let rows = self.local_rows_of(&subject.template, unit)?;
        let edits = local::change(&template, &rows, code, &change, now)?;
        if !edits.is_empty() {
            self.write_local(&subject.template, unit, &edits)?;
        }
        Ok(Value::Null.to_string())
    }

    fn write_local(
        &mut self,
        template: &str,
        unit: UnitId,
        edits: &[sync_core::document::Edit],
    ) -> Result<(), StepError> {
        let subject = Subject::local_rows(template, unit);
        let (writes, _) = self.device.edited(&subject, edits)?;
        self.writes.extend(writes);
        Ok(())
    }

    fn may_add(&self, unit: UnitId, now: i64) -> bool {
        let catalogue = self.device.catalogue();
        let person = self.own_person();
        person.is_some_and(|person| access::adds_rows(catalogue, person, unit, now))
    }

    fn unit_that_adds(&self, unit: &str, now: i64) -> Result<UnitId, StepError> {
        let unit = unit
            .parse()
            .map_err(|_| StepError::Argument("no unit".to_owned()))?;
        match self.may_add(unit, now) {
            true => Ok(unit),
            false => Err(StepError::RowsNotAllowed),
        }
    }
}

/// The day on which a report asks who stands above its unit.
pub(super) fn last_day(subject: &Subject) -> Date {
    let period: Result<Period, _> = subject.period.parse();
    period.map_or(Date::of_timestamp(0), |period| period.last_day())
}

/// Stands for what a page draws of the rows of units in a form.
fn mark(template: &Template) -> String {
    let rows = template.rows().iter().enumerate();
    let local = rows.filter(|(_, row)| template.local_row(&row.code).is_some());
    let said: Vec<String> = local
        .map(|(at, row)| {
            let standing = template.local_row(&row.code);
            format!("{at} {row:?} {standing:?}")
        })
        .collect();
    let parts: Vec<&[u8]> = said.iter().map(String::as_bytes).collect();
    let [a, b, c, d, ..] = labelled_hash("rows of units", &parts);
    data_encoding::HEXLOWER.encode(&[a, b, c, d])
}

fn row_json(template: &Template, unit: UnitId, row: &LocalRow) -> Value {
    let code = local::code(unit, row.id);
    let standing = template.local_row(&code);
    let choices: Vec<Value> = row
        .choices
        .iter()
        .map(|choice| json!({"value": choice.value, "label": choice.label}))
        .collect();
    let contested: Vec<&str> = row.contested.iter().map(|field| field.name()).collect();
    json!({
        "code": code, "stt": template.row(&code).map(|row| &row.stt),
        "label": row.label, "label_en": row.label_en, "unit": row.unit, "kind": row.kind.name(),
        "choices": choices, "help": row.help, "section": row.place.section,
        "under": row.place.under, "retired": row.retired, "contested": contested,
        "displaced": standing.is_some_and(|standing| standing.displaced),
    })
}
