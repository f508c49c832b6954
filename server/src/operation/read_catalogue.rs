//! Gives the signed catalogue records, in order, a page at a time.

use axum::Json;
use axum::extract::State;
use data_encoding::BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::log::keys;

use crate::app::{App, SharedApp, blocking};
use crate::extract::{Asked, SignedIn};
use crate::limits;
use crate::problem::Problem;

/// Bytes of records after which a page ends early; it holds one record at least.
const PAGE_BYTES: usize = 1024 * 1024;

/// The first number wanted, from 1.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "CatalogueAsked")]
pub(crate) struct Request {
    from: Option<u64>,
    limit: Option<usize>,
}

/// Signed records (base64), numbered one by one from `from`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CataloguePage")]
pub(crate) struct Answer {
    from: u64,
    records: Vec<String>,
    /// The number to ask for next, if there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    /// The number of the last record there is.
    last: u64,
}

/// `GET /v1/catalogue?from=N`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    SignedIn(_): SignedIn,
    Asked(request): Asked<Request>,
) -> Result<Json<Answer>, Problem> {
    blocking(&app, move |app| read(app, &request))
        .await
        .map(Json)
}

fn read(app: &App, request: &Request) -> Result<Answer, Problem> {
    let from = request.from.unwrap_or(1).max(1);
    let limit = request
        .limit
        .unwrap_or(limits::PAGE_ITEMS_MAX)
        .clamp(1, limits::PAGE_ITEMS_MAX);
    let last = app.registry.current().last_number();
    let found = app
        .store
        .scan(&keys::catalogue(from), &keys::after(keys::CATALOGUE), limit)?;
    let mut bytes = 0_usize;
    let records: Vec<String> = found
        .iter()
        .take_while(|(_, record)| {
            let first = bytes == 0;
            bytes = bytes.saturating_add(record.len());
            first || bytes <= PAGE_BYTES
        })
        .map(|(_, record)| BASE64.encode(record))
        .collect();
    let next = from.saturating_add(u64::try_from(records.len()).unwrap_or(u64::MAX));
    Ok(Answer {
        from,
        records,
        next: Some(next).filter(|next| *next <= last),
        last,
    })
}
