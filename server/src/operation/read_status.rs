//! What this node is and how it stands: a little for everybody, more for who is signed in.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::catalogue::Catalogue;
use sync_core::identity::{NodeId, ProvinceId};
use sync_core::log::LogReader;

use crate::app::{App, SharedApp, blocking};
use crate::extract::MaybeSignedIn;
use crate::keyspace::StoreKeyspace;
use crate::problem::{Problem, ProblemCode};
use crate::schema::Hex;

/// What everybody may know.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Status")]
pub(crate) struct Answer {
    version: &'static str,
    #[schemars(with = "Hex<16>")]
    province: ProvinceId,
    province_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rehearsal: Option<String>,
    #[schemars(with = "Hex<16>")]
    node: NodeId,
    /// False while units, a form, people or a first device are still missing.
    set_up: bool,
    /// The reports owed: what the status page offers to show.
    duties: Vec<DutyLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<Standing>,
}

/// A reporting duty.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DutyLine {
    template: String,
    period: String,
    unit_kind: String,
    due: String,
}

/// What the signed-in may know, too.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Standing {
    now: i64,
    catalogue: u64,
    position: u64,
    held: u64,
    derived_position: u64,
    restarts_from_older_folders: u64,
    truth_bytes: u64,
    derived_bytes: u64,
}

/// `GET /v1/status`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    MaybeSignedIn(identity): MaybeSignedIn,
) -> Result<Json<Answer>, Problem> {
    blocking(&app, move |app| read(app, identity.is_some()))
        .await
        .map(Json)
}

fn read(app: &App, is_signed_in: bool) -> Result<Answer, Problem> {
    let catalogue = app.registry.current();
    let province = catalogue
        .province()
        .ok_or_else(|| Problem::new(ProblemCode::NotReady))?;
    let duties = catalogue
        .duties()
        .filter(|_| is_signed_in || catalogue.rehearsal().is_some())
        .map(|duty| DutyLine {
            template: duty.template.clone(),
            period: duty.period.clone(),
            unit_kind: duty.unit_kind.clone(),
            due: duty.due.clone(),
        });
    Ok(Answer {
        version: env!("CARGO_PKG_VERSION"),
        province: province.id,
        province_name: province.name.clone(),
        rehearsal: catalogue.rehearsal().map(str::to_owned),
        node: app.identity().node,
        set_up: is_set_up(&catalogue),
        duties: duties.collect(),
        standing: is_signed_in.then(|| standing(app)).transpose()?,
    })
}

/// True if somebody can report something.
fn is_set_up(catalogue: &Catalogue) -> bool {
    catalogue.units().next().is_some()
        && catalogue.templates().next().is_some()
        && catalogue.people().nth(1).is_some()
        && catalogue.keys().next().is_some()
}

fn standing(app: &App) -> Result<Standing, Problem> {
    let below = StoreKeyspace(&*app.store);
    let reader = LogReader(&below);
    let usage = app.store.usage()?;
    Ok(Standing {
        now: app.clock.now_s(),
        catalogue: app.registry.current().last_number(),
        position: reader.end()?,
        held: reader.held_end()?,
        derived_position: *app.running()?.totals.subscribe().borrow(),
        restarts_from_older_folders: app.identity().restarts,
        truth_bytes: usage.truth_bytes,
        derived_bytes: usage.derived_bytes,
    })
}
