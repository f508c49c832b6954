//! The fingerprints of the partitions a person may read: equal ones hold the same parts.

use axum::Json;
use axum::extract::State;
use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::identity::UnitId;
use sync_core::log::{Fingerprint, LogReader};

use crate::app::{App, SharedApp, blocking};
use crate::exchange::session;
use crate::extract::{Asked, SignedIn};
use crate::keyspace::StoreKeyspace;
use crate::page::{Page, PageQuery};
use crate::problem::Problem;
use crate::schema::Hex;
use crate::token::Identity;

/// A set of parts.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FingerprintSum")]
pub(crate) struct Sum {
    parts: u64,
    sum: String,
}

impl From<Fingerprint> for Sum {
    fn from(fingerprint: Fingerprint) -> Self {
        Self {
            parts: fingerprint.count(),
            sum: HEXLOWER.encode(&fingerprint.sum()),
        }
    }
}

/// One partition.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PartitionLine {
    #[schemars(with = "Hex<8>")]
    unit: UnitId,
    compartment: u8,
    #[serde(flatten)]
    fingerprint: Sum,
}

/// Everything together, and partition by partition.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Fingerprints")]
pub(crate) struct Answer {
    all: Sum,
    #[serde(flatten)]
    partitions: Page<PartitionLine>,
}

/// `GET /v1/fingerprints`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    SignedIn(identity): SignedIn,
    Asked(page): Asked<PageQuery>,
) -> Result<Json<Answer>, Problem> {
    blocking(&app, move |app| read(app, identity, &page))
        .await
        .map(Json)
}

fn cursor(line: &PartitionLine) -> String {
    format!("{}:{}", line.unit, line.compartment)
}

fn read(app: &App, identity: Identity, page: &PageQuery) -> Result<Answer, Problem> {
    let below = StoreKeyspace(&*app.store);
    let session = session(app, identity);
    let mine: Vec<_> = LogReader(&below)
        .partitions()?
        .into_iter()
        .filter(|(partition, _)| session.follow.contains(*partition))
        .collect();
    let all = mine
        .iter()
        .fold(Fingerprint::default(), |sum, (_, one)| sum.plus(*one));
    let lines = mine
        .into_iter()
        .map(|(partition, fingerprint)| PartitionLine {
            unit: partition.unit,
            compartment: partition.compartment.tag(),
            fingerprint: fingerprint.into(),
        })
        .filter(|line| {
            page.after
                .as_ref()
                .is_none_or(|after| cursor(line) > *after)
        });
    Ok(Answer {
        all: all.into(),
        partitions: Page::take(lines, page.limit(), cursor),
    })
}
