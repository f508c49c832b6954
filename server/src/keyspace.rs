//! The store as the core's log reads and derives it.

use store::{SharedStore, Store};
use sync_core::log::rebuild::RebuildTarget;
use sync_core::log::{KeyValue, Keyspace, KeyspaceError, Write};

use crate::problem::{Problem, ProblemCode};

/// The keys of a store.
#[derive(Debug)]
pub struct StoreKeyspace<'a>(pub &'a dyn Store);

fn unread(error: store::ReadError) -> KeyspaceError {
    KeyspaceError::Read(error.to_string())
}

impl Keyspace for StoreKeyspace<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KeyspaceError> {
        self.0.get(key).map_err(unread)
    }
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<KeyValue>, KeyspaceError> {
        self.0.scan(from, to, limit).map_err(unread)
    }
    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, KeyspaceError> {
        self.0.last(from, to).map_err(unread)
    }
}

/// A store whose derived keys are being written again.
#[derive(Debug)]
pub struct StoreRebuild {
    store: SharedStore,
}

impl StoreRebuild {
    /// A rebuild of this store; its derived keys were cleared.
    pub fn new(store: SharedStore) -> Self {
        Self { store }
    }
}

impl Keyspace for StoreRebuild {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KeyspaceError> {
        StoreKeyspace(&*self.store).get(key)
    }
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<KeyValue>, KeyspaceError> {
        StoreKeyspace(&*self.store).scan(from, to, limit)
    }
    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, KeyspaceError> {
        StoreKeyspace(&*self.store).last(from, to)
    }
}

impl RebuildTarget for StoreRebuild {
    fn keyspace(&self) -> &dyn Keyspace {
        self
    }
    fn write(&mut self, writes: Vec<Write>) -> Result<(), KeyspaceError> {
        self.store
            .put_derived(writes.into_iter().map(write).collect())
            .map_err(|error| KeyspaceError::Read(error.to_string()))
    }
}

/// A write of the core as a write of the store.
pub fn write(write: Write) -> store::Write {
    store::Write {
        key: write.key,
        value: write.value,
    }
}

impl From<KeyspaceError> for Problem {
    fn from(error: KeyspaceError) -> Self {
        tracing::error!(%error, "the log cannot be read: {error}");
        match error {
            KeyspaceError::Read(_) => Self::new(ProblemCode::StoreUnreadable),
            KeyspaceError::Damaged(_) => Self::new(ProblemCode::Internal),
        }
    }
}
