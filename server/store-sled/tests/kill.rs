//! A process that commits is killed again and again, at any moment: no answered commit is lost, the
//! store always opens, and no derived key has to be derived again.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test: what fails must stop it"
)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use store::{Commit, Condition, Store, Write};
use store_sled::{Options, Rebuilt, SledStore};

const FOLDER: &str = "DONGBO_KILL_FOLDER";
const FIRST: &str = "DONGBO_KILL_FIRST";
const ROUNDS: u64 = 30;
const THREADS: u64 = 4;

fn options() -> Options {
    // Small segments and little in memory, so that kills fall on the ends of both, too.
    Options {
        segment_bytes_max: 30_000,
        recent_bytes_max: 4_000,
        free_bytes_min: 0,
        ..Options::default()
    }
}

fn key(kind: u8, number: u64) -> Vec<u8> {
    [&[kind], number.to_be_bytes().as_slice()].concat()
}

/// Not a test by itself: the process that is killed. It says each number once its commit is answered.
#[test]
fn victim() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let store = SledStore::open(Path::new(&folder), options()).unwrap();
    if store.derived_lost() {
        derive_again(&store);
    }
    let next = AtomicU64::new(first);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    store.commit(commit(number)).unwrap();
                    let line = format!("answered {number}\n");
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

fn commit(number: u64) -> Commit {
    let length = (number % 13) as usize * 60;
    Commit {
        conditions: vec![Condition {
            key: key(3, number),
            expected: None,
        }],
        writes: vec![
            Write {
                key: key(3, number),
                value: Some(vec![number as u8; length]),
            },
            Write {
                key: key(0x84, number),
                value: Some(vec![1]),
            },
        ],
    }
}

fn derive_again(store: &SledStore) {
    let writes = numbers(store, 3).into_iter().map(|number| Write {
        key: key(0x84, number),
        value: Some(vec![1]),
    });
    store.put_derived(writes.collect()).unwrap();
    store.derived_rebuilt().unwrap();
}

fn numbers(store: &SledStore, kind: u8) -> BTreeSet<u64> {
    let entries = store.scan(&[kind], &[kind + 1], usize::MAX).unwrap();
    entries
        .iter()
        .map(|(key, _)| u64::from_be_bytes(key[1..].try_into().unwrap()))
        .collect()
}

fn start(folder: &Path, first: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim", "--nocapture"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets the victim answer `answers` commits, or live for some time if none, and kills it.
fn run_and_kill(folder: &Path, first: u64, answers: u64, life: Duration) -> BTreeSet<u64> {
    let mut child = start(folder, first);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut answered = BTreeSet::new();
    let mut note = |line: String| {
        if let Some(number) = line.strip_prefix("answered ") {
            // The last line may be cut.
            answered.extend(number.parse::<u64>().ok().filter(|number| *number >= first));
        }
        answered.len() as u64
    };
    if answers == 0 {
        // Some moment of the start, not a wait for anything.
        thread::sleep(life);
    } else {
        while let Some(Ok(line)) = lines.next() {
            if note(line) >= answers {
                break;
            }
        }
    }
    child.kill().unwrap();
    for line in lines.map_while(Result::ok) {
        note(line);
    }
    child.wait().unwrap();
    answered
}

#[test]
fn no_answered_commit_is_lost_to_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut answered = BTreeSet::new();
    let mut applied = 0;
    for round in 0..ROUNDS {
        let first = (round + 1) << 32;
        let answers = if round % 3 == 2 {
            0
        } else {
            1 + round * 17 % 400
        };
        let life = Duration::from_micros(round * 700);
        answered.extend(run_and_kill(folder.path(), first, answers, life));
        let store = SledStore::open(folder.path(), options()).unwrap();
        let truth = numbers(&store, 3);
        let lost: Vec<&u64> = answered.difference(&truth).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} are lost");
        let opening = *store.opening();
        applied += opening.applied_records;
        if store.derived_lost() {
            assert!(
                round == 0 || opening.rebuilt == Some(Rebuilt::Absent),
                "{opening:?}"
            );
            derive_again(&store);
        }
        assert_eq!(
            numbers(&store, 0x84),
            truth,
            "round {round}: derived keys are behind"
        );
        for number in truth.iter().rev().take(50) {
            let length = (number % 13) as usize * 60;
            assert_eq!(
                store.get(&key(3, *number)).unwrap().unwrap(),
                vec![*number as u8; length]
            );
        }
        if round % 2 == 0 {
            store.close().unwrap();
        }
    }
    assert!(
        answered.len() > 500,
        "the rounds must answer commits: {}",
        answered.len()
    );
    assert!(applied > 0, "some kill must come before sled has written");
}
