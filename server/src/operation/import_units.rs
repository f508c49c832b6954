//! Takes in org units from a neutral list; the same list again adds nothing.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::catalogue::{Body as RecordBody, Catalogue, UnitRecord};
use sync_core::identity::UnitId;
use sync_core::org_unit::import::ImportedUnit;

use crate::app::{App, SharedApp, blocking};
use crate::entropy::random;
use crate::extract::{Administrator, Body};
use crate::limits;
use crate::operation::make_enrolments::units_by_code;
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;
use crate::schema::Hex;
use crate::wire::{Day, Label};

/// The list. Units may come in any order; a parent is one of the list or one known before.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "UnitList")]
#[serde(deny_unknown_fields)]
pub struct Request {
    units: Vec<UnitRow>,
}

/// One unit as it is from a day on. The code says which unit: the same code, the same unit.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitRow {
    code: Label,
    name: Label,
    parent_code: Option<Label>,
    kind: Label,
    valid_from: Day,
    valid_to: Option<Day>,
    /// Grouping to group: `{"area": "Khu vực Định Hóa"}`.
    #[serde(default)]
    groups: BTreeMap<String, String>,
}

impl UnitRow {
    /// A unit as a file names it.
    pub(crate) fn read(unit: &ImportedUnit) -> Result<Self, &'static str> {
        Ok(Self {
            code: Label::new(&unit.code)?,
            name: Label::new(&unit.name)?,
            parent_code: unit.parent_code.as_deref().map(Label::new).transpose()?,
            kind: Label::new(&unit.kind)?,
            valid_from: Day::new(&unit.valid_from.to_string())?,
            valid_to: None,
            groups: unit.groups.iter().cloned().collect(),
        })
    }
}

/// What was added.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UnitsImported")]
pub struct Answer {
    added: usize,
    unchanged: usize,
    #[schemars(with = "BTreeMap<String, Hex<8>>")]
    units: BTreeMap<String, UnitId>,
}

impl Answer {
    /// Units that were not there before, or not so.
    pub(crate) fn added(&self) -> usize {
        self.added
    }
}

/// `POST /v1/org/import`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    let answer = blocking(&app, move |app| import(app, &request.units)).await?;
    tracing::info!(%administrator, added = answer.added, "org units imported");
    Ok(Json(answer))
}

/// Adds what is missing of a list.
pub(crate) fn import(app: &App, rows: &[UnitRow]) -> Result<Answer, Problem> {
    if rows.len() > limits::IMPORT_ROWS_MAX {
        return Err(Problem::new(ProblemCode::TooLarge));
    }
    app.registry
        .append(app.clock.now_s(), |catalogue| draft(catalogue, rows))
}

fn draft(catalogue: &Catalogue, rows: &[UnitRow]) -> Result<Draft<Answer>, Problem> {
    let mut units: BTreeMap<String, UnitId> = units_by_code(catalogue)
        .into_iter()
        .map(|(code, unit)| (code.to_owned(), unit))
        .collect();
    for row in rows {
        if !units.contains_key(row.code.as_str()) {
            units.insert(row.code.as_str().to_owned(), UnitId(random()?));
        }
    }
    let mut bodies = Vec::new();
    for index in parents_first(rows)? {
        let Some(row) = rows.get(index) else { continue };
        let record = record(&units, index, row)?;
        let known = catalogue
            .unit(record.unit)
            .into_iter()
            .flatten()
            .any(|known| *known == record);
        if !known {
            bodies.push(RecordBody::Unit(record));
        }
    }
    let answer = Answer {
        added: bodies.len(),
        unchanged: rows.len().saturating_sub(bodies.len()),
        units: rows
            .iter()
            .filter_map(|row| {
                let code = row.code.as_str();
                Some((code.to_owned(), *units.get(code)?))
            })
            .collect(),
    };
    Ok(Draft::records(bodies, answer))
}

fn record(
    units: &BTreeMap<String, UnitId>,
    index: usize,
    row: &UnitRow,
) -> Result<UnitRecord, Problem> {
    let find = |code: &Label| {
        units.get(code.as_str()).copied().ok_or_else(|| {
            Problem::row(
                index.saturating_add(1),
                format!("no unit has the code {code}"),
            )
        })
    };
    Ok(UnitRecord {
        unit: find(&row.code)?,
        valid_from: row.valid_from.as_str().to_owned(),
        valid_to: row.valid_to.as_ref().map(|day| day.as_str().to_owned()),
        code: row.code.as_str().to_owned(),
        name: row.name.as_str().to_owned(),
        parent: row.parent_code.as_ref().map(find).transpose()?,
        kind: row.kind.as_str().to_owned(),
        groups: row
            .groups
            .iter()
            .map(|(grouping, group)| (grouping.clone(), group.clone()))
            .collect(),
    })
}

/// The rows in an order in which a parent comes before its children. Refuses repeated codes and
/// circles.
fn parents_first(rows: &[UnitRow]) -> Result<Vec<usize>, Problem> {
    let mut waiting: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let codes: BTreeSet<&str> = rows.iter().map(|row| row.code.as_str()).collect();
    let mut seen = BTreeSet::new();
    let mut ready = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if !seen.insert(row.code.as_str()) {
            return Err(Problem::row(
                index.saturating_add(1),
                format!("the code {} is there twice", row.code),
            ));
        }
        match &row.parent_code {
            Some(parent) if codes.contains(parent.as_str()) => {
                waiting.entry(parent.as_str()).or_default().push(index);
            }
            Some(_) | None => ready.push(index),
        }
    }
    let mut order = Vec::with_capacity(rows.len());
    ready.reverse();
    while let Some(index) = ready.pop() {
        order.push(index);
        if let Some(row) = rows.get(index)
            && let Some(children) = waiting.remove(row.code.as_str())
        {
            ready.extend(children.into_iter().rev());
        }
    }
    match waiting.values().flatten().min() {
        Some(index) => Err(Problem::row(
            index.saturating_add(1),
            "the unit is above itself",
        )),
        None => Ok(order),
    }
}
