//! What goes first and what waits when a person has limited what may travel in a day.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::identity::PartId;
use crate::limits;
use crate::sync::budget::BudgetStanding;

const DAY: i64 = 86_400;

/// Text that packs badly, the same for the same seed.
fn text(seed: u64, bytes: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'a' + (state % 26) as u8)
    };
    (0..bytes).map(|_| next()).collect()
}

fn note(code: &str, seed: u64, bytes: usize, typed_at: i64) -> Edit {
    Edit {
        entry: Entry::Note {
            code: code.into(),
            text: Some(text(seed, bytes)),
        },
        typed_at,
    }
}

fn value(code: &str, value: i64, typed_at: i64) -> Edit {
    Edit {
        typed_at,
        ..cell(code, value)
    }
}

fn unlimited() -> (Node, Device) {
    let mut node = Node::new();
    let mut device = node.enrol(1, Role::Officer, 1, true);
    sync(&mut node, &mut device);
    (node, device)
}

fn limited(per_day: u64) -> (Node, Device) {
    let (node, mut device) = unlimited();
    device.set_budget(Some(per_day));
    (node, device)
}

/// What travelled while a device had room for it.
#[derive(Debug, Default)]
struct Travelled {
    bytes: u64,
    parts: usize,
    largest: u64,
}

/// Exchanges as a shell does, every byte of it counted here as well.
fn exchanges(node: &mut Node, device: &mut Device, now: i64, anyway: bool) -> Travelled {
    device.seal_within(now, anyway).unwrap();
    let mut travelled = Travelled::default();
    for _ in 0..200 {
        let Some(frame) = device.packed_request_within(now, anyway).unwrap() else {
            return travelled;
        };
        let request = frame.encode();
        let person = node.person_of(device);
        let answer = node.handle(person, &request);
        let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
            panic!("no response")
        };
        let response = device.open_response(*packed).unwrap();
        let received = device
            .receive(&response, now, InstallationId([9; 8]))
            .unwrap();
        let bytes = (request.len() + answer.len()) as u64;
        device.spend(bytes, 1, received.acknowledged > 0, now);
        let all = bytes + limits::CONNECTION_AROUND_BYTES;
        travelled.bytes += all;
        travelled.largest = travelled.largest.max(all);
        travelled.parts += received.acknowledged;
        if !received.again {
            return travelled;
        }
    }
    panic!("exchanges without end");
}

fn notes_of(node: &Node, unit: u8) -> usize {
    let reader = LogReader(&node.keyspace);
    let index = reader.document(subject(unit).document_id()).unwrap();
    let Some(index) = index else { return 0 };
    let changes = reader.changes(&index).unwrap();
    let bytes: usize = changes.iter().map(|(_, bytes)| bytes.len()).sum();
    usize::from(bytes > 2_000)
}

fn waits(device: &Device) -> usize {
    let status = device.status().unwrap();
    status.draft_edits + status.waiting_parts
}

#[test]
fn numbers_go_today_and_the_text_beside_them_waits_in_the_draft() {
    let (mut node, mut device) = limited(limits::BUDGET_BYTES_MIN);
    let edits = [
        note("I.1", 1, 15_000, NOW),
        value("I.1", 5, NOW),
        note("I.2", 2, 15_000, NOW),
        value("I.2", 6, NOW),
    ];
    device.edit(&subject(2), &edits).unwrap();
    let today = exchanges(&mut node, &mut device, NOW, false);
    assert_eq!(today.parts, 1);
    assert!(today.bytes < 5_000, "{today:?}");
    assert_eq!(notes_of(&node, 2), 0);
    let left: Vec<_> = device
        .draft(subject(2).document_id())
        .unwrap()
        .edits
        .clone();
    assert_eq!(
        left,
        [edits[0].clone(), edits[2].clone()],
        "in their order, durable"
    );
    // Opened again nothing of it is lost, and the count goes on.
    let kept = device.keyspace().clone();
    let sealer = device.sealer().clone();
    let (mut device, _) = Device::open(sealer, kept).unwrap();
    assert_eq!(device.budget(NOW).spent, today.bytes);
    assert_eq!(exchanges(&mut node, &mut device, NOW, false).parts, 0);
    // The next day they are older than anything that is typed then: they go, though no day has room.
    device
        .edit(&subject(2), &[value("I.3", 7, NOW + DAY)])
        .unwrap();
    for day in 1..4 {
        exchanges(&mut node, &mut device, NOW + day * DAY, false);
    }
    assert_eq!(waits(&device), 0);
    assert_eq!(notes_of(&node, 2), 1);
    let mut other = node.enrol(2, Role::Officer, 1, true);
    sync(&mut node, &mut other);
    let both = [&mut device, &mut other].map(|device| values(device, 2));
    assert_eq!(both[0], both[1]);
    assert_eq!(both[0].len(), 3);
}

#[test]
fn without_a_limit_a_report_is_sealed_whole_unless_it_is_more_than_a_request_brings() {
    let (mut node, mut device) = unlimited();
    let edits = [note("I.1", 1, 3_000, NOW), value("I.1", 5, NOW)];
    device.edit(&subject(2), &edits).unwrap();
    assert_eq!(exchanges(&mut node, &mut device, NOW, false).parts, 1);
    assert_eq!(device.budget(NOW), BudgetStanding::default());
    // Texts of some pages each: the numbers of every report are sealed before them.
    for unit in [1, 2, 3] {
        for at in 0..7 {
            let code = format!("I.{at}");
            let edits = [note(&code, at, 15_000, NOW), value(&code, 1, NOW)];
            device.edit(&subject(unit), &edits).unwrap();
        }
    }
    device.seal(NOW).unwrap();
    let parts: Vec<_> = device.request().unwrap().parts;
    let sizes: Vec<usize> = parts.iter().map(|part| part.encode().len()).collect();
    let (numbers, texts) = sizes.split_at(3);
    assert!(numbers.iter().all(|bytes| *bytes < 10_000), "{sizes:?}");
    assert!(
        !texts.is_empty() && texts.iter().all(|bytes| *bytes > 100_000),
        "{sizes:?}"
    );
    let number = |at: usize| parts[at].header().number;
    assert_eq!(number(0), number(2), "one batch");
    assert_eq!(number(3), number(2) + 1);
}

#[test]
fn sending_anyway_sends_everything_once_and_is_counted() {
    let (mut node, mut device) = limited(limits::BUDGET_BYTES_MIN);
    let edits = [
        value("I.1", 1, NOW),
        note("I.1", 3, 15_000, NOW),
        note("I.2", 4, 15_000, NOW),
    ];
    device.edit(&subject(2), &edits).unwrap();
    exchanges(&mut node, &mut device, NOW, false);
    assert_eq!(waits(&device), 2);
    let sent = exchanges(&mut node, &mut device, NOW, true);
    assert_eq!((sent.parts, waits(&device)), (1, 0));
    assert_eq!(device.budget(NOW).left, Some(0));
    // The limit is what it was: now nothing goes.
    device.edit(&subject(2), &[value("I.2", 1, NOW)]).unwrap();
    assert_eq!(exchanges(&mut node, &mut device, NOW, false).parts, 0);
    assert!(device.packed_request_within(NOW, false).unwrap().is_none());
}

#[test]
fn what_sending_costs_is_told_as_the_limit_will_have_it_and_changes_nothing() {
    let (mut node, mut device) = limited(limits::BUDGET_BYTES_MIN);
    for at in 0..6 {
        device
            .edit(&subject(2), &[note(&format!("I.{at}"), at, 8_000, NOW)])
            .unwrap();
        device.seal(NOW).unwrap();
    }
    let under_way = device.packed_request_within(NOW, false).unwrap().unwrap();
    let cost = device.cost(NOW, false).unwrap();
    assert!(
        cost.all > 25_000 && cost.now < limits::BUDGET_BYTES_MIN,
        "{cost:?}"
    );
    assert!((1..6).contains(&cost.parts.len()), "{cost:?}");
    // A preview in the middle of an exchange leaves its answer to it.
    let person = node.person_of(&device);
    let answer = node.handle(person, &under_way.encode());
    let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
        panic!("no response")
    };
    let response = device.open_response(*packed).unwrap();
    let received = device
        .receive(&response, NOW, InstallationId([9; 8]))
        .unwrap();
    assert_eq!(received.acknowledged, cost.parts.len());
    let waiting: BTreeSet<PartId> = device.outbox().keys().copied().collect();
    assert!(cost.parts.is_disjoint(&waiting));
}

#[test]
fn a_request_that_was_cut_is_made_again_as_it_was() {
    let (_, mut device) = limited(limits::BUDGET_BYTES_MIN);
    for at in 0..4 {
        device
            .edit(&subject(2), &[note(&format!("I.{at}"), at, 6_000, NOW)])
            .unwrap();
        device.seal(NOW).unwrap();
    }
    let begun = device.packed_request_within(NOW, false).unwrap().unwrap();
    device.spend(3_000, 1, false, NOW);
    assert_eq!(
        device.packed_request_within(NOW, false).unwrap().unwrap(),
        begun
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever is typed on whatever days: the limit of a day is exceeded by one exchange at most, and a few
    /// quiet days later everything has gone, in one piece, the same as without a limit.
    #[test]
    fn nothing_waits_for_ever_and_nothing_is_lost(
        per_day in limits::BUDGET_BYTES_MIN..60_000,
        typed in prop::collection::vec((0..6_i64, 1..4_u8, 0..8_u8, 0..16_000_usize), 1..14),
        others in prop::collection::vec((0..6_i64, 100..12_000_usize), 0..4),
        cut in any::<bool>(),
    ) {
        let (mut node, mut device) = limited(per_day);
        let mut colleague = node.enrol(2, Role::Officer, 1, true);
        device.take_records(&node.records()).unwrap();
        let (mut free, mut unbounded) = unlimited();
        for day in 0..24_i64 {
            let now = NOW + day * DAY;
            for (at, &(on, unit, code, bytes)) in typed.iter().enumerate() {
                if on != day { continue; }
                let code = format!("I.{code}");
                let mut edits = vec![value(&code, at as i64, now)];
                if bytes > 0 { edits.push(note(&code, at as u64, bytes, now)); }
                for device in [&mut device, &mut unbounded] {
                    device.edit(&subject(unit), &edits).unwrap();
                }
            }
            for &(on, bytes) in others.iter().filter(|(on, _)| *on == day) {
                colleague.edit(&subject(1), &[note("I.7", on as u64 + 50, bytes, now)]).unwrap();
                sync(&mut node, &mut colleague);
            }
            if cut && day % 3 == 0 {
                // The request goes out and no answer comes.
                device.seal_within(now, false).unwrap();
                if let Some(frame) = device.packed_request_within(now, false).unwrap() {
                    device.spend(frame.encode().len() as u64, 1, false, now);
                }
            }
            let before = device.budget(now).spent;
            // What was cut is one exchange as well.
            let mut all = Travelled { largest: before, ..Travelled::default() };
            for _ in 0..3 {
                let some = exchanges(&mut node, &mut device, now, false);
                all.bytes += some.bytes;
                all.largest = all.largest.max(some.largest);
            }
            prop_assert_eq!(device.budget(now).spent, before + all.bytes);
            prop_assert!(before + all.bytes <= per_day + all.largest, "{:?} {}", all, before);
            sync(&mut free, &mut unbounded);
        }
        prop_assert_eq!(waits(&device), 0);
        sync(&mut node, &mut colleague);
        for unit in 1..4 {
            let reports = [&mut device, &mut colleague, &mut unbounded].map(|device| {
                let document = device.load(&subject(unit)).unwrap();
                let cells = document.cells().into_keys().collect::<Vec<_>>();
                let values: Vec<_> = cells.iter().map(|code| values(device, unit)[code].clone()).collect();
                (cells, values)
            });
            prop_assert_eq!(&reports[0], &reports[1]);
            prop_assert_eq!(&reports[0], &reports[2]);
        }
    }
}
