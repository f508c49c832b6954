//! The figures of the province in memory: roll-ups that change with every report, and who listens.
//!
//! A roll-up is made when it is first asked for, from the extracts, and from then on follows every
//! report. What it stands on (template version, org tree, duty) is compared with the catalogue when
//! that has grown; only a difference makes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use store::SharedStore;
use sync_core::catalogue::Catalogue;
use sync_core::date::Date;
use sync_core::document::{Subject, SubjectKind};
use sync_core::form::Template;
use sync_core::identity::{DocumentId, UnitId};
use sync_core::org_unit::OrgTree;
use sync_core::period::Period;
use sync_core::roll_up::{RollUp, SetReportError, Submission};
use tokio::sync::watch;

use crate::kept::derived_report::{self, DerivedReport};
use crate::limits;
use crate::metrics::Metrics;
use crate::problem::{Problem, ProblemCode};
use crate::registry::Registry;

/// Which roll-up: a template and a period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RollUpKey {
    pub(crate) template: String,
    pub(crate) period: Period,
}

/// What a roll-up stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Basis {
    template_version: u32,
    tree: Arc<OrgTree>,
    /// Who owes the report, each with its own last day.
    due: BTreeMap<UnitId, Option<Date>>,
    /// Who was let off: missing nowhere, and counted if it reports all the same.
    exempt: BTreeSet<UnitId>,
    /// The last day for everybody, if there is a duty.
    due_day: Option<Date>,
}

impl Basis {
    /// The last day for a unit. One that was let off is never late.
    fn due_day_of(&self, unit: UnitId) -> Option<Date> {
        self.due.get(&unit).copied().flatten()
    }
}

#[derive(Debug)]
struct Kept {
    basis: Basis,
    roll_up: RollUp,
    used: u64,
}

#[derive(Debug, Default)]
struct State {
    /// Reports that are not written to the store yet.
    unwritten: BTreeMap<DocumentId, Arc<DerivedReport>>,
    roll_ups: BTreeMap<RollUpKey, Kept>,
    /// The catalogue the roll-ups were compared with.
    catalogue: u64,
    uses: u64,
}

/// The totals of a node.
#[derive(Debug)]
pub struct Totals {
    store: SharedStore,
    registry: Arc<Registry>,
    metrics: Arc<Metrics>,
    state: RwLock<State>,
    changed: watch::Sender<u64>,
}

impl Totals {
    /// No roll-up yet.
    pub(crate) fn new(store: SharedStore, registry: Arc<Registry>, metrics: Arc<Metrics>) -> Self {
        Self {
            store,
            registry,
            metrics,
            state: RwLock::default(),
            changed: watch::Sender::new(0),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the log position that the figures stand for, whenever it grows.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// What a report comes to.
    pub(crate) fn report(
        &self,
        document: DocumentId,
    ) -> Result<Option<Arc<DerivedReport>>, Problem> {
        let state = self.read();
        self.report_in(&state, document)
    }

    fn report_in(
        &self,
        state: &State,
        document: DocumentId,
    ) -> Result<Option<Arc<DerivedReport>>, Problem> {
        if let Some(report) = state.unwritten.get(&document) {
            return Ok(Some(Arc::clone(report)));
        }
        let kept = self.store.get(&derived_report::key(document))?;
        let report = kept.map(|kept| DerivedReport::decode(&kept)).transpose()?;
        Ok(report.map(Arc::new))
    }

    /// Takes in reports as they stand at a position of the log, and tells who listens.
    pub(crate) fn set(&self, reports: Vec<Arc<DerivedReport>>, position: u64) {
        {
            let mut state = self.write();
            for report in reports {
                let subject = &report.extract.subject;
                if let Some(key) = key_of(subject)
                    && let Some(kept) = state.roll_ups.get_mut(&key)
                {
                    let started = Instant::now();
                    if kept.basis.exempt.contains(&subject.unit) {
                        // Who counts is another question now: asked when it is next looked at.
                        state.roll_ups.remove(&key);
                    } else {
                        let submission = submission(&report, &kept.basis);
                        outcome(kept.roll_up.set_report(subject.unit, submission));
                    }
                    self.metrics.rolled_up("change", started);
                }
                state.unwritten.insert(report.extract.document, report);
            }
        }
        self.changed.send_replace(position);
    }

    /// The reports to be written.
    pub(crate) fn unwritten(&self) -> Vec<Arc<DerivedReport>> {
        self.read().unwritten.values().cloned().collect()
    }

    /// Forgets reports that were written, unless they have changed since.
    pub(crate) fn written(&self, reports: &[Arc<DerivedReport>]) {
        let mut state = self.write();
        for report in reports {
            let document = report.extract.document;
            if state
                .unwritten
                .get(&document)
                .is_some_and(|known| Arc::ptr_eq(known, report))
            {
                state.unwritten.remove(&document);
            }
        }
    }

    /// Looks at a roll-up as it stands now. The lock is held meanwhile: take what is needed and go.
    pub(crate) fn look<T>(
        &self,
        key: &RollUpKey,
        look: impl FnOnce(&RollUp, Option<Date>) -> T,
    ) -> Result<T, Problem> {
        let catalogue = self.registry.current();
        {
            let state = self.read();
            if state.catalogue == catalogue.last_number()
                && let Some(kept) = state.roll_ups.get(key)
            {
                return Ok(look(&kept.roll_up, kept.basis.due_day));
            }
        }
        let mut state = self.write();
        self.compare(&mut state, &catalogue);
        state.uses = state.uses.saturating_add(1);
        let uses = state.uses;
        if !state.roll_ups.contains_key(key) {
            let kept = self.make(&state, &catalogue, key)?;
            make_room(&mut state.roll_ups);
            state.roll_ups.insert(key.clone(), kept);
        }
        let kept = state
            .roll_ups
            .get_mut(key)
            .ok_or_else(|| Problem::new(ProblemCode::NotReady))?;
        kept.used = uses;
        Ok(look(&kept.roll_up, kept.basis.due_day))
    }

    /// Drops roll-ups whose basis is another one by this catalogue.
    fn compare(&self, state: &mut State, catalogue: &Catalogue) {
        if state.catalogue == catalogue.last_number() {
            return;
        }
        state
            .roll_ups
            .retain(|key, kept| basis(catalogue, key).is_ok_and(|(basis, _)| basis == kept.basis));
        state.catalogue = catalogue.last_number();
    }

    fn make(&self, state: &State, catalogue: &Catalogue, key: &RollUpKey) -> Result<Kept, Problem> {
        let started = Instant::now();
        let (basis, template) = basis(catalogue, key)?;
        let mut reports = Vec::new();
        for unit in basis.due.keys().chain(&basis.exempt) {
            let subject = Subject {
                kind: SubjectKind::Report,
                template: key.template.clone(),
                unit: *unit,
                period: key.period.to_string(),
            };
            let report = self.report_in(state, subject.document_id())?;
            reports.extend(report.map(|report| (*unit, report)));
        }
        let submitted = reports
            .iter()
            .filter_map(|(unit, report)| Some((*unit, submission(report, &basis)?)));
        let due: BTreeSet<UnitId> = basis.due.keys().copied().collect();
        let counted = submitted.clone().map(|(unit, _)| unit).chain(due).collect();
        let mut roll_up = RollUp::new(Arc::new(template), Arc::clone(&basis.tree), &counted);
        for (unit, submission) in submitted {
            outcome(roll_up.set_report(unit, Some(submission)));
        }
        self.metrics.rolled_up("whole", started);
        Ok(Kept {
            basis,
            roll_up,
            used: 0,
        })
    }
}

fn make_room(roll_ups: &mut BTreeMap<RollUpKey, Kept>) {
    if roll_ups.len() < limits::ROLL_UPS_MAX {
        return;
    }
    let oldest = roll_ups
        .iter()
        .min_by_key(|(_, kept)| kept.used)
        .map(|(key, _)| key.clone());
    if let Some(oldest) = oldest {
        roll_ups.remove(&oldest);
    }
}

/// Reports of units that owe none are no part of the totals; that is no fault.
fn outcome(set: Result<(), SetReportError>) {
    if let Err(error) = set {
        tracing::debug!(%error, "a report is no part of a roll-up: {error}");
    }
}

fn key_of(subject: &Subject) -> Option<RollUpKey> {
    Some(RollUpKey {
        template: subject.template.clone(),
        period: subject.period.parse().ok()?,
    })
}

/// A report without any cell is none yet.
fn submission<'a>(report: &'a DerivedReport, basis: &Basis) -> Option<Submission<'a>> {
    let cells = &report.extract.cells;
    (!cells.is_empty()).then(|| Submission {
        cells,
        template_version: report
            .extract
            .template_version
            .unwrap_or(basis.template_version),
        late: is_late(report, basis.due_day_of(report.extract.subject.unit)),
    })
}

/// True if the first of a report came after the last day.
pub(crate) fn is_late(report: &DerivedReport, due_day: Option<Date>) -> bool {
    due_day.is_some_and(|day| Date::of_timestamp(report.first_received_at) > day)
}

fn basis(catalogue: &Catalogue, key: &RollUpKey) -> Result<(Basis, Template), Problem> {
    let version = catalogue.newest_template(&key.template).ok_or_else(|| {
        Problem::new(ProblemCode::TemplateUnknown).with("template", &key.template)
    })?;
    let template =
        Template::from_json(&version.content).map_err(|error| Problem::internal(&error))?;
    let tree = OrgTree::of_catalogue(catalogue, key.period.last_day())
        .map_err(|error| Problem::internal(&error))?;
    let period = key.period.to_string();
    let duties = catalogue
        .duties()
        .filter(|duty| duty.template == key.template && duty.period == period);
    let mut basis = Basis {
        template_version: version.version,
        due: BTreeMap::new(),
        exempt: BTreeSet::new(),
        due_day: None,
        tree: Arc::new(tree),
    };
    for duty in duties {
        basis.due_day = basis.due_day.max(duty.due.parse::<Date>().ok());
        for owed in catalogue.owed(duty, &basis.tree) {
            let unit = owed.unit.unit;
            match owed.is_exempt() {
                true => {
                    basis.exempt.insert(unit);
                }
                false => {
                    let day = basis.due.entry(unit).or_default();
                    *day = (*day).max(owed.due_day());
                }
            }
        }
    }
    // Who owes it by one duty is not let off by another.
    let Basis { due, exempt, .. } = &mut basis;
    exempt.retain(|unit| !due.contains_key(unit));
    Ok((basis, template))
}
