//! What was committed lately, in memory above sled: a key that is written again with every batch (where
//! a chain stands, the last chunk of a document's index, a fingerprint) reaches sled once for many
//! commits, and no commit waits for sled.
//!
//! Nothing lives here alone: the journal and the redo file have it, and the mark that sled holds says up
//! to where they were applied to it. A kill costs applying them again, over what of it sled has already.
//!
//! When the newest layer has grown to its limit, it is frozen and handed to a thread, which
//! writes it to sled, the mark last, while commits go on in a new one. There are never more than the
//! two: a commit that would begin a third waits.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{Builder, JoinHandle};

use crate::index::{Mark, write_to_sled};
use crate::run::Stored;

/// Bytes of keys and values of one layer. Each commit of a busy node adds four or five new keys for a
/// batch and writes a dozen again, so that a megabyte is some thousand batches.
pub(crate) const RECENT_BYTES_MAX: usize = 1024 * 1024;

/// What an entry costs beside its bytes, about.
const ENTRY_BYTES: usize = 64;

/// Keys, ascending, with their values; an empty value: the key was removed.
type Writes = BTreeMap<Vec<u8>, Vec<u8>>;

/// Commits, oldest first, as one layer.
#[derive(Debug, Default)]
struct Layer {
    writes: Writes,
    bytes: usize,
    mark: Mark,
}

impl Layer {
    fn add(&mut self, writes: Vec<Stored>, mark: Mark) {
        for (key, value) in writes {
            let length = key.len() + ENTRY_BYTES;
            self.bytes += length + value.len();
            if let Some(before) = self.writes.insert(key, value) {
                self.bytes = self.bytes.saturating_sub(length + before.len());
            }
        }
        self.mark = mark;
    }

    fn between(
        &self,
        from: &[u8],
        to: &[u8],
    ) -> impl DoubleEndedIterator<Item = (&Vec<u8>, &Vec<u8>)> {
        self.writes
            .range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)))
    }
}

/// A layer on its way to sled.
struct Frozen {
    layer: Arc<Layer>,
    /// Something may lie below sled: a removal must hide it.
    hides: bool,
}

/// The newest layers of the index.
#[derive(Debug)]
pub(crate) struct Recent {
    /// Newest first.
    layers: RwLock<(Layer, Option<Arc<Layer>>)>,
    /// Changed only by whoever keeps other writers out.
    frozen: Mutex<Option<Sender<Frozen>>>,
    way: Arc<Way>,
    bytes_max: usize,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Whether a layer is on its way, and what went wrong.
#[derive(Debug, Default)]
struct Way {
    state: Mutex<WayState>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct WayState {
    busy: bool,
    failed: Option<sled::Error>,
}

fn failure(reason: &str) -> sled::Error {
    sled::Error::Io(io::Error::other(reason))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recent {
    /// Starts the thread that writes to sled; a layer has about `bytes_max` bytes.
    pub(crate) fn start(sled: sled::Db, bytes_max: usize) -> io::Result<Self> {
        let (frozen, coming) = channel();
        let way = Arc::new(Way::default());
        let of_thread = Arc::clone(&way);
        let thread = Builder::new()
            .name("index".to_owned())
            .spawn(move || of_thread.run(&sled, &coming))?;
        Ok(Self {
            layers: RwLock::default(),
            frozen: Mutex::new(Some(frozen)),
            way,
            bytes_max,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Adds the writes of a commit and the mark behind them; true if it is time to hand everything over.
    pub(crate) fn add(&self, writes: Vec<Stored>, mark: Mark) -> bool {
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        layers.0.add(writes, mark);
        layers.0.bytes > self.bytes_max
    }

    /// Begins to hand everything to sled, after what is on its way has arrived.
    pub(crate) fn hand_over(&self, hides: bool) -> Result<(), sled::Error> {
        let mut state = self.way.wait();
        if let Some(error) = &state.failed {
            return Err(error.clone());
        }
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        // What was on its way is in sled by now.
        layers.1 = None;
        if layers.0.mark == Mark::default() {
            return Ok(());
        }
        let layer = Arc::new(std::mem::take(&mut layers.0));
        layers.1 = Some(Arc::clone(&layer));
        drop(layers);
        let sender = locked(&self.frozen);
        let sent = sender
            .as_ref()
            .is_some_and(|sender| sender.send(Frozen { layer, hides }).is_ok());
        if !sent {
            return Err(failure("the index is closed"));
        }
        state.busy = true;
        Ok(())
    }

    /// Hands everything to sled and returns when it has it.
    pub(crate) fn settle(&self, hides: bool) -> Result<(), sled::Error> {
        self.hand_over(hides)?;
        self.hand_over(hides)
    }

    /// The value of a key; an empty one: it was removed.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        let (newest, frozen) = &*layers;
        let newest = newest.writes.get(key);
        let found = newest.or_else(|| frozen.as_ref()?.writes.get(key));
        found.cloned()
    }

    /// The mark behind everything; none if all of it is in sled.
    pub(crate) fn mark(&self) -> Option<Mark> {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        let (newest, frozen) = &*layers;
        let frozen = frozen.as_ref().map(|layer| layer.mark);
        Some(newest.mark)
            .filter(|mark| *mark != Mark::default())
            .or(frozen)
    }

    /// The first entries of a range, ascending, removals included, up to `limit` that are none; newer
    /// layers first.
    pub(crate) fn ranges(&self, from: &[u8], to: &[u8], limit: usize) -> [Vec<Stored>; 2] {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        let (newest, frozen) = &*layers;
        let frozen = frozen.as_ref();
        [
            first_of(newest, from, to, limit),
            frozen.map_or_else(Vec::new, |layer| first_of(layer, from, to, limit)),
        ]
    }

    /// The last entry of a range, which may be a removal.
    pub(crate) fn last(&self, from: &[u8], to: &[u8]) -> Option<Stored> {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        let (newest, frozen) = &*layers;
        let newest = newest.between(from, to).next_back();
        let frozen = frozen
            .as_ref()
            .and_then(|layer| layer.between(from, to).next_back());
        let last = match (newest, frozen) {
            (Some(newest), Some(frozen)) if frozen.0 > newest.0 => Some(frozen),
            (newest, frozen) => newest.or(frozen),
        };
        last.map(|(key, value)| (key.clone(), value.clone()))
    }
}

/// Entries of a layer up to `limit` that are no removals. A removal hides what lies below, so that
/// entries behind it may be needed.
fn first_of(layer: &Layer, from: &[u8], to: &[u8], limit: usize) -> Vec<Stored> {
    let mut entries = Vec::new();
    let mut left = limit;
    for (key, value) in layer.between(from, to) {
        if left == 0 {
            break;
        }
        left -= usize::from(!value.is_empty());
        entries.push((key.clone(), value.clone()));
    }
    entries
}

impl Way {
    /// Waits until nothing is on its way.
    fn wait(&self) -> MutexGuard<'_, WayState> {
        let mut state = locked(&self.state);
        while state.busy {
            state = self
                .arrived
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    fn run(&self, sled: &sled::Db, coming: &Receiver<Frozen>) {
        while let Ok(Frozen { layer, hides }) = coming.recv() {
            let write = || write_to_sled(sled, &layer.writes, layer.mark, hides);
            // Whoever waits must learn of it if sled gives up in its own way.
            let written = catch_unwind(AssertUnwindSafe(write))
                .unwrap_or_else(|_| Err(failure("sled panicked")));
            drop(layer);
            let mut state = locked(&self.state);
            state.busy = false;
            state.failed = state.failed.take().or(written.err());
            drop(state);
            self.arrived.notify_all();
        }
    }
}

impl Drop for Recent {
    /// sled lets go of its files only when nobody has it open.
    fn drop(&mut self) {
        locked(&self.frozen).take();
        if let Some(thread) = locked(&self.thread).take() {
            // It ends with its channel; had it panicked, there is nothing left to do here.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(key: u8, value: &[u8]) -> Stored {
        (vec![key], value.to_vec())
    }

    fn mark(redo: u64) -> Mark {
        Mark { place: None, redo }
    }

    fn recent() -> (tempfile::TempDir, sled::Db, Recent) {
        let folder = tempfile::tempdir().unwrap();
        let sled = sled::open(folder.path()).unwrap();
        let recent = Recent::start(sled.clone(), RECENT_BYTES_MAX).unwrap();
        (folder, sled, recent)
    }

    #[test]
    fn what_is_written_again_counts_once() {
        let (_folder, _sled, recent) = recent();
        let half = vec![0; RECENT_BYTES_MAX / 2];
        for redo in 1..10 {
            assert!(!recent.add(vec![stored(1, &half)], mark(redo)));
        }
        assert!(recent.add(vec![stored(2, &half)], mark(10)));
        recent.settle(false).unwrap();
        assert!(!recent.add(vec![stored(2, &half)], mark(11)));
    }

    #[test]
    fn newer_layers_hide_older_ones() {
        let (_folder, _sled, recent) = recent();
        let older = vec![stored(1, b"a"), stored(2, b"b"), stored(5, b"e")];
        recent.add(older, mark(1));
        recent.hand_over(true).unwrap();
        let newer = vec![stored(2, b""), stored(3, b"c"), stored(4, b"d")];
        recent.add(newer, mark(2));
        assert_eq!(recent.get(&[1]), Some(b"a".to_vec()));
        assert_eq!(recent.get(&[2]), Some(Vec::new()));
        assert_eq!(recent.get(&[9]), None);
        assert_eq!(recent.last(&[0], &[9]), Some(stored(5, b"e")));
        assert_eq!(recent.last(&[0], &[3]), Some(stored(2, b"")));
        assert_eq!(recent.mark(), Some(mark(2)));
        let [newest, frozen] = recent.ranges(&[1], &[9], 1);
        assert_eq!(newest, [stored(2, b""), stored(3, b"c")]);
        assert_eq!(frozen, [stored(1, b"a")]);
    }

    #[test]
    fn what_is_settled_is_in_sled_with_its_mark() {
        let (_folder, sled, recent) = recent();
        recent.add(vec![stored(1, b"a"), stored(2, b"b")], mark(1));
        recent.settle(true).unwrap();
        recent.add(vec![stored(2, b"")], mark(2));
        recent.settle(true).unwrap();
        assert_eq!(recent.mark(), None);
        let values: Vec<Vec<u8>> = sled.iter().values().map(|v| v.unwrap().to_vec()).collect();
        // The mark comes first by its key, and of what was removed remains that it hides.
        assert_eq!(values[1..], [b"a".to_vec(), Vec::new()]);
        recent.add(vec![stored(2, b"")], mark(3));
        recent.settle(false).unwrap();
        assert_eq!(sled.len(), 2);
    }
}
