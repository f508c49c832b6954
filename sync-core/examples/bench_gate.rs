//! Prints what the gate and the extract cost: medians, one JSON object, unit in the key.
#![expect(clippy::print_stdout, reason = "the figures are the output")]
#![expect(clippy::disallowed_methods, reason = "a measurement needs the clock")]
#![expect(
    clippy::expect_used,
    reason = "a failed measurement has nothing to print"
)]

use std::time::Instant;

use sync_core::cell::CellValue;
use sync_core::document::{Document, Edit, Entry, ExtractState, NewChange, Subject, SubjectKind};
use sync_core::gate::{DecodedChange, Judgement, MemoryHistory, decode, judge};
use sync_core::identity::{ActorId, InstallationId, KeyId, UnitId};

const CELLS: usize = 146;
const CHANGES: usize = 30;
const ROUNDS: usize = 200;

fn subject(unit: u64) -> Subject {
    Subject {
        kind: SubjectKind::Report,
        template: "bao-cao-cchc-2022".to_owned(),
        unit: UnitId(unit.to_be_bytes()),
        period: "2022".to_owned(),
    }
}

fn key(person: u8) -> KeyId {
    KeyId::of(&[person; 32])
}

fn actor(person: u8) -> ActorId {
    ActorId::of(key(person), InstallationId([1; 8]))
}

/// Thirty changes that fill a report of 146 cells, `edits` cells at a time.
fn changes(unit: u64, edits: usize) -> Vec<NewChange> {
    let mut document = Document::new(subject(unit)).expect("a new document");
    let mut cell = (0..CELLS).cycle();
    (0..CHANGES)
        .map(|turn| {
            let edits: Vec<Edit> = cell
                .by_ref()
                .take(edits)
                .map(|index| Edit {
                    entry: Entry::Cell {
                        code: format!("{}.{}", index / 10 + 1, index % 10),
                        value: CellValue::Number((index as i64 * 37 + turn as i64).into()),
                    },
                    typed_at: 1_700_000_000 + (turn * 60 + index) as i64,
                })
                .collect();
            document.write(actor(1), &edits).expect("writes")
        })
        .collect()
}

fn median(mut figures: Vec<u128>) -> u128 {
    figures.sort_unstable();
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn timed<T>(work: impl FnOnce() -> T) -> (u128, T) {
    let start = Instant::now();
    let made = work();
    (start.elapsed().as_nanos(), made)
}

/// Decoding and judging each change of four operations in its turn.
fn gate_ns_per_change() -> u128 {
    let changes = changes(1, 4);
    let round = |_| {
        let mut history = MemoryHistory::new(&subject(1));
        let mut spent = 0;
        for change in &changes {
            let (ns, decoded) = timed(|| passed(&change.bytes, &history));
            spent += ns;
            history.insert(decoded);
        }
        spent / CHANGES as u128
    };
    median((0..ROUNDS).map(round).collect())
}

fn passed(bytes: &[u8], history: &MemoryHistory) -> DecodedChange {
    let change = decode(bytes).expect("decodes");
    let Ok(judgement) = judge(&change, actor(1), key(1), history);
    assert!(matches!(judgement, Judgement::Passed(_)));
    change
}

/// From the bytes of thirty changes to the extract, and from the state alone.
fn extract_us_per_document() -> (u128, u128) {
    let changes = changes(1, 6);
    let round = |_| {
        let (whole, state) = timed(|| {
            let mut state = ExtractState::new(subject(1));
            for change in &changes {
                state.apply(&decode(&change.bytes).expect("decodes"));
            }
            let extract = state.extract();
            assert_eq!(extract.cells.len(), CELLS);
            state
        });
        let (alone, _) = timed(|| state.extract());
        (whole, alone)
    };
    let rounds: Vec<(u128, u128)> = (0..ROUNDS).map(round).collect();
    let whole = median(rounds.iter().map(|round| round.0).collect());
    let alone = median(rounds.iter().map(|round| round.1).collect());
    (whole / 1_000, alone / 1_000)
}

/// The same document through Automerge, as a device loads it.
fn load_us_per_document() -> u128 {
    let changes = changes(1, 6);
    let round = |_| {
        let bytes = changes.iter().map(|change| change.bytes.as_slice());
        timed(|| Document::load(subject(1), [], bytes).expect("loads")).0
    };
    median((0..ROUNDS).map(round).collect()) / 1_000
}

fn main() {
    let (from_changes, from_state) = extract_us_per_document();
    let gate_us = gate_ns_per_change() as f64 / 1_000.0;
    println!(
        "{{\"gate_us_per_change\": {gate_us}, \"extract_from_30_changes_us\": {from_changes}, \
         \"extract_from_state_us\": {from_state}, \"document_load_30_changes_us\": {}}}",
        load_us_per_document()
    );
}
