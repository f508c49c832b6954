//! Takes back catalogue records that this node lost when its folder was restored from a copy.
//!
//! Nobody signs in for it: the device may itself be among what was lost. A record proves itself by the
//! province's signature, and only those that follow the ones held are taken.

use axum::Json;
use axum::extract::State;
use data_encoding::BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::catalogue::SignedRecord;
use sync_core::limits::RECORDS_PER_MESSAGE_MAX;

use crate::app::{SharedApp, blocking};
use crate::extract::Body;
use crate::problem::{Problem, ProblemCode};

/// Signed records (base64), ascending; none, to ask for the last number only.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "CatalogueRecords")]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    records: Vec<String>,
}

/// What is held afterwards.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CatalogueHeld")]
pub(crate) struct Answer {
    /// The number of the last record.
    last: u64,
}

/// `POST /v1/catalogue`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    let malformed = |detail| Problem::new(ProblemCode::RequestMalformed).with("detail", detail);
    if request.records.len() > RECORDS_PER_MESSAGE_MAX {
        return Err(malformed(format!(
            "more than {RECORDS_PER_MESSAGE_MAX} records"
        )));
    }
    let records = request
        .records
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let bytes = BASE64.decode(text.as_bytes()).ok();
            bytes
                .and_then(|bytes| SignedRecord::decode(&bytes).ok())
                .ok_or_else(|| malformed(format!("item {index} is no signed record")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let last = if records.is_empty() {
        app.registry.current().last_number()
    } else {
        blocking(&app, move |app| app.registry.take_back(&records)).await?
    };
    Ok(Json(Answer { last }))
}
