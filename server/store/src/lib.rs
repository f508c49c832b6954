//! What the server asks of a place to keep things: ordered keys, bounded scans, one atomic
//! conditional commit that is durable on return.
//!
//! A key's first byte is its kind. Kinds below [`DERIVED_FROM`] are *truth*: a commit that returned
//! `Ok` holds them through any crash or power cut. Kinds from there on are *derived*: atomic with the
//! commit while the store lives, but a store may lose all of them together (never some) when it is
//! opened after a crash; it says so by [`Store::derived_lost`], and whoever derived them does it again.

pub mod conformance;
pub mod memory;
pub mod record;

use std::sync::Arc;

/// The first byte from which keys are derived and may be lost together.
pub const DERIVED_FROM: u8 = 0x80;

/// Bytes of one commit as [`Commit::bytes`] counts them: a few of the largest frames (1 MiB each), and
/// less than one record of a journal.
pub const COMMIT_BYTES_MAX: usize = 15 * 1024 * 1024;

/// What one write or condition counts beyond its key and value: lengths and tags of any backend.
pub const WRITE_OVERHEAD_BYTES: usize = 16;

/// True if a key may be lost with all others like it. An empty key is truth.
pub fn is_derived(key: &[u8]) -> bool {
    key.first().is_some_and(|kind| *kind >= DERIVED_FROM)
}

/// One write of a commit: a value, or its absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The key; its first byte is its kind.
    pub key: Vec<u8>,
    /// The value to put, or none to remove the key.
    pub value: Option<Vec<u8>>,
}

/// What must hold for a commit to happen: the key has exactly this value, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The key looked at.
    pub key: Vec<u8>,
    /// Its value, or none.
    pub expected: Option<Vec<u8>>,
}

/// A set of writes that happens as a whole if its conditions hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// All happen, in order, or none.
    pub writes: Vec<Write>,
}

impl Write {
    fn bytes(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, Vec::len) + WRITE_OVERHEAD_BYTES
    }

    /// Refuses what [`Store::put_derived`] does not take: too much, or a truth key.
    pub fn check_derived(writes: &[Self]) -> Result<(), CommitError> {
        if let Some(write) = writes.iter().find(|write| !is_derived(&write.key)) {
            return Err(CommitError::NotDerived {
                key: write.key.clone(),
            });
        }
        check_bytes(writes.iter().map(Self::bytes).sum())
    }
}

impl Condition {
    fn bytes(&self) -> usize {
        self.key.len() + self.expected.as_ref().map_or(0, Vec::len) + WRITE_OVERHEAD_BYTES
    }
}

impl Commit {
    /// What the commit counts against [`COMMIT_BYTES_MAX`].
    pub fn bytes(&self) -> usize {
        let conditions: usize = self.conditions.iter().map(Condition::bytes).sum();
        conditions + self.writes.iter().map(Write::bytes).sum::<usize>()
    }

    /// Refuses a commit that is too large for any backend.
    pub fn check(&self) -> Result<(), CommitError> {
        check_bytes(self.bytes())
    }
}

fn check_bytes(bytes: usize) -> Result<(), CommitError> {
    if bytes > COMMIT_BYTES_MAX {
        return Err(CommitError::TooLarge {
            bytes,
            bytes_max: COMMIT_BYTES_MAX,
        });
    }
    Ok(())
}

/// A read that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot read the store: {step} {object}: {reason}")]
pub struct ReadError {
    /// The step that failed ("read", "open").
    pub step: &'static str,
    /// The file or key.
    pub object: String,
    /// What the system said.
    pub reason: String,
}

/// A commit that failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// A condition did not hold; nothing happened.
    #[error("the key {} has changed since it was read", hex(.key))]
    Conflict {
        /// The key of the first condition that did not hold.
        key: Vec<u8>,
    },
    /// There is no room; nothing happened, and the store goes on reading. Trying again later may do.
    #[error("no room to write: {reason}")]
    Full {
        /// What the system said.
        reason: String,
    },
    /// The commit is larger than the store takes; nothing happened.
    #[error("a commit of {bytes} bytes is over the limit of {bytes_max}")]
    TooLarge {
        /// Bytes of this commit.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// A truth key where only derived keys are taken; nothing happened.
    #[error("the key {} is not derived and must be written by a commit", hex(.key))]
    NotDerived {
        /// The key.
        key: Vec<u8>,
    },
    /// It is unknown whether the commit is durable (a sync failed, a connection broke). The store
    /// takes no more commits until it is opened again.
    #[error("it is unknown whether the write is durable: {step} {object}: {reason}")]
    Fatal {
        /// The step that failed ("write", "fdatasync").
        step: &'static str,
        /// The file.
        object: String,
        /// What the system said.
        reason: String,
    },
}

/// What a store takes up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of truth.
    pub truth_bytes: u64,
    /// Bytes of derived keys and indexes.
    pub derived_bytes: u64,
}

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// A place to keep things. Shared between threads; every method may block.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// The value of a key.
    ///
    /// **Contract.** Sees every commit that returned `Ok` before the call began.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError>;

    /// Entries with `from <= key < to`, ascending by key bytes, at most `limit`. None if `from >= to`.
    ///
    /// **Contract.** As [`Store::get`]; a commit that runs at the same time is seen as a whole or not
    /// at all for each key.
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>, ReadError>;

    /// The last entry with `from <= key < to`.
    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<Entry>, ReadError>;

    /// Performs a commit: atomic, conditional, durable on `Ok`.
    ///
    /// **Contract.** Conditions are judged against all commits before it; two commits on the same
    /// condition cannot both succeed. After `Conflict`, `Full` or `TooLarge` nothing of it is
    /// visible, now or after re-opening. After `Fatal` it is visible as a whole or not at all after
    /// re-opening. Empty commits are durable points too: on `Ok` all earlier commits are durable.
    fn commit(&self, commit: Commit) -> Result<(), CommitError>;

    /// True if derived keys were lost since the store was last open (or never written), until
    /// [`Store::derived_rebuilt`] is called.
    fn derived_lost(&self) -> bool;

    /// Removes every derived key, in preparation of deriving them again.
    ///
    /// **Contract.** From its beginning until [`Store::derived_rebuilt`], `derived_lost` is true, also
    /// after a crash and re-opening.
    fn clear_derived(&self) -> Result<(), CommitError>;

    /// Writes derived keys outside a commit, quickly and without durability, while rebuilding.
    ///
    /// Calls of some megabytes are the fastest.
    ///
    /// **Contract.** Visible on return, the later of two writes of one key. Truth keys are refused (`NotDerived`) and nothing is written.
    /// Nobody else commits writes of the same keys meanwhile.
    fn put_derived(&self, writes: Vec<Write>) -> Result<(), CommitError>;

    /// Says that deriving again is complete.
    ///
    /// **Contract.** After it, re-opening finds all derived keys or none, and none only with
    /// `derived_lost`.
    fn derived_rebuilt(&self) -> Result<(), CommitError>;

    /// Bytes used.
    fn usage(&self) -> Result<Usage, ReadError>;

    /// Ends the store: waits for running commits, then refuses more with `Fatal`. What was committed is
    /// there when it is opened again, derived keys included. Reads may fail from now on. Closing twice
    /// is closing once.
    fn close(&self) -> Result<(), CommitError>;
}

/// A store shared by the parts of a server.
pub type SharedStore = Arc<dyn Store>;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
