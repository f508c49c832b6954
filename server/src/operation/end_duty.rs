//! Ends a reporting duty: nobody owes the report any more. What was reported stays. Ending it again
//! changes nothing.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::catalogue::Body as RecordBody;
use sync_core::identity::DutyId;

use crate::app::{App, SharedApp, blocking};
use crate::extract::{Administrator, At};
use crate::problem::Problem;
use crate::registry::Draft;

/// Whether anything was left to end.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DutyEnded")]
pub struct Answer {
    ended: bool,
}

/// `POST /v1/duties/{duty}/end`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    At(duty): At<DutyId>,
) -> Result<Json<Answer>, Problem> {
    let ended = blocking(&app, move |app| end(app, duty)).await?;
    tracing::info!(%administrator, %duty, ended, "a reporting duty is ended");
    Ok(Json(Answer { ended }))
}

fn end(app: &App, duty: DutyId) -> Result<bool, Problem> {
    app.registry.append(app.clock.now_s(), |catalogue| {
        Ok(match catalogue.duty(duty) {
            Some(_) => Draft::records(vec![RecordBody::DutyEnded(duty)], true),
            None => Draft::nothing(false),
        })
    })
}
