//! Older years that a device leaves out: whatever is cut, written, asked for, met or lost meanwhile.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::arriving::{answer, new_device, of, province_of_years, put, say, take};
use super::bundles;
use super::repairing::Fate;
use super::*;
use crate::codec::{Reader, Writer};
use crate::document::Statement;
use crate::identity::DocumentId;
use crate::log::Fingerprint;
use crate::sync::extent::{Extent, LeftOut, Older, Settled, ToldOlder, YearLeftOut};
use crate::sync::repair::{Ask, Told};

/// A device that wants this year, 2025, and so many before it.
fn reaching(node: &mut Node, id: u8, years: u8) -> Device {
    let mut device = new_device(node, id);
    device.set_years_back(Some(years));
    device
}

fn periods(device: &Device) -> BTreeSet<String> {
    let subjects = device.subjects().unwrap().into_values();
    subjects.map(|subject| subject.period).collect()
}

fn these(periods: &[&str]) -> BTreeSet<String> {
    periods.iter().map(|period| (*period).to_owned()).collect()
}

fn ids(periods: &[&str]) -> BTreeSet<DocumentId> {
    let ids = periods.iter().map(|period| of(2, period).document_id());
    ids.collect()
}

/// Exchanges in small pages until there is nothing to say any more.
fn go_on(node: &mut Node, device: &mut Device, fate: impl Fn(usize) -> Fate) -> Gone {
    let mut gone = Gone::default();
    for turn in 0..300 {
        gone.exchanges += 1;
        let fate = fate(turn);
        if fate == Fate::RequestLost {
            device.packed_request().unwrap();
            continue;
        }
        let packed = answer(node, device, 900);
        if fate == Fate::AnswerLost {
            continue;
        }
        let (response, received) = take(device, packed);
        gone.entries += response.entries.len();
        gone.notices.extend(received.notices);
        if fate == Fate::Closed {
            *device = reopened(device);
        }
        if !received.again && fate == Fate::Good {
            return gone;
        }
    }
    panic!("it never ends: {gone:?}");
}

#[derive(Debug, Default)]
struct Gone {
    exchanges: usize,
    entries: usize,
    notices: Vec<Notice>,
}

fn reopened(device: &Device) -> Device {
    let kept = device.keyspace().clone();
    Device::open(device.sealer().clone(), kept).unwrap().0
}

/// What is within the extent of a device is here, whole, and nothing else is; what the node says is left
/// out is exactly the rest; and nothing more is to be said.
fn stands(node: &mut Node, device: &mut Device, here: &[&str]) {
    assert_eq!(periods(device), these(here));
    let reader = LogReader(&node.keyspace);
    let wanted: BTreeSet<DocumentId> = ids(here);
    let (mut within, mut outside) = (Fingerprint::default(), Fingerprint::default());
    for position in 1..=reader.end().unwrap() {
        let part = reader.entry(position).unwrap().unwrap().part;
        let mut documents = part.part().entries.iter().map(|entry| entry.document());
        match documents.any(|document| wanted.contains(&document)) {
            true => within = within.plus(Fingerprint::of(part.id())),
            false => outside = outside.plus(Fingerprint::of(part.id())),
        }
    }
    assert_eq!(device.log().fingerprint(&Follow::All).unwrap(), within);
    let left = device.years();
    assert!(!left.under_way);
    let documents: u64 = left.left.iter().map(|year| year.documents).sum();
    assert!(left.since.is_some() || outside.count() == 0);
    assert_eq!(documents > 0, outside.count() > 0);
    let gone = go_on(node, device, |_| Fate::Good);
    assert_eq!((gone.exchanges, gone.entries), (1, 0), "all is said");
    assert_eq!(gone.notices, []);
    assert_eq!(periods(&reopened(device)), these(here));
}

const RECENT: [&str; 3] = ["2021..2025", "2025-02", "2025-Q3"];
const WITH_LAST: [&str; 5] = ["2021..2025", "2024-03", "2024-04", "2025-02", "2025-Q3"];
const ALL: [&str; 7] = [
    "2021..2025",
    "2022-Q3",
    "2023",
    "2024-03",
    "2024-04",
    "2025-02",
    "2025-Q3",
];

#[test]
fn older_years_are_left_out_until_they_are_asked_for_and_no_repair_comes_of_it() {
    let (mut node, _, _) = province_of_years();
    let mut device = reaching(&mut node, 4, 1);
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!((gone.entries, gone.notices), (6 * 5, vec![]));
    stands(&mut node, &mut device, &WITH_LAST);
    let standing = device.years();
    assert_eq!(standing.since, Some(2024));
    let told: Vec<_> = standing
        .left
        .iter()
        .map(|of| (of.year, of.documents))
        .collect();
    assert_eq!(told, [(2022, 1), (2023, 1)]);
    assert!(
        standing.left.iter().all(|of| of.bytes > 1_000),
        "{standing:?}"
    );
    // One more, then all.
    device.ask_for_years(2023);
    assert!(device.years().under_way);
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!((gone.entries, gone.notices), (6, vec![]));
    assert_eq!(device.years().since, Some(2023));
    device.ask_for_years(0);
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!((gone.entries, gone.notices), (6, vec![]));
    stands(&mut node, &mut device, &ALL);
}

#[test]
fn a_device_that_asks_for_no_years_says_and_keeps_what_it_always_did() {
    let (mut node, _, _) = province_of_years();
    let mut plain = new_device(&mut node, 4);
    let mut device = reopened(&plain);
    assert!(device.may_leave_years_out().unwrap());
    device.set_years_back(Some(1));
    device.set_years_back(None);
    assert!(!device.may_leave_years_out().unwrap(), "somebody said");
    for _ in 0..60 {
        let frames = (
            plain.packed_request().unwrap(),
            device.packed_request().unwrap(),
        );
        assert_eq!(frames.0.encode(), frames.1.encode());
        let packed = answer(&mut node, &mut plain, 900);
        let (_, one) = take(&mut plain, packed.clone());
        device.request().unwrap();
        let (_, other) = take(&mut device, packed);
        assert_eq!(one.documents, other.documents);
        if !one.again {
            stands(&mut node, &mut device, &ALL);
            return;
        }
    }
    panic!("it never ends");
}

#[test]
fn what_is_due_or_was_returned_comes_whatever_its_year_and_so_does_what_a_part_ties_to_it() {
    let (mut node, mut writer, mut area) = province_of_years();
    say(&mut area, 2, "2023", Statement::Returned);
    sync(&mut node, &mut area);
    put(&mut writer, 2, "2025-02", 50);
    put(&mut writer, 2, "2024-03", 50);
    writer.seal(NOW).unwrap();
    sync(&mut node, &mut writer);
    // After the tie, so that nothing but the tie brings it.
    put(&mut writer, 2, "2024-03", 51);
    sync(&mut node, &mut writer);
    let mut device = reaching(&mut node, 4, 0);
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!(gone.notices, []);
    let here = ["2021..2025", "2023", "2024-03", "2025-02", "2025-Q3"];
    stands(&mut node, &mut device, &here);
    for period in here {
        let heads = area.load(&of(2, period)).unwrap().heads();
        if period != "2024-03" && period != "2025-02" {
            assert_eq!(device.load(&of(2, period)).unwrap().heads(), heads);
        }
        let heads = writer.load(&of(2, period)).unwrap().heads();
        if period != "2023" {
            assert_eq!(
                device.load(&of(2, period)).unwrap().heads(),
                heads,
                "{period}"
            );
        }
    }
}

#[test]
fn it_may_be_cut_at_every_message_and_nothing_comes_twice() {
    let (mut node, _, mut area) = province_of_years();
    say(&mut area, 2, "2023", Statement::Returned);
    sync(&mut node, &mut area);
    let story = |node: &mut Node, id: u8, fate: &dyn Fn(usize) -> Fate| {
        let mut device = reaching(node, id, 0);
        let first = go_on(node, &mut device, fate);
        device.ask_for_years(0);
        let all = go_on(node, &mut device, |turn| fate(turn + 30));
        stands(node, &mut device, &ALL);
        (first, all)
    };
    let (first, all) = story(&mut node, 4, &|_| Fate::Good);
    assert!(
        first.exchanges > 5 && all.exchanges > 5,
        "{first:?} {all:?}"
    );
    assert_eq!(first.entries + all.entries, 6 * 7 + 1);
    for disturbed in [Fate::RequestLost, Fate::AnswerLost, Fate::Closed] {
        for at in (0..first.exchanges).chain(30..30 + all.exchanges) {
            let fate = |turn| if turn == at { disturbed } else { Fate::Good };
            let (first, all) = story(&mut node, 5, &fate);
            assert_eq!(first.notices, [], "{disturbed:?} at {at}");
            assert_eq!(all.notices, [], "{disturbed:?} at {at}");
            assert_eq!(
                first.entries + all.entries,
                6 * 7 + 1,
                "{disturbed:?} at {at}"
            );
        }
    }
}

#[test]
fn what_somebody_writes_in_an_older_report_brings_all_of_it() {
    let (mut node, mut writer, mut area) = province_of_years();
    let mut device = reaching(&mut node, 4, 0);
    go_on(&mut node, &mut device, |_| Fate::Good);
    stands(&mut node, &mut device, &RECENT);
    for (at, period) in [(0, "2023"), (1, "2022-Q3")] {
        put(&mut writer, 2, period, 60);
        put(&mut writer, 2, "2025-02", 60 + at);
        writer.seal(NOW).unwrap();
        put(&mut writer, 2, period, 70);
        sync(&mut node, &mut writer);
    }
    // One that nobody had begun before.
    put(&mut writer, 2, "2020-05", 1);
    sync(&mut node, &mut writer);
    say(&mut area, 2, "2024-03", Statement::Returned);
    sync(&mut node, &mut area);
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!(gone.notices, []);
    let here = [
        "2020-05",
        "2021..2025",
        "2022-Q3",
        "2023",
        "2024-03",
        "2025-02",
        "2025-Q3",
    ];
    stands(&mut node, &mut device, &here);
    for period in ["2023", "2022-Q3", "2020-05"] {
        let heads = writer.load(&of(2, period)).unwrap().heads();
        assert_eq!(
            device.load(&of(2, period)).unwrap().heads(),
            heads,
            "{period}"
        );
    }
    // They can be written in now.
    put(&mut device, 2, "2023", 80);
    sync(&mut node, &mut device);
    stands(&mut node, &mut device, &here);
}

#[test]
fn a_report_that_was_left_out_cannot_be_written_here_and_one_that_was_begun_before_merges() {
    let (mut node, mut writer, _) = province_of_years();
    let mut device = reaching(&mut node, 4, 0);
    // Begun without a network, one sealed and one not.
    put(&mut device, 2, "2023", 90);
    device.seal(NOW).unwrap();
    put(&mut device, 2, "2022-Q3", 90);
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!(gone.notices, []);
    let refused = device.edit(&of(2, "2024-03"), &[cell("I.1", 5)]);
    assert_eq!(refused, Err(DeviceError::LeftOut { since: 2025 }));
    assert_eq!(device.left_out(&of(2, "2024-03")), Some(2025));
    assert_eq!(device.left_out(&of(2, "2023")), None);
    sync(&mut node, &mut device);
    let here = ["2021..2025", "2022-Q3", "2023", "2025-02", "2025-Q3"];
    stands(&mut node, &mut device, &here);
    sync(&mut node, &mut writer);
    for period in here {
        let heads = writer.load(&of(2, period)).unwrap().heads();
        assert_eq!(
            device.load(&of(2, period)).unwrap().heads(),
            heads,
            "{period}"
        );
    }
    let cells = device.load(&of(2, "2023")).unwrap().cells();
    assert_eq!(cells.len(), 7, "theirs and ours");
}

#[test]
fn a_true_mismatch_is_seen_and_repaired_and_what_is_left_out_stays_out() {
    let (mut node, _, _) = province_of_years();
    let mut device = reaching(&mut node, 4, 1);
    go_on(&mut node, &mut device, |_| Fate::Good);
    // A part vanishes from the device, as if its medium had lost it.
    let mut kept = device.keyspace().clone();
    let at = LogReader(&kept).end().unwrap() - 1;
    kept.apply([Write {
        key: keys::log(at),
        value: None,
    }]);
    let mut device = Device::open(device.sealer().clone(), kept).unwrap().0;
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!(gone.notices, [Notice::FingerprintMismatch]);
    assert!(gone.entries <= 2, "{gone:?}");
    stands(&mut node, &mut device, &WITH_LAST);
}

#[test]
fn a_node_with_a_new_id_is_compared_with_within_the_extent() {
    let (mut node, mut writer, _) = province_of_years();
    let mut device = reaching(&mut node, 4, 1);
    go_on(&mut node, &mut device, |_| Fate::Good);
    node.identity = node.identity.renewed(NodeId([77; 16]));
    put(&mut writer, 2, "2025-02", 61);
    put(&mut writer, 2, "2023", 61);
    sync(&mut node, &mut writer);
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!(gone.notices, [Notice::NodeChanged]);
    let here = [
        "2021..2025",
        "2023",
        "2024-03",
        "2024-04",
        "2025-02",
        "2025-Q3",
    ];
    stands(&mut node, &mut device, &here);
    // Cut at every message of it.
    for at in 0..gone.exchanges {
        for disturbed in [Fate::RequestLost, Fate::AnswerLost, Fate::Closed] {
            let mut device = reaching(&mut node, 5, 1);
            go_on(&mut node, &mut device, |_| Fate::Good);
            node.identity = node.identity.renewed(NodeId([78; 16]));
            let fate = |turn| if turn == at { disturbed } else { Fate::Good };
            let gone = go_on(&mut node, &mut device, fate);
            assert_eq!(gone.notices, [Notice::NodeChanged], "{disturbed:?} at {at}");
            stands(
                &mut node,
                &mut device,
                &[
                    "2021..2025",
                    "2023",
                    "2024-03",
                    "2024-04",
                    "2025-02",
                    "2025-Q3",
                ],
            );
            node.identity = node.identity.renewed(NodeId([77; 16]));
        }
    }
}

#[test]
fn at_another_node_the_same_years_are_left_out_and_back_again_too() {
    let (mut node, mut writer, _) = province_of_years();
    let mut edge = Node::new();
    edge.keyspace = node.keyspace.clone();
    edge.catalogue = node.catalogue.clone();
    edge.identity = edge.identity.renewed(NodeId([55; 16]));
    let mut device = reaching(&mut node, 4, 1);
    edge.catalogue = node.catalogue.clone();
    for record in node.records() {
        let key = keys::catalogue(record.number().unwrap());
        let value = Some(record.encode());
        edge.keyspace.apply([Write { key, value }]);
    }
    go_on(&mut node, &mut device, |_| Fate::Good);
    let gone = go_on(&mut edge, &mut device, |_| Fate::Good);
    assert_eq!(gone.notices, [Notice::NodeChanged]);
    stands(&mut edge, &mut device, &WITH_LAST);
    // A year fetched there.
    device.ask_for_years(2023);
    go_on(&mut edge, &mut device, |_| Fate::Good);
    put(&mut writer, 2, "2022-Q3", 63);
    sync(&mut node, &mut writer);
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!(gone.notices, []);
    // What is compared is what is within the extent; what was written outside it meanwhile stays there.
    let here = [
        "2021..2025",
        "2023",
        "2024-03",
        "2024-04",
        "2025-02",
        "2025-Q3",
    ];
    stands(&mut node, &mut device, &here);
    put(&mut writer, 2, "2022-Q3", 64);
    sync(&mut node, &mut writer);
    go_on(&mut node, &mut device, |_| Fate::Good);
    stands(&mut node, &mut device, &ALL);
}

#[test]
fn years_under_way_survive_a_change_of_node() {
    let (mut node, _, _) = province_of_years();
    let mut device = reaching(&mut node, 4, 0);
    go_on(&mut node, &mut device, |_| Fate::Good);
    device.ask_for_years(2023);
    for _ in 0..3 {
        let packed = answer(&mut node, &mut device, 900);
        take(&mut device, packed);
    }
    assert!(device.years().under_way);
    node.identity = node.identity.renewed(NodeId([79; 16]));
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!(gone.notices, [Notice::NodeChanged]);
    stands(
        &mut node,
        &mut device,
        &[
            "2021..2025",
            "2023",
            "2024-03",
            "2024-04",
            "2025-02",
            "2025-Q3",
        ],
    );
}

#[test]
fn rights_that_grow_bring_no_older_years_with_them() {
    let (mut node, mut writer, _) = province_of_years();
    let mut device = node.enrol(9, Role::Officer, 3, false);
    device.set_years_back(Some(0));
    put(&mut device, 3, "2025-02", 1);
    sync(&mut node, &mut device);
    assert_eq!(device.years().since, None, "there was nothing to leave out");
    let mut device = node.enrol(8, Role::Officer, 2, false);
    device.set_years_back(Some(0));
    go_on(&mut node, &mut device, |_| Fate::Good);
    stands(&mut node, &mut device, &RECENT);
    node.record(Body::Grant(Grant {
        grant: GrantId([88; 8]),
        person: PersonId([8; 8]),
        role: Role::Officer,
        unit: Some(UnitId([1; 8])),
        subtree: true,
        until: 0,
    }));
    put(&mut writer, 2, "2025-02", 64);
    sync(&mut node, &mut writer);
    go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!(device.years().since, Some(2025));
    let subjects = device.subjects().unwrap().into_values();
    let units: BTreeSet<_> = subjects.map(|subject| subject.unit).collect();
    assert_eq!(units.len(), 2, "the other commune's report came");
    assert_eq!(periods(&device), these(&RECENT));
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!((gone.exchanges, gone.notices), (1, vec![]));
}

#[test]
fn an_answer_that_is_late_changes_nothing() {
    let (mut node, mut writer, _) = province_of_years();
    let mut device = reaching(&mut node, 4, 0);
    let mut late = Vec::new();
    let mut turn = 0;
    let mut asked = false;
    loop {
        let packed = answer(&mut node, &mut device, 900);
        late.push(packed.clone());
        let (_, received) = take(&mut device, packed);
        assert_eq!(received.notices, [], "{turn}");
        if turn % 3 == 0 {
            put(
                &mut writer,
                2,
                ["2025-02", "2023"][turn % 2],
                100 + turn as i64,
            );
            sync(&mut node, &mut writer);
        }
        // Each of those before once more.
        let again = late[turn / 2].clone();
        device.request().unwrap();
        let (_, received) = take(&mut device, again);
        let notices = received.notices;
        let waits = |notice: &Notice| matches!(notice, Notice::EntryNotTaken { code, .. } if code == "waiting");
        assert!(notices.iter().all(waits), "{notices:?}");
        turn += 1;
        assert!(turn < 200, "it never ends");
        if turn > 20 && !received.again {
            if asked {
                break;
            }
            asked = true;
            device.ask_for_years(0);
        }
    }
    go_on(&mut node, &mut device, |_| Fate::Good);
    stands(&mut node, &mut device, &ALL);
}

#[test]
fn a_device_that_was_rolled_back_reads_everything() {
    let (mut node, _, _) = province_of_years();
    let mut device = reaching(&mut node, 4, 0);
    go_on(&mut node, &mut device, |_| Fate::Good);
    let copy = device.keyspace().clone();
    put(&mut device, 2, "2025-02", 66);
    sync(&mut node, &mut device);
    let mut device = Device::open(device.sealer().clone(), copy).unwrap().0;
    put(&mut device, 2, "2025-02", 67);
    device.seal(NOW).unwrap();
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert!(gone.notices.contains(&Notice::NewInstallation), "{gone:?}");
    stands(&mut node, &mut device, &ALL);
}

#[test]
fn a_limit_of_the_day_leaves_the_years_as_they_are() {
    let (mut node, _, _) = province_of_years();
    let mut device = reaching(&mut node, 4, 1);
    device.set_budget(Some(6_000));
    for _ in 0..60 {
        let Some(frame) = device.packed_request_within(NOW, false).unwrap() else {
            break;
        };
        let person = node.person_of(&device);
        let Ok(Frame::PackedResponse(packed)) =
            Frame::decode(&node.handle(person, &frame.encode()))
        else {
            panic!("no response")
        };
        let (_, received) = take(&mut device, *packed);
        if !received.again {
            break;
        }
    }
    assert_eq!(periods(&device), these(&WITH_LAST));
    stands(&mut node, &mut device, &WITH_LAST);
}

#[test]
fn a_file_brings_a_report_that_was_left_out_once_its_years_are_here() {
    let (mut node, mut writer, _) = province_of_years();
    let mut device = reaching(&mut node, 4, 0);
    writer.take_records(&node.records()).unwrap();
    go_on(&mut node, &mut device, |_| Fate::Good);
    put(&mut writer, 2, "2023", 68);
    writer.seal(NOW).unwrap();
    put(&mut writer, 2, "2025-02", 68);
    let file = bundles::written(&mut writer, bundles::Scope::Waiting);
    let taken = bundles::take(&mut device, &file);
    assert_eq!(
        (taken.accepted, taken.waiting.len(), taken.notices),
        (0, 2, vec![])
    );
    // What follows it on its author's chain waits with it, as ever.
    go_on(&mut node, &mut device, |_| Fate::Good);
    stands(&mut node, &mut device, &RECENT);
    device.ask_for_years(2023);
    go_on(&mut node, &mut device, |_| Fate::Good);
    let taken = bundles::take(&mut device, &file);
    assert_eq!(
        (taken.accepted, taken.waiting.len(), taken.notices),
        (2, 0, vec![])
    );
    // Nobody else has them: the device carries them further.
    let gone = go_on(&mut node, &mut device, |_| Fate::Good);
    assert_eq!(gone.notices, []);
    let here = [
        "2021..2025",
        "2023",
        "2024-03",
        "2024-04",
        "2025-02",
        "2025-Q3",
    ];
    stands(&mut node, &mut device, &here);
    let heads = writer.load(&of(2, "2023")).unwrap().heads();
    assert_eq!(device.load(&of(2, "2023")).unwrap().heads(), heads);
}

fn some_extent() -> impl Strategy<Value = Extent> {
    let ids = prop::collection::btree_set(any::<[u8; 16]>().prop_map(DocumentId), 0..4);
    (any::<u16>(), ids).prop_map(|(since, also)| Extent { since, also })
}

fn some_left() -> impl Strategy<Value = LeftOut> {
    let year = (any::<u64>(), any::<u64>());
    let years = prop::collection::btree_map(any::<u16>(), year, 0..5);
    (years, any::<u8>()).prop_map(|(years, id)| LeftOut {
        fingerprint: Fingerprint::of(crate::identity::PartId([id; 32])),
        years: years
            .into_iter()
            .map(|(year, (documents, bytes))| YearLeftOut {
                year,
                documents,
                bytes,
            })
            .collect(),
    })
}

proptest! {
    #[test]
    fn messages_about_years_are_read_back(
        extent in some_extent(),
        more in some_extent(),
        left in some_left(),
        after: u64,
        flag: bool,
    ) {
        let wanted = Extent {
            since: more.since.min(extent.since),
            also: more.also.union(&extent.also).copied().collect(),
        };
        let asked = Ask::Older(Older { extent, wanted, after });
        let mut to = Writer::new();
        asked.write(&mut to);
        prop_assert_eq!(Ask::read(&mut Reader::new(to.as_slice())).unwrap(), asked);
        let settled = Settled { since: more.since, left: left.clone() };
        let told = ToldOlder {
            tag: [7; 8],
            after,
            through: after.saturating_add(9),
            more: flag,
            left: flag.then_some(left),
        };
        for told in [Told::Older(told), Told::Settled(settled)] {
            let mut to = Writer::new();
            told.write(&mut to);
            prop_assert_eq!(Told::read(&mut Reader::new(to.as_slice())).unwrap(), told);
        }
    }
}
