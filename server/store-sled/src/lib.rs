//! The embedded store: a journal that is the truth, and sled as an index over it.
//!
//! sled 0.34 survives a kill but not a power cut (its flush does not sync what it wrote), so nothing
//! lives in it alone. A commit is durable because its truth writes are one synced record of the
//! journal (`docs/formats.md` section 10); sled can be removed at any time and is then built again.
//!
//! # The folder
//!
//! ```text
//! format            "dongbo store 1\n": later versions are refused before anything is touched
//! lock              locked by the process that has the store open
//! journal/          segments, see the crate `journal`
//! index/state       which journal the index belongs to, and how it was left
//! index/redo        derived writes that sled may not have written to its files yet, see `redo`
//! index/sled/       sled's own files
//! index/truth       a run: the truth keys as they were when the index was built, see `run`
//! index/derived     a run: the derived keys as they were put again at that time
//! index/gathering/  runs of keys that are still being put
//! ```
//!
//! # Keys and values in sled
//!
//! A key of the store has the byte 1 before it; the store's own keys have 0:
//!
//! | key | value |
//! |---|---|
//! | `00 'j'` | `[16]` id of the journal |
//! | `00 'm'` | the mark: place of the last record applied (u64 sequence, u64 segment, u64 offset, u32 length, u32 checksum), u64 last redo number applied. Part of every batch |
//! | `00 'd'` | empty; there if the derived keys are complete |
//! | `00 't'`, `00 'r'` | checksums of the runs `truth` and `derived`; missing: there is none |
//! | `01` ‖ key | `00` ‖ value, or `01` ‖ u64 segment, u64 offset, u32 length, u32 CRC-32C: the value lies in the journal; empty: removed, whatever lies below |
//!
//! What was committed lately (`recent`, in memory) counts before sled; what sled has of a key counts
//! before a run. A run never changes: it is made when the index is built, since sled takes some ten
//! microseconds for each key and a run half of one, and everything later goes to sled.
//!
//! Truth values from [`POINTED_BYTES_MIN`] bytes on are pointed to, so that the index stays small and
//! the journal is not written twice.
//!
//! # Commits
//!
//! Callers that commit at the same time form a group (`group`): the first leads. It judges the
//! conditions in order, against sled and the writes of the group before; appends one record per
//! commit; writes the derived writes to the redo file; syncs the journal once; adds the writes to what
//! was committed lately, which a thread brings to sled when it has become a megabyte; and only then answers
//! everyone. A reader never sees what is not durable.
//!
//! # What is left after a stop, and how opening takes it
//!
//! | stop | index |
//! |---|---|
//! | [`store::Store::close`] | synced by then, trusted |
//! | kill, the machine lived on | what sled wrote is in the page cache: trusted; records behind the mark are applied from the journal, their derived writes from the redo file |
//! | power cut, or the index is missing, damaged, of another format, of another journal, copied while open, or ahead of the journal | removed and built again from the journal; derived keys are lost |
//!
//! The state file tells them apart: it holds the boot in which the index was opened, and its own
//! inode, which a copy does not have.
//!
//! Opening reads the ends of the runs, not their blocks. A block that turns out to be damaged when it is
//! read (`index-damaged` in the log) ends the store for commits and is noted in the state file: the next
//! opening builds the index again.

mod folder;
mod gathering;
mod group;
mod index;
mod merge;
mod opening;
mod recent;
mod redo;
mod refill;
mod run;
mod value;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use journal::folder::FolderLock;
use journal::{Journal, Observer, Place};
use store::{Commit, CommitError, Entry, ReadError, Store, Usage, Write, is_derived};

pub use folder::{FORMAT_VERSION, INDEX_FOLDER, JOURNAL_FOLDER};
pub use opening::{OpenError, Opening, Rebuilt};
pub use refill::{Refill, RefillError};

use group::Queue;
use index::{Index, IndexError};
use redo::Redo;

/// Truth values of at least this many bytes stay in the journal and are pointed to: below it, a
/// pointer and a read of the journal cost more than the bytes.
pub const POINTED_BYTES_MIN: usize = 256;

/// Bytes of the redo file after which sled is flushed and the file begun again: a flush per few
/// thousand commits, and a fraction of a second to apply after a kill.
pub const REDO_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Bytes of derived writes that are removed or applied as one batch.
const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of sled's page cache.
    pub cache_bytes: u64,
    /// Bytes of keys and values held in memory while an index is built, before they are written.
    pub gather_bytes_max: usize,
    /// Bytes of keys and values of commits that are held in memory before they are brought to sled;
    /// twice as many while they are on their way.
    pub recent_bytes_max: usize,
    /// Commits find the store full when the file system has less left: sled must have room to write
    /// what it holds, since it fails for good if it cannot.
    pub free_bytes_min: u64,
    /// Bytes of a journal segment.
    pub segment_bytes_max: u64,
    /// Names the current boot of the machine; none: unknown, and an index that was not closed is
    /// never trusted.
    pub boot_id: Option<String>,
    /// Told of every sync of the journal.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 16 * 1024 * 1024,
            gather_bytes_max: gathering::MEMORY_BYTES_MAX,
            recent_bytes_max: recent::RECENT_BYTES_MAX,
            free_bytes_min: 32 * 1024 * 1024,
            segment_bytes_max: journal::SEGMENT_BYTES_MAX,
            boot_id: folder::boot_id(),
            observer: None,
        }
    }
}

/// A store in a folder.
#[derive(Debug)]
pub struct SledStore {
    folder: PathBuf,
    options: Options,
    opening: Opening,
    journal: Journal,
    /// None once closed.
    index: RwLock<Option<Index>>,
    queue: Queue,
    writing: Mutex<Writing>,
}

/// What only the leader of a group, or whoever keeps groups out, may touch.
#[derive(Debug)]
struct Writing {
    redo: Redo,
    /// The last record applied to sled.
    applied: Option<Place>,
    /// Set by the first failure after which nothing can be promised.
    fatal: Option<CommitError>,
    /// Released when closed.
    lock: Arc<FolderLock>,
}

impl SledStore {
    /// Opens the store in a folder, and makes both if they do not exist. Builds the index again where
    /// it cannot be trusted; [`SledStore::opening`] tells.
    pub fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        let opened = opening::open(folder, &options)?;
        Ok(Self {
            folder: folder.to_owned(),
            options,
            opening: opened.report,
            journal: opened.journal,
            index: RwLock::new(Some(opened.index)),
            queue: Queue::default(),
            writing: Mutex::new(Writing {
                redo: opened.redo,
                applied: opened.applied,
                fatal: None,
                lock: opened.lock,
            }),
        })
    }

    /// What opening found and did.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    fn lock_writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the index, unless the store is closed.
    fn with_index<T>(
        &self,
        act: impl FnOnce(&Index) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = index.as_ref() else {
            return Err(ReadError {
                step: "read",
                object: "index".to_owned(),
                reason: "the store is closed".to_owned(),
            });
        };
        let result = act(open);
        drop(index);
        if let Err(error) = &result {
            self.give_up_index(&mut self.lock_writing(), error);
        }
        result
    }

    /// The index cannot be read: no more commits, and the next opening builds it again. The journal
    /// has everything that was acknowledged.
    fn give_up_index(&self, writing: &mut Writing, error: &ReadError) {
        if writing.fatal.is_some() {
            return;
        }
        tracing::error!(
            code = "index-damaged",
            %error,
            "the index is damaged and is built again from the journal at the next start; nothing is lost: {error}"
        );
        folder::mark_damaged(&self.folder, self.journal.id());
        writing.fatal = Some(CommitError::Fatal {
            step: error.step,
            object: error.object.clone(),
            reason: error.reason.clone(),
        });
    }

    /// Changes derived keys outside a group. A failure of sled is fatal.
    fn change_derived(
        &self,
        act: impl FnOnce(&Index, &mut Redo) -> Result<(), IndexError>,
    ) -> Result<(), CommitError> {
        let mut writing = self.lock_writing();
        if let Some(fatal) = &writing.fatal {
            return Err(fatal.clone());
        }
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let Some(index) = index.as_ref() else {
            return Err(group::closed());
        };
        act(index, &mut writing.redo).map_err(|error| {
            let fatal = index_failure(&error.to_string());
            folder::distrust(&self.folder);
            writing.fatal = Some(fatal.clone());
            fatal
        })
    }

    fn resolve(&self, entry: Entry) -> Result<Entry, ReadError> {
        let (key, value) = entry;
        Ok((key, value::read(&self.journal, &value)?))
    }
}

fn index_failure(reason: &str) -> CommitError {
    CommitError::Fatal {
        step: "write",
        object: "index".to_owned(),
        reason: reason.to_owned(),
    }
}

impl Store for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let value = self.with_index(|index| index.get(key))?;
        value
            .map(|value| value::read(&self.journal, &value))
            .transpose()
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Entry>, ReadError> {
        let entries = self.with_index(|index| index.scan(from, to, limit))?;
        value::read_all(&self.journal, entries)
    }

    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<Entry>, ReadError> {
        let entry = self.with_index(|index| index.last(from, to))?;
        entry.map(|entry| self.resolve(entry)).transpose()
    }

    fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        commit.check()?;
        self.queue.commit(commit, |group| self.perform(group))
    }

    fn derived_lost(&self) -> bool {
        // An index that cannot be read has lost everything.
        self.with_index(Index::derived_complete)
            .map_or(true, |complete| !complete)
    }

    fn clear_derived(&self) -> Result<(), CommitError> {
        self.change_derived(|index, redo| {
            index.clear_derived(BATCH_BYTES_MAX)?;
            redo.restart();
            Ok(())
        })
    }

    fn put_derived(&self, mut writes: Vec<Write>) -> Result<(), CommitError> {
        Write::check_derived(&writes)?;
        // Neighbours together: sled then rewrites a page once for many keys. Stable, so that of two
        // writes of one key the later stays the later.
        writes.sort_by(|one, other| one.key.cmp(&other.key));
        self.change_derived(|index, _| index.put(writes))
    }

    fn derived_rebuilt(&self) -> Result<(), CommitError> {
        self.change_derived(|index, redo| {
            index.complete_derived()?;
            redo.restart();
            Ok(())
        })
    }

    fn usage(&self) -> Result<Usage, ReadError> {
        let derived_bytes = self.with_index(Index::bytes)?;
        Ok(Usage {
            truth_bytes: self.journal.bytes(),
            derived_bytes,
        })
    }

    fn close(&self) -> Result<(), CommitError> {
        self.queue.close();
        let mut writing = self.lock_writing();
        let index = self
            .index
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(index) = index else { return Ok(()) };
        let journal_id = self.journal.id();
        let result = match &writing.fatal {
            Some(fatal) => Err(fatal.clone()),
            None => self.journal.close().map_err(group::sync_error),
        };
        let flushed = index.flush();
        drop(index);
        if result.is_ok() && flushed.is_ok() {
            writing.redo.restart();
            // Not being marked as closed costs the next opening time, nothing else.
            if let Err(error) = folder::mark_closed(&self.folder, journal_id) {
                tracing::warn!(%error, "the index could not be marked as closed");
            }
        }
        writing.lock.release();
        result
    }
}

/// True if a write goes to the journal.
fn is_truth(write: &&Write) -> bool {
    !is_derived(&write.key)
}

#[cfg(test)]
mod tests;
