//! Ends a device key, naming the frontier of work that still counts.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use sync_core::catalogue::Body as RecordBody;
use sync_core::identity::{InstallationId, KeyId};

use crate::app::{App, SharedApp, blocking};
use crate::extract::{Administrator, At, Body};
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;

/// The frontier: per installation the last batch number that counts; an installation that is not
/// named counts nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    accepted: Vec<Accepted>,
}

/// One installation.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    installation: InstallationId,
    number: u64,
}

/// Whether anything was left to end.
#[derive(Debug, Serialize)]
pub struct Answer {
    ended: bool,
}

/// `POST /v1/device-keys/{key}/end`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    At(key): At<KeyId>,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    let ended = blocking(&app, move |app| end(app, key, &request.accepted)).await?;
    tracing::info!(%administrator, %key, ended, "a device key is ended");
    Ok(Json(Answer { ended }))
}

fn end(app: &App, key: KeyId, accepted: &[Accepted]) -> Result<bool, Problem> {
    app.registry.append(app.clock.now_s(), |catalogue| {
        let device = catalogue
            .key(key)
            .ok_or_else(|| Problem::new(ProblemCode::DeviceKeyUnknown).with("key", key))?;
        if device.ended.is_some() {
            return Ok(Draft::nothing(false));
        }
        let accepted = accepted
            .iter()
            .map(|accepted| (accepted.installation, accepted.number))
            .collect();
        Ok(Draft::records(
            vec![RecordBody::DeviceKeyEnded { key, accepted }],
            true,
        ))
    })
}
