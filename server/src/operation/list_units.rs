//! Lists org units as they are on a day.

use std::collections::BTreeMap;
use std::ops::Bound;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::catalogue::UnitRecord;
use sync_core::identity::UnitId;

use crate::app::SharedApp;
use crate::extract::{Asked, SignedIn};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, ProblemCode};
use crate::schema::Hex;
use crate::wire::Day;

/// The day (left out: the latest record of each unit), a kind, and the page.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "UnitsAsked")]
pub(crate) struct Request {
    on: Option<Day>,
    kind: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// A unit.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Unit {
    #[schemars(with = "Hex<8>")]
    unit: UnitId,
    code: String,
    name: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Hex<8>>")]
    parent: Option<UnitId>,
    valid_from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<String>,
    groups: BTreeMap<String, String>,
}

impl From<&UnitRecord> for Unit {
    fn from(record: &UnitRecord) -> Self {
        Self {
            unit: record.unit,
            code: record.code.clone(),
            name: record.name.clone(),
            kind: record.kind.clone(),
            parent: record.parent,
            valid_from: record.valid_from.clone(),
            valid_to: record.valid_to.clone(),
            groups: record.groups.iter().cloned().collect(),
        }
    }
}

/// `GET /v1/units`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    SignedIn(_): SignedIn,
    Asked(request): Asked<Request>,
) -> Result<Json<Page<Unit>>, Problem> {
    let page = PageQuery {
        after: request.after,
        limit: request.limit,
    };
    let after = match &page.after {
        None => Bound::Unbounded,
        Some(cursor) => Bound::Excluded(
            cursor
                .parse::<UnitId>()
                .map_err(|_| Problem::new(ProblemCode::CursorBad))?,
        ),
    };
    let catalogue = app.registry.current();
    let units = catalogue
        .units()
        .filter(|(unit, _)| match &after {
            Bound::Excluded(after) => *unit > after,
            Bound::Included(_) | Bound::Unbounded => true,
        })
        .filter_map(|(unit, records)| match &request.on {
            Some(day) => catalogue.unit_on(*unit, day.as_str()),
            None => records.last(),
        })
        .filter(|record| {
            request
                .kind
                .as_ref()
                .is_none_or(|kind| *kind == record.kind)
        })
        .map(Unit::from);
    Ok(Json(Page::take(units, page.limit(), |unit| {
        unit.unit.to_string()
    })))
}
