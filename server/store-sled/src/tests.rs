//! The contracts, and what the folder may look like when a store is opened.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use store::conformance::{self, Harness, Stop};
use store::{Condition, SharedStore};
use tempfile::TempDir;

use journal::folder::LockError;

use super::*;

fn options() -> Options {
    // Small, so that tests cross segments and layers, and build an index of several runs.
    Options {
        segment_bytes_max: 20_000,
        free_bytes_min: 0,
        gather_bytes_max: 4_000,
        recent_bytes_max: 500,
        ..Options::default()
    }
}

fn open(folder: &Path) -> SledStore {
    SledStore::open(folder, options()).unwrap()
}

fn put(key: &[u8], value: &[u8]) -> Write {
    Write {
        key: key.to_vec(),
        value: Some(value.to_vec()),
    }
}

fn commit(store: &SledStore, writes: Vec<Write>) {
    store
        .commit(Commit {
            conditions: Vec::new(),
            writes,
        })
        .unwrap();
}

fn everything(store: &SledStore) -> Vec<Entry> {
    store.scan(b"", &[0xff; 9], usize::MAX).unwrap()
}

fn truth(store: &SledStore) -> Vec<Entry> {
    store.scan(b"", &[DERIVED], usize::MAX).unwrap()
}

const DERIVED: u8 = store::DERIVED_FROM;

/// A store with short and long truth and derived keys, several segments of them.
fn filled(folder: &Path) -> Vec<Entry> {
    let store = open(folder);
    store.derived_rebuilt().unwrap();
    for number in 0..120u8 {
        let long = vec![number; number as usize * 5];
        commit(
            &store,
            vec![put(&[3, number], &long), put(&[0x84, number], &[number])],
        );
    }
    commit(
        &store,
        vec![
            Write {
                key: vec![3, 7],
                value: None,
            },
            put(&[4], b"again"),
        ],
    );
    let all = everything(&store);
    store.close().unwrap();
    assert!(fs::read_dir(folder.join(JOURNAL_FOLDER)).unwrap().count() > 1);
    all
}

fn truth_of(all: &[Entry]) -> Vec<Entry> {
    all.iter()
        .filter(|(key, _)| !is_derived(key))
        .cloned()
        .collect()
}

/// All files of a folder, with their bytes.
fn image(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.append(&mut image(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

/// Puts an image back into the same files, as a kill leaves them in the page cache.
fn put_back(folder: &Path, image: &BTreeMap<PathBuf, Vec<u8>>) {
    for path in self::image(folder).keys() {
        if !image.contains_key(path) {
            fs::remove_file(path).unwrap();
        }
    }
    for (path, bytes) in image {
        let file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .unwrap();
        file.set_len(bytes.len() as u64).unwrap();
        file.write_all_at(bytes, 0).unwrap();
    }
}

/// A store in a folder whose machine is killed and loses power on demand.
struct InFolder {
    folder: TempDir,
    boot: AtomicU64,
    recent_bytes_max: usize,
}

impl InFolder {
    fn fresh(recent_bytes_max: usize) -> Box<dyn Harness> {
        Box::new(Self {
            folder: tempfile::tempdir().unwrap(),
            boot: AtomicU64::new(0),
            recent_bytes_max,
        })
    }
}

impl Harness for InFolder {
    fn open(&mut self) -> Box<dyn Store> {
        let boot_id = Some(self.boot.load(Ordering::SeqCst).to_string());
        let options = Options {
            boot_id,
            recent_bytes_max: self.recent_bytes_max,
            ..options()
        };
        Box::new(SledStore::open(self.folder.path(), options).unwrap())
    }

    fn stop(&mut self, store: Box<dyn Store>, how: Stop) {
        let folder = self.folder.path();
        match how {
            Stop::Closed => store.close().unwrap(),
            Stop::Killed | Stop::PowerCut => {
                let left = image(folder);
                drop(store);
                put_back(folder, &left);
            }
        }
        if how == Stop::PowerCut {
            self.boot.fetch_add(1, Ordering::SeqCst);
            // Nothing of sled was synced: half of it may be anything.
            let sled = folder.join(INDEX_FOLDER).join("sled/db");
            let length = fs::metadata(&sled).unwrap().len();
            let file = fs::OpenOptions::new().write(true).open(&sled).unwrap();
            file.write_all_at(&vec![0; length as usize / 2], length / 4)
                .unwrap();
        }
    }
}

#[test]
fn the_contracts_hold() {
    // Every commit is brought to sled at once; some are; none is before closing.
    for recent_bytes_max in [0, 500, 1 << 20] {
        conformance::all(|| InFolder::fresh(recent_bytes_max));
    }
}

#[test]
fn a_closed_store_opens_without_building() {
    let folder = tempfile::tempdir().unwrap();
    let all = filled(folder.path());
    let store = open(folder.path());
    assert_eq!(
        (store.opening().rebuilt, store.opening().applied_records),
        (None, 0)
    );
    assert!(store.opening().journal.sealed);
    assert_eq!(everything(&store), all);
}

#[test]
fn without_its_index_the_store_has_the_same_truth() {
    let folder = tempfile::tempdir().unwrap();
    let all = filled(folder.path());
    fs::remove_dir_all(folder.path().join(INDEX_FOLDER)).unwrap();
    let store = open(folder.path());
    assert_eq!(store.opening().rebuilt, Some(Rebuilt::Absent));
    assert!(store.derived_lost());
    assert_eq!(everything(&store), truth_of(&all));
}

/// After a kill the records that sled had not written are applied from the journal and their derived
/// keys from the redo file, so that nothing has to be derived again.
#[test]
fn a_kill_loses_no_derived_key() {
    let folder = tempfile::tempdir().unwrap();
    let all = filled(folder.path());
    let store = open(folder.path());
    let before = image(&folder.path().join(INDEX_FOLDER).join("sled"));
    for number in 0..40u8 {
        commit(
            &store,
            vec![put(&[5, number], &[1; 300]), put(&[0x85, number], b"d")],
        );
        commit(&store, vec![put(&[0x86, number], b"alone")]);
    }
    let mut left = image(folder.path());
    drop(store);
    // What sled had in memory only is gone in any case.
    left.retain(|path, _| !path.starts_with(folder.path().join(INDEX_FOLDER).join("sled")));
    left.extend(before);
    put_back(folder.path(), &left);
    let store = open(folder.path());
    assert_eq!(
        (store.opening().rebuilt, store.opening().applied_records),
        (None, 40)
    );
    assert!(!store.derived_lost());
    assert_eq!(everything(&store).len(), all.len() + 120);
    assert_eq!(store.get(&[0x86, 39]).unwrap(), Some(b"alone".to_vec()));
}

#[test]
fn a_missing_redo_file_costs_the_derived_keys_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let all = filled(folder.path());
    let store = open(folder.path());
    let sled = folder.path().join(INDEX_FOLDER).join("sled");
    let before = image(&sled);
    commit(&store, vec![put(&[5], b"1"), put(&[0x85], b"d")]);
    let mut left = image(folder.path());
    drop(store);
    left.retain(|path, _| !path.starts_with(&sled) && !path.ends_with("redo"));
    left.extend(before);
    put_back(folder.path(), &left);
    let store = open(folder.path());
    assert_eq!(store.opening().rebuilt, Some(Rebuilt::Incomplete));
    assert!(store.derived_lost());
    assert_eq!(everything(&store).len(), truth_of(&all).len() + 1);
}

#[test]
fn another_boot_without_closing_builds_the_index_again() {
    for boot_id in [Some("another".to_owned()), None] {
        let folder = tempfile::tempdir().unwrap();
        let all = filled(folder.path());
        drop(open(folder.path()));
        let options = Options {
            boot_id,
            ..options()
        };
        let store = SledStore::open(folder.path(), options).unwrap();
        assert_eq!(store.opening().rebuilt, Some(Rebuilt::Boot));
        assert_eq!(everything(&store), truth_of(&all));
    }
}

/// A copy of the folder made while the store was open has files of different moments.
#[test]
fn a_copy_of_an_open_store_builds_its_index() {
    let folder = tempfile::tempdir().unwrap();
    let all = filled(folder.path());
    let store = open(folder.path());
    let other = tempfile::tempdir().unwrap();
    for (path, bytes) in image(folder.path()) {
        let to = other.path().join(path.strip_prefix(folder.path()).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
    drop(store);
    let store = open(other.path());
    assert_eq!(store.opening().rebuilt, Some(Rebuilt::Copied));
    assert_eq!(truth(&store), truth_of(&all));
}

#[test]
fn an_older_journal_under_a_newer_index_counts() {
    let folder = tempfile::tempdir().unwrap();
    let all = filled(folder.path());
    let journal = folder.path().join(JOURNAL_FOLDER);
    let yesterday = image(&journal);
    let store = open(folder.path());
    commit(&store, vec![put(&[9], b"today")]);
    store.close().unwrap();
    drop(store);
    put_back(&journal, &yesterday);
    let store = open(folder.path());
    assert_eq!(store.opening().rebuilt, Some(Rebuilt::Ahead));
    assert_eq!(everything(&store), truth_of(&all));
}

#[test]
fn an_older_folder_opens_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let all = filled(folder.path());
    let yesterday = image(folder.path());
    let store = open(folder.path());
    commit(&store, vec![put(&[9], b"today")]);
    store.close().unwrap();
    drop(store);
    put_back(folder.path(), &yesterday);
    let store = open(folder.path());
    assert_eq!(store.opening().rebuilt, None);
    assert_eq!(everything(&store), all);
}

#[test]
fn the_index_of_another_store_is_not_taken() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let all = filled(one.path());
    filled(two.path());
    let index = one.path().join(INDEX_FOLDER);
    fs::remove_dir_all(&index).unwrap();
    fs::rename(two.path().join(INDEX_FOLDER), &index).unwrap();
    let store = open(one.path());
    assert_eq!(store.opening().rebuilt, Some(Rebuilt::Foreign));
    assert_eq!(everything(&store), truth_of(&all));
}

#[test]
fn a_damaged_index_is_built_again() {
    for name in ["conf", "db"] {
        let folder = tempfile::tempdir().unwrap();
        let all = filled(folder.path());
        let path = folder.path().join(INDEX_FOLDER).join("sled").join(name);
        let length = fs::metadata(&path).unwrap().len() as usize;
        fs::write(&path, vec![0x55; length]).unwrap();
        let store = open(folder.path());
        assert_eq!(truth(&store), truth_of(&all), "{name}");
    }
}

/// A store whose index was built from its journal has most of it in runs, and later writes above them.
fn filled_and_built(folder: &Path) -> Vec<Entry> {
    let all = filled(folder);
    fs::remove_dir_all(folder.join(INDEX_FOLDER)).unwrap();
    let store = open(folder);
    store.clear_derived().unwrap();
    let derived: Vec<Write> = all
        .iter()
        .filter(|(key, _)| is_derived(key))
        .map(|(key, value)| put(key, value))
        .collect();
    store.put_derived(derived).unwrap();
    store.derived_rebuilt().unwrap();
    assert_eq!(everything(&store), all);
    let writes = vec![
        Write {
            key: vec![3, 119],
            value: None,
        },
        put(&[3, 8], b"other"),
        put(&[3, 200], b"more"),
    ];
    commit(&store, writes);
    let all = everything(&store);
    assert_eq!(
        store.last(&[3], &[3, 200]).unwrap().unwrap().0,
        [3, 118],
        "what was removed is passed over"
    );
    store.close().unwrap();
    for run in ["truth", "derived"] {
        assert!(folder.join(INDEX_FOLDER).join(run).is_file());
    }
    assert!(!folder.join(INDEX_FOLDER).join("gathering").exists());
    all
}

#[test]
fn a_built_index_is_kept_and_what_comes_later_counts() {
    let folder = tempfile::tempdir().unwrap();
    let all = filled_and_built(folder.path());
    let store = open(folder.path());
    assert_eq!(store.opening().rebuilt, None);
    assert!(!store.derived_lost());
    assert_eq!(everything(&store), all);
}

/// Without the run that sled stands on, sled alone would have a part of the truth and not know it.
#[test]
fn a_run_that_is_missing_damaged_or_anothers_costs_the_index() {
    let other = tempfile::tempdir().unwrap();
    filled_and_built(other.path());
    for run in ["truth", "derived"] {
        for harm in ["missing", "damaged", "another's"] {
            let folder = tempfile::tempdir().unwrap();
            let all = filled_and_built(folder.path());
            let path = folder.path().join(INDEX_FOLDER).join(run);
            match harm {
                "missing" => fs::remove_file(&path).unwrap(),
                "damaged" => {
                    let mut bytes = fs::read(&path).unwrap();
                    let at = bytes.len() - 30;
                    bytes[at] ^= 1;
                    fs::write(&path, bytes).unwrap();
                }
                _ => {
                    let names = ["truth", "derived"];
                    let wrong = names.into_iter().find(|name| *name != run).unwrap();
                    fs::copy(other.path().join(INDEX_FOLDER).join(wrong), &path).unwrap();
                }
            }
            let store = open(folder.path());
            assert_eq!(
                store.opening().rebuilt,
                Some(Rebuilt::Damaged),
                "{run} {harm}"
            );
            assert_eq!(everything(&store), truth_of(&all), "{run} {harm}");
        }
    }
}

/// A flipped byte inside a run is found by the first read of its block. From then on nothing is promised
/// (a server ends over the commit that is refused), and the next opening builds the index again. Without
/// the note in the state file, the index would be opened as it was closed and fail again at that block.
#[test]
fn damage_inside_a_run_is_noticed_and_the_index_built_again() {
    for run in ["truth", "derived"] {
        let folder = tempfile::tempdir().unwrap();
        let all = filled_and_built(folder.path());
        let path = folder.path().join(INDEX_FOLDER).join(run);
        let mut bytes = fs::read(&path).unwrap();
        bytes[100] ^= 1;
        fs::write(&path, bytes).unwrap();

        let store = open(folder.path());
        assert_eq!(store.opening().rebuilt, None, "{run}: the ends are whole");
        let unread = store.scan(b"", &[0xff; 9], usize::MAX).unwrap_err();
        assert!(unread.object.ends_with(run), "{unread}");
        let refused = store.commit(Commit {
            conditions: Vec::new(),
            writes: vec![put(&[3, 201], b"later")],
        });
        assert!(matches!(refused, Err(CommitError::Fatal { .. })), "{run}");
        assert!(store.close().is_err());
        drop(store);

        let store = open(folder.path());
        assert_eq!(store.opening().rebuilt, Some(Rebuilt::Damaged), "{run}");
        assert_eq!(everything(&store), truth_of(&all), "{run}");
        commit(&store, vec![put(&[3, 201], b"later")]);
    }
}

#[test]
fn unfinished_snapshots_of_sled_are_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let all = filled(folder.path());
    let sled = folder.path().join(INDEX_FOLDER).join("sled");
    for name in [
        "snap.0000000000000000.generating",
        "snap.00000000000FFFFF.generating",
    ] {
        fs::write(sled.join(name), b"half a snapshot").unwrap();
    }
    let store = open(folder.path());
    assert_eq!(store.opening().rebuilt, None);
    assert_eq!(everything(&store), all);
}

#[test]
fn a_second_opener_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let error = SledStore::open(folder.path(), options()).unwrap_err();
    assert!(
        matches!(error, OpenError::Lock(LockError::InUse { .. })),
        "{error}"
    );
    store.close().unwrap();
    // Closed, not dropped: the folder is free.
    open(folder.path());
}

#[test]
fn a_newer_format_is_refused_and_nothing_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    fs::write(folder.path().join("format"), "dongbo store 2\nwith more\n").unwrap();
    fs::remove_file(folder.path().join("lock")).unwrap();
    let before = image(folder.path());
    let error = SledStore::open(folder.path(), options()).unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::Newer {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(image(folder.path()), before);
}

#[test]
fn a_folder_that_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    for text in [None, Some("something else"), Some("dongbo store 0\n")] {
        match text {
            None => fs::remove_file(folder.path().join("format")).unwrap(),
            Some(text) => fs::write(folder.path().join("format"), text).unwrap(),
        }
        let error = SledStore::open(folder.path(), options()).unwrap_err();
        assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    }
}

#[test]
fn too_little_room_is_full_and_reading_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let all = filled(folder.path());
    let options = Options {
        free_bytes_min: u64::MAX,
        ..options()
    };
    let store = SledStore::open(folder.path(), options).unwrap();
    let writes = vec![put(&[9], b"no room")];
    let result = store.commit(Commit {
        conditions: Vec::new(),
        writes,
    });
    assert!(
        matches!(result, Err(CommitError::Full { .. })),
        "{result:?}"
    );
    store.commit(Commit::default()).unwrap();
    assert_eq!(everything(&store), all);
}

#[test]
fn a_damaged_value_in_the_journal_is_an_error_and_no_value() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    commit(&store, vec![put(&[3], &[7; 5_000])]);
    let segment = folder
        .path()
        .join(JOURNAL_FOLDER)
        .join("0000000001.journal");
    let file = fs::OpenOptions::new().write(true).open(segment).unwrap();
    file.write_all_at(b"damage", 2_000).unwrap();
    assert!(store.get(&[3]).is_err());
    let condition = Condition {
        key: vec![3],
        expected: Some(vec![7; 5_000]),
    };
    let result = store.commit(Commit {
        conditions: vec![condition],
        writes: Vec::new(),
    });
    assert!(matches!(result, Err(CommitError::Fatal { .. })));
}

/// A commit's answer may not leave before the sync of its record.
#[test]
fn every_answer_comes_after_a_sync() {
    #[derive(Debug, Default)]
    struct Syncs(AtomicU64);
    impl Observer for Syncs {
        fn synced(&self, durable: u64, _: std::time::Duration) {
            self.0.store(durable, Ordering::SeqCst);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let syncs = Arc::new(Syncs::default());
    let observer: Arc<dyn Observer> = syncs.clone();
    let options = Options {
        observer: Some(observer),
        ..options()
    };
    let store: SharedStore = Arc::new(SledStore::open(folder.path(), options).unwrap());
    let answered = Arc::new(AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..8u8 {
            let (store, syncs, answered) = (store.clone(), syncs.clone(), answered.clone());
            scope.spawn(move || {
                for number in 0..30u8 {
                    let writes = vec![put(&[3, thread, number], b"x")];
                    store
                        .commit(Commit {
                            conditions: Vec::new(),
                            writes,
                        })
                        .unwrap();
                    let answers = answered.fetch_add(1, Ordering::SeqCst) + 1;
                    assert!(
                        syncs.0.load(Ordering::SeqCst) >= answers,
                        "answered before the sync"
                    );
                }
            });
        }
    });
    assert_eq!(answered.load(Ordering::SeqCst), 240);
}
