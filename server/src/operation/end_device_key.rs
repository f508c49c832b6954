//! Ends a device key, naming the frontier of work that still counts.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::catalogue::Body as RecordBody;
use sync_core::identity::{InstallationId, KeyId};
use sync_core::log::LogReader;

use crate::app::{App, SharedApp, blocking};
use crate::extract::{Administrator, At, Body};
use crate::keyspace::StoreKeyspace;
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;
use crate::schema::Hex;

/// The frontier: per installation the last batch number that counts; an installation that is not
/// named counts nothing. Left out: everything that this node has accepted by now.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "DeviceKeyEnd")]
#[serde(deny_unknown_fields)]
pub struct Request {
    accepted: Option<Vec<Accepted>>,
}

/// One installation.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[schemars(rename = "AcceptedWork")]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    #[schemars(with = "Hex<8>")]
    installation: InstallationId,
    number: u64,
}

/// Whether anything was left to end.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeviceKeyEnded")]
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
    let ended = blocking(&app, move |app| end(app, key, request.accepted.as_deref())).await?;
    tracing::info!(%administrator, %key, ended, "a device key is ended");
    Ok(Json(Answer { ended }))
}

fn end(app: &App, key: KeyId, accepted: Option<&[Accepted]>) -> Result<bool, Problem> {
    let accepted: Vec<(InstallationId, u64)> = match accepted {
        Some(named) => named
            .iter()
            .map(|accepted| (accepted.installation, accepted.number))
            .collect(),
        None => {
            let below = StoreKeyspace(&*app.store);
            LogReader(&below)
                .last_batches_of(key)?
                .into_iter()
                .collect()
        }
    };
    app.registry.append(app.clock.now_s(), |catalogue| {
        let device = catalogue
            .key(key)
            .ok_or_else(|| Problem::new(ProblemCode::DeviceKeyUnknown).with("key", key))?;
        if device.ended.is_some() {
            return Ok(Draft::nothing(false));
        }
        Ok(Draft::records(
            vec![RecordBody::DeviceKeyEnded { key, accepted }],
            true,
        ))
    })
}
