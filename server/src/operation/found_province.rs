//! Makes a new province in an empty store: its key, its node, its first administrator.

use std::sync::Arc;

use store::{Commit, CommitError, Condition, SharedStore, Write};
use sync_core::catalogue::{Body, Grant, Person, Role};
use sync_core::identity::{GrantId, NodeId, PersonId, ProvinceId, UnitId};
use sync_core::log::keys;
use sync_core::sync::NodeIdentity;

use crate::clock::Clock;
use crate::entropy::{NoEntropy, random};
use crate::kept::enrolment::{self, Enrolment};
use crate::keyspace;
use crate::limits;
use crate::registry::{Draft, Registry, RegistryError};
use crate::secrets::Secrets;
use crate::wire::{EnrolmentCode, Label};

/// The sign-in name of the first administrator.
pub const FIRST_ADMINISTRATOR: &str = "admin";

/// Why no province was made. Nothing was written, unless the commit itself is uncertain.
#[derive(Debug, thiserror::Error)]
pub enum FoundError {
    /// There is a province already.
    #[error("the folder already holds the province {0}")]
    AlreadyFounded(String),
    /// What is kept cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// A name is wrong.
    #[error("{0}")]
    Name(&'static str),
    /// The commit failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The records do not hold together.
    #[error("the first records were refused: {0}")]
    Refused(String),
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Founded {
    /// The province.
    pub province: ProvinceId,
    /// Its first node.
    pub node: NodeId,
    /// The first administrator's code, good for 24 hours. It is not kept.
    pub code: EnrolmentCode,
}

/// Founds a province: everything in one commit.
pub fn found(
    store: &SharedStore,
    secrets: &Secrets,
    clock: &Clock,
    name: &str,
    rehearsal: Option<&str>,
) -> Result<Founded, FoundError> {
    let name = Label::new(name).map_err(FoundError::Name)?.into_string();
    let rehearsal = rehearsal
        .map(Label::new)
        .transpose()
        .map_err(FoundError::Name)?;
    let registry = Registry::open_maybe_empty(Arc::clone(store), secrets.catalogue.clone())?;
    if let Some(province) = registry.current().province() {
        return Err(FoundError::AlreadyFounded(province.name.clone()));
    }
    let key = secrets.catalogue.verifying_key();
    let person = PersonId(random()?);
    let node = NodeIdentity {
        node: NodeId(random()?),
        restarts: 0,
        key: secrets.node.clone(),
    };
    let code = EnrolmentCode::of(random()?);
    let mut bodies = vec![
        Body::Province { name, key },
        Body::NodeKey {
            public_key: secrets.node.verifying_key().to_bytes(),
            label: "province".to_owned(),
        },
    ];
    bodies.extend(rehearsal.map(|label| Body::Rehearsal {
        label: label.into_string(),
    }));
    bodies.push(Body::Person(Person {
        person,
        sign_in_name: FIRST_ADMINISTRATOR.to_owned(),
        display_name: "Quản trị".to_owned(),
    }));
    bodies.push(Body::Grant(Grant {
        grant: GrantId(random()?),
        person,
        role: Role::Administrator,
        unit: None,
        subtree: true,
        until: 0,
    }));
    let now = clock.now_s();
    let draft = Draft {
        bodies,
        beside: beside(&node, person, &code, now),
        answer: (),
    };
    registry
        .append(now, |_| Ok(draft))
        .map_err(|problem| FoundError::Refused(problem.code.as_str().to_owned()))?;
    Ok(Founded {
        province: ProvinceId::of(key.as_bytes()),
        node: node.node,
        code,
    })
}

/// The node's id and the first code, in the same commit as the records.
fn beside(node: &NodeIdentity, person: PersonId, code: &EnrolmentCode, now: i64) -> Commit {
    let enrolment = Enrolment {
        person,
        unit: UnitId([0; 8]),
        label: FIRST_ADMINISTRATOR.to_owned(),
        expires_at: now.saturating_add(limits::FIRST_CODE_S),
        used_by: None,
    };
    Commit {
        conditions: vec![Condition {
            key: keys::node(),
            expected: None,
        }],
        writes: vec![
            keyspace::write(node.write()),
            Write {
                key: enrolment::key(code.as_str()),
                value: Some(enrolment.encode()),
            },
        ],
    }
}
