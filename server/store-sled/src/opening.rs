//! Opening a store: what may be trusted, what is applied, what is built again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::files::RealFiles;
use journal::folder::{FolderLock, LockError};
use journal::{Journal, Place, Recovery};
use store::{is_derived, record};

use crate::folder::{Distrust, FORMAT_VERSION, Format, INDEX_FOLDER, JOURNAL_FOLDER, REDO_FILE};
use crate::gathering::GatherError;
use crate::index::{Index, IndexBatch, IndexError, Mark};
use crate::redo::{Redo, RedoEntry};
use crate::{Options, folder, redo, value};

/// A store that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder was written by a later version; nothing was touched.
    #[error("{} has store format {found}; this program reads formats up to {known}", .folder.display())]
    Newer {
        /// The store's folder.
        folder: PathBuf,
        /// The version found.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// The folder has something in it that is no store; nothing was touched.
    #[error("{} is not the folder of a store: its file `format` is missing or unreadable", .folder.display())]
    NotAStore {
        /// The folder.
        folder: PathBuf,
    },
    /// Another process has the store open.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The journal could not be opened.
    #[error(transparent)]
    Journal(#[from] journal::OpenError),
    /// A record of the journal could not be read while it was applied.
    #[error(transparent)]
    Read(#[from] journal::ReadError),
    /// A record of the journal is whole and yet no commit.
    #[error("record {sequence} of the journal is no commit: {reason}")]
    Record {
        /// The record's sequence number.
        sequence: u64,
        /// What is wrong with it.
        reason: sync_core::codec::DecodeError,
    },
    /// The index could be neither opened nor built.
    #[error("cannot build the index {}: {reason}", .folder.display())]
    Index {
        /// The index's folder.
        folder: PathBuf,
        /// What sled said.
        reason: String,
    },
    /// A file or folder could not be made, read or synced.
    #[error("cannot open the store: {step} {}: {source}", .path.display())]
    Files {
        /// The step that failed.
        step: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Why the index was built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebuilt {
    /// There was none: a new store, or somebody removed it.
    Absent,
    /// The machine stopped without closing the store.
    Boot,
    /// It is a copy made while the store was open.
    Copied,
    /// It belongs to another journal.
    Foreign,
    /// It had applied records that the journal does not have: the journal is older than the index, or
    /// has lost records.
    Ahead,
    /// It could not be read, or it has another format.
    Damaged,
    /// Its derived keys were not complete.
    Incomplete,
}

/// What opening found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// What the journal's recovery found.
    pub journal: Recovery,
    /// Why the index was built again; none if it was not.
    pub rebuilt: Option<Rebuilt>,
    /// Records of the journal applied to the index.
    pub applied_records: u64,
}

/// An open store's parts.
pub(crate) struct Opened {
    pub(crate) report: Opening,
    pub(crate) lock: Arc<FolderLock>,
    pub(crate) journal: Journal,
    pub(crate) index: Index,
    pub(crate) redo: Redo,
    pub(crate) applied: Option<Place>,
}

fn failed<'a>(step: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> OpenError + 'a {
    move |source| OpenError::Files {
        step,
        path: path.to_owned(),
        source,
    }
}

/// Opens everything in order; each step assumes those before.
pub(crate) fn open(folder: &Path, options: &Options) -> Result<Opened, OpenError> {
    let lock = Arc::new(claim(folder)?);
    let (journal, recovery) = open_journal(folder, options, &lock)?;
    let id = journal.id();
    let boot = options.boot_id.as_deref();
    let taken = folder::judge(folder, id, boot).map_err(why).and_then(|()| {
        mark_open(folder, id, boot).map_err(|_| Rebuilt::Damaged)?;
        take_index(folder, options, &journal, recovery)
    });
    let (index, applied, applied_records, rebuilt) = match taken {
        Ok((index, applied, records)) => (index, applied, records, None),
        Err(reason) => {
            if reason != Rebuilt::Absent || recovery.last_sequence > 0 {
                tracing::warn!(?reason, "the index is built again from the journal");
            }
            let (index, applied, records) = build_index(folder, options, &journal)?;
            (index, applied, records, Some(reason))
        }
    };
    let path = folder.join(INDEX_FOLDER).join(REDO_FILE);
    let last_redo = index.mark().map_or(0, |mark| mark.redo);
    let redo = Redo::create(&path, last_redo).map_err(failed("create", &path))?;
    let report = Opening {
        journal: recovery,
        rebuilt,
        applied_records,
    };
    Ok(Opened {
        report,
        lock,
        journal,
        index,
        redo,
        applied,
    })
}

/// Makes sure the folder is a store's and nobody else has it open.
pub(crate) fn claim(folder: &Path) -> Result<FolderLock, OpenError> {
    let format = folder::read_format(folder).map_err(failed("read", folder))?;
    check_format(folder, format)?;
    fs::create_dir_all(folder).map_err(failed("create", folder))?;
    let lock = FolderLock::take(folder)?;
    // Another process may have made the store between the look and the lock.
    let format = folder::read_format(folder).map_err(failed("read", folder))?;
    check_format(folder, format)?;
    if format == Format::Absent {
        folder::write_format(folder).map_err(failed("write", folder))?;
        let parent = folder
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        fs::File::open(parent)
            .and_then(|parent| parent.sync_all())
            .map_err(failed("fsync", parent))?;
    }
    Ok(lock)
}

fn check_format(folder: &Path, format: Format) -> Result<(), OpenError> {
    match format {
        Format::Version(found) if found > FORMAT_VERSION => Err(OpenError::Newer {
            folder: folder.to_owned(),
            found,
            known: FORMAT_VERSION,
        }),
        Format::Version(FORMAT_VERSION) => Ok(()),
        Format::Absent if !folder.join(JOURNAL_FOLDER).exists() => Ok(()),
        Format::Version(_) | Format::Absent | Format::Unreadable => Err(OpenError::NotAStore {
            folder: folder.to_owned(),
        }),
    }
}

pub(crate) fn open_journal(
    folder: &Path,
    options: &Options,
    lock: &Arc<FolderLock>,
) -> Result<(Journal, Recovery), OpenError> {
    let path = folder.join(JOURNAL_FOLDER);
    let files = RealFiles::owned(&path, Arc::clone(lock)).map_err(failed("create", &path))?;
    let mut new_id = [0; 16];
    getrandom::fill(&mut new_id).map_err(|error| OpenError::Files {
        step: "draw a random id for",
        path: path.clone(),
        source: io::Error::other(error.to_string()),
    })?;
    let options = journal::Options {
        new_id,
        segment_bytes_max: options.segment_bytes_max,
        observer: options.observer.clone(),
    };
    Ok(Journal::open(Arc::new(files), options)?)
}

fn why(distrust: Distrust) -> Rebuilt {
    match distrust {
        Distrust::Absent => Rebuilt::Absent,
        Distrust::Undefined | Distrust::Damaged => Rebuilt::Damaged,
        Distrust::Journal => Rebuilt::Foreign,
        Distrust::Copied => Rebuilt::Copied,
        Distrust::Boot => Rebuilt::Boot,
    }
}

fn mark_open(folder: &Path, id: [u8; 16], boot: Option<&str>) -> Result<(), OpenError> {
    let path = folder.join(INDEX_FOLDER);
    fs::create_dir_all(&path).map_err(failed("create", &path))?;
    folder::mark_open(folder, id, boot).map_err(failed("write", &path))
}

/// Opens the index that is there and brings it up to the journal's end, or says why not.
fn take_index(
    folder: &Path,
    options: &Options,
    journal: &Journal,
    recovery: Recovery,
) -> Result<(Index, Option<Place>, u64), Rebuilt> {
    let path = folder.join(INDEX_FOLDER);
    let index = Index::open(&path, options).map_err(|reason| {
        tracing::warn!(reason, "sled cannot open the index");
        Rebuilt::Damaged
    })?;
    if !index.belongs_to(journal.id()) {
        return Err(Rebuilt::Foreign);
    }
    let mark = index.mark().ok_or(Rebuilt::Damaged)?;
    if let Some(place) = mark.place
        && (place.sequence > recovery.last_sequence || journal.read(place).is_err())
    {
        return Err(Rebuilt::Ahead);
    }
    let complete = index.derived_complete().map_err(|_| Rebuilt::Damaged)?;
    if !complete && index.has_derived().map_err(|_| Rebuilt::Damaged)? {
        return Err(Rebuilt::Incomplete);
    }
    let entries = redo::read(&path.join(REDO_FILE)).map_err(|_| Rebuilt::Incomplete)?;
    catch_up(&index, journal, mark, entries).map(|(place, records)| (index, place, records))
}

/// Applies what sled did not hand to the system before a kill: records from the journal, derived
/// writes from the redo file. Each record needs its entry there, or derived keys are missing.
fn catch_up(
    index: &Index,
    journal: &Journal,
    mark: Mark,
    entries: Vec<RedoEntry>,
) -> Result<(Option<Place>, u64), Rebuilt> {
    let mut entries = entries
        .into_iter()
        .filter(|entry| entry.number > mark.redo)
        .peekable();
    let (mut at, mut records) = (mark, 0);
    // Commits of derived keys alone, behind the mark's record.
    let mut alone = IndexBatch::default();
    let known = (
        mark.place.map_or(0, |p| p.sequence),
        mark.place.map_or(0, |p| p.checksum),
    );
    while let Some(entry) = entries.next_if(|e| (e.sequence, e.checksum) == known) {
        put_all(&mut alone, &entry);
        at.redo = entry.number;
    }
    if at != mark {
        index.apply(alone, at).map_err(|_| Rebuilt::Damaged)?;
    }
    journal
        .replay(mark.place, |place, body| {
            let mut batch = IndexBatch::default();
            put_record(place, body, |key, value| {
                batch.put(key, value);
                Ok(())
            })
            .map_err(|_| CatchUp(Rebuilt::Damaged))?;
            let mut own = false;
            let key = (place.sequence, place.checksum);
            while let Some(entry) = entries.next_if(|e| (e.sequence, e.checksum) == key) {
                put_all(&mut batch, &entry);
                at.redo = entry.number;
                own = true;
            }
            if !own {
                return Err(CatchUp(Rebuilt::Incomplete));
            }
            at.place = Some(place);
            records += 1;
            index
                .apply(batch, at)
                .map_err(|_| CatchUp(Rebuilt::Damaged))
        })
        .map_err(|CatchUp(reason)| reason)?;
    if at != mark {
        // The redo file begins anew after this.
        index.flush().map_err(|_| Rebuilt::Damaged)?;
    }
    Ok((at.place, records))
}

/// Why catching up ended.
struct CatchUp(Rebuilt);

impl From<journal::ReadError> for CatchUp {
    fn from(_: journal::ReadError) -> Self {
        // Building again meets the same damage and names it.
        Self(Rebuilt::Damaged)
    }
}

fn put_all(batch: &mut IndexBatch, entry: &RedoEntry) {
    for write in &entry.writes {
        batch.put(&write.key, write.value.as_deref().map(value::inline));
    }
}

/// Puts the truth writes of one record.
fn put_record(
    place: Place,
    body: &[u8],
    mut put: impl FnMut(&[u8], Option<Vec<u8>>) -> Result<(), GatherError>,
) -> Result<(), PutError> {
    for write in record::decode(body).map_err(PutError::Record)? {
        if is_derived(write.key) {
            continue;
        }
        let stored = write
            .value
            .map(|value| value::truth(value, place, write.value_offset));
        put(write.key, stored).map_err(PutError::Index)?;
    }
    Ok(())
}

/// Why a record could not be put.
enum PutError {
    Record(sync_core::codec::DecodeError),
    Index(GatherError),
}

/// Removes whatever index there is and builds one from the journal.
fn build_index(
    folder: &Path,
    options: &Options,
    journal: &Journal,
) -> Result<(Index, Option<Place>, u64), OpenError> {
    let path = folder.join(INDEX_FOLDER);
    match fs::remove_dir_all(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(failed("remove", &path)(source)),
    }
    mark_open(folder, journal.id(), options.boot_id.as_deref())?;
    let broken = |reason: String| OpenError::Index {
        folder: path.clone(),
        reason,
    };
    let mut index = Index::open(&path, options).map_err(broken)?;
    let mut truth = index
        .gathering()
        .map_err(|error| broken(error.to_string()))?;
    let (mut last, mut records) = (None, 0);
    journal.replay(None, |place, body| {
        let put = put_record(place, body, |key, value| truth.put(key.to_vec(), value));
        put.map_err(|error| match error {
            PutError::Record(reason) => OpenError::Record {
                sequence: place.sequence,
                reason,
            },
            PutError::Index(error) => broken(error.to_string()),
        })?;
        last = Some(place);
        records += 1;
        Ok::<(), OpenError>(())
    })?;
    let finish = || -> Result<Index, IndexError> {
        if records > 0 {
            index.set_truth(truth)?;
        }
        // The journal's id comes last: without it the next opening takes the index for nobody's.
        index.set_mark(Mark {
            place: last,
            redo: 0,
        })?;
        index.set_journal(journal.id())?;
        index.flush()?;
        Ok(index)
    };
    let index = finish().map_err(|error| broken(error.to_string()))?;
    Ok((index, last, records))
}
