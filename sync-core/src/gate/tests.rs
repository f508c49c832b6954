//! Tests of the column codec and of typing times.

use proptest::prelude::*;

use super::column::{
    Booleans, Differences, Runs, read_signed, write_booleans, write_differences, write_runs,
    write_signed,
};
use super::*;
use crate::codec::Reader;

proptest! {
    #[test]
    fn signed_integers_round_trip(value: i64) {
        let mut bytes = Vec::new();
        write_signed(&mut bytes, value);
        let mut from = Reader::new(&bytes);
        prop_assert_eq!(read_signed(&mut from, "x"), Ok(value));
        prop_assert!(from.is_empty());
    }

    #[test]
    fn columns_round_trip(
        runs in proptest::collection::vec(proptest::option::of(0u64..3), 0..20),
        differences in proptest::collection::vec(proptest::option::of(0i64..4), 0..20),
        booleans in proptest::collection::vec(any::<bool>(), 0..20),
    ) {
        let mut bytes = Vec::new();
        write_runs(&mut bytes, &runs);
        let mut from = Runs::new(&bytes, "x");
        for row in &runs {
            prop_assert_eq!(&from.next()?, row);
        }
        prop_assert!(from.done());

        let mut bytes = Vec::new();
        write_differences(&mut bytes, &differences);
        let mut from = Differences::new(&bytes, "x");
        for row in &differences {
            prop_assert_eq!(&from.next()?, row);
        }
        prop_assert!(from.done());

        let mut bytes = Vec::new();
        write_booleans(&mut bytes, &booleans);
        let mut from = Booleans::new(&bytes, "x");
        for row in &booleans {
            prop_assert_eq!(&from.next()?, row);
        }
        prop_assert!(from.done());
    }

    #[test]
    fn typing_times_round_trip(times in proptest::collection::vec(-3i64..3, 1..10)) {
        let (time, message) = typing_message(&times);
        prop_assert_eq!(typed_times(time, &message, times.len()), Some(times));
    }

    #[test]
    fn a_message_that_reads_is_the_one_that_is_written(message in "[0-2 -]{0,6}") {
        if let Some(times) = typed_times(5, &message, 4) {
            prop_assert_eq!(typing_message(&times), (5, message));
        }
    }
}

#[test]
fn other_messages_are_refused() {
    for message in [
        "0",
        "1 0",
        " 1",
        "1 ",
        "1  1",
        "+1",
        "01",
        "-0",
        "-0 1",
        "x",
        "1 1 1 1",
        "9223372036854775807",
    ] {
        assert_eq!(typed_times(1, message, 4), None, "{message:?}");
    }
    assert_eq!(typed_times(1, "0 5", 4), Some(vec![1, 1, 6, 6]));
    assert_eq!(
        typed_times(i64::MAX, "-1", 2),
        Some(vec![i64::MAX, i64::MAX - 1])
    );
}

#[test]
fn a_run_of_a_billion_costs_nothing() {
    let mut bytes = vec![0];
    super::column::write_unsigned(&mut bytes, u64::MAX);
    let mut from = Runs::<u64>::new(&bytes, "x");
    assert_eq!(from.next(), Ok(None));
    assert!(!from.done());
}
