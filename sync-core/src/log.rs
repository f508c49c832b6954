//! The log: which parts a node accepted, in its own order, and what it must know to judge the next.
//!
//! Everything stands in one ordered keyspace (`docs/formats.md` section 11). *Truth* keys are written
//! once and kept; *derived* keys follow from them ([`rebuild`]). Reading goes through [`Keyspace`],
//! which a server backs with its store, a tablet and the tests with [`MemoryKeyspace`]. Nothing here
//! writes: an [`Acceptor`] judges parts one after the other and hands back the [`Write`]s of all of
//! them together, to be committed as one before anybody is answered.
//!
//! Nothing is loaded to be accepted: a part is judged from the document's change index
//! ([`DocumentIndex`]) and the few earlier changes its operations name.

pub mod accept;
pub mod aside;
pub mod document_index;
pub mod entry;
pub mod fingerprint;
mod glance;
pub mod keys;
mod lane;
mod positions;
pub mod read;
pub mod rebuild;
mod record;
pub mod staging;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Bound;

pub use accept::{Acceptor, Cache, Trust, Verdict};
pub use aside::{Losing, SetAside};
pub use document_index::{DocumentIndex, IndexedChange};
pub use entry::{HeldEntry, HeldReason, LogEntry};
pub use fingerprint::Fingerprint;
pub use lane::Lane;
pub use positions::Positions;
pub use read::{FeedPage, Follow, LogReader};

/// A keyspace that could not be read, or that holds bytes this version cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyspaceError {
    /// The place it is kept in failed.
    #[error("the log cannot be read: {0}")]
    Read(String),
    /// A value is not what its key promises.
    #[error("the log holds a damaged {0}")]
    Damaged(&'static str),
}

/// One write: a value, or the removal of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The key; its first byte is its kind.
    pub key: Vec<u8>,
    /// The value, or none to remove the key.
    pub value: Option<Vec<u8>>,
}

/// Is told one entry after the other: key and value.
pub type Tell<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), KeyspaceError> + 'a;

/// A key and its value.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// Ordered keys to read from.
pub trait Keyspace {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KeyspaceError>;
    /// Entries with `from <= key < to`, ascending, at most `limit`.
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<KeyValue>, KeyspaceError>;
    /// The last entry with `from <= key < to`.
    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, KeyspaceError>;

    /// Tells every entry with `from <= key < to`, ascending, until one is told that cannot be read. A
    /// keyspace that can lend its entries saves copying them.
    fn each(&self, from: &[u8], to: &[u8], tell: &mut Tell<'_>) -> Result<(), KeyspaceError> {
        let mut from = from.to_vec();
        loop {
            let found = self.scan(&from, to, STEP)?;
            for (key, value) in &found {
                tell(key, value)?;
            }
            match found.into_iter().nth(STEP - 1) {
                // The first key after the last one told.
                Some((mut key, _)) => {
                    key.push(0);
                    from = key;
                }
                None => return Ok(()),
            }
        }
    }
}

/// Entries that are looked up at once.
const STEP: usize = 256;

/// A keyspace in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryKeyspace {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl MemoryKeyspace {
    /// An empty keyspace.
    pub fn new() -> Self {
        Self::default()
    }
    /// Applies writes in order.
    pub fn apply(&mut self, writes: impl IntoIterator<Item = Write>) {
        for write in writes {
            match write.value {
                Some(value) => self.entries.insert(write.key, value),
                None => self.entries.remove(&write.key),
            };
        }
    }
    /// Removes every derived key.
    pub fn clear_derived(&mut self) {
        self.entries
            .retain(|key, _| key.first().is_some_and(|tag| *tag < keys::DERIVED_FROM));
    }
    /// Every entry, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries
            .iter()
            .map(|(key, value)| (key.as_slice(), value.as_slice()))
    }
}

impl Keyspace for MemoryKeyspace {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, KeyspaceError> {
        Ok(self.entries.get(key).cloned())
    }
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<KeyValue>, KeyspaceError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range = self
            .entries
            .range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        Ok(range
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }
    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, KeyspaceError> {
        if from >= to {
            return Ok(None);
        }
        let mut range = self
            .entries
            .range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        Ok(range
            .next_back()
            .map(|(key, value)| (key.clone(), value.clone())))
    }
    fn each(&self, from: &[u8], to: &[u8], tell: &mut Tell<'_>) -> Result<(), KeyspaceError> {
        if from >= to {
            return Ok(());
        }
        self.entries
            .range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)))
            .try_for_each(|(key, value)| tell(key, value))
    }
}
