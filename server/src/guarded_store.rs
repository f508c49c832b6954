//! A store whose uncertain write ends the server.
//!
//! After a failed sync nobody can say what is durable, and trying again may succeed without being
//! true. So the server stops serving at once and its process ends; the next start reads what the disk
//! really holds.

use store::{Commit, CommitError, Entry, ReadError, SharedStore, Store, Usage, Write};
use tokio::sync::watch;

use crate::app::Stage;

/// The store of an app, watched.
#[derive(Debug)]
pub struct GuardedStore {
    store: SharedStore,
    stage: watch::Sender<Stage>,
}

impl GuardedStore {
    /// Watches a store; an uncertain write sets the stage to [`Stage::Failed`].
    pub fn new(store: SharedStore, stage: watch::Sender<Stage>) -> Self {
        Self { store, stage }
    }

    fn watched(&self, result: Result<(), CommitError>) -> Result<(), CommitError> {
        if let Err(error @ CommitError::Fatal { .. }) = &result {
            tracing::error!(%error, "stopping: {error}");
            self.stage.send_replace(Stage::Failed);
        }
        result
    }
}

impl Store for GuardedStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.store.get(key)
    }
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>, ReadError> {
        self.store.scan(from, to, limit)
    }
    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<Entry>, ReadError> {
        self.store.last(from, to)
    }
    fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        self.watched(self.store.commit(commit))
    }
    fn derived_lost(&self) -> bool {
        self.store.derived_lost()
    }
    fn clear_derived(&self) -> Result<(), CommitError> {
        self.watched(self.store.clear_derived())
    }
    fn put_derived(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        self.watched(self.store.put_derived(writes))
    }
    fn derived_rebuilt(&self) -> Result<(), CommitError> {
        self.watched(self.store.derived_rebuilt())
    }
    fn usage(&self) -> Result<Usage, ReadError> {
        self.store.usage()
    }
    fn close(&self) -> Result<(), CommitError> {
        self.store.close()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::memory::{MemoryFailure, MemoryStore};

    use super::*;

    #[test]
    fn an_uncertain_write_ends_the_server_and_a_full_disk_does_not() {
        let stage = watch::Sender::new(Stage::Ready);
        let memory = Arc::new(MemoryStore::default());
        let guarded = GuardedStore::new(memory.clone(), stage.clone());
        let commit = || {
            let write = Write {
                key: vec![1],
                value: Some(vec![2]),
            };
            Commit {
                conditions: Vec::new(),
                writes: vec![write],
            }
        };
        memory.fail(Some(MemoryFailure::Full));
        assert!(guarded.commit(commit()).is_err());
        assert_eq!(*stage.borrow(), Stage::Ready);
        memory.fail(Some(MemoryFailure::Fatal { happens: true }));
        assert!(guarded.commit(commit()).is_err());
        assert_eq!(*stage.borrow(), Stage::Failed);
        // Everything else that writes is watched as well.
        type Attempt = fn(&GuardedStore) -> Result<(), CommitError>;
        let writes: [Attempt; 3] = [
            |store| store.clear_derived(),
            |store| store.put_derived(Vec::new()),
            |store| store.derived_rebuilt(),
        ];
        for (at, write) in writes.into_iter().enumerate() {
            stage.send_replace(Stage::Ready);
            assert!(write(&guarded).is_err());
            assert_eq!(*stage.borrow(), Stage::Failed, "write {at}");
        }
    }
}
