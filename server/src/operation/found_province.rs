//! Makes a new province in an empty store: its key, its node, its first administrator.

use std::sync::Arc;

use store::{Commit, CommitError, Condition, SharedStore, Write};
use sync_core::catalogue::{Body, Grant, Person, Role};
use sync_core::identity::{GrantId, NodeId, PersonId, ProvinceId, UnitId};
use sync_core::log::keys;
use sync_core::sync::NodeIdentity;

use crate::clock::Clock;
use crate::entropy::{NoEntropy, random};
use crate::kept::account::{self, Account};
use crate::kept::enrolment::{self, Enrolment};
use crate::keyspace;
use crate::limits;
use crate::registry::{Draft, Registry, RegistryError};
use crate::secrets::Secrets;
use crate::wire::{EnrolmentCode, Label, SignInName};

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
    /// The folder is an edge's.
    #[error("the folder has no catalogue key: it is an edge's")]
    NoKey,
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

/// The first administrator, who has proved the right to found the province and chosen a password.
#[derive(Debug)]
pub(crate) struct Founder {
    pub(crate) name: SignInName,
    pub(crate) display: Label,
    pub(crate) account: Account,
}

/// Founds a province; the first administrator comes by a code.
pub fn found(
    store: &SharedStore,
    secrets: &Secrets,
    clock: &Clock,
    name: &str,
    rehearsal: Option<&str>,
) -> Result<Founded, FoundError> {
    let name = Label::new(name).map_err(FoundError::Name)?;
    let rehearsal = rehearsal
        .map(Label::new)
        .transpose()
        .map_err(FoundError::Name)?;
    let code = EnrolmentCode::of(random()?);
    let (province, node) = found_with(store, secrets, clock, (name, rehearsal), |person| {
        let enrolment = Enrolment {
            person,
            unit: UnitId([0; 8]),
            label: FIRST_ADMINISTRATOR.to_owned(),
            expires_at: clock.now_s().saturating_add(limits::FIRST_CODE_S),
            used_by: None,
            node: None,
        };
        let write = Write {
            key: enrolment::key(code.as_str()),
            value: Some(enrolment.encode()),
        };
        let known = Person {
            person,
            sign_in_name: FIRST_ADMINISTRATOR.to_owned(),
            display_name: "Quản trị".to_owned(),
        };
        (known, write)
    })?;
    Ok(Founded {
        province,
        node,
        code,
    })
}

/// Founds a province; the first administrator comes by a password.
pub(crate) fn found_by(
    store: &SharedStore,
    secrets: &Secrets,
    clock: &Clock,
    names: (Label, Option<Label>),
    founder: &Founder,
) -> Result<(ProvinceId, NodeId), FoundError> {
    found_with(store, secrets, clock, names, |person| {
        let write = Write {
            key: account::key(person),
            value: Some(founder.account.encode()),
        };
        let known = Person {
            person,
            sign_in_name: founder.name.as_str().to_owned(),
            display_name: founder.display.as_str().to_owned(),
        };
        (known, write)
    })
}

/// Everything in one commit, and what lets the first administrator in with it.
fn found_with(
    store: &SharedStore,
    secrets: &Secrets,
    clock: &Clock,
    (name, rehearsal): (Label, Option<Label>),
    first: impl FnOnce(PersonId) -> (Person, Write),
) -> Result<(ProvinceId, NodeId), FoundError> {
    let registry = Registry::open_maybe_empty(Arc::clone(store), secrets.catalogue.clone())?;
    if let Some(province) = registry.current().province() {
        return Err(FoundError::AlreadyFounded(province.name.clone()));
    }
    let signer = secrets.catalogue.as_ref();
    let key = signer.ok_or(FoundError::NoKey)?.verifying_key();
    let person = PersonId(random()?);
    let node = NodeIdentity {
        node: NodeId(random()?),
        restarts: 0,
        key: secrets.node.clone(),
    };
    let (administrator, entrance) = first(person);
    let mut bodies = vec![
        Body::Province {
            name: name.into_string(),
            key,
        },
        Body::NodeKey {
            public_key: secrets.node.verifying_key().to_bytes(),
            label: "province".to_owned(),
        },
    ];
    bodies.extend(rehearsal.map(|label| Body::Rehearsal {
        label: label.into_string(),
    }));
    bodies.push(Body::Person(administrator));
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
        beside: Commit {
            conditions: vec![Condition {
                key: keys::node(),
                expected: None,
            }],
            writes: vec![keyspace::write(node.write()), entrance],
        },
        answer: (),
    };
    registry
        .append(now, |_| Ok(draft))
        .map_err(|problem| FoundError::Refused(problem.code.as_str().to_owned()))?;
    Ok((ProvinceId::of(key.as_bytes()), node.node))
}
