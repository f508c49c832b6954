//! The contracts that reach over an end and a new beginning.

use super::{Harness, Stop, expect, get, keys, put, remove, write};
use crate::{Commit, CommitError, Store};

fn truth(number: u32) -> ([u8; 5], Vec<u8>) {
    let [a, b, c, d] = number.to_be_bytes();
    // Some short, some long: backends may keep them apart.
    ([3, a, b, c, d], vec![d; 20 + 97 * (number as usize % 9)])
}

fn derived(number: u32) -> [u8; 5] {
    let [a, b, c, d] = number.to_be_bytes();
    [0x84, a, b, c, d]
}

fn fill(store: &dyn Store, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let (key, value) = truth(number);
        write(store, vec![put(&key, &value), put(&derived(number), b"d")]);
    }
}

fn assert_truth(store: &dyn Store, count: u32, how: Stop) {
    for number in 0..count {
        let (key, value) = truth(number);
        assert_eq!(
            get(store, &key),
            Some(value),
            "record {number} after {how:?}"
        );
    }
    assert_eq!(
        keys(store, b"\x03", b"\x04", 99_999).len(),
        count as usize,
        "after {how:?}"
    );
}

/// `commit`: durable on `Ok`, through every way of stopping, again and again.
pub fn truth_outlives_every_stop(harness: &mut dyn Harness) {
    let mut count = 0;
    for how in [Stop::ALL, Stop::ALL].concat() {
        let store = harness.open();
        assert_truth(store.as_ref(), count, how);
        fill(store.as_ref(), count..count + 30);
        count += 30;
        harness.stop(store, how);
    }
    let store = harness.open();
    assert_truth(store.as_ref(), count, Stop::PowerCut);
    harness.stop(store, Stop::Closed);
}

/// A removal is a write like any other.
pub fn removals_outlive_every_stop(harness: &mut dyn Harness) {
    for how in Stop::ALL {
        let store = harness.open();
        write(
            store.as_ref(),
            vec![put(b"\x01gone", &[9; 600]), put(b"\x01kept", b"1")],
        );
        write(
            store.as_ref(),
            vec![remove(b"\x01gone"), remove(b"\x01never")],
        );
        harness.stop(store, how);
        let store = harness.open();
        assert_eq!(
            keys(store.as_ref(), b"\x01", b"\x02", 9),
            [b"\x01kept"],
            "after {how:?}"
        );
        harness.stop(store, Stop::Closed);
    }
}

/// After `Conflict` nothing of the commit is visible after re-opening either.
pub fn a_conflict_leaves_nothing_after_any_stop(harness: &mut dyn Harness) {
    for how in Stop::ALL {
        let store = harness.open();
        write(store.as_ref(), vec![put(b"\x01", b"is")]);
        let conditions = vec![expect(b"\x01", Some(b"is not"))];
        let writes = vec![
            put(b"\x01", b"lost"),
            put(b"\x02", b"lost"),
            put(b"\x82", b"lost"),
        ];
        let result = store.commit(Commit { conditions, writes });
        assert!(matches!(result, Err(CommitError::Conflict { .. })));
        harness.stop(store, how);
        let store = harness.open();
        assert_eq!(
            get(store.as_ref(), b"\x01"),
            Some(b"is".to_vec()),
            "after {how:?}"
        );
        assert_eq!(get(store.as_ref(), b"\x02"), None, "after {how:?}");
        assert_eq!(get(store.as_ref(), b"\x82"), None, "after {how:?}");
        harness.stop(store, Stop::Closed);
    }
}

/// Derived keys are all there or all lost, never some; lost ones are said to be.
pub fn derived_keys_are_kept_or_lost_together(harness: &mut dyn Harness) {
    let mut count = 0;
    for how in Stop::ALL {
        let store = harness.open();
        if store.derived_lost() {
            store.clear_derived().expect("clearing");
            let again = (0..count)
                .map(|number| put(&derived(number), b"d"))
                .collect();
            store.put_derived(again).expect("putting");
            store.derived_rebuilt().expect("the end of rebuilding");
        }
        fill(store.as_ref(), count..count + 40);
        count += 40;
        // Derived keys alone, too: of no record of truth.
        write(store.as_ref(), vec![put(b"\x85alone", &[how as u8])]);
        harness.stop(store, how);
        let store = harness.open();
        let found = keys(store.as_ref(), b"\x84", b"\x85", 99_999).len();
        let alone = get(store.as_ref(), b"\x85alone");
        if store.derived_lost() {
            assert_eq!((found, alone), (0, None), "lost in part after {how:?}");
        } else {
            assert_eq!(
                (found, alone),
                (count as usize, Some(vec![how as u8])),
                "after {how:?}"
            );
        }
        harness.stop(store, Stop::Closed);
    }
}

/// `close`: what was committed is there when the store is opened again, derived keys included.
pub fn closing_keeps_derived_keys(harness: &mut dyn Harness) {
    let store = harness.open();
    store.derived_rebuilt().expect("nothing to derive yet");
    fill(store.as_ref(), 0..50);
    harness.stop(store, Stop::Closed);
    let store = harness.open();
    assert!(!store.derived_lost());
    assert_eq!(keys(store.as_ref(), b"\x84", b"\x85", 99_999).len(), 50);
    harness.stop(store, Stop::Closed);
}

/// A rebuild that did not come to its end counts as nothing.
pub fn an_interrupted_rebuild_is_no_rebuild(harness: &mut dyn Harness) {
    let store = harness.open();
    fill(store.as_ref(), 0..20);
    store.derived_rebuilt().expect("the end of rebuilding");
    harness.stop(store, Stop::Closed);
    for how in Stop::ALL {
        let store = harness.open();
        store.clear_derived().expect("clearing");
        store
            .put_derived(vec![put(&derived(1), b"d")])
            .expect("putting");
        harness.stop(store, how);
        let store = harness.open();
        assert!(store.derived_lost(), "after {how:?}");
        assert_truth(store.as_ref(), 20, how);
        store.derived_rebuilt().expect("the end of rebuilding");
        harness.stop(store, Stop::Closed);
    }
}
