//! The province's catalogue in memory, and its only writer.
//!
//! Readers take a snapshot and keep it as long as they like. A writer holds the pen, drafts what the
//! snapshot still lacks, signs the records, and commits them in one commit that is conditional on the
//! next number being free: all of an import, or nothing.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use ed25519_dalek::SigningKey;
use store::{Commit, Condition, ReadError, SharedStore, Write};
use sync_core::catalogue::{ApplyError, Body, Catalogue, Record, RecordError, SignedRecord};
use sync_core::log::keys;
use tokio::sync::watch;

use crate::problem::{Problem, ProblemCode};

/// Records read from the store at once.
const RECORDS_AT_ONCE: usize = 256;

/// Why the kept catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A kept record is not a record.
    #[error("kept catalogue record {number}: {error}")]
    Record {
        /// Its number.
        number: u64,
        /// What is wrong.
        error: RecordError,
    },
    /// A kept record does not follow.
    #[error("the kept catalogue does not hold together: {0}")]
    Apply(#[from] ApplyError),
    /// The folder was never initialised.
    #[error("the folder holds no province; `dongbo-server init` makes one")]
    NoProvince,
    /// `secrets/catalogue.key` is another province's.
    #[error("the key in secrets/catalogue.key is not the province's")]
    OtherKey,
}

/// What a writer wants written.
#[derive(Debug)]
pub(crate) struct Draft<T> {
    /// Records to append.
    pub(crate) bodies: Vec<Body>,
    /// Conditions and writes that belong to the same commit.
    pub(crate) beside: Commit,
    /// What to answer when it is durable.
    pub(crate) answer: T,
}

impl<T> Draft<T> {
    /// Nothing to write.
    pub(crate) fn nothing(answer: T) -> Self {
        Self::records(Vec::new(), answer)
    }
    /// Records and nothing beside them.
    pub(crate) fn records(bodies: Vec<Body>, answer: T) -> Self {
        Self {
            bodies,
            beside: Commit::default(),
            answer,
        }
    }
}

/// The catalogue and its writer.
pub struct Registry {
    store: SharedStore,
    /// None at an edge.
    signer: Option<SigningKey>,
    current: RwLock<Arc<Catalogue>>,
    pen: Mutex<()>,
    changed: watch::Sender<u64>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("last_number", &self.current().last_number())
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// Reads and verifies every kept record. Without a signer nothing can be appended: the catalogue
    /// grows by what its writer signed elsewhere.
    pub fn open(store: SharedStore, signer: Option<SigningKey>) -> Result<Self, RegistryError> {
        let registry = Self::open_maybe_empty(store, signer)?;
        let current = registry.current();
        let province = current.province().ok_or(RegistryError::NoProvince)?;
        let signer = registry.signer.as_ref();
        if signer.is_some_and(|signer| province.key != signer.verifying_key()) {
            return Err(RegistryError::OtherKey);
        }
        Ok(registry)
    }

    /// The same before the province exists.
    pub(crate) fn open_maybe_empty(
        store: SharedStore,
        signer: Option<SigningKey>,
    ) -> Result<Self, RegistryError> {
        let mut catalogue = Catalogue::new();
        loop {
            let from = keys::catalogue(catalogue.last_number().saturating_add(1));
            let found = store.scan(&from, &keys::after(keys::CATALOGUE), RECORDS_AT_ONCE)?;
            if found.is_empty() {
                break;
            }
            for (_, value) in found {
                let number = catalogue.last_number().saturating_add(1);
                let signed = SignedRecord::decode(&value)
                    .map_err(|error| RegistryError::Record { number, error })?;
                catalogue.apply_kept(&signed)?;
            }
        }
        Ok(Self {
            store,
            signer,
            changed: watch::Sender::new(catalogue.last_number()),
            current: RwLock::new(Arc::new(catalogue)),
            pen: Mutex::new(()),
        })
    }

    /// The catalogue as it is now.
    pub fn current(&self) -> Arc<Catalogue> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells the number of the last record whenever it grows.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Appends what `draft` finds missing, with what belongs beside it, in one durable commit.
    ///
    /// A draft without records and without writes commits nothing. Blocks on the disk.
    pub(crate) fn append<T>(
        &self,
        now: i64,
        draft: impl FnOnce(&Catalogue) -> Result<Draft<T>, Problem>,
    ) -> Result<T, Problem> {
        let _pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current();
        let Draft {
            bodies,
            beside: mut commit,
            answer,
        } = draft(&current)?;
        if bodies.is_empty() && commit.writes.is_empty() {
            return Ok(answer);
        }
        let Some(signer) = &self.signer else {
            return Err(Problem::new(ProblemCode::AskTheProvince));
        };
        let mut next = Catalogue::clone(&current);
        for body in bodies {
            let record = Record {
                number: next.last_number().saturating_add(1),
                previous: next.last_hash(),
                at: now,
                body,
            };
            let signed = SignedRecord::sign(&record, signer);
            next.apply(&signed)
                .map_err(|error| Problem::internal(&error))?;
            let key = keys::catalogue(record.number);
            commit.conditions.push(Condition {
                key: key.clone(),
                expected: None,
            });
            commit.writes.push(Write {
                key,
                value: Some(signed.encode()),
            });
        }
        self.store.commit(commit)?;
        self.publish(next);
        Ok(answer)
    }

    /// Takes records that this node lacks and somebody has – it lost them by a rollback, or is an edge –:
    /// those that follow the ones held. They prove themselves by the province's signature. Others are left: who gives
    /// them may simply be late. Gives the number of the last record held then. Blocks on the disk.
    pub(crate) fn take_back(&self, records: &[SignedRecord]) -> Result<u64, Problem> {
        let _pen = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Catalogue::clone(&self.current());
        let mut commit = Commit::default();
        for signed in records {
            match next.apply(signed) {
                Ok(()) => {}
                Err(ApplyError::Number { expected, found }) if found < expected => continue,
                Err(ApplyError::Fork(number)) => {
                    tracing::error!(
                        number,
                        "a peer holds another history of the catalogue: this folder was restored, \
                         and the catalogue changed here before the lost records were given back"
                    );
                    break;
                }
                Err(error) => {
                    tracing::info!(%error, "catalogue records are left: {error}");
                    break;
                }
            }
            let key = keys::catalogue(next.last_number());
            commit.conditions.push(Condition {
                key: key.clone(),
                expected: None,
            });
            commit.writes.push(Write {
                key,
                value: Some(signed.encode()),
            });
        }
        let last = next.last_number();
        if !commit.writes.is_empty() {
            let records = commit.writes.len();
            match self.signer {
                Some(_) => tracing::warn!(records, "catalogue records are taken back from a peer"),
                None => tracing::info!(records, "catalogue records are taken"),
            }
            self.store.commit(commit)?;
            self.publish(next);
        }
        Ok(last)
    }

    fn publish(&self, next: Catalogue) {
        let number = next.last_number();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        self.changed.send_replace(number);
    }
}
