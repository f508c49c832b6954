//! A long random sequence of operations and stops, compared with a map after each.

use std::collections::BTreeMap;

use super::{Harness, Stop, expect};
use crate::{Commit, CommitError, Store, Write, is_derived};

const STEPS: u32 = 900;

/// A sequence of numbers that is the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn key(&mut self) -> Vec<u8> {
        let kind = if self.below(2) == 0 { 0x03 } else { 0x84 };
        let mut key = vec![kind];
        key.extend((0..self.below(3)).map(|_| self.below(4) as u8));
        key
    }

    fn value(&mut self) -> Option<Vec<u8>> {
        let lengths = [0, 1, 30, 255, 256, 257, 2_000];
        let length = lengths.get(self.below(8) as usize)?;
        Some(vec![self.below(256) as u8; *length])
    }
}

/// Everything the trait promises at once, against the simplest thing that has it.
pub fn any_sequence_equals_the_model(harness: &mut dyn Harness) {
    let mut numbers = Numbers(2_026);
    let mut model = BTreeMap::new();
    let mut store = harness.open();
    store.derived_rebuilt().expect("nothing to derive yet");
    let (mut commits, mut conflicts) = (0, 0);
    for step in 0..STEPS {
        match numbers.below(40) {
            0 => {
                let how = Stop::ALL
                    .get(numbers.below(3) as usize)
                    .copied()
                    .unwrap_or(Stop::Closed);
                harness.stop(store, how);
                store = harness.open();
                if store.derived_lost() {
                    model.retain(|key: &Vec<u8>, _| !is_derived(key));
                    store.derived_rebuilt().expect("the end of rebuilding");
                }
            }
            1..=8 => look(store.as_ref(), &model, &mut numbers, step),
            _ => {
                if change(store.as_ref(), &mut model, &mut numbers, step) {
                    commits += 1;
                } else {
                    conflicts += 1;
                }
            }
        }
    }
    assert!(
        commits > 200 && conflicts > 50,
        "the sequence must reach both: {commits} {conflicts}"
    );
    let entries = store.scan(b"", &[0xff; 9], usize::MAX).expect("a scan");
    assert_eq!(entries, model.into_iter().collect::<Vec<_>>());
    harness.stop(store, Stop::Closed);
}

/// One commit; true if it happened.
fn change(
    store: &dyn Store,
    model: &mut BTreeMap<Vec<u8>, Vec<u8>>,
    numbers: &mut Numbers,
    step: u32,
) -> bool {
    let mut conditions = Vec::new();
    for _ in 0..numbers.below(3) {
        let key = numbers.key();
        let right = numbers.below(4) > 0;
        let expected = if right {
            model.get(&key).cloned()
        } else {
            numbers.value()
        };
        conditions.push(expect(&key, expected.as_deref()));
    }
    let writes: Vec<Write> = (0..numbers.below(4))
        .map(|_| Write {
            key: numbers.key(),
            value: numbers.value(),
        })
        .collect();
    let broken = conditions
        .iter()
        .find(|c| model.get(&c.key) != c.expected.as_ref())
        .cloned();
    let result = store.commit(Commit {
        conditions,
        writes: writes.clone(),
    });
    match (broken, result) {
        (None, Ok(())) => {
            for Write { key, value } in writes {
                match value {
                    Some(value) => model.insert(key, value),
                    None => model.remove(&key),
                };
            }
            true
        }
        (Some(broken), Err(CommitError::Conflict { key })) => {
            assert_eq!(key, broken.key, "step {step}");
            false
        }
        (broken, result) => {
            assert_eq!(
                broken.is_none(),
                result.is_ok(),
                "step {step}: {broken:?} {result:?}"
            );
            false
        }
    }
}

/// One read of each kind.
fn look(store: &dyn Store, model: &BTreeMap<Vec<u8>, Vec<u8>>, numbers: &mut Numbers, step: u32) {
    let (from, to, limit) = (numbers.key(), numbers.key(), numbers.below(8) as usize);
    assert_eq!(
        store.get(&from).expect("a read").as_ref(),
        model.get(&from),
        "step {step}"
    );
    let inside: Vec<_> = model
        .iter()
        .filter(|(key, _)| **key >= from && **key < to)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    assert_eq!(
        store.last(&from, &to).expect("a read"),
        inside.last().cloned(),
        "step {step}"
    );
    let front: Vec<_> = inside.into_iter().take(limit).collect();
    assert_eq!(
        store.scan(&from, &to, limit).expect("a scan"),
        front,
        "step {step}"
    );
}
