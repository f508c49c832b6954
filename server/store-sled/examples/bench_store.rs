//! Measures the embedded store: one JSON object per line, a key per figure, units in the keys.
//!
//! `bench_store [FOLDER [MEGABYTES [large]]]`: works in FOLDER, which must not exist and is removed at the
//! end, or in a temporary one; the journal it opens has MEGABYTES (256 if left out). `large` measures
//! that journal alone, in a process whose memory nothing else has used.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use journal::Journal;
use journal::files::RealFiles;
use journal::folder::FolderLock;
use store::{Commit, Condition, Store, Write, record};
use store_sled::{INDEX_FOLDER, JOURNAL_FOLDER, Options, SledStore};

type Failable<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 2_000;
/// Records whose derived keys are put together: some ten megabytes.
const RECORDS_PER_PUT: usize = 50_000;
const THREADS: u64 = 64;
const THREADED: Duration = Duration::from_secs(6);

fn main() -> Failable<()> {
    let mut arguments = std::env::args().skip(1);
    let temporary = tempfile::tempdir()?;
    let folder = arguments
        .next()
        .map_or_else(|| temporary.path().join("store"), PathBuf::from);
    let megabytes: u64 = arguments.next().as_deref().unwrap_or("256").parse()?;
    let large_alone = arguments.next().is_some_and(|which| which == "large");
    fs::create_dir(&folder)?;
    let result = if large_alone {
        large_journal(&folder.join("large"), megabytes)
    } else {
        measure(&folder, megabytes)
    };
    fs::remove_dir_all(&folder)?;
    result
}

fn measure(folder: &Path, megabytes: u64) -> Failable<()> {
    raw_sync(&folder.join("raw"))?;
    one_client(&folder.join("one"))?;
    many_clients(&folder.join("many"))?;
    derived(&folder.join("derived"))?;
    large_journal(&folder.join("large"), megabytes)
}

fn say(name: &str, figures: &[(&str, f64)]) -> io::Result<()> {
    let figures: Vec<String> = figures
        .iter()
        .map(|(key, value)| format!("\"store_{name}_{key}\":{value:.3}"))
        .collect();
    writeln!(io::stdout().lock(), "{{{}}}", figures.join(","))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Median and 99th percentile in milliseconds.
fn percentiles(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    let at = |part: usize| {
        times
            .get(times.len() * part / 100)
            .copied()
            .unwrap_or_default()
    };
    (milliseconds(at(50)), milliseconds(at(99)))
}

fn resident_megabytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    let kilobytes: f64 = line
        .split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or(0.0);
    kilobytes / 1_024.0
}

/// What the disk costs at least: a write of one small record and its sync.
fn raw_sync(path: &Path) -> Failable<()> {
    let file = File::create(path)?;
    let mut times = Vec::new();
    for round in 0..ROUNDS as u64 {
        let start = Instant::now();
        file.write_all_at(&[7; 700], round * 700)?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    let (p50, p99) = percentiles(times);
    say(
        "raw_write_and_fdatasync",
        &[("p50_ms", p50), ("p99_ms", p99)],
    )?;
    Ok(())
}

fn key(kind: u8, number: u64) -> Vec<u8> {
    [&[kind], number.to_be_bytes().as_slice()].concat()
}

/// 33 bytes that look random and are the same every time.
fn scattered(kind: u8, number: u64) -> Vec<u8> {
    let mut bytes = vec![kind];
    let mut state = number;
    for _ in 0..4 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&mixed.to_be_bytes());
    }
    bytes
}

fn put(key: Vec<u8>, value: &[u8]) -> Write {
    Write {
        key,
        value: Some(value.to_vec()),
    }
}

/// A commit like that of one accepted batch: a log entry, and four derived keys.
fn batch(number: u64) -> Commit {
    let entry = vec![number as u8; 700];
    Commit {
        conditions: vec![Condition {
            key: key(3, number),
            expected: None,
        }],
        writes: vec![
            put(key(3, number), &entry),
            put(scattered(0x80, number), &number.to_be_bytes()),
            put(key(0x84, number), b""),
            put(key(0x81, number % 500), &[1; 40]),
            put(key(0x83, number % 100), &[2; 40]),
        ],
    }
}

fn one_client(folder: &Path) -> Failable<()> {
    let store = SledStore::open(folder, Options::default())?;
    let mut times = Vec::new();
    for number in 0..ROUNDS as u64 {
        let start = Instant::now();
        store.commit(batch(number))?;
        times.push(start.elapsed());
    }
    let (p50, p99) = percentiles(times);
    say("commit_by_1_client", &[("p50_ms", p50), ("p99_ms", p99)])?;
    store.close()?;
    Ok(())
}

fn many_clients(folder: &Path) -> Failable<()> {
    let store = SledStore::open(folder, Options::default())?;
    let next = AtomicU64::new(0);
    let start = Instant::now();
    let times = thread::scope(|scope| {
        let client = || {
            let mut times = Vec::new();
            while start.elapsed() < THREADED {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let began = Instant::now();
                if store.commit(batch(number)).is_err() {
                    break;
                }
                times.push(began.elapsed());
            }
            times
        };
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(client)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_default())
            .collect::<Vec<_>>()
    });
    let seconds = start.elapsed().as_secs_f64();
    let per_second = times.len() as f64 / seconds;
    let (p50, p99) = percentiles(times);
    let figures = [
        ("commits_per_second", per_second),
        ("p50_ms", p50),
        ("p99_ms", p99),
        ("resident_megabytes", resident_megabytes()),
    ];
    say("commit_by_64_clients", &figures)?;
    store.close()?;
    Ok(())
}

/// Writing scattered derived keys, as a rebuild does.
fn derived(folder: &Path) -> Failable<()> {
    const KEYS: u64 = 400_000;
    let store = SledStore::open(folder, Options::default())?;
    let start = Instant::now();
    for from in (0..KEYS).step_by(2_000) {
        store.put_derived(
            (from..from + 2_000)
                .map(|n| put(scattered(0x80, n), &[1; 8]))
                .collect(),
        )?;
    }
    store.derived_rebuilt()?;
    let seconds = start.elapsed().as_secs_f64();
    say(
        "put_derived",
        &[("scattered_keys_per_second", KEYS as f64 / seconds)],
    )?;
    let start = Instant::now();
    store.clear_derived()?;
    let seconds = start.elapsed().as_secs_f64();
    say(
        "clear_derived",
        &[("keys_per_second", KEYS as f64 / seconds)],
    )?;
    store.close()?;
    Ok(())
}

/// Writes a journal of many log entries without an index.
fn write_journal(folder: &Path, megabytes: u64) -> Failable<u64> {
    SledStore::open(folder, Options::default())?.close()?;
    fs::remove_dir_all(folder.join(INDEX_FOLDER))?;
    let lock = Arc::new(FolderLock::take(folder)?);
    let files = RealFiles::owned(&folder.join(JOURNAL_FOLDER), lock)?;
    let (journal, _) = Journal::open(Arc::new(files), journal::Options::new([7; 16]))?;
    let mut number = 0;
    while journal.bytes() < megabytes << 20 {
        for _ in 0..1_000 {
            let write = put(key(3, number), &vec![number as u8; 700]);
            journal.append(&record::encode(&[&write]).bytes)?;
            number += 1;
        }
        journal.sync()?;
    }
    journal.close()?;
    Ok(number)
}

fn large_journal(folder: &Path, megabytes: u64) -> Failable<()> {
    let records = write_journal(folder, megabytes)?;
    say(
        "before_opening",
        &[("resident_megabytes", resident_megabytes())],
    )?;
    let open = |name: &str| -> Failable<SledStore> {
        let start = Instant::now();
        let store = SledStore::open(folder, Options::default())?;
        let figures = [
            ("seconds", start.elapsed().as_secs_f64()),
            ("journal_megabytes", megabytes as f64),
            ("records", records as f64),
            ("resident_megabytes", resident_megabytes()),
            ("index_megabytes", store.usage()?.derived_bytes as f64 / 1e6),
        ];
        say(name, &figures)?;
        Ok(store)
    };
    let store = open("open_without_index")?;
    let start = Instant::now();
    for from in (0..records).step_by(RECORDS_PER_PUT) {
        let writes = (from..(from + RECORDS_PER_PUT as u64).min(records)).flat_map(|n| {
            [
                put(scattered(0x80, n), &n.to_be_bytes()),
                put(key(0x84, n), b""),
            ]
        });
        store.put_derived(writes.collect())?;
    }
    store.derived_rebuilt()?;
    let seconds = start.elapsed().as_secs_f64();
    let figures = [
        ("seconds", seconds),
        ("resident_megabytes", resident_megabytes()),
    ];
    say("put_two_derived_keys_per_record", &figures)?;
    store.close()?;
    drop(store);
    let store = open("open_after_close")?;
    for number in records..records + 2_000 {
        store.commit(batch(number))?;
    }
    drop(store);
    let store = open("open_after_drop_without_close")?;
    let start = Instant::now();
    let entries = store.scan(&key(3, 0), &key(3, 10_000), 10_000)?.len() as f64;
    let figures = [(
        "entries_per_second",
        entries / start.elapsed().as_secs_f64(),
    )];
    say("scan_of_log_entries", &figures)?;
    store.close()?;
    Ok(())
}
