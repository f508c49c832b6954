//! Ends a grant. Ending it again changes nothing.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::catalogue::Body as RecordBody;
use sync_core::identity::GrantId;

use crate::app::{App, SharedApp, blocking};
use crate::extract::{Administrator, At};
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;

/// Whether anything was left to end.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "GrantEnded")]
pub struct Answer {
    ended: bool,
}

/// `POST /v1/grants/{grant}/end`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    At(grant): At<GrantId>,
) -> Result<Json<Answer>, Problem> {
    let ended = blocking(&app, move |app| end(app, grant)).await?;
    tracing::info!(%administrator, %grant, ended, "a grant is ended");
    Ok(Json(Answer { ended }))
}

fn end(app: &App, grant: GrantId) -> Result<bool, Problem> {
    app.registry.append(app.clock.now_s(), |catalogue| {
        let (_, in_force) = catalogue
            .grant(grant)
            .ok_or_else(|| Problem::new(ProblemCode::GrantUnknown).with("grant", grant))?;
        Ok(if in_force {
            Draft::records(vec![RecordBody::GrantEnded(grant)], true)
        } else {
            Draft::nothing(false)
        })
    })
}
