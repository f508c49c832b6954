//! First contacts, the most useful first: whatever is cut, late, new, returned or lost on the way.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::repairing::{Cost, Fate, agree};
use super::*;
use crate::batch::Entry as PartEntry;
use crate::catalogue::{Among, Duty};
use crate::codec::{Reader, Writer};
use crate::document::{Capacity, SignOff, Statement};
use crate::identity::{DocumentId, DutyId, PartId};
use crate::limits;
use crate::sync::arrival::{Arrival, Usefulness};
use crate::sync::packed::PackedResponse;
use crate::sync::repair::{Ask, Told};

pub(super) fn of(unit: u8, period: &str) -> Subject {
    Subject {
        period: period.into(),
        ..subject(unit)
    }
}

pub(super) fn put(device: &mut Device, unit: u8, period: &str, value: i64) {
    let code = format!("I.{value}");
    device
        .edit(&of(unit, period), &[cell(&code, value)])
        .unwrap();
}

pub(super) fn say(device: &mut Device, unit: u8, period: &str, statement: Statement) {
    let subject = of(unit, period);
    let heads = device.load(&subject).unwrap().heads();
    let key = KeyId::of(device.sealer().key.verifying_key().as_bytes());
    let sign_off = SignOff {
        statement,
        capacity: Capacity::Own,
        heads,
        reason: String::new(),
    };
    let entry = Entry::SignOff { key, sign_off };
    let edit = Edit {
        entry,
        typed_at: NOW,
    };
    device.edit(&subject, &[edit]).unwrap();
    device.seal(NOW).unwrap();
}

/// Work of three years by one commune; now is October 2025.
pub(super) fn province_of_years() -> (Node, Device, Device) {
    let mut node = Node::new();
    for (at, (period, due)) in [("2022-Q3", "2022-10-15"), ("2025-Q3", "2025-10-15")]
        .into_iter()
        .enumerate()
    {
        node.record(Body::Duty(Duty {
            duty: DutyId([at as u8; 8]),
            template: "bao-cao".into(),
            unit_kind: "commune".into(),
            among: Among::All,
            period: period.into(),
            rule: String::new(),
            due: due.into(),
        }));
    }
    let mut writer = node.enrol(1, Role::Officer, 2, false);
    let mut area = node.enrol(2, Role::Aggregator, 1, true);
    for value in 0..6 {
        for period in [
            "2022-Q3",
            "2023",
            "2024-03",
            "2024-04",
            "2025-02",
            "2021..2025",
            "2025-Q3",
        ] {
            put(&mut writer, 2, period, value);
            writer.seal(NOW).unwrap();
        }
    }
    sync(&mut node, &mut writer);
    sync(&mut node, &mut area);
    (node, writer, area)
}

pub(super) fn new_device(node: &mut Node, id: u8) -> Device {
    node.enrol(id, Role::Officer, 1, true)
}

/// The next answer, as a node gives it, in pages of so many bytes.
pub(super) fn answer(node: &mut Node, device: &mut Device, bytes: u64) -> PackedResponse {
    let mut request = device.request().unwrap();
    request.bytes_max = Proof::instead(request.bytes_max, bytes);
    let asked = device.pack_request(request).unwrap().encode();
    let person = node.person_of(device);
    match Frame::decode(&node.handle(person, &asked)) {
        Ok(Frame::PackedResponse(packed)) => *packed,
        other => panic!("no response: {other:?}"),
    }
}

pub(super) fn take(device: &mut Device, packed: PackedResponse) -> (Response, Received) {
    let response = device.open_response(packed).unwrap();
    let fresh = InstallationId([device.log().end().unwrap() as u8, 6, 6, 6, 6, 6, 6, 6]);
    let received = device.receive(&response, NOW, fresh).unwrap();
    (response, received)
}

fn next(node: &mut Node, device: &mut Device, bytes: u64) -> (Response, Received) {
    let packed = answer(node, device, bytes);
    take(device, packed)
}

fn documents(response: &Response) -> BTreeSet<DocumentId> {
    let parts = response.entries.iter().map(|(_, part)| part.part());
    let entries = parts.flat_map(|part| part.entries.iter());
    entries.map(PartEntry::document).collect()
}

fn ids(periods: &[&str]) -> BTreeSet<DocumentId> {
    let ids = periods.iter().map(|period| of(2, period).document_id());
    ids.collect()
}

/// A first contact in small pages.
fn arrive(node: &mut Node, device: &mut Device, fate: impl Fn(usize) -> Fate) -> Cost {
    let mut cost = Cost::default();
    for turn in 0..300 {
        let fate = fate(turn);
        cost.exchanges += 1;
        if fate == Fate::RequestLost {
            device.packed_request().unwrap();
            continue;
        }
        let packed = answer(node, device, 900);
        if fate == Fate::AnswerLost {
            continue;
        }
        let (response, received) = take(device, packed);
        cost.entries_got += response.entries.len();
        cost.notices.extend(received.notices);
        if fate == Fate::Closed {
            let kept = device.keyspace().clone();
            *device = Device::open(device.sealer().clone(), kept).unwrap().0;
        }
        if !received.again && fate == Fate::Good {
            return cost;
        }
    }
    panic!("a first contact that never ends: {cost:?}");
}

#[test]
fn what_is_due_or_returned_comes_first_then_this_year_then_the_rest() {
    let (mut node, _, mut area) = province_of_years();
    say(&mut area, 2, "2023", Statement::Returned);
    sync(&mut node, &mut area);
    let mut device = new_device(&mut node, 4);
    let whole = limits::RESPONSE_ENTRY_BYTES_MAX as u64;
    let mut met = Vec::new();
    loop {
        let (response, received) = next(&mut node, &mut device, whole);
        assert_eq!(received.notices, []);
        met.push((documents(&response), response.entries.len()));
        assert_eq!(response.fingerprint.is_some(), !response.more);
        // What came is whole and can be read at once.
        for subject in device.subjects().unwrap().values() {
            let theirs = area.load(subject).unwrap().heads();
            assert_eq!(device.load(subject).unwrap().heads(), theirs, "{subject:?}");
        }
        if !received.again {
            break;
        }
    }
    assert_eq!(
        met,
        [
            (ids(&["2023", "2025-Q3"]), 13),
            (ids(&["2021..2025", "2025-02"]), 12),
            (ids(&["2022-Q3", "2024-03", "2024-04"]), 18),
        ]
    );
    agree(&node, &mut device);
}

#[test]
fn what_was_handed_in_is_not_due_any_more_and_a_part_takes_what_it_builds_on_with_it() {
    let (mut node, mut writer, _) = province_of_years();
    say(&mut writer, 2, "2025-Q3", Statement::HandedIn);
    // One part about a report of this year and one of long ago.
    put(&mut writer, 2, "2025-02", 50);
    put(&mut writer, 2, "2024-03", 50);
    writer.seal(NOW).unwrap();
    put(&mut writer, 2, "2024-03", 51);
    sync(&mut node, &mut writer);
    let mut device = new_device(&mut node, 4);
    let (first, _) = next(&mut node, &mut device, 1 << 18);
    let this_year = ["2024-03", "2021..2025", "2025-02", "2025-Q3"];
    assert_eq!(documents(&first), ids(&this_year));
    assert_eq!(first.entries.len(), 6 * 4 + 2);
    let (second, received) = next(&mut node, &mut device, 1 << 18);
    assert_eq!(
        documents(&second),
        ids(&["2022-Q3", "2023", "2024-03", "2024-04"])
    );
    assert_eq!(second.entries.len(), 6 * 3 + 1);
    assert!(!received.again);
    agree(&node, &mut device);
}

#[test]
fn it_may_be_cut_at_every_message_and_nothing_comes_twice() {
    let (mut node, _, _) = province_of_years();
    let mut whole = new_device(&mut node, 4);
    let undisturbed = arrive(&mut node, &mut whole, |_| Fate::Good);
    assert!(undisturbed.exchanges > 12, "{undisturbed:?}");
    let template = new_device(&mut node, 5);
    for disturbed in [Fate::RequestLost, Fate::AnswerLost, Fate::Closed] {
        for at in 0..undisturbed.exchanges {
            let sealer = Sealer {
                installation: InstallationId([at as u8, disturbed as u8, 1, 1, 1, 1, 1, 1]),
                ..template.sealer().clone()
            };
            let mut device = Device::open(sealer, MemoryKeyspace::new()).unwrap().0;
            device.take_records(&node.records()).unwrap();
            let fate = |turn| if turn == at { disturbed } else { Fate::Good };
            let cost = arrive(&mut node, &mut device, fate);
            assert_eq!(cost.notices, [], "{disturbed:?} at {at}");
            assert_eq!(
                cost.entries_got, 42,
                "{disturbed:?} at {at}: nothing comes twice"
            );
            agree(&node, &mut device);
        }
    }
}

#[test]
fn the_log_grows_and_reports_are_returned_while_it_lasts() {
    let (mut node, mut writer, mut area) = province_of_years();
    let mut device = new_device(&mut node, 4);
    let mut turn = 0;
    loop {
        let (_, received) = next(&mut node, &mut device, 900);
        assert_eq!(received.notices, []);
        match turn {
            1 | 9 => {
                let period = if turn == 1 { "2024-04" } else { "2022-Q3" };
                say(&mut area, 2, period, Statement::Returned);
                sync(&mut node, &mut area);
            }
            3 | 6 | 10 => {
                for (period, value) in [("2023", 70), ("2025-02", 71), ("2025-11", 72)] {
                    put(&mut writer, 2, period, value + turn);
                    writer.seal(NOW).unwrap();
                }
                sync(&mut node, &mut writer);
            }
            // The tablet's own work goes up meanwhile.
            4 | 8 => {
                put(&mut device, 3, "2025-02", turn);
                device.seal(NOW).unwrap();
            }
            _ => {}
        }
        turn += 1;
        if !received.again {
            break;
        }
        assert!(turn < 100, "it never ends");
    }
    assert!(turn > 12);
    agree(&node, &mut device);
    assert_eq!(sync(&mut node, &mut writer), []);
    assert_eq!(
        values_of(&mut device, "2023"),
        values_of(&mut writer, "2023")
    );
}

fn values_of(device: &mut Device, period: &str) -> Vec<String> {
    let document = device.load(&of(2, period)).unwrap();
    document.cells().into_keys().collect()
}

/// A device in the middle of its first contact, with holes.
fn with_holes(node: &mut Node, id: u8) -> Device {
    let mut device = new_device(node, id);
    for _ in 0..4 {
        assert!(next(node, &mut device, 900).1.again);
    }
    assert!(!arrival(&device).has.is_empty());
    device
}

fn arrival(device: &Device) -> Arrival {
    let mut device = Device::open(device.sealer().clone(), device.keyspace().clone())
        .unwrap()
        .0;
    match device.request().unwrap().repair {
        Some(Ask::Rest(arrival)) => arrival,
        _ => Arrival::default(),
    }
}

#[test]
fn a_node_that_was_rolled_back_in_the_middle_is_told_by_what_lies_beyond_the_position() {
    let (mut node, mut writer, _) = province_of_years();
    let mut device = with_holes(&mut node, 4);
    let reach = device.request().unwrap().reach().unwrap();
    let position = device.request().unwrap().known.unwrap().position;
    assert!(position < 10 && reach > 20, "{position} {reach}");
    // An older copy that ends between the two.
    let mut older = node.keyspace.clone();
    let end = LogReader(&older).end().unwrap();
    older.apply((reach..=end).map(|position| Write {
        key: keys::log(position),
        value: None,
    }));
    older.clear_derived();
    crate::log::rebuild::rebuild(&mut older).unwrap();
    node.keyspace = older;
    node.cache = Cache::default();
    let before = node.identity.node;
    sync(&mut node, &mut device);
    assert_ne!(node.identity.node, before, "it took a new id");
    sync(&mut node, &mut writer);
    sync(&mut node, &mut device);
    agree(&node, &mut device);
    assert_eq!(device.log().fingerprint(&Follow::All).unwrap().count(), 42);
}

#[test]
fn rights_that_change_in_the_middle_begin_it_anew() {
    let (mut node, mut writer, _) = province_of_years();
    put(&mut writer, 2, "2025-02", 60);
    sync(&mut node, &mut writer);
    let mut device = with_holes(&mut node, 4);
    let person = node.person_of(&device);
    node.record(Body::GrantEnded(GrantId([4; 8])));
    node.record(Body::Grant(Grant {
        grant: GrantId([44; 8]),
        person,
        role: Role::Officer,
        unit: Some(UnitId([2; 8])),
        subtree: false,
        until: 0,
    }));
    assert_eq!(sync(&mut node, &mut device), []);
    agree(&node, &mut device);
}

#[test]
fn another_node_in_the_middle_is_compared_with_and_the_first_goes_on_where_it_was_left() {
    let (mut node, _, _) = province_of_years();
    let mut device = with_holes(&mut node, 4);
    let was = arrival(&device);
    let mut other = Node::new();
    other.keyspace = node.keyspace.clone();
    other.catalogue = node.catalogue.clone();
    other.identity = node.identity.renewed(NodeId([99; 16]));
    // It answers once, then the first one does again.
    exchange(&mut other, &mut device, Link::Good).unwrap();
    exchange(&mut node, &mut device, Link::Good).unwrap();
    assert_eq!(arrival(&device), was);
    sync(&mut node, &mut device);
    agree(&node, &mut device);
    sync(&mut other, &mut device);
    agree(&other, &mut device);
}

#[test]
fn a_piece_of_it_that_was_exchanged_on_the_way_moves_nothing_on() {
    let (mut node, _, _) = province_of_years();
    for (at, forge) in [
        (|response: &mut Response| {
            response.entries.pop();
        }) as fn(&mut Response),
        |response| response.entries.swap(0, 1),
        // Holes that were filled by nothing.
        |response| {
            if let Some(Told::Rest(arrival)) = &mut response.repair {
                arrival.has.push(44, 45);
            }
        },
    ]
    .into_iter()
    .enumerate()
    {
        let mut device = with_holes(&mut node, 10 + at as u8);
        let (before, held) = (arrival(&device), device.log().end().unwrap());
        let packed = answer(&mut node, &mut device, 900);
        let mut response = device.open_response(packed).unwrap();
        forge(&mut response);
        let received = device
            .receive(&response, NOW, InstallationId([6; 8]))
            .unwrap();
        assert!(
            matches!(received.notices[..], [Notice::PieceRefused { .. }]),
            "{at}: {:?}",
            received.notices
        );
        assert_eq!(
            (arrival(&device), device.log().end().unwrap()),
            (before, held)
        );
        assert_eq!(sync(&mut node, &mut device), []);
        agree(&node, &mut device);
    }
}

#[test]
fn so_many_holes_as_cannot_be_told_are_not_made() {
    let mut node = Node::new();
    let mut writer = node.enrol(1, Role::Officer, 2, false);
    let rounds = limits::ARRIVAL_RUNS_MAX as i64 + 200;
    for value in 0..rounds {
        for period in ["2023", "2025-02"] {
            put(&mut writer, 2, period, value % 7);
            writer.seal(NOW).unwrap();
        }
    }
    sync(&mut node, &mut writer);
    let mut device = new_device(&mut node, 4);
    let (mut most, mut entries) = (0, 0);
    for turn in 0.. {
        let (response, received) = next(&mut node, &mut device, 30_000);
        entries += response.entries.len();
        most = most.max(arrival(&device).has.runs());
        assert_eq!(received.notices, []);
        if !received.again {
            break;
        }
        assert!(turn < 200, "it never ends");
    }
    assert_eq!(entries as i64, 2 * rounds, "nothing comes twice");
    assert!(most <= limits::ARRIVAL_RUNS_MAX);
    assert!(
        most > limits::ARRIVAL_RUNS_MAX / 2,
        "the most useful first: {most}"
    );
    agree(&node, &mut device);
}

#[test]
fn a_node_from_before_sends_signatures_in_the_order_of_its_log() {
    let (mut node, _, _) = province_of_years();
    let mut device = new_device(&mut node, 4);
    for turn in 0..20 {
        let Frame::PackedRequest(mut asked) = device.packed_request().unwrap() else {
            panic!("no packed request")
        };
        if turn == 0 {
            assert_eq!(Proof::of(asked.request.bytes_max), Proof::NodeUsefulFirst);
        }
        // It knows of two bits that say something, and not of what the third number is.
        asked.request.bytes_max = match asked.request.bytes_max % 4 {
            3 => asked.request.bytes_max - 3,
            _ => asked.request.bytes_max,
        };
        assert_eq!(asked.request.repair, None);
        let person = node.person_of(&device);
        let answer = node.handle(person, &Frame::PackedRequest(asked).encode());
        let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
            panic!("no response")
        };
        assert_eq!(
            (
                packed.response.repair.clone(),
                packed.response.piece.clone()
            ),
            (None, None)
        );
        if !take(&mut device, *packed).1.again {
            agree(&node, &mut device);
            return;
        }
    }
    panic!("it never ends");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Answers that are lost, late, twice and out of order, while others work and the device is closed:
    /// in the end both have the same.
    #[test]
    fn answers_may_be_late(steps in prop::collection::vec((0..8u8, any::<prop::sample::Index>()), 5..60)) {
        let (mut node, mut writer, mut area) = province_of_years();
        let mut device = new_device(&mut node, 4);
        let mut answers: Vec<Vec<u8>> = Vec::new();
        for (at, (step, which)) in steps.into_iter().enumerate() {
            match step {
                0..=2 => {
                    let packed = answer(&mut node, &mut device, 900);
                    answers.push(Frame::PackedResponse(Box::new(packed)).encode());
                    if step < 2 {
                        let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answers[answers.len() - 1]) else {
                            panic!("no response")
                        };
                        take(&mut device, *packed);
                    }
                }
                3 | 4 if !answers.is_empty() => {
                    let Ok(Frame::PackedResponse(packed)) = Frame::decode(which.get::<Vec<u8>>(&answers)) else {
                        panic!("no response")
                    };
                    take(&mut device, *packed);
                }
                5 => {
                    let period = *which.get(&["2023", "2025-02", "2025-Q3", "2024-04"]);
                    put(&mut writer, 2, period, 100 + at as i64);
                    sync(&mut node, &mut writer);
                }
                6 => {
                    let period = *which.get(&["2023", "2022-Q3", "2025-Q3"]);
                    sync(&mut node, &mut area);
                    say(&mut area, 2, period, Statement::Returned);
                    sync(&mut node, &mut area);
                }
                7 => {
                    let kept = device.keyspace().clone();
                    device = Device::open(device.sealer().clone(), kept).unwrap().0;
                    put(&mut device, 3, "2025-02", at as i64);
                    device.seal(NOW).unwrap();
                }
                _ => {}
            }
        }
        sync(&mut node, &mut device);
        agree(&node, &mut device);
    }

    #[test]
    fn how_far_it_came_is_read_as_it_was_written(bits: u64, next in 0..3u8) {
        let mut has = crate::log::Positions::default();
        for at in (1..64).filter(|at| bits >> at & 1 == 1) {
            has.push(at, at);
        }
        let next = [Usefulness::Urgent, Usefulness::ThisYear, Usefulness::Earlier][usize::from(next)];
        let arrival = Arrival { has, next };
        let mut to = Writer::new();
        arrival.write(&mut to);
        let mut from = Reader::new(to.as_slice());
        prop_assert_eq!(Arrival::read(&mut from).unwrap(), arrival);
        prop_assert!(from.rest().is_empty());
        prop_assert!(Arrival::read(&mut Reader::new(&[3, 0])).is_err(), "no such usefulness");
    }
}

/// All ids of parts here.
fn parts(device: &Device) -> BTreeSet<PartId> {
    let page = device
        .log()
        .feed(&Follow::All, 0, None, usize::MAX)
        .unwrap();
    page.entries
        .iter()
        .map(|(_, entry)| entry.part.id())
        .collect()
}

#[test]
fn what_is_told_and_was_never_given_is_found_out_by_the_fingerprint() {
    let (mut node, _, _) = province_of_years();
    let mut device = with_holes(&mut node, 4);
    let packed = answer(&mut node, &mut device, 900);
    let mut response = device.open_response(packed).unwrap();
    let Some(Told::Rest(arrival)) = &mut response.repair else {
        panic!("it is over")
    };
    let mut all = crate::log::Positions::default();
    all.push(response.position + 1, arrival.has.last().unwrap());
    arrival.has = all;
    let fresh = InstallationId([6; 8]);
    assert_eq!(device.receive(&response, NOW, fresh).unwrap().notices, []);
    let notices = sync(&mut node, &mut device);
    assert!(
        notices.contains(&Notice::FingerprintMismatch),
        "{notices:?}"
    );
    agree(&node, &mut device);
}

#[test]
fn a_device_that_lost_a_part_in_the_middle_finds_out() {
    let (mut node, _, _) = province_of_years();
    let device = with_holes(&mut node, 4);
    let mut kept = device.keyspace().clone();
    let last = device.log().end().unwrap();
    kept.apply([Write {
        key: keys::log(last),
        value: None,
    }]);
    let mut device = Device::open(device.sealer().clone(), kept).unwrap().0;
    let notices = sync(&mut node, &mut device);
    assert!(
        notices.contains(&Notice::FingerprintMismatch),
        "{notices:?}"
    );
    agree(&node, &mut device);
    assert_eq!(parts(&device).len(), 42);
}
