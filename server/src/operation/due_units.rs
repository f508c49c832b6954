//! The units that owe a report, each with how far it has got: what a coverage matrix is drawn from.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use sync_core::document::{Subject, SubjectKind};
use sync_core::identity::{DocumentId, UnitId};
use sync_core::roll_up::{Filling, RollUp};

use crate::operation::figures::UnitLine;
use crate::schema::Hex;
use crate::totals::RollUpKey;

/// What a unit that owes a report has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DueState {
    /// Nothing has come.
    Missing,
    /// It came in time and is settled.
    Reported,
    /// It came after the last day.
    Late,
    /// It holds an open conflict.
    InConflict,
}

/// A section of the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct SectionLine {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    form_label: Option<String>,
    title: String,
    /// Rows that somebody has to fill.
    rows: u32,
}

/// How far one section is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct FillingLine {
    filled: u32,
    conflicts: u32,
}

impl From<Filling> for FillingLine {
    fn from(filling: Filling) -> Self {
        Self {
            filled: filling.filled,
            conflicts: filling.conflicts,
        }
    }
}

/// A unit that owes a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct DueUnit {
    #[serde(flatten)]
    pub(crate) unit: UnitLine,
    pub(crate) state: DueState,
    /// The part of the unit asked for that it lies in; none: it is that unit itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Hex<8>>")]
    part: Option<UnitId>,
    /// The report it owes, whether it has come or not.
    #[schemars(with = "Hex<16>")]
    document: DocumentId,
    /// For each section of the form; empty while nothing has come.
    filling: Vec<FillingLine>,
}

/// The sections of the form.
pub(crate) fn sections(roll_up: &RollUp) -> Vec<SectionLine> {
    let sections = roll_up.template().sections().iter();
    sections
        .map(|section| SectionLine {
            id: section.id.clone(),
            form_label: section.form_label.clone(),
            title: section.title.clone(),
            rows: roll_up.rows_asked(section),
        })
        .collect()
}

/// The units right below a unit.
pub(crate) fn parts(roll_up: &RollUp, unit: UnitId) -> Vec<UnitLine> {
    let children = roll_up.tree().children(unit);
    children.map(UnitLine::from).collect()
}

/// Every unit at or below `unit` that owes a report, in the order of the tree.
pub(crate) fn due_units(roll_up: &RollUp, key: &RollUpKey, unit: UnitId) -> Vec<DueUnit> {
    let set = |units: Vec<UnitId>| units.into_iter().collect::<BTreeSet<_>>();
    let (missing, late, contested) = (
        set(roll_up.missing(unit)),
        set(roll_up.late(unit)),
        set(roll_up.in_conflict(unit)),
    );
    let state = |unit: &UnitId| {
        if missing.contains(unit) {
            Some(DueState::Missing)
        } else if contested.contains(unit) {
            Some(DueState::InConflict)
        } else if late.contains(unit) {
            Some(DueState::Late)
        } else {
            roll_up.report(*unit).map(|_| DueState::Reported)
        }
    };
    let tree = roll_up.tree();
    let children: Vec<UnitId> = tree.children(unit).map(|child| child.unit).collect();
    let part = |of: UnitId| {
        let mut children = children.iter();
        children.find(|child| tree.is_within(of, **child)).copied()
    };
    tree.subtree(unit)
        .filter_map(|record| {
            let filling = roll_up.filling(record.unit).unwrap_or_default();
            Some(DueUnit {
                unit: record.into(),
                state: state(&record.unit)?,
                part: part(record.unit),
                document: document(key, record.unit),
                filling: filling.into_iter().map(FillingLine::from).collect(),
            })
        })
        .collect()
}

/// The report of a unit.
pub(crate) fn document(key: &RollUpKey, unit: UnitId) -> DocumentId {
    let subject = Subject {
        kind: SubjectKind::Report,
        template: key.template.clone(),
        unit,
        period: key.period.to_string(),
    };
    subject.document_id()
}
