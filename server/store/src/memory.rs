//! The model: a store in memory whose contents outlive the handle, so that it can be opened again.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Commit, CommitError, DERIVED_FROM, Entry, ReadError, Store, Usage, Write, is_derived};

/// What a memory store keeps. Clones are the same contents; opening them again is a restart.
#[derive(Debug, Clone, Default)]
pub struct MemoryContents(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    derived_complete: bool,
}

/// A store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    contents: MemoryContents,
    failure: Mutex<Option<MemoryFailure>>,
    closed: Mutex<bool>,
}

/// How the next commits of a memory store go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryFailure {
    /// Every commit finds no room until this is lifted.
    Full,
    /// The next commit happens, or not, and the store takes no more until it is opened again.
    Fatal {
        /// Whether the commit of unknown outcome happens.
        happens: bool,
    },
}

impl MemoryContents {
    /// Loses all derived keys, as a store may in a power cut.
    pub fn lose_derived(&self) {
        let mut contents = self.lock();
        contents.entries.retain(|key, _| !is_derived(key));
        contents.derived_complete = false;
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::open(&MemoryContents::default())
    }
}

impl MemoryStore {
    /// Opens contents, those of an earlier store or new ones.
    pub fn open(contents: &MemoryContents) -> Self {
        Self {
            contents: contents.clone(),
            failure: Mutex::default(),
            closed: Mutex::default(),
        }
    }

    /// Makes commits fail from now on, or lifts `Full`.
    pub fn fail(&self, failure: Option<MemoryFailure>) {
        *self.lock_failure() = failure;
    }

    fn lock_failure(&self) -> MutexGuard<'_, Option<MemoryFailure>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_closed(&self) -> MutexGuard<'_, bool> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse_if_closed(&self) -> Result<(), CommitError> {
        if *self.lock_closed() {
            return Err(fatal("the store is closed"));
        }
        Ok(())
    }
}

fn fatal(reason: &str) -> CommitError {
    CommitError::Fatal {
        step: "commit",
        object: "memory".to_owned(),
        reason: reason.to_owned(),
    }
}

impl Contents {
    fn apply(&mut self, writes: Vec<Write>) {
        for Write { key, value } in writes {
            match value {
                Some(value) => self.entries.insert(key, value),
                None => self.entries.remove(&key),
            };
        }
    }
}

/// The entries of a range, nothing for an empty or inverted one.
fn between(from: &[u8], to: &[u8]) -> Option<impl RangeBounds<Vec<u8>>> {
    (from < to).then(|| (Bound::Included(from.to_vec()), Bound::Excluded(to.to_vec())))
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.contents.lock().entries.get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>, ReadError> {
        let Some(range) = between(from, to) else {
            return Ok(Vec::new());
        };
        let contents = self.contents.lock();
        let entries = contents.entries.range(range).take(limit);
        Ok(entries
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<Entry>, ReadError> {
        let Some(range) = between(from, to) else {
            return Ok(None);
        };
        let contents = self.contents.lock();
        let last = contents.entries.range(range).next_back();
        Ok(last.map(|(key, value)| (key.clone(), value.clone())))
    }

    fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        self.refuse_if_closed()?;
        commit.check()?;
        let mut contents = self.contents.lock();
        for condition in &commit.conditions {
            if contents.entries.get(&condition.key) != condition.expected.as_ref() {
                return Err(CommitError::Conflict {
                    key: condition.key.clone(),
                });
            }
        }
        match *self.lock_failure() {
            Some(MemoryFailure::Full) => {
                return Err(CommitError::Full {
                    reason: "simulated".to_owned(),
                });
            }
            Some(MemoryFailure::Fatal { happens }) => {
                *self.lock_closed() = true;
                if happens {
                    contents.apply(commit.writes);
                }
                return Err(fatal("simulated"));
            }
            None => {}
        }
        contents.apply(commit.writes);
        Ok(())
    }

    fn derived_lost(&self) -> bool {
        !self.contents.lock().derived_complete
    }

    fn clear_derived(&self) -> Result<(), CommitError> {
        self.refuse_if_closed()?;
        self.contents.lose_derived();
        Ok(())
    }

    fn put_derived(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        self.refuse_if_closed()?;
        Write::check_derived(&writes)?;
        self.contents.lock().apply(writes);
        Ok(())
    }

    fn derived_rebuilt(&self) -> Result<(), CommitError> {
        self.refuse_if_closed()?;
        self.contents.lock().derived_complete = true;
        Ok(())
    }

    fn usage(&self) -> Result<Usage, ReadError> {
        let contents = self.contents.lock();
        let bytes = |entries: &mut dyn Iterator<Item = (&Vec<u8>, &Vec<u8>)>| -> u64 {
            entries
                .map(|(key, value)| (key.len() + value.len()) as u64)
                .sum()
        };
        let split = vec![DERIVED_FROM];
        Ok(Usage {
            truth_bytes: bytes(&mut contents.entries.range(..split.clone())),
            derived_bytes: bytes(&mut contents.entries.range(split..)),
        })
    }

    fn close(&self) -> Result<(), CommitError> {
        *self.lock_closed() = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{self, Harness, Stop};

    #[derive(Debug, Default)]
    struct Memory(MemoryContents);

    impl Harness for Memory {
        fn open(&mut self) -> Box<dyn Store> {
            Box::new(MemoryStore::open(&self.0))
        }
        fn stop(&mut self, store: Box<dyn Store>, how: Stop) {
            match how {
                Stop::Closed => store.close().unwrap(),
                Stop::Killed => {}
                Stop::PowerCut => self.0.lose_derived(),
            }
        }
    }

    #[test]
    fn the_model_keeps_the_contracts() {
        conformance::all(|| Box::new(Memory::default()));
    }

    #[test]
    fn a_full_store_takes_nothing_and_a_fatal_one_is_whole_or_not_at_all() {
        for happens in [false, true] {
            let contents = MemoryContents::default();
            let store = MemoryStore::open(&contents);
            let commit = Commit {
                conditions: Vec::new(),
                writes: vec![Write {
                    key: vec![1],
                    value: Some(vec![2]),
                }],
            };
            store.fail(Some(MemoryFailure::Full));
            assert!(matches!(
                store.commit(commit.clone()),
                Err(CommitError::Full { .. })
            ));
            assert_eq!(store.get(&[1]).unwrap(), None);
            store.fail(Some(MemoryFailure::Fatal { happens }));
            assert!(matches!(
                store.commit(commit.clone()),
                Err(CommitError::Fatal { .. })
            ));
            store.fail(None);
            assert!(matches!(
                store.commit(commit),
                Err(CommitError::Fatal { .. })
            ));
            let again = MemoryStore::open(&contents);
            assert_eq!(again.get(&[1]).unwrap().is_some(), happens);
        }
    }
}
