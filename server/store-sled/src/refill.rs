//! Makes a store out of the records of another one's journal, as a backup holds them.
//!
//! The records get a journal of their own, with an id of its own. The index is left to the next opening,
//! which finds none and builds it from the journal, much faster than commit by commit.

use std::path::Path;
use std::sync::Arc;

use journal::Journal;
use journal::folder::FolderLock;

use crate::Options;
use crate::opening::{OpenError, claim, open_journal};

/// Bytes of records between two syncs: what a crash leaves is thrown away in any case.
const SYNC_BYTES: usize = 8 * 1024 * 1024;

/// Why records are not put into a store.
#[derive(Debug, thiserror::Error)]
pub enum RefillError {
    /// The folder cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It holds records already.
    #[error("{0} is no empty store")]
    NotEmpty(String),
    /// A record cannot be written.
    #[error(transparent)]
    Append(#[from] journal::AppendError),
    /// The records cannot be made durable.
    #[error(transparent)]
    Sync(#[from] journal::SyncError),
}

/// A store that is being filled. Dropped before [`Refill::finish`], it is to be thrown away.
#[derive(Debug)]
pub struct Refill {
    journal: Journal,
    unsynced: usize,
    _lock: Arc<FolderLock>,
}

impl Refill {
    /// Begins in a folder that holds no store; it is made if it is not there.
    pub fn begin(folder: &Path) -> Result<Self, RefillError> {
        let lock = Arc::new(claim(folder)?);
        let (journal, recovery) = open_journal(folder, &Options::default(), &lock)?;
        if recovery.last_sequence > 0 {
            return Err(RefillError::NotEmpty(folder.display().to_string()));
        }
        Ok(Self {
            journal,
            unsynced: 0,
            _lock: lock,
        })
    }

    /// Adds a record. Not durable before [`Refill::finish`].
    pub fn append(&mut self, record: &[u8]) -> Result<(), RefillError> {
        self.journal.append(record)?;
        self.unsynced += record.len();
        if self.unsynced >= SYNC_BYTES {
            self.journal.sync()?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// Makes everything durable and gives the folder free.
    pub fn finish(self) -> Result<(), RefillError> {
        Ok(self.journal.close()?)
    }
}
