//! The contracts of [`Store`] as assertions that every backend runs. Each function holds one of them.

#![expect(
    clippy::expect_used,
    reason = "assertions for tests: a broken contract must stop the test that calls them"
)]

mod crash;
mod random;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::{COMMIT_BYTES_MAX, Commit, CommitError, Condition, Store, WRITE_OVERHEAD_BYTES, Write};

pub use crash::*;
pub use random::any_sequence_equals_the_model;

/// How a store came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// By [`Store::close`].
    Closed,
    /// The process was killed; the machine lived on.
    Killed,
    /// The machine lost power.
    PowerCut,
}

impl Stop {
    /// All ways.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Killed, Self::PowerCut];
}

/// What a backend brings: one place to keep things, opened and stopped any number of times.
pub trait Harness {
    /// Opens the store; the first time it is empty.
    fn open(&mut self) -> Box<dyn Store>;
    /// Ends the store in a way, as it happens to the backend.
    fn stop(&mut self, store: Box<dyn Store>, how: Stop);
}

/// Runs every assertion, each on a fresh place.
pub fn all(fresh: impl Fn() -> Box<dyn Harness>) {
    let assertions: &[fn(&mut dyn Harness)] = &[
        a_new_store_is_empty,
        a_commit_is_visible_when_it_returns,
        writes_of_a_commit_happen_in_order,
        an_empty_value_is_not_an_absent_one,
        a_scan_is_ordered_bounded_and_limited,
        the_last_entry_of_a_range_is_found,
        any_bytes_may_be_keys_and_values,
        a_conflict_names_the_key_and_leaves_nothing,
        conditions_compare_whole_values,
        an_empty_commit_is_accepted,
        a_commit_over_the_limit_leaves_nothing,
        two_commits_on_one_condition_have_one_winner,
        increments_of_many_threads_are_all_counted,
        readers_see_only_committed_values,
        derived_keys_can_be_cleared_and_put_again,
        truth_cannot_be_put_as_derived,
        a_closed_store_refuses_commits,
        usage_grows_with_what_is_kept,
        truth_outlives_every_stop,
        removals_outlive_every_stop,
        a_conflict_leaves_nothing_after_any_stop,
        derived_keys_are_kept_or_lost_together,
        closing_keeps_derived_keys,
        an_interrupted_rebuild_is_no_rebuild,
        any_sequence_equals_the_model,
    ];
    for assertion in assertions {
        assertion(fresh().as_mut());
    }
}

fn put(key: &[u8], value: &[u8]) -> Write {
    Write {
        key: key.to_vec(),
        value: Some(value.to_vec()),
    }
}

fn remove(key: &[u8]) -> Write {
    Write {
        key: key.to_vec(),
        value: None,
    }
}

fn expect(key: &[u8], expected: Option<&[u8]>) -> Condition {
    Condition {
        key: key.to_vec(),
        expected: expected.map(<[u8]>::to_vec),
    }
}

fn write(store: &dyn Store, writes: Vec<Write>) {
    store
        .commit(Commit {
            conditions: Vec::new(),
            writes,
        })
        .expect("a commit without conditions");
}

fn get(store: &dyn Store, key: &[u8]) -> Option<Vec<u8>> {
    store.get(key).expect("a read")
}

fn keys(store: &dyn Store, from: &[u8], to: &[u8], limit: usize) -> Vec<Vec<u8>> {
    store
        .scan(from, to, limit)
        .expect("a scan")
        .into_iter()
        .map(|(key, _)| key)
        .collect()
}

/// A store that was never written to holds nothing, and nothing was derived for it.
pub fn a_new_store_is_empty(harness: &mut dyn Harness) {
    let store = harness.open();
    assert!(
        store.derived_lost(),
        "a new store has no derived keys to rely on"
    );
    assert_eq!(get(store.as_ref(), b"\x01"), None);
    assert_eq!(store.scan(b"", b"\xff\xff", 10).expect("a scan"), []);
    assert_eq!(store.last(b"", b"\xff\xff").expect("a read"), None);
    harness.stop(store, Stop::Closed);
}

/// `get`: sees every commit that returned `Ok` before the call began, from any thread.
pub fn a_commit_is_visible_when_it_returns(harness: &mut dyn Harness) {
    let store = harness.open();
    thread::scope(|scope| {
        for thread in 0..4u8 {
            let store = store.as_ref();
            scope.spawn(move || {
                for number in 0..20u8 {
                    let (truth, derived) = ([1, thread, number], [0x81, thread, number]);
                    let long = vec![number; 700];
                    write(store, vec![put(&truth, &long), put(&derived, &[number])]);
                    assert_eq!(get(store, &truth), Some(long));
                    assert_eq!(get(store, &derived), Some(vec![number]));
                }
            });
        }
    });
    harness.stop(store, Stop::Closed);
}

/// `commit`: all writes happen, in order.
pub fn writes_of_a_commit_happen_in_order(harness: &mut dyn Harness) {
    let store = harness.open();
    for kind in [1, 0x90] {
        let key = [kind, 1];
        write(
            store.as_ref(),
            vec![put(&key, b"first"), put(&key, b"second")],
        );
        assert_eq!(get(store.as_ref(), &key), Some(b"second".to_vec()));
        write(store.as_ref(), vec![put(&key, b"third"), remove(&key)]);
        assert_eq!(get(store.as_ref(), &key), None);
        write(store.as_ref(), vec![remove(&key), put(&key, b"fourth")]);
        assert_eq!(get(store.as_ref(), &key), Some(b"fourth".to_vec()));
    }
    harness.stop(store, Stop::Closed);
}

/// A key with an empty value is there; a removed one is not.
pub fn an_empty_value_is_not_an_absent_one(harness: &mut dyn Harness) {
    let store = harness.open();
    for kind in [1, 0x90] {
        write(store.as_ref(), vec![put(&[kind], b"")]);
        assert_eq!(get(store.as_ref(), &[kind]), Some(Vec::new()));
        let absent = Commit {
            conditions: vec![expect(&[kind], None)],
            writes: Vec::new(),
        };
        assert!(matches!(
            store.commit(absent),
            Err(CommitError::Conflict { .. })
        ));
    }
    harness.stop(store, Stop::Closed);
}

/// `scan`: `from <= key < to`, ascending by key bytes, at most `limit`, none if `from >= to`.
pub fn a_scan_is_ordered_bounded_and_limited(harness: &mut dyn Harness) {
    let store = harness.open();
    let all: [&[u8]; 6] = [b"\x01", b"\x01\x00", b"\x01a", b"\x01b", b"\x02", b"\x81a"];
    write(
        store.as_ref(),
        all.iter().rev().map(|key| put(key, key)).collect(),
    );
    let store_ref = store.as_ref();
    assert_eq!(keys(store_ref, b"", b"\xff", 10), all);
    assert_eq!(
        keys(store_ref, b"\x01\x00", b"\x02", 10),
        [b"\x01\x00".as_slice(), b"\x01a", b"\x01b"]
    );
    assert_eq!(
        keys(store_ref, b"\x01", b"\x02", 2),
        [b"\x01".as_slice(), b"\x01\x00"]
    );
    assert_eq!(keys(store_ref, b"\x01", b"\x02", 0), [b""; 0]);
    assert_eq!(keys(store_ref, b"\x02", b"\x02", 9), [b""; 0]);
    assert_eq!(keys(store_ref, b"\x02", b"\x01", 9), [b""; 0]);
    for (key, value) in store.scan(b"", b"\xff", 10).expect("a scan") {
        assert_eq!(key, value, "a key comes with its own value");
    }
    harness.stop(store, Stop::Closed);
}

/// `last`: the last entry with `from <= key < to`.
pub fn the_last_entry_of_a_range_is_found(harness: &mut dyn Harness) {
    let store = harness.open();
    let long = vec![7; 900];
    write(
        store.as_ref(),
        vec![
            put(b"\x01a", b"1"),
            put(b"\x01c", &long),
            put(b"\x02", b"3"),
        ],
    );
    let last = |from: &[u8], to: &[u8]| store.last(from, to).expect("a read");
    assert_eq!(
        last(b"\x01", b"\x02"),
        Some((b"\x01c".to_vec(), long.clone()))
    );
    assert_eq!(
        last(b"\x01", b"\x01c"),
        Some((b"\x01a".to_vec(), b"1".to_vec()))
    );
    assert_eq!(last(b"\x01d", b"\x02"), None);
    assert_eq!(last(b"\x02", b"\x01"), None);
    harness.stop(store, Stop::Closed);
}

/// Keys and values are bytes without meaning, of any length.
pub fn any_bytes_may_be_keys_and_values(harness: &mut dyn Harness) {
    let store = harness.open();
    let mut entries: Vec<(Vec<u8>, Vec<u8>)> = (0..=255u8)
        .map(|kind| (vec![kind, 0, kind], vec![kind; kind as usize * 9]))
        .collect();
    entries.push((vec![5; 1_024], vec![0; 300_000]));
    entries.push((vec![0x85; 1_024], vec![0xff; 300_000]));
    write(
        store.as_ref(),
        entries.iter().map(|(key, value)| put(key, value)).collect(),
    );
    entries.sort();
    let found = store.scan(b"", &[0xff; 4], 1_000).expect("a scan");
    assert!(found == entries, "every entry comes back");
    harness.stop(store, Stop::Closed);
}

/// `Conflict`: names the first condition that did not hold; nothing of the commit is visible.
pub fn a_conflict_names_the_key_and_leaves_nothing(harness: &mut dyn Harness) {
    let store = harness.open();
    write(store.as_ref(), vec![put(b"\x01", b"now")]);
    let commit = Commit {
        conditions: vec![
            expect(b"\x01", Some(b"now")),
            expect(b"\x02", Some(b"absent")),
            expect(b"\x01", None),
        ],
        writes: vec![
            put(b"\x01", b"then"),
            put(b"\x82", b"then"),
            remove(b"\x01"),
        ],
    };
    match store.commit(commit) {
        Err(CommitError::Conflict { key }) => assert_eq!(key, b"\x02"),
        other => assert!(
            other.is_ok() && other.is_err(),
            "expected a conflict: {other:?}"
        ),
    }
    assert_eq!(get(store.as_ref(), b"\x01"), Some(b"now".to_vec()));
    assert_eq!(get(store.as_ref(), b"\x82"), None);
    harness.stop(store, Stop::Closed);
}

/// A condition compares the whole value, however long, on truth and on derived keys.
pub fn conditions_compare_whole_values(harness: &mut dyn Harness) {
    let store = harness.open();
    for kind in [1, 0x81] {
        let value = vec![kind; 5_000];
        write(store.as_ref(), vec![put(&[kind], &value)]);
        let (mut other, shorter) = (value.clone(), vec![kind; 4_999]);
        if let Some(last) = other.last_mut() {
            *last ^= 1;
        }
        for (expected, holds) in [(&other, false), (&shorter, false), (&value, true)] {
            let conditions = vec![expect(&[kind], Some(expected))];
            let result = store.commit(Commit {
                conditions,
                writes: Vec::new(),
            });
            assert_eq!(result.is_ok(), holds, "{result:?}");
        }
    }
    harness.stop(store, Stop::Closed);
}

/// A commit without writes succeeds if its conditions hold.
pub fn an_empty_commit_is_accepted(harness: &mut dyn Harness) {
    let store = harness.open();
    store.commit(Commit::default()).expect("an empty commit");
    harness.stop(store, Stop::Closed);
}

/// `TooLarge`: nothing is visible; a commit of exactly the limit is taken.
pub fn a_commit_over_the_limit_leaves_nothing(harness: &mut dyn Harness) {
    let store = harness.open();
    let length = COMMIT_BYTES_MAX - 2 * WRITE_OVERHEAD_BYTES - 2 - 1;
    let commit = |extra: usize| Commit {
        conditions: Vec::new(),
        writes: vec![put(b"\x01", &vec![1; length + extra]), put(b"\x02", b"2")],
    };
    match store.commit(commit(1)) {
        Err(CommitError::TooLarge { bytes, bytes_max }) => {
            assert_eq!((bytes, bytes_max), (COMMIT_BYTES_MAX + 1, COMMIT_BYTES_MAX));
        }
        other => assert!(
            other.is_ok() && other.is_err(),
            "expected a refusal: {other:?}"
        ),
    }
    assert_eq!(get(store.as_ref(), b"\x02"), None);
    store
        .commit(commit(0))
        .expect("a commit of the largest size");
    assert_eq!(
        get(store.as_ref(), b"\x01").map(|value| value.len()),
        Some(length)
    );
    harness.stop(store, Stop::Closed);
}

/// Two commits on the same condition cannot both succeed.
pub fn two_commits_on_one_condition_have_one_winner(harness: &mut dyn Harness) {
    let store = harness.open();
    for round in 0..20u8 {
        let winners = AtomicUsize::new(0);
        let winner = AtomicUsize::new(0);
        thread::scope(|scope| {
            for thread in 1..=8u8 {
                let (store, winners, winner) = (store.as_ref(), &winners, &winner);
                scope.spawn(move || {
                    let key = [1, round];
                    let conditions = vec![expect(&key, None)];
                    let writes = vec![put(&key, &[thread])];
                    match store.commit(Commit { conditions, writes }) {
                        Ok(()) => {
                            winners.fetch_add(1, Ordering::SeqCst);
                            winner.store(thread as usize, Ordering::SeqCst);
                        }
                        Err(CommitError::Conflict { key: lost }) => assert_eq!(lost, key),
                        Err(other) => assert_eq!(other.to_string(), "a conflict"),
                    }
                });
            }
        });
        assert_eq!(winners.load(Ordering::SeqCst), 1, "round {round}");
        let value = get(store.as_ref(), &[1, round]).and_then(|value| value.first().copied());
        assert_eq!(value.map(usize::from), Some(winner.load(Ordering::SeqCst)));
    }
    harness.stop(store, Stop::Closed);
}

/// Conditions are judged against all commits before: no increment is lost, whoever else writes.
pub fn increments_of_many_threads_are_all_counted(harness: &mut dyn Harness) {
    const THREADS: u64 = 8;
    const ROUNDS: u64 = 25;
    let store = harness.open();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let store = store.as_ref();
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    increment(store, b"\x01count");
                }
            });
        }
    });
    let count = get(store.as_ref(), b"\x01count").expect("the counter");
    assert_eq!(count, (THREADS * ROUNDS).to_string().into_bytes());
    harness.stop(store, Stop::Closed);
}

fn increment(store: &dyn Store, key: &[u8]) {
    loop {
        let before = get(store, key);
        let number: u64 = before
            .as_ref()
            .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok())
            .unwrap_or(0);
        let conditions = vec![expect(key, before.as_deref())];
        let writes = vec![put(key, (number + 1).to_string().as_bytes())];
        match store.commit(Commit { conditions, writes }) {
            Ok(()) => return,
            Err(CommitError::Conflict { .. }) => {}
            Err(other) => assert_eq!(other.to_string(), "a conflict"),
        }
    }
}

/// A commit that runs at the same time is seen as a whole or not at all for each key.
pub fn readers_see_only_committed_values(harness: &mut dyn Harness) {
    let store = harness.open();
    let value = |byte: u8| vec![byte; 1_500];
    let key = |number: u8| [1, number];
    write(
        store.as_ref(),
        (0..4).map(|number| put(&key(number), &value(0))).collect(),
    );
    let ended = AtomicBool::new(false);
    let looks = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            let (store, ended, looks) = (store.as_ref(), &ended, &looks);
            scope.spawn(move || {
                while !ended.load(Ordering::SeqCst) || looks.load(Ordering::SeqCst) == 0 {
                    let entries = store.scan(b"\x01", b"\x02", 9).expect("a scan");
                    assert_eq!(entries.len(), 4);
                    for (_, value) in entries {
                        assert_eq!(value.len(), 1_500);
                        assert!(value.windows(2).all(|pair| pair.first() == pair.last()));
                    }
                    looks.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for round in 1..60 {
            write(
                store.as_ref(),
                (0..4).map(|n| put(&key(n), &value(round))).collect(),
            );
        }
        ended.store(true, Ordering::SeqCst);
    });
    harness.stop(store, Stop::Closed);
}

/// Rebuilding: clear, put, say that it is complete. Truth is not touched by it.
pub fn derived_keys_can_be_cleared_and_put_again(harness: &mut dyn Harness) {
    let store = harness.open();
    write(
        store.as_ref(),
        vec![
            put(b"\x01", b"truth"),
            put(b"\x7f", b"t"),
            put(b"\x80", b"old"),
        ],
    );
    store.clear_derived().expect("clearing");
    assert!(store.derived_lost());
    assert_eq!(
        keys(store.as_ref(), b"", b"\xff\xff", 9),
        [b"\x01", b"\x7f"]
    );
    let many: Vec<Write> = (0..3_000u32)
        .map(|number| put(&[&[0x84], number.to_be_bytes().as_slice()].concat(), b"new"))
        .collect();
    store.put_derived(many).expect("putting");
    let twice = vec![
        put(b"\x85", b"one"),
        put(b"\x85", b"two"),
        put(b"\x85", b"three"),
    ];
    store
        .put_derived(twice)
        .expect("putting one key three times");
    assert_eq!(get(store.as_ref(), b"\x85"), Some(b"three".to_vec()));
    store.put_derived(vec![remove(b"\x85")]).expect("removing");
    store
        .put_derived(vec![remove(&[0x84, 0, 0, 0, 0])])
        .expect("removing");
    assert_eq!(
        keys(store.as_ref(), b"\x80", b"\xff\xff", 9_999).len(),
        2_999
    );
    let last = |store: &dyn Store| store.last(b"\x80", b"\xff").expect("a read");
    let key = |number: u32| [&[0x84], number.to_be_bytes().as_slice()].concat();
    assert_eq!(last(store.as_ref()), Some((key(2_999), b"new".to_vec())));
    assert!(store.derived_lost(), "not complete before it is said");
    store.derived_rebuilt().expect("the end of rebuilding");
    assert!(!store.derived_lost());
    harness.stop(store, Stop::Closed);
    let store = harness.open();
    assert!(!store.derived_lost());
    assert_eq!(
        keys(store.as_ref(), b"\x80", b"\xff\xff", 9_999).len(),
        2_999
    );
    // What comes later counts, whether it says more, something else, or that a key is gone.
    write(
        store.as_ref(),
        vec![remove(&key(2_999)), remove(&key(2_998)), put(&key(7), b"7")],
    );
    store
        .put_derived(vec![remove(&key(2_997)), put(&key(8), b"8")])
        .expect("putting on");
    let mut store = store;
    for reopened in [false, true] {
        if reopened {
            harness.stop(store, Stop::Closed);
            store = harness.open();
        }
        assert_eq!(last(store.as_ref()), Some((key(2_996), b"new".to_vec())));
        let page = store.scan(&key(6), &key(10), 3).expect("a scan");
        let values: Vec<&[u8]> = page.iter().map(|(_, value)| value.as_slice()).collect();
        assert_eq!(
            values,
            [b"new".as_slice(), b"7", b"8"],
            "reopened: {reopened}"
        );
        assert_eq!(get(store.as_ref(), &key(2_998)), None);
        let all = keys(store.as_ref(), b"\x80", b"\xff\xff", 9_999);
        assert_eq!(all.len(), 2_996);
    }
    harness.stop(store, Stop::Closed);
}

/// `put_derived` refuses truth keys and then writes nothing.
pub fn truth_cannot_be_put_as_derived(harness: &mut dyn Harness) {
    let store = harness.open();
    let result = store.put_derived(vec![put(b"\x80", b"1"), put(b"\x7f", b"2")]);
    assert!(matches!(result, Err(CommitError::NotDerived { key }) if key == b"\x7f"));
    assert_eq!(keys(store.as_ref(), b"", b"\xff\xff", 9), [b""; 0]);
    harness.stop(store, Stop::Closed);
}

/// `close`: refuses further commits; closing twice is closing once.
pub fn a_closed_store_refuses_commits(harness: &mut dyn Harness) {
    let store = harness.open();
    write(store.as_ref(), vec![put(b"\x01", b"1")]);
    store.close().expect("closing");
    store.close().expect("closing again");
    let late = Commit {
        conditions: Vec::new(),
        writes: vec![put(b"\x01", b"2")],
    };
    assert!(matches!(store.commit(late), Err(CommitError::Fatal { .. })));
    assert!(matches!(
        store.commit(Commit::default()),
        Err(CommitError::Fatal { .. })
    ));
    assert!(matches!(
        store.put_derived(Vec::new()),
        Err(CommitError::Fatal { .. })
    ));
    harness.stop(store, Stop::Closed);
    let store = harness.open();
    assert_eq!(get(store.as_ref(), b"\x01"), Some(b"1".to_vec()));
    harness.stop(store, Stop::Closed);
}

/// `usage` counts at least the bytes of truth that are kept.
pub fn usage_grows_with_what_is_kept(harness: &mut dyn Harness) {
    let store = harness.open();
    let before = store.usage().expect("usage").truth_bytes;
    write(store.as_ref(), vec![put(b"\x01", &[1; 10_000])]);
    assert!(store.usage().expect("usage").truth_bytes >= before + 10_000);
    harness.stop(store, Stop::Closed);
}
