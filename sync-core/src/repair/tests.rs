//! Symbols against the true difference and against another way of finding it; symbols that lie.

use std::collections::BTreeSet;

use negentropy::{Id, Negentropy, NegentropyStorageVector};
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::symbol::{read_symbols, write_symbols};
use super::*;
use crate::codec::{Reader, Writer};
use crate::identity::PartId;

type Parts = BTreeSet<PartId>;

fn part(rng: &mut ChaCha8Rng) -> PartId {
    let mut id = [0; 32];
    rng.fill_bytes(&mut id);
    PartId(id)
}

/// Two sets with so many parts in common, and so many that only one of them has.
fn sets(seed: u64, common: usize, here: usize, there: usize) -> (Parts, Parts) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let both: Parts = (0..common).map(|_| part(&mut rng)).collect();
    let mut with = |more: usize| -> Parts {
        let own: Parts = (0..more).map(|_| part(&mut rng)).collect();
        both.union(&own).copied().collect()
    };
    (with(here), with(there))
}

fn key(seed: u64) -> RepairKey {
    RepairKey::new(&seed.to_le_bytes(), &[7; 32])
}

fn shorts(key: RepairKey, parts: &Parts) -> Vec<ShortId> {
    parts.iter().map(|part| key.short(*part)).collect()
}

/// What is only there and only here, and after how many symbols that was known.
fn compare(key: RepairKey, ours: &Parts, theirs: &Parts) -> (Difference, usize, usize) {
    let mut comparison = Comparison::new(key, shorts(key, ours));
    let (mine, other) = (ours.len() as u64, theirs.len() as u64);
    for answers in 1.. {
        let from = comparison.taken();
        let to = from + next_symbols(from, mine, other);
        assert!(to > from, "no symbols are left after {from}");
        let told = symbols(key, shorts(key, theirs), from, to);
        let mut bytes = Writer::new();
        write_symbols(&mut bytes, &told, from, other);
        let mut reader = Reader::new(bytes.as_slice());
        let read = read_symbols(&mut reader, from, other).unwrap();
        assert!(reader.is_empty());
        assert_eq!(read, told);
        if let Some(difference) = comparison.take(&read).unwrap() {
            return (difference, to, answers);
        }
    }
    unreachable!()
}

fn true_difference(key: RepairKey, ours: &Parts, theirs: &Parts) -> Difference {
    let only = |of: &Parts, but: &Parts| {
        let mut only: Vec<_> = of.difference(but).map(|part| key.short(*part)).collect();
        only.sort_unstable();
        only
    };
    Difference {
        there: only(theirs, ours),
        here: only(ours, theirs),
    }
}

/// The same by reconciling ranges, as `negentropy` does it.
fn by_ranges(key: RepairKey, ours: &Parts, theirs: &Parts) -> Difference {
    let storage = |parts: &Parts| {
        let mut storage = NegentropyStorageVector::new();
        for part in parts {
            storage.insert(0, Id::from_slice(&part.0).unwrap()).unwrap();
        }
        storage.seal().unwrap();
        storage
    };
    let mut here = Negentropy::owned(storage(ours), 0).unwrap();
    let mut there = Negentropy::owned(storage(theirs), 0).unwrap();
    let (mut have, mut need) = (Vec::new(), Vec::new());
    let mut message = Some(here.initiate().unwrap());
    while let Some(asked) = message {
        let answer = there.reconcile(&asked).unwrap();
        message = here
            .reconcile_with_ids(&answer, &mut have, &mut need)
            .unwrap();
    }
    let short = |ids: Vec<Id>| {
        let mut short: Vec<_> = ids
            .iter()
            .map(|id| key.short(PartId(id.to_bytes())))
            .collect();
        short.sort_unstable();
        short
    };
    Difference {
        there: short(need),
        here: short(have),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_difference_is_found_whatever_its_size(
        seed: u64,
        common in 0_usize..1_500,
        here in prop_oneof![0_usize..12, 0_usize..1_200],
        there in prop_oneof![0_usize..12, 0_usize..1_200],
    ) {
        let (ours, theirs) = sets(seed, common, here, there);
        let key = key(seed);
        let (found, taken, _) = compare(key, &ours, &theirs);
        prop_assert_eq!(&found, &true_difference(key, &ours, &theirs));
        prop_assert_eq!(&found, &by_ranges(key, &ours, &theirs));
        prop_assert!(taken <= limits::REPAIR_SYMBOLS_FIRST.max(4 * (here + there)));
    }

    #[test]
    fn symbols_that_lie_end_and_are_never_believed(
        seed: u64,
        changed in proptest::collection::vec((0_usize..64, any::<u64>(), any::<u32>(), any::<i64>()), 1..8),
    ) {
        let (ours, theirs) = sets(seed, 100, 5, 5);
        let key = key(seed);
        let mut told = symbols(key, shorts(key, &theirs), 0, 64);
        let honest = told.clone();
        for (at, sum, check, count) in changed {
            told[at] = Symbol { sum, check, count };
        }
        prop_assume!(told != honest);
        let found = Comparison::new(key, shorts(key, &ours)).take(&told);
        prop_assert!(matches!(found, Ok(None) | Err(Contradiction)), "{:?}", found);
    }

    #[test]
    fn made_up_symbols_never_hang(
        seed: u64,
        made_up in proptest::collection::vec((any::<u64>(), -2_i64..3, any::<bool>()), 0..400),
    ) {
        let (ours, _) = sets(seed, 50, 0, 0);
        let key = key(seed);
        // Half of them have a right checksum, which only who knows the key can do.
        let symbol = |(sum, count, right): &(u64, i64, bool)| Symbol {
            sum: *sum,
            check: (key.spread(ShortId(*sum)) >> 32) as u32 ^ u32::from(!right),
            count: *count,
        };
        let told: Vec<_> = made_up.iter().map(symbol).collect();
        let mut comparison = Comparison::new(key, shorts(key, &ours));
        for some in told.chunks(50) {
            if comparison.take(some).is_err() {
                return Ok(());
            }
            prop_assert!(comparison.taken() <= told.len());
        }
    }

    #[test]
    fn bytes_of_symbols_are_read_or_refused(bytes: Vec<u8>, from in 0_usize..10, members: u64) {
        let mut reader = Reader::new(&bytes);
        if let Ok(read) = read_symbols(&mut reader, from, members) {
            prop_assert!(read.len() <= bytes.len());
            let mut written = Writer::new();
            write_symbols(&mut written, &read, from, members);
            let length = bytes.len() - reader.rest().len();
            prop_assert_eq!(written.as_slice(), &bytes[..length]);
        }
    }
}

/// Made for this: a right symbol of a member that the set here has as well, told as one that it lacks.
#[test]
fn what_contradicts_the_own_set_is_refused() {
    let (ours, theirs) = sets(1, 3, 0, 0);
    assert_eq!(ours, theirs);
    let key = key(1);
    let mut twice = shorts(key, &theirs);
    twice.push(twice[0]);
    let told = symbols(key, twice, 0, 32);
    let found = Comparison::new(key, shorts(key, &ours)).take(&told);
    assert_eq!(found, Err(Contradiction));
    // One that only here should have, and does not.
    let (mut fewer, stranger) = (shorts(key, &theirs), key.short(PartId([9; 32])));
    fewer.push(stranger);
    let mut told = symbols(key, shorts(key, &theirs), 0, 32);
    for (symbol, minus) in told.iter_mut().zip(symbols(key, [stranger], 0, 32)) {
        *symbol = symbol.without(minus);
    }
    let found = Comparison::new(key, shorts(key, &ours)).take(&told);
    assert_eq!(found, Err(Contradiction));
}

#[test]
fn symbols_of_another_key_are_never_believed() {
    let (ours, theirs) = sets(2, 1_000, 3, 4);
    let told = symbols(key(2), shorts(key(2), &theirs), 0, 384);
    let found = Comparison::new(key(3), shorts(key(3), &ours)).take(&told);
    assert!(matches!(found, Ok(None) | Err(Contradiction)), "{found:?}");
    assert_ne!(key(2).tag(), key(3).tag());
    assert_ne!(key(2).short(PartId([1; 32])), key(3).short(PartId([1; 32])));
    assert_ne!(key(2), RepairKey::new(&2_u64.to_le_bytes(), &[8; 32]));
}

/// A stream told in several answers is the stream told in one.
#[test]
fn a_prefix_goes_on() {
    let (_, theirs) = sets(4, 500, 0, 0);
    let members = shorts(key(4), &theirs);
    let whole = symbols(key(4), members.iter().copied(), 0, 200);
    let mut pieces = symbols(key(4), members.iter().copied(), 0, 70);
    pieces.extend(symbols(key(4), members.iter().copied(), 70, 200));
    assert_eq!(pieces, whole);
}

/// The density that the counts on the wire are told by: a symbol has `2 / (place + 2)` of the members.
#[test]
fn symbols_get_sparser_as_they_should() {
    let members = 20_000;
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let ids = (0..members).map(|_| ShortId(rng.random()));
    let told = symbols(key(5), ids, 0, 400);
    for (place, symbol) in told.iter().enumerate() {
        let mean = 2.0 * f64::from(members) / (place as f64 + 2.0);
        let off = (symbol.count as f64 - mean).abs();
        assert!(
            off <= 6.0 * mean.sqrt(),
            "{place}: {} not {mean}",
            symbol.count
        );
    }
    assert_eq!(told[0].count, i64::from(members));
}

/// The figures of the bound, with the whole of them left for the frames around.
#[test]
fn a_hundred_missing_on_each_side_of_100_000_take_one_answer() {
    for seed in 0..3 {
        let (ours, theirs) = sets(seed, 100_000, 100, 100);
        let (found, taken, answers) = compare(key(seed), &ours, &theirs);
        assert_eq!((found.here.len(), found.there.len()), (100, 100));
        assert_eq!((taken, answers), (limits::REPAIR_SYMBOLS_FIRST, 1));
    }
}

#[test]
fn sets_of_no_likeness_are_not_compared() {
    assert!(!is_worth_comparing(0, 0));
    assert!(!is_worth_comparing(0, 5));
    assert!(!is_worth_comparing(5, 0));
    assert!(is_worth_comparing(5, 10));
    assert!(!is_worth_comparing(5, 11));
    assert!(is_worth_comparing(u64::MAX, u64::MAX));
    let first = |ours, theirs| next_symbols(0, ours, theirs);
    assert_eq!(first(100_000, 100_000), limits::REPAIR_SYMBOLS_FIRST);
    assert_eq!(first(2, 3), 23, "no more than all they have need");
    assert_eq!(first(100_000, 101_000), 1_516);
    assert_eq!(first(u64::MAX, u64::MAX), limits::REPAIR_SYMBOLS_FIRST);
    assert_eq!(first(1, u64::MAX), limits::REPAIR_SYMBOLS_PER_ANSWER_MAX);
    assert_eq!(next_symbols(384, 1_000, 1_000), 384);
    let full = limits::REPAIR_SYMBOLS_MAX;
    assert_eq!(next_symbols(full, 1_000_000, 1_000_000), 0);
}
