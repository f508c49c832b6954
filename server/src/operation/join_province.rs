//! Makes an empty folder an area's edge: a one-time code makes its key a node of the catalogue, and the
//! catalogue is read. Interrupted, it is done again with the same folder and code.

use data_encoding::HEXLOWER;
use dongbo::exchange::Link;
use dongbo::road::session::DeviceSession;
use dongbo::road::{Road, RoadError};
use serde::Deserialize;
use serde_json::json;
use store::{Commit, CommitError, Condition, SharedStore, Write};
use sync_core::catalogue::{ApplyError, Catalogue};
use sync_core::identity::{ActorId, InstallationId, KeyId, NodeId, ProvinceId};
use sync_core::log::keys;
use sync_core::sync::{NodeIdentity, Request};

use crate::entropy::{NoEntropy, random};
use crate::keyspace;
use crate::secrets::Secrets;

/// Why no edge was made. The same command goes on.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The province was not reached, or refused.
    #[error(transparent)]
    Road(#[from] RoadError),
    /// What it answered does not fit together.
    #[error("the province's answer does not fit together: {0}")]
    Answer(&'static str),
    /// Its catalogue does not hold together.
    #[error("the catalogue of the province does not hold together: {0}")]
    Catalogue(#[from] ApplyError),
    /// The code is a tablet's: it makes no node.
    #[error("this code enrols a tablet; `dongbo node add` makes one for an edge")]
    NoNode,
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The commit failed, or the folder holds a province already.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

#[derive(Deserialize)]
struct Redeemed {
    province: ProvinceId,
    province_name: String,
    catalogue_public_key: String,
}

/// Redeems a code and reads the catalogue into an empty store. Gives the province, its name and the
/// new node.
pub fn join(
    store: &SharedStore,
    secrets: &Secrets,
    road: &Road,
    code: &str,
) -> Result<(ProvinceId, String, NodeId), JoinError> {
    let public_key = secrets.node.verifying_key();
    let body = json!({ "code": code, "public_key": HEXLOWER.encode(public_key.as_bytes()) });
    let redeemed: Redeemed = road.post("/v1/enrolments/redeem", None, &body)?;
    let catalogue_key = HEXLOWER
        .decode(redeemed.catalogue_public_key.as_bytes())
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .ok_or(JoinError::Answer("the catalogue key is none"))?;
    if ProvinceId::of(&catalogue_key) != redeemed.province {
        return Err(JoinError::Answer("the province is not that of its key"));
    }
    let mut session = DeviceSession::of(road.clone(), redeemed.province, &secrets.node);
    let (catalogue, mut writes) = read_catalogue(&mut session, redeemed.province, secrets)?;
    if catalogue.node(KeyId::of(public_key.as_bytes())).is_none() {
        return Err(JoinError::NoNode);
    }
    let node = NodeIdentity {
        node: NodeId(random()?),
        restarts: 0,
        key: secrets.node.clone(),
    };
    writes.push(keyspace::write(node.write()));
    let conditions = vec![Condition {
        key: keys::node(),
        expected: None,
    }];
    store.commit(Commit { conditions, writes })?;
    Ok((redeemed.province, redeemed.province_name, node.node))
}

fn read_catalogue(
    session: &mut DeviceSession,
    province: ProvinceId,
    secrets: &Secrets,
) -> Result<(Catalogue, Vec<Write>), JoinError> {
    let key = KeyId::of(secrets.node.verifying_key().as_bytes());
    let mut catalogue = Catalogue::new();
    let mut writes = Vec::new();
    loop {
        let request = Request {
            province,
            actor: ActorId::of(key, InstallationId([0; 8])),
            own_number: 0,
            catalogue_number: catalogue.last_number(),
            known: None,
            bytes_max: 0,
            records: Vec::new(),
            parts: Vec::new(),
            repair: None,
        };
        let response = session.exchange(&request)?;
        let before = catalogue.last_number();
        for record in &response.records {
            catalogue.apply(record)?;
            writes.push(Write {
                key: keys::catalogue(catalogue.last_number()),
                value: Some(record.encode()),
            });
        }
        let found = catalogue.province().map(|province| province.id);
        if found != Some(province) {
            return Err(JoinError::Answer("the catalogue is another province's"));
        }
        if catalogue.last_number() >= response.catalogue_last {
            return Ok((catalogue, writes));
        }
        if catalogue.last_number() == before {
            return Err(JoinError::Answer("the catalogue does not come"));
        }
    }
}
