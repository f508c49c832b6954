//! The index behind the few operations the store needs: what was committed lately in memory, sled, and
//! below it what was put by the million when the index was built, as runs.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;
use std::time::Duration;

use journal::Place;
use store::{DERIVED_FROM, ReadError, Write, is_derived};
use sync_core::codec::{DecodeError, Reader, Writer};

use crate::folder::{DERIVED_RUN_FILE, GATHERING_FOLDER, SLED_FOLDER, TRUTH_RUN_FILE};
use crate::gathering::{self, GatherError, Gathering};
use crate::merge::{Layer, Merged};
use crate::recent::Recent;
use crate::run::{Run, Stored};
use crate::{Options, value};

const OWN: u8 = 0;
const OF_STORE: u8 = 1;
const JOURNAL_KEY: [u8; 2] = [OWN, b'j'];
const MARK_KEY: [u8; 2] = [OWN, b'm'];
const DERIVED_KEY: [u8; 2] = [OWN, b'd'];
const TRUTH_RUN_KEY: [u8; 2] = [OWN, b't'];
const DERIVED_RUN_KEY: [u8; 2] = [OWN, b'r'];

/// How often, and how long between, opening is tried while an earlier sled of this process still
/// lets go of its files.
const LOCK_TRIES_MAX: u32 = 200;
const LOCK_WAIT: Duration = Duration::from_millis(10);

/// How far the journal and the redo file have been applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) place: Option<Place>,
    pub(crate) redo: u64,
}

impl Mark {
    fn encode(self) -> Vec<u8> {
        let none = Place {
            sequence: 0,
            segment: 0,
            offset: 0,
            length: 0,
            checksum: 0,
        };
        let place = self.place.unwrap_or(none);
        Writer::new()
            .u64_be(place.sequence)
            .u64_be(place.segment)
            .u64_be(place.offset)
            .raw(&place.length.to_be_bytes())
            .raw(&place.checksum.to_be_bytes())
            .u64_be(self.redo)
            .as_slice()
            .to_vec()
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let place = Place {
            sequence: reader.u64_be("mark")?,
            segment: reader.u64_be("mark")?,
            offset: reader.u64_be("mark")?,
            length: u32::from_be_bytes(reader.array("mark")?),
            checksum: u32::from_be_bytes(reader.array("mark")?),
        };
        let redo = reader.u64_be("mark")?;
        reader.end("mark")?;
        Ok(Self {
            place: (place.sequence > 0).then_some(place),
            redo,
        })
    }
}

/// Writes that become visible, and reach sled, as a whole.
#[derive(Debug, Default)]
pub(crate) struct IndexBatch {
    /// An empty value removes the key.
    writes: Vec<Stored>,
    derived: bool,
}

impl IndexBatch {
    /// A value in the form `value` gives it, or none to remove the key.
    pub(crate) fn put(&mut self, key: &[u8], value: Option<Vec<u8>>) {
        self.put_owned(key.to_vec(), value);
    }

    /// The same of a key that nobody else needs.
    pub(crate) fn put_owned(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.derived |= is_derived(&key);
        self.writes.push((key, value.unwrap_or_default()));
    }
}

/// A change of the index that failed; nothing can be promised about it any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    #[error(transparent)]
    Sled(#[from] sled::Error),
    #[error(transparent)]
    Gather(#[from] GatherError),
    #[error("cannot change the files of the index: {0}")]
    Files(#[from] io::Error),
}

/// An open index. What was committed lately counts; else what sled has of a key; else what lies below.
#[derive(Debug)]
pub(crate) struct Index {
    folder: PathBuf,
    gather_bytes_max: usize,
    recent: Recent,
    sled: sled::Db,
    truth: Option<Run>,
    derived: RwLock<Derived>,
    /// sled may have derived keys: false only between clearing them and the next write of one.
    derived_above: AtomicBool,
}

/// The derived keys below sled.
#[derive(Debug)]
enum Derived {
    Settled(Option<Run>),
    /// Cleared, and being put again.
    Gathering(Gathering),
}

impl Derived {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        match self {
            Self::Settled(run) => run.as_ref().map_or(Ok(None), |run| run.get(key)),
            Self::Gathering(gathering) => gathering.get(key),
        }
    }

    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<Stored>, ReadError> {
        match self {
            Self::Settled(run) => run.as_ref().map_or(Ok(None), |run| run.last(from, to)),
            Self::Gathering(gathering) => gathering.last(from, to),
        }
    }

    fn layers<'a>(&'a self, from: &[u8], to: &[u8]) -> Vec<Layer<'a>> {
        match self {
            Self::Settled(run) => layer_of(run.as_ref(), from, to).into_iter().collect(),
            Self::Gathering(gathering) => gathering.layers(from, Some(to)),
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Settled(run) => run.as_ref().map_or(0, Run::bytes),
            Self::Gathering(gathering) => gathering.bytes(),
        }
    }
}

fn layer_of<'a>(run: Option<&Run>, from: &[u8], to: &[u8]) -> Option<Layer<'a>> {
    run.map(|run| -> Layer<'a> { Box::new(run.range(from, Some(to))) })
}

/// The key as it stands in sled.
fn own(key: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(key.len() + 1);
    bytes.push(OF_STORE);
    bytes.extend_from_slice(key);
    bytes
}

fn unread(error: &sled::Error) -> ReadError {
    ReadError {
        step: "read",
        object: "index".to_owned(),
        reason: error.to_string(),
    }
}

impl Index {
    /// Opens the index in a folder, which may be empty but for its state.
    pub(crate) fn open(folder: &Path, options: &Options) -> Result<Self, String> {
        let sled_folder = folder.join(SLED_FOLDER);
        fs::create_dir_all(&sled_folder).map_err(|error| error.to_string())?;
        let sled = open_sled(&sled_folder, options.cache_bytes)?;
        let run = |key: [u8; 2], file: &str| -> Result<Option<Run>, String> {
            let Some(checksum) = sled.get(key).map_err(|error| error.to_string())? else {
                return Ok(None);
            };
            let run = Run::open(&folder.join(file)).map_err(|error| error.to_string())?;
            if *checksum != run.checksum().to_be_bytes() {
                return Err(format!("{file} is the run of another index"));
            }
            Ok(Some(run))
        };
        let truth = run(TRUTH_RUN_KEY, TRUTH_RUN_FILE)?;
        let derived = run(DERIVED_RUN_KEY, DERIVED_RUN_FILE)?;
        let recent = Recent::start(sled.clone(), options.recent_bytes_max)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            folder: folder.to_owned(),
            gather_bytes_max: options.gather_bytes_max,
            recent,
            sled,
            truth,
            derived: RwLock::new(Derived::Settled(derived)),
            derived_above: AtomicBool::new(true),
        })
    }

    fn lock_derived(&self) -> RwLockReadGuard<'_, Derived> {
        self.derived.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_derived(&self) -> RwLockWriteGuard<'_, Derived> {
        self.derived.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        if let Some(value) = self.recent.get(key) {
            return Ok(kept(value));
        }
        let above = !is_derived(key) || self.derived_above.load(Ordering::SeqCst);
        if above && let Some(value) = self.sled.get(own(key)).map_err(|error| unread(&error))? {
            return Ok(kept(value.to_vec()));
        }
        let below = match &self.truth {
            _ if is_derived(key) => self.lock_derived().get(key)?,
            Some(run) => run.get(key)?,
            None => None,
        };
        Ok(below.and_then(kept))
    }

    pub(crate) fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Stored>, ReadError> {
        if from >= to {
            return Ok(Vec::new());
        }
        // Taken before sled is looked at: what is handed to sled meanwhile is then seen twice, not never.
        let recent = self.recent.ranges(from, to, limit);
        let derived = self.lock_derived();
        let above = self.sled.range(own(from)..own(to)).map(entry);
        let mut layers: Vec<Layer<'_>> = Vec::with_capacity(5);
        for layer in recent.into_iter().filter(|layer| !layer.is_empty()) {
            layers.push(Box::new(layer.into_iter().map(Ok)));
        }
        layers.push(Box::new(above));
        if from < [DERIVED_FROM].as_slice() {
            layers.extend(layer_of(self.truth.as_ref(), from, to));
        }
        if to > [DERIVED_FROM].as_slice() {
            layers.extend(derived.layers(from, to));
        }
        Merged::new(layers)
            .filter(|found| !found.as_ref().is_ok_and(|(_, value)| value.is_empty()))
            .take(limit)
            .collect()
    }

    pub(crate) fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<Stored>, ReadError> {
        let derived = self.lock_derived();
        let mut to = to.to_vec();
        while from < to.as_slice() {
            // Of equal keys the newer layer's counts, so it is asked first.
            let mut last = self.recent.last(from, &to);
            let truth = self.truth.as_ref();
            let sled = self.sled.range(own(from)..own(&to)).next_back();
            let below = [
                sled.map(entry).transpose()?,
                truth.map_or(Ok(None), |run| run.last(from, &to))?,
                derived.last(from, &to)?,
            ];
            for found in below {
                if found.as_ref().map(|(key, _)| key) > last.as_ref().map(|(key, _)| key) {
                    last = found;
                }
            }
            match last {
                // Removed: the one before it.
                Some((key, value)) if value.is_empty() => to = key,
                last => return Ok(last),
            }
        }
        Ok(None)
    }

    /// Something may lie below sled: a removal must hide it.
    fn hides(&self) -> bool {
        self.truth.is_some() || !matches!(*self.lock_derived(), Derived::Settled(None))
    }

    /// Takes a run as the truth below sled, in an index that has none.
    pub(crate) fn set_truth(&mut self, gathering: Gathering) -> Result<(), IndexError> {
        let run = gathering.finish(&self.folder.join(TRUTH_RUN_FILE))?;
        self.sled
            .insert(TRUTH_RUN_KEY, &run.checksum().to_be_bytes())?;
        self.truth = Some(run);
        Ok(())
    }

    /// A place to put keys by the million, out of sight until they are given to the index.
    pub(crate) fn gathering(&self) -> io::Result<Gathering> {
        Gathering::begin(&self.folder.join(GATHERING_FOLDER), self.gather_bytes_max)
    }

    /// Makes a batch visible, with the mark behind it. It reaches sled later, with others.
    pub(crate) fn apply(&self, batch: IndexBatch, mark: Mark) -> Result<(), sled::Error> {
        if batch.derived {
            self.derived_above.store(true, Ordering::SeqCst);
        }
        if self.recent.add(batch.writes, mark) {
            self.recent.hand_over(self.hides())?;
        }
        Ok(())
    }

    /// Waits until sled has everything that was committed.
    fn settle(&self) -> Result<(), sled::Error> {
        self.recent.settle(self.hides())
    }

    /// Writes derived keys, in order.
    pub(crate) fn put(&self, writes: Vec<Write>) -> Result<(), IndexError> {
        if let Derived::Gathering(gathering) = &mut *self.change_derived() {
            for write in writes {
                gathering.put(write.key, write.value.map(value::inlined))?;
            }
            return Ok(());
        }
        self.settle()?;
        let hides = self.hides();
        self.derived_above.store(true, Ordering::SeqCst);
        for write in writes {
            // One by one: faster than batches, in any number.
            match write.value {
                Some(value) => self.sled.insert(own(&write.key), value::inlined(value))?,
                None if hides => self.sled.insert(own(&write.key), &[])?,
                None => self.sled.remove(own(&write.key))?,
            };
        }
        Ok(())
    }

    /// Writes the mark by itself, behind what was put before.
    pub(crate) fn set_mark(&self, mark: Mark) -> Result<(), sled::Error> {
        self.sled.insert(MARK_KEY, mark.encode())?;
        Ok(())
    }

    /// The mark; none if it is missing or unreadable.
    pub(crate) fn mark(&self) -> Option<Mark> {
        if let Some(mark) = self.recent.mark() {
            return Some(mark);
        }
        Mark::decode(&self.sled.get(MARK_KEY).ok()??).ok()
    }

    pub(crate) fn belongs_to(&self, journal: [u8; 16]) -> bool {
        matches!(self.sled.get(JOURNAL_KEY), Ok(Some(id)) if *id == journal)
    }

    pub(crate) fn set_journal(&self, journal: [u8; 16]) -> Result<(), sled::Error> {
        self.sled.insert(JOURNAL_KEY, &journal)?;
        Ok(())
    }

    pub(crate) fn derived_complete(&self) -> Result<bool, ReadError> {
        self.sled
            .contains_key(DERIVED_KEY)
            .map_err(|error| unread(&error))
    }

    /// Says that no derived key is missing.
    pub(crate) fn complete_derived(&self) -> Result<(), IndexError> {
        let mut derived = self.change_derived();
        if let Derived::Gathering(_) = *derived {
            let gathered = std::mem::replace(&mut *derived, Derived::Settled(None));
            if let Derived::Gathering(gathering) = gathered {
                let run = gathering.finish(&self.folder.join(DERIVED_RUN_FILE))?;
                self.sled
                    .insert(DERIVED_RUN_KEY, &run.checksum().to_be_bytes())?;
                *derived = Derived::Settled(Some(run));
            }
        }
        drop(derived);
        self.sled.insert(DERIVED_KEY, &[])?;
        Ok(self.flush()?)
    }

    pub(crate) fn has_derived(&self) -> Result<bool, ReadError> {
        self.settle().map_err(|error| unread(&error))?;
        let above = self.sled.range(own(&[DERIVED_FROM])..).next();
        let above = above.map(entry).transpose()?.is_some();
        Ok(above || !matches!(*self.lock_derived(), Derived::Settled(None)))
    }

    /// Removes all derived keys, those in sled a batch at a time; what is put from now on is gathered
    /// until it is said to be complete.
    pub(crate) fn clear_derived(&self, batch_bytes: usize) -> Result<(), IndexError> {
        self.settle()?;
        self.sled.remove(DERIVED_KEY)?;
        self.sled.remove(DERIVED_RUN_KEY)?;
        // Behind this point a kill must not bring the old keys back as complete.
        self.flush()?;
        let mut derived = self.change_derived();
        *derived = Derived::Gathering(self.gathering()?);
        gathering::remove_file(&self.folder.join(DERIVED_RUN_FILE))?;
        loop {
            let mut batch = sled::Batch::default();
            let mut bytes = 0;
            for key in self.sled.range(own(&[DERIVED_FROM])..).keys() {
                let key = key?;
                bytes += key.len();
                batch.remove(key);
                if bytes > batch_bytes {
                    break;
                }
            }
            if bytes == 0 {
                self.derived_above.store(false, Ordering::SeqCst);
                return Ok(());
            }
            self.sled.apply_batch(batch)?;
        }
    }

    /// Hands everything to the operating system: it outlives the process, not the machine.
    pub(crate) fn flush(&self) -> Result<(), sled::Error> {
        self.settle()?;
        self.sled.flush().map(|_| ())
    }

    pub(crate) fn bytes(&self) -> Result<u64, ReadError> {
        let sled = self.sled.size_on_disk().map_err(|error| unread(&error))?;
        let truth = self.truth.as_ref().map_or(0, Run::bytes);
        Ok(sled + truth + self.lock_derived().bytes())
    }
}

/// Writes keys, the mark behind them last: sled's files never say more than they have. One by one, which
/// is faster than a batch and keeps nobody from reading.
pub(crate) fn write_to_sled(
    sled: &sled::Db,
    writes: &BTreeMap<Vec<u8>, Vec<u8>>,
    mark: Mark,
    hides: bool,
) -> Result<(), sled::Error> {
    for (key, value) in writes {
        match value.as_slice() {
            [] if !hides => sled.remove(own(key))?,
            value => sled.insert(own(key), value)?,
        };
    }
    sled.insert(MARK_KEY, mark.encode())?;
    Ok(())
}

/// Opens sled. Any panic of it over what it finds there is an error like others.
fn open_sled(folder: &Path, cache_bytes: u64) -> Result<sled::Db, String> {
    remove_unfinished_snapshots(folder).map_err(|error| error.to_string())?;
    let mut tries = 0;
    loop {
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(cache_bytes)
            .mode(sled::Mode::HighThroughput)
            .flush_every_ms(None);
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
        match opened {
            Ok(Ok(sled)) => return Ok(sled),
            Ok(Err(error)) => {
                let text = error.to_string();
                tries += 1;
                if !text.contains("could not acquire lock") || tries > LOCK_TRIES_MAX {
                    return Err(text);
                }
            }
            Err(_) => return Err("sled cannot read its files".to_owned()),
        }
        thread::sleep(LOCK_WAIT);
    }
}

/// A stored value, unless it says that the key was removed.
fn kept(value: Vec<u8>) -> Option<Vec<u8>> {
    (!value.is_empty()).then_some(value)
}

fn entry(found: Result<(sled::IVec, sled::IVec), sled::Error>) -> Result<Stored, ReadError> {
    let (key, value) = found.map_err(|error| unread(&error))?;
    Ok((key.get(1..).unwrap_or_default().to_vec(), value.to_vec()))
}

/// A kill while sled starts can leave such files, over which it then refuses to open.
fn remove_unfinished_snapshots(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_round_trip() {
        let place = Place {
            sequence: 1,
            segment: 2,
            offset: 3,
            length: 4,
            checksum: 5,
        };
        for place in [None, Some(place)] {
            let mark = Mark { place, redo: 6 };
            assert_eq!(Mark::decode(&mark.encode()), Ok(mark));
        }
        assert!(Mark::decode(&[0; 39]).is_err());
        assert!(Mark::decode(&[0; 41]).is_err());
    }
}
