//! What a crash, a kill, a full disk, a failed sync and damage may do to a journal, and what not.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use crate::files::RealFiles;
use crate::folder::{FolderLock, LockError};
use crate::format::{RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES, segment_name};
use crate::simulated::{Fault, SimulatedFiles};
use crate::*;

const ID: [u8; 16] = *b"journal for test";

fn options(segment_bytes_max: u64) -> Options {
    Options {
        segment_bytes_max,
        ..Options::new(ID)
    }
}

fn open(files: &SimulatedFiles) -> (Journal, Recovery) {
    try_open(files).unwrap()
}

fn try_open(files: &SimulatedFiles) -> Result<(Journal, Recovery), OpenError> {
    Journal::open(Arc::new(files.clone()), options(2_000))
}

/// A body that can be recognised, with all byte values in it.
fn body(number: u64, length: usize) -> Vec<u8> {
    (0..length.max(1))
        .map(|index| (number as usize * 31 + index * 7 + 1) as u8)
        .collect()
}

fn bodies(journal: &Journal) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    journal
        .replay::<ReadError>(None, |place, body| {
            assert_eq!(
                journal.read(place).unwrap(),
                body,
                "a place leads to its record"
            );
            all.push(body.to_vec());
            Ok(())
        })
        .unwrap();
    all
}

fn write(journal: &Journal, numbers: std::ops::Range<u64>, length: usize) -> Vec<Place> {
    let places = numbers
        .map(|number| journal.append(&body(number, length)).unwrap())
        .collect();
    journal.sync().unwrap();
    places
}

fn expected(numbers: std::ops::Range<u64>, length: usize) -> Vec<Vec<u8>> {
    numbers.map(|number| body(number, length)).collect()
}

#[test]
fn what_was_synced_is_read_back_across_segments() {
    let files = SimulatedFiles::new(1);
    let (journal, recovery) = open(&files);
    assert_eq!(recovery, Recovery::default());
    for group in 0..10 {
        write(&journal, group * 3..group * 3 + 3, 150);
    }
    assert!(
        files.image().files().len() > 2,
        "the test needs several segments"
    );
    assert_eq!(bodies(&journal), expected(0..30, 150));
    drop(journal);
    let (journal, recovery) = open(&files);
    assert_eq!(recovery.last_sequence, 30);
    assert_eq!(bodies(&journal), expected(0..30, 150));
    let size: usize = files.image().files().values().map(Vec::len).sum();
    assert_eq!(journal.bytes(), size as u64);
}

#[test]
fn replay_begins_behind_a_place() {
    let files = SimulatedFiles::new(1);
    let (journal, _) = open(&files);
    let places: Vec<Place> = (0..30)
        .flat_map(|n| write(&journal, n..n + 1, 150))
        .collect();
    for (index, place) in places.iter().enumerate() {
        let mut seen = Vec::new();
        let show = |place: Place, _: &[u8]| -> Result<(), ReadError> {
            seen.push(place);
            Ok(())
        };
        journal.replay(Some(*place), show).unwrap();
        assert_eq!(seen, places[index + 1..]);
    }
}

#[test]
fn a_record_is_not_readable_before_its_sync() {
    let files = SimulatedFiles::new(1);
    let (journal, _) = open(&files);
    let place = journal.append(b"not yet").unwrap();
    assert!(journal.read(place).is_err());
    assert_eq!(bodies(&journal), Vec::<Vec<u8>>::new());
    journal.sync().unwrap();
    assert_eq!(journal.read(place).unwrap(), b"not yet");
}

#[test]
fn a_group_costs_one_sync() {
    let files = SimulatedFiles::new(1);
    let (journal, _) = open(&files);
    let before = files.syncs();
    write(&journal, 0..9, 100);
    assert_eq!(files.syncs(), before + 1);
    journal.sync().unwrap();
    assert_eq!(files.syncs(), before + 1, "an empty group needs no sync");
}

#[test]
fn a_discarded_group_leaves_nothing() {
    let files = SimulatedFiles::new(1);
    let (journal, _) = open(&files);
    write(&journal, 0..1, 100);
    journal.append(b"never").unwrap();
    journal.discard();
    journal.sync().unwrap();
    write(&journal, 1..2, 100);
    assert_eq!(bodies(&journal), expected(0..2, 100));
    drop(journal);
    assert_eq!(bodies(&open(&files).0), expected(0..2, 100));
}

#[test]
fn limits_are_held() {
    let files = SimulatedFiles::new(1);
    let (journal, _) = open(&files);
    assert_eq!(journal.append(&[]), Err(AppendError::Empty));
    let large = vec![1; RECORD_BYTES_MAX + 1];
    assert!(matches!(
        journal.append(&large),
        Err(AppendError::TooLarge { .. })
    ));
    let place = journal.append(&large[1..]).unwrap();
    journal.sync().unwrap();
    assert_eq!(journal.read(place).unwrap(), large[1..]);
    drop(journal);
    assert_eq!(bodies(&open(&files).0), [large[1..].to_vec()]);
}

/// Writes until the machine stops; returns what was acknowledged and what else was handed over.
fn work(files: &SimulatedFiles, sealed: bool) -> (u64, u64) {
    let Ok((journal, _)) = try_open(files) else {
        return (0, 0);
    };
    let (mut acknowledged, mut handed) = (0, 0);
    for group in [1, 3, 2, 7, 1, 4, 2] {
        for _ in 0..group {
            if journal.append(&body(handed, 190)).is_err() {
                return (acknowledged, handed);
            }
            handed += 1;
        }
        if journal.sync().is_err() {
            return (acknowledged, handed);
        }
        acknowledged = handed;
    }
    if sealed {
        let _ = journal.close();
    }
    (acknowledged, handed)
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_acknowledged() {
    let all = SimulatedFiles::new(0);
    assert_eq!(work(&all, true), (20, 20));
    let operations = all.operations();
    assert!(operations > 20, "the test needs operations to stop at");
    let mut counts = BTreeSet::new();
    for stop in 1..=operations {
        for seed in 0..40 {
            let files = SimulatedFiles::new(seed);
            files.stop_at(stop);
            let (acknowledged, handed) = work(&files, true);
            files.power_cut();
            let found = bodies(&open(&files).0);
            let count = found.len() as u64;
            assert!(
                count >= acknowledged,
                "stop {stop} seed {seed}: lost a record"
            );
            assert!(
                count <= handed,
                "stop {stop} seed {seed}: a record from nowhere"
            );
            assert_eq!(found, expected(0..count, 190), "stop {stop} seed {seed}");
            counts.insert(count - acknowledged);
            // What opening reported stays through another cut at once, and the journal goes on.
            files.power_cut();
            let (journal, _) = open(&files);
            assert_eq!(
                bodies(&journal),
                found,
                "stop {stop} seed {seed}: not durable when shown"
            );
            write(&journal, count..count + 2, 190);
            files.power_cut();
            assert_eq!(bodies(&open(&files).0), expected(0..count + 2, 190));
        }
    }
    assert!(
        counts.len() > 3,
        "the cuts must leave groups whole, in part and not at all: {counts:?}"
    );
}

#[test]
fn a_cut_while_opening_loses_nothing() {
    for seed in 0..60 {
        for stop in 1..6 {
            let files = SimulatedFiles::new(seed);
            files.stop_at(8);
            let (acknowledged, _) = work(&files, false);
            files.power_cut();
            files.stop_at(files.operations() + stop);
            let _ = try_open(&files);
            files.power_cut();
            assert!(bodies(&open(&files).0).len() as u64 >= acknowledged);
        }
    }
}

/// A sync that failed leaves pages that look written and are not. A process that opens the folder
/// again reads them from memory; if it took them for durable, the next power cut would take records
/// away that it had already shown, and leave a hole before later ones.
#[test]
fn what_a_failed_sync_left_in_memory_is_written_again_before_it_is_shown() {
    for seed in 0..100 {
        let files = SimulatedFiles::new(seed);
        let (journal, _) = open(&files);
        write(&journal, 0..2, 150);
        journal.append(&body(2, 900)).unwrap();
        files.fail_at(files.operations() + 2, Fault::Fails);
        let failure = journal.sync().unwrap_err();
        assert!(
            matches!(&failure, SyncError::Fatal(f) if f.step == "fdatasync"),
            "{failure}"
        );
        assert!(matches!(
            journal.append(b"more"),
            Err(AppendError::Fatal(_))
        ));
        assert_eq!(journal.sync(), Err(failure), "never tried again");
        drop(journal);
        let (journal, recovery) = open(&files);
        assert_eq!(recovery.last_sequence, 3, "the write itself went well");
        assert!(recovery.rewritten_bytes >= 900);
        write(&journal, 3..4, 100);
        files.power_cut();
        assert_eq!(bodies(&open(&files).0).len(), 4, "seed {seed}");
    }
}

#[test]
fn a_full_disk_takes_nothing_and_gives_it_back_later() {
    let files = SimulatedFiles::new(3);
    let (journal, _) = open(&files);
    write(&journal, 0..4, 150);
    let used = journal.bytes();
    files.set_capacity_bytes(Some(used + 300));
    for number in 4..7 {
        journal.append(&body(number, 150)).unwrap();
    }
    assert!(matches!(journal.sync(), Err(SyncError::Full(_))));
    let size: usize = files.image().files().values().map(Vec::len).sum();
    assert_eq!(size as u64, used, "nothing of the group remains");
    assert_eq!(bodies(&journal), expected(0..4, 150), "reading goes on");
    write(&journal, 4..5, 150);
    files.set_capacity_bytes(None);
    write(&journal, 5..7, 150);
    assert_eq!(bodies(&journal), expected(0..7, 150));
    drop(journal);
    files.power_cut();
    assert_eq!(bodies(&open(&files).0), expected(0..7, 150));
}

#[test]
fn a_full_disk_at_a_new_segment_takes_nothing() {
    for fault_after in 1..=2 {
        let files = SimulatedFiles::new(3);
        let (journal, _) = open(&files);
        write(&journal, 0..8, 190);
        files.fail_at(files.operations() + fault_after, Fault::NoSpace);
        assert!(matches!(
            journal.append(&body(8, 300)),
            Err(AppendError::Full(_))
        ));
        assert_eq!(bodies(&journal), expected(0..8, 190));
        // Opened again in between, too.
        let (journal, _) = if fault_after == 1 {
            (journal, Recovery::default())
        } else {
            drop(journal);
            open(&files)
        };
        // It would fit the old segment, whose end the new one may already have been told.
        assert_eq!(write(&journal, 8..9, 1)[0].segment, 2);
        assert_eq!(bodies(&journal).len(), 9);
        drop(journal);
        assert_eq!(bodies(&open(&files).0).len(), 9);
    }
}

#[test]
fn a_failed_sync_of_the_folder_is_fatal() {
    let files = SimulatedFiles::new(3);
    let (journal, _) = open(&files);
    write(&journal, 0..9, 190);
    files.fail_at(files.operations() + 4, Fault::Fails);
    let error = journal.append(&body(9, 190)).unwrap_err();
    assert!(
        matches!(&error, AppendError::Fatal(f) if f.object == "folder"),
        "{error}"
    );
    assert!(matches!(
        journal.append(b"more"),
        Err(AppendError::Fatal(_))
    ));
    drop(journal);
    assert_eq!(bodies(&open(&files).0), expected(0..9, 190));
}

#[test]
fn damage_in_the_last_group_is_cut_and_earlier_damage_is_named() {
    let files = SimulatedFiles::new(3);
    let (journal, _) = open(&files);
    let places: Vec<Place> = (0..5)
        .flat_map(|n| write(&journal, n..n + 1, 200))
        .collect();
    drop(journal);
    let whole = files.image();
    for (index, place) in places.iter().enumerate() {
        for at in [
            place.offset - 24,
            place.offset - 1,
            place.offset,
            place.offset + 199,
        ] {
            let mut image = whole.clone();
            image.files_mut().get_mut(&segment_name(1)).unwrap()[at as usize] ^= 0x40;
            files.restore(&image);
            if index == 4 {
                let (journal, recovery) = open(&files);
                assert_eq!(recovery.cut_bytes, 224);
                assert_eq!(bodies(&journal), expected(0..4, 200));
            } else {
                let error = try_open(&files).unwrap_err();
                assert!(
                    matches!(error, OpenError::Corrupt { .. }),
                    "record {index}: {error}"
                );
                assert_eq!(files.image(), image, "nothing is touched");
            }
        }
    }
}

#[test]
fn damage_in_the_last_group_of_a_closed_journal_is_named() {
    let files = SimulatedFiles::new(3);
    let (journal, _) = open(&files);
    let place = write(&journal, 0..3, 200)[2];
    journal.close().unwrap();
    journal.close().unwrap();
    drop(journal);
    let mut image = files.image();
    let (journal, recovery) = open(&files);
    assert!(recovery.sealed);
    assert_eq!(
        (bodies(&journal), recovery.last_sequence),
        (expected(0..3, 200), 4)
    );
    drop(journal);
    image.files_mut().get_mut(&segment_name(1)).unwrap()[place.offset as usize] ^= 1;
    files.restore(&image);
    assert!(matches!(try_open(&files), Err(OpenError::Corrupt { .. })));
}

#[test]
fn damage_in_an_earlier_segment_is_named() {
    let files = SimulatedFiles::new(3);
    let (journal, _) = open(&files);
    for group in 0..30 {
        write(&journal, group..group + 1, 190);
    }
    drop(journal);
    let whole = files.image();
    let first = segment_name(1);
    let mut image = whole.clone();
    image.files_mut().get_mut(&first).unwrap()[700] ^= 1;
    files.restore(&image);
    let (journal, _) = open(&files);
    let result = journal.replay::<ReadError>(None, |_, _| Ok(()));
    assert!(matches!(result, Err(ReadError::Corrupt { object, .. }) if object == first));

    let mut image = whole.clone();
    image.files_mut().get_mut(&first).unwrap().pop();
    files.restore(&image);
    assert!(matches!(try_open(&files), Err(OpenError::Corrupt { .. })));

    let mut image = whole.clone();
    image.files_mut().remove(&segment_name(2)).unwrap();
    files.restore(&image);
    assert!(
        matches!(try_open(&files), Err(OpenError::MissingSegment { name }) if name == segment_name(2))
    );

    let mut image = whole;
    let second = image.files_mut().get_mut(&segment_name(2)).unwrap();
    second[20] ^= 1;
    files.restore(&image);
    assert!(matches!(try_open(&files), Err(OpenError::Corrupt { .. })));
}

/// A group of which later sectors reached the disk and earlier ones did not was never acknowledged.
#[test]
fn a_group_with_a_hole_is_cut_as_a_whole() {
    let files = SimulatedFiles::new(3);
    let (journal, _) = open(&files);
    write(&journal, 0..1, 100);
    let places = write(&journal, 1..4, 300);
    drop(journal);
    let mut image = files.image();
    let bytes = image.files_mut().get_mut(&segment_name(1)).unwrap();
    let hole = places[0].offset as usize;
    bytes[hole..hole + 300].fill(0);
    files.restore(&image);
    let (journal, recovery) = open(&files);
    assert_eq!(recovery.cut_bytes, 3 * 324);
    assert_eq!(bodies(&journal), expected(0..1, 100));
    write(&journal, 5..6, 300);
    drop(journal);
    assert_eq!(
        bodies(&open(&files).0).len(),
        2,
        "the old records do not come back"
    );
}

/// Bytes from outside stored in a body that is torn must not pass for records behind it.
#[test]
fn a_record_inside_a_body_is_no_record() {
    let other = SimulatedFiles::new(3);
    let foreign = Options {
        new_id: *b"id of an outside",
        ..options(2_000_000)
    };
    let (journal, _) = Journal::open(Arc::new(other.clone()), foreign).unwrap();
    for number in 0..5 {
        write(&journal, number..number + 1, 40);
    }
    let inside = other.image().files()[&segment_name(1)][SEGMENT_HEADER_BYTES..].to_vec();
    let files = SimulatedFiles::new(3);
    let (journal, _) = open(&files);
    let place = journal.append(&inside).unwrap();
    journal.sync().unwrap();
    drop(journal);
    let mut image = files.image();
    image.files_mut().get_mut(&segment_name(1)).unwrap()[place.offset as usize - 1] ^= 1;
    files.restore(&image);
    assert_eq!(
        open(&files).1.cut_bytes,
        (inside.len() + RECORD_HEADER_BYTES) as u64
    );
}

#[test]
fn zeros_and_anything_else_after_the_end_are_cut() {
    for tail in [
        vec![0; 5],
        vec![0; 5_000],
        vec![0xff; 700],
        b"DONGBO-J".to_vec(),
    ] {
        let files = SimulatedFiles::new(3);
        let (journal, _) = open(&files);
        write(&journal, 0..3, 100);
        drop(journal);
        let mut image = files.image();
        image
            .files_mut()
            .get_mut(&segment_name(1))
            .unwrap()
            .extend(&tail);
        files.restore(&image);
        let (journal, recovery) = Journal::open_read_only(Arc::new(files.clone())).unwrap();
        assert_eq!(recovery.cut_bytes, tail.len() as u64);
        assert_eq!(bodies(&journal), expected(0..3, 100));
        assert_eq!(journal.append(b"x"), Err(AppendError::ReadOnly));
        assert_eq!(journal.sync(), Err(SyncError::ReadOnly));
        assert_eq!(files.image(), image, "reading changes nothing");
        assert_eq!(open(&files).1.cut_bytes, tail.len() as u64);
        assert_eq!(open(&files).1.cut_bytes, 0);
    }
}

#[test]
fn a_newer_format_is_refused_and_nothing_is_touched() {
    let files = SimulatedFiles::new(3);
    let (journal, _) = open(&files);
    for group in 0..30 {
        write(&journal, group..group + 1, 190);
    }
    drop(journal);
    let mut image = files.image();
    let last = image.files_mut().values_mut().last().unwrap();
    last[11] = 2;
    last.extend([9; 100]);
    files.restore(&image);
    let error = try_open(&files).unwrap_err();
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
    assert_eq!(files.image(), image);
}

#[test]
fn a_folder_copied_back_from_yesterday_opens_as_it_was() {
    let files = SimulatedFiles::new(3);
    let (journal, _) = open(&files);
    write(&journal, 0..4, 190);
    drop(journal);
    let yesterday = files.image();
    let (journal, _) = open(&files);
    write(&journal, 4..20, 190);
    drop(journal);
    files.restore(&yesterday);
    let (journal, recovery) = open(&files);
    assert_eq!(recovery.last_sequence, 4);
    assert_eq!(bodies(&journal), expected(0..4, 190));
}

#[derive(Debug, Default)]
struct Syncs(std::sync::Mutex<Vec<u64>>);

impl Observer for Syncs {
    fn synced(&self, durable: u64, _: std::time::Duration) {
        self.0.lock().unwrap().push(durable);
    }
}

#[test]
fn an_observer_is_told_of_every_sync_that_went_well() {
    let files = SimulatedFiles::new(3);
    let syncs = Arc::new(Syncs::default());
    let options = Options {
        observer: Some(syncs.clone()),
        ..options(2_000)
    };
    let (journal, _) = Journal::open(Arc::new(files.clone()), options).unwrap();
    write(&journal, 0..2, 10);
    write(&journal, 2..5, 10);
    journal.append(b"x").unwrap();
    files.fail_at(files.operations() + 2, Fault::Fails);
    assert!(journal.sync().is_err());
    assert_eq!(*syncs.0.lock().unwrap(), [2, 5]);
}

#[test]
fn a_real_folder_is_locked_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Arc::new(FolderLock::take(folder.path()).unwrap());
    assert!(matches!(
        FolderLock::take(folder.path()),
        Err(LockError::InUse { .. })
    ));
    let path = folder.path().join("journal");
    let files = RealFiles::owned(&path, Arc::clone(&lock)).unwrap();
    let (journal, _) = Journal::open(Arc::new(files), options(2_000)).unwrap();
    drop(lock);
    for group in 0..30 {
        write(&journal, group..group + 1, 190);
    }
    let (reader, _) = Journal::open_read_only(Arc::new(RealFiles::read_only(&path))).unwrap();
    assert_eq!(bodies(&reader), expected(0..30, 190));
    assert!(
        RealFiles::read_only(&path)
            .truncate(&segment_name(1), 0)
            .is_err()
    );
    assert!(
        RealFiles::read_only(&path)
            .write_at(&segment_name(1), 0, b"x")
            .is_err()
    );
    assert!(RealFiles::read_only(&path).create("x").is_err());
    assert!(
        FolderLock::take(folder.path()).is_err(),
        "the files hold the lock"
    );
    drop(journal);
    let lock = Arc::new(FolderLock::take(folder.path()).unwrap());
    let files = RealFiles::owned(&path, lock).unwrap();
    let (journal, _) = Journal::open(Arc::new(files), options(2_000)).unwrap();
    assert_eq!(bodies(&journal), expected(0..30, 190));
}

/// One step of a random life of a journal.
#[derive(Debug, Clone)]
enum Act {
    Append(usize),
    Sync,
    Close,
    Kill,
    PowerCut,
    FailSoon(u64, bool),
    Capacity(Option<u64>),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => (1usize..700).prop_map(Act::Append),
        4 => Just(Act::Sync),
        1 => Just(Act::Close),
        1 => Just(Act::Kill),
        2 => Just(Act::PowerCut),
        1 => (1u64..8, any::<bool>()).prop_map(|(after, full)| Act::FailSoon(after, full)),
        1 => proptest::option::of(0u64..3_000).prop_map(Act::Capacity),
    ];
    proptest::collection::vec(act, 1..60)
}

/// What must and what may be in the journal.
#[derive(Default)]
struct Model {
    durable: Vec<Vec<u8>>,
    group: Vec<Vec<u8>>,
    next: u64,
}

impl Model {
    /// Opens; what is found becomes what must be there.
    fn reopen(&mut self, files: &SimulatedFiles) -> Journal {
        files.kill();
        files.set_capacity_bytes(None);
        let (journal, _) = open(files);
        let found = bodies(&journal);
        assert_eq!(
            found[..self.durable.len()],
            self.durable[..],
            "a durable record is lost"
        );
        assert!(
            self.group.starts_with(&found[self.durable.len()..]),
            "records from nowhere"
        );
        self.durable = found;
        self.group.clear();
        journal
    }

    fn settle<T>(&mut self, result: Result<T, SyncError>) {
        match result {
            Ok(_) => self.durable.append(&mut self.group),
            Err(SyncError::Full(_)) => self.group.clear(),
            Err(SyncError::Fatal(_) | SyncError::ReadOnly) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    /// The invariant everything else stands on: whatever happens, what was acknowledged or shown is
    /// there, in order, with nothing between, and nothing appears that was not handed over.
    #[test]
    fn any_life_of_a_journal_keeps_what_it_acknowledged(seed: u64, acts in acts()) {
        let files = SimulatedFiles::new(seed);
        let mut model = Model::default();
        let mut journal = model.reopen(&files);
        for act in acts {
            match act {
                Act::Append(length) => {
                    let body = body(model.next, length);
                    match journal.append(&body) {
                        Ok(_) => {
                            model.group.push(body);
                            model.next += 1;
                        }
                        Err(AppendError::Full(_) | AppendError::Fatal(_)) => {}
                        Err(other) => prop_assert!(false, "{}", other),
                    }
                }
                Act::Sync => model.settle(journal.sync()),
                Act::Close => model.settle(journal.close()),
                Act::Kill => {
                    drop(journal);
                    journal = model.reopen(&files);
                }
                Act::PowerCut => {
                    drop(journal);
                    files.power_cut();
                    journal = model.reopen(&files);
                }
                Act::FailSoon(after, full) => {
                    let fault = if full { Fault::NoSpace } else { Fault::Fails };
                    files.fail_at(files.operations() + after, fault);
                }
                Act::Capacity(free) => {
                    let used: usize = files.image().files().values().map(Vec::len).sum();
                    files.set_capacity_bytes(free.map(|free| used as u64 + free));
                }
            }
        }
        drop(journal);
        model.reopen(&files);
    }

    /// Bytes of a folder are bytes from outside too: any of them open, or are refused by name.
    #[test]
    fn mutated_files_never_panic(seed: u64, flips in proptest::collection::vec((any::<u32>(), any::<u8>()), 1..6), cut in any::<Option<u16>>()) {
        let files = SimulatedFiles::new(seed);
        work(&files, seed.is_multiple_of(2));
        let mut image = files.image();
        let count = image.files().len();
        for (at, with) in flips {
            let bytes = image.files_mut().values_mut().nth(at as usize % count).unwrap();
            let index = (at as usize / count) % bytes.len();
            bytes[index] ^= with;
        }
        if let Some(cut) = cut {
            let bytes = image.files_mut().values_mut().last().unwrap();
            bytes.truncate(cut as usize);
        }
        files.restore(&image);
        if let Ok((journal, _)) = try_open(&files) {
            let _ = journal.replay::<ReadError>(None, |_, _| Ok(()));
        }
    }
}
