//! Repairs: where positions do not tell what two sides differ in, only that is sent, whatever is cut.

use super::*;
use crate::codec::{Reader, Writer};
use crate::limits;
use crate::log::Keyspace;
use crate::repair::ShortId;
use crate::sync::packed::{Packing, plain};
use crate::sync::repair::{Ask, Told};

/// What exchanges came to, from where a device notices something until neither side lacks anything.
#[derive(Debug, Default)]
pub(super) struct Cost {
    pub(super) exchanges: usize,
    /// Frames with a repair.
    pub(super) repairs: usize,
    pub(super) parts_sent: usize,
    pub(super) entries_got: usize,
    pub(super) notices: Vec<Notice>,
}

/// What becomes of one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Good,
    RequestLost,
    AnswerLost,
    /// The answer is taken, and the device closed before its next request.
    Closed,
}

fn repair_in(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(6 | 7))
}

/// Exchanges until nothing more is under way; `fate` says what becomes of each.
pub(super) fn settle(node: &mut Node, device: &mut Device, fate: impl Fn(usize) -> Fate) -> Cost {
    settle_with(node, device, fate, |_| {})
}

pub(super) fn settle_with(
    node: &mut Node,
    device: &mut Device,
    fate: impl Fn(usize) -> Fate,
    mut on_the_way: impl FnMut(&mut Response),
) -> Cost {
    let mut cost = Cost::default();
    for turn in 0..120 {
        let person = node.person_of(device);
        let request = device.request().unwrap();
        cost.parts_sent += request.parts.len();
        let request = device.pack_request(request).unwrap().encode();
        cost.exchanges += 1;
        cost.repairs += usize::from(repair_in(&request));
        let fate = fate(turn);
        if fate == Fate::RequestLost {
            continue;
        }
        let answer = node.handle(person, &request);
        if fate == Fate::AnswerLost {
            continue;
        }
        let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
            panic!("no response")
        };
        assert!(packed.response.repair.is_none() || repair_in(&answer));
        let mut response = device.open_response(*packed).unwrap();
        on_the_way(&mut response);
        cost.entries_got += response.entries.len();
        let fresh = InstallationId([turn as u8, 5, 5, 5, 5, 5, 5, 5]);
        let received = device.receive(&response, NOW, fresh).unwrap();
        cost.notices.extend(received.notices);
        if fate == Fate::Closed {
            let kept = device.keyspace().clone();
            *device = Device::open(device.sealer().clone(), kept).unwrap().0;
        }
        if !received.again && fate == Fate::Good {
            return cost;
        }
    }
    panic!("a repair that never ends: {cost:?}");
}

pub(super) fn agree(node: &Node, device: &mut Device) {
    let all = LogReader(&node.keyspace).fingerprint(&Follow::All).unwrap();
    assert_eq!(device.log().fingerprint(&Follow::All).unwrap(), all);
    assert!(device.outbox().is_empty(), "{:?}", device.outbox());
    let position = LogReader(&node.keyspace).end().unwrap();
    let known = device.request().unwrap().known;
    let known = known.map(|known| (known.node, known.position));
    assert_eq!(known, Some((node.identity.node, position)));
}

pub(super) fn work(device: &mut Device, codes: std::ops::Range<i64>) {
    for code in codes {
        device
            .edit(&subject(2), &[cell(&format!("I.{code}"), code)])
            .unwrap();
        device.seal(NOW).unwrap();
    }
}

/// A node and a reader of all of it, with thirty parts in common; the writer goes on.
pub(super) fn province_of_thirty() -> (Node, Device, Device) {
    let mut node = Node::new();
    let mut writer = node.enrol(1, Role::Officer, 2, false);
    let mut reader = node.enrol(2, Role::ProvincialReviewer, 1, true);
    work(&mut writer, 0..30);
    sync(&mut node, &mut writer);
    sync(&mut node, &mut reader);
    (node, writer, reader)
}

/// A node that was copied back to before the last three parts of the reader's, and then took two others.
fn rolled_back() -> (Node, Device) {
    let (mut node, mut writer, mut reader) = province_of_thirty();
    let mut other = node.enrol(3, Role::Officer, 3, false);
    sync(&mut node, &mut other);
    let yesterday = node.keyspace.clone();
    work(&mut writer, 30..33);
    sync(&mut node, &mut writer);
    sync(&mut node, &mut reader);
    node.keyspace = yesterday;
    node.cache.clear();
    for code in 0..2 {
        other
            .edit(&subject(3), &[cell(&format!("I.{code}"), code)])
            .unwrap();
        sync(&mut node, &mut other);
    }
    (node, reader)
}

#[test]
fn after_a_rollback_only_what_differs_is_sent() {
    let (mut node, mut reader) = rolled_back();
    let cost = settle(&mut node, &mut reader, |_| Fate::Good);
    agree(&node, &mut reader);
    assert!(cost.notices.contains(&Notice::NodeChanged), "{cost:?}");
    assert_eq!((cost.entries_got, cost.parts_sent), (2, 3), "{cost:?}");
    // One that finds out, and two that repair.
    assert_eq!((cost.exchanges, cost.repairs), (3, 2), "{cost:?}");
    assert_eq!(values(&mut reader, 2).len(), 33);
    assert_eq!(values(&mut reader, 3).len(), 2);
}

#[test]
fn a_node_that_only_took_a_new_id_is_sent_nothing() {
    let (mut node, _, mut reader) = province_of_thirty();
    node.identity = node.identity.renewed(NodeId([99; 16]));
    let cost = settle(&mut node, &mut reader, |_| Fate::Good);
    agree(&node, &mut reader);
    assert_eq!((cost.entries_got, cost.parts_sent), (0, 0), "{cost:?}");
}

#[test]
fn those_who_hold_the_same_and_never_met_send_what_differs() {
    let (mut node, mut writer, _) = province_of_thirty();
    let page = LogReader(&node.keyspace)
        .feed(&Follow::All, 0, None, usize::MAX)
        .unwrap();
    let parts: Vec<_> = page
        .entries
        .into_iter()
        .map(|(_, entry)| entry.part)
        .collect();
    let mut stranger = node.enrol(4, Role::ProvincialReviewer, 1, true);
    stranger.take_for_test(&parts[..28], NOW);
    assert_eq!(stranger.request().unwrap().known, None);
    work(&mut writer, 30..31);
    sync(&mut node, &mut writer);
    let cost = settle(&mut node, &mut stranger, |_| Fate::Good);
    agree(&node, &mut stranger);
    assert_eq!((cost.entries_got, cost.parts_sent), (3, 0), "{cost:?}");
}

#[test]
fn a_new_device_reads_the_feed_and_compares_nothing() {
    let (mut node, _, _) = province_of_thirty();
    let mut fresh = node.enrol(5, Role::ProvincialReviewer, 1, true);
    let cost = settle(&mut node, &mut fresh, |_| Fate::Good);
    agree(&node, &mut fresh);
    assert_eq!((cost.entries_got, cost.repairs), (30, 0), "{cost:?}");
}

/// Takes the part at a position out of a device's log, as a fault of the disk would.
fn forget(device: &mut Device, position: u64) {
    let mut kept = device.keyspace().clone();
    kept.apply([Write {
        key: keys::log(position),
        value: None,
    }]);
    *device = Device::open(device.sealer().clone(), kept).unwrap().0;
}

#[test]
fn what_fingerprints_miss_is_found_and_sent_alone() {
    let (mut node, _, mut reader) = province_of_thirty();
    let last = reader.log().end().unwrap();
    forget(&mut reader, last);
    let cost = settle(&mut node, &mut reader, |_| Fate::Good);
    agree(&node, &mut reader);
    assert!(cost.notices.contains(&Notice::FingerprintMismatch));
    assert_eq!((cost.entries_got, cost.parts_sent), (1, 0), "{cost:?}");
    // The other way round: the node misses the last.
    let last = LogReader(&node.keyspace).end().unwrap();
    let part = LogReader(&node.keyspace).entry(last).unwrap().unwrap().part;
    let mut kept = node.keyspace.clone();
    kept.apply([Write {
        key: keys::log(last),
        value: None,
    }]);
    // Another part in its place, so that no position tells.
    kept.clear_derived();
    crate::log::rebuild::rebuild(&mut kept).unwrap();
    node.keyspace = kept;
    node.cache.clear();
    let mut other = node.enrol(3, Role::Officer, 3, false);
    other.edit(&subject(3), &[cell("I.1", 1)]).unwrap();
    sync(&mut node, &mut other);
    assert_eq!(LogReader(&node.keyspace).end().unwrap(), last);
    let cost = settle(&mut node, &mut reader, |_| Fate::Good);
    agree(&node, &mut reader);
    assert_eq!((cost.entries_got, cost.parts_sent), (1, 1), "{cost:?}");
    assert!(LogReader(&node.keyspace).part(part.id()).unwrap().is_some());
}

/// A cut at every message, and a device that is closed after every answer, lose nothing and end alike.
#[test]
fn a_repair_may_be_cut_at_every_message() {
    for fate in [Fate::RequestLost, Fate::AnswerLost, Fate::Closed] {
        for cut in 0..4 {
            let (mut node, mut reader) = rolled_back();
            let cost = settle(&mut node, &mut reader, |turn| match turn == cut {
                true => fate,
                false => Fate::Good,
            });
            agree(&node, &mut reader);
            assert_eq!(values(&mut reader, 2).len(), 33, "{fate:?} {cut}: {cost:?}");
            assert!(cost.exchanges <= 6, "{fate:?} {cut}: {cost:?}");
        }
    }
    let (mut node, mut reader) = rolled_back();
    let cost = settle(&mut node, &mut reader, |turn| match turn % 3 {
        0 => Fate::RequestLost,
        1 => Fate::AnswerLost,
        _ => Fate::Good,
    });
    agree(&node, &mut reader);
    assert!(cost.exchanges <= 12, "{cost:?}");
}

/// The node is copied back once more while a repair with it is under way.
#[test]
fn a_node_that_is_copied_back_meanwhile_is_compared_anew() {
    let (mut node, mut reader) = rolled_back();
    let before = node.keyspace.clone();
    // It finds out, and has the symbols.
    for _ in 0..2 {
        exchange(&mut node, &mut reader, Link::Good).unwrap();
    }
    node.keyspace = before;
    node.cache.clear();
    settle(&mut node, &mut reader, |_| Fate::Good);
    agree(&node, &mut reader);
    assert_eq!(values(&mut reader, 2).len(), 33);
}

/// Whatever the node tells, the device ends by reading everything, and has lost nothing.
#[test]
fn symbols_that_lie_end_in_reading_everything() {
    let lies: [fn(&mut Told); 5] = [
        |told| {
            if let Told::Symbols(told) = told {
                told.symbols.clear();
            }
        },
        |told| {
            if let Told::Symbols(told) = told {
                for symbol in &mut told.symbols {
                    symbol.sum ^= 1;
                }
            }
        },
        |told| {
            if let Told::Symbols(told) = told {
                told.symbols.truncate(1);
            }
        },
        |told| {
            if let Told::Symbols(told) = told {
                told.tag = [0; 8];
            }
        },
        |told| {
            if let Told::Parts { tag } = told {
                *tag = [0; 8];
            }
        },
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let (mut node, mut reader) = rolled_back();
        let cost = settle_with(
            &mut node,
            &mut reader,
            |_| Fate::Good,
            |response| {
                if let Some(told) = &mut response.repair {
                    lie(told);
                }
            },
        );
        agree(&node, &mut reader);
        // Symbols that come one by one are a stream as well; all else ends in reading everything.
        let expected = if number == 2 { 2 } else { 32 };
        assert!(cost.entries_got >= expected, "{number}: {cost:?}");
        assert_eq!(values(&mut reader, 2).len(), 33);
    }
}

/// Entries that were told and are left out: the device does not believe that it is done.
#[test]
fn parts_that_are_told_and_not_given_end_in_reading_everything() {
    let (mut node, mut reader) = rolled_back();
    let cost = settle_with(
        &mut node,
        &mut reader,
        |_| Fate::Good,
        |response| {
            if let Some(Told::Parts { .. }) = response.repair {
                response.entries.clear();
            }
        },
    );
    agree(&node, &mut reader);
    assert!(cost.entries_got >= 32, "{cost:?}");
}

/// A page with little room gives what is asked for in several answers, and the rest of the feed after it.
#[test]
fn what_is_lacking_comes_in_pages() {
    let (mut node, mut reader) = rolled_back();
    let mut turns = 0;
    loop {
        turns += 1;
        assert!(turns < 30);
        let person = node.person_of(&reader);
        let mut request = reader.request().unwrap();
        request.bytes_max = request.bytes_max.min(1);
        let request = reader.pack_request(request).unwrap().encode();
        let answer = node.handle(person, &request);
        let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
            panic!("no response")
        };
        let response = reader.open_response(*packed).unwrap();
        assert!(response.entries.len() <= 1);
        let fresh = InstallationId([6; 8]);
        if !reader.receive(&response, NOW, fresh).unwrap().again {
            break;
        }
    }
    agree(&node, &mut reader);
}

/// What a repair asks and tells is read back, and nothing else is.
#[test]
fn frames_of_a_repair_are_strict() {
    let (mut node, mut reader) = rolled_back();
    let person = node.person_of(&reader);
    let mut seen = Vec::new();
    for turn in 0..4_u8 {
        let request = reader.packed_request().unwrap();
        let answer = node.handle(person, &request.encode());
        for bytes in [request.encode(), answer.clone()] {
            let frame = Frame::decode(&bytes).unwrap();
            assert_eq!(frame.encode(), bytes);
            seen.push(bytes[0]);
            for cut in 0..bytes.len() {
                assert!(Frame::decode(&bytes[..cut]).is_err());
            }
        }
        let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
            panic!("no response")
        };
        let response = reader.open_response(*packed).unwrap();
        let fresh = InstallationId([turn; 8]);
        if !reader.receive(&response, NOW, fresh).unwrap().again {
            break;
        }
    }
    assert_eq!(seen, [4, 5, 6, 7, 6, 7]);
    let ids = vec![ShortId(2), ShortId(1)];
    let key = crate::repair::RepairKey([1; 16]);
    let mut to = Writer::new();
    Ask::Parts { key, ids }.write(&mut to);
    assert!(Ask::read(&mut Reader::new(to.as_slice())).is_err(), "order");
}

/// A plain answer beside a repair: the device waits for one that goes on with it, and not for ever.
#[test]
fn a_node_that_knows_no_repair_is_read_as_a_whole() {
    let (mut node, mut reader) = rolled_back();
    let cost = settle_with(
        &mut node,
        &mut reader,
        |_| Fate::Good,
        |response| response.repair = None,
    );
    agree(&node, &mut reader);
    assert!(cost.exchanges <= limits::REPAIR_IDLE_ANSWERS_MAX as usize + 6);
}

/// That a repair is under way is durable, with its key, and nothing of it is anywhere else.
#[test]
fn a_repair_under_way_is_kept() {
    let (mut node, mut reader) = rolled_back();
    exchange(&mut node, &mut reader, Link::Good).unwrap();
    let kept = reader.keyspace().get(&[0x23]).unwrap().unwrap();
    assert_eq!(kept[17], 2, "{kept:?}");
    let truth = reader.keyspace().clone();
    let (mut opened, _) = Device::open(reader.sealer().clone(), truth).unwrap();
    let (a, b) = (opened.request().unwrap(), reader.request().unwrap());
    assert_eq!(a.repair, b.repair);
    assert!(matches!(a.repair, Some(Ask::Symbols { from: 0, .. })));
    assert_eq!((a.bytes_max, a.parts.len()), (0, 0));
    // Plain frames carry none of it: what answers them moves nothing on.
    let bytes = Frame::Request(Box::new(a)).encode();
    let person = node.person_of(&opened);
    let answer = node.handle(person, &bytes);
    let Ok(Frame::Response(response)) = Frame::decode(&answer) else {
        panic!("no response")
    };
    assert!(response.entries.is_empty() && response.more);
    let shown = plain(
        *response,
        crate::sync::packed::Reply {
            proof: crate::sync::Proof::Author,
            wanted: crate::sync::packed::Wanted::Plain,
            unread: false,
        },
    );
    let Frame::PackedResponse(packed) = shown else {
        panic!("no response")
    };
    assert_eq!(packed.entries, Packing::Plain);
    let response = opened.open_response(*packed).unwrap();
    let fresh = InstallationId([8; 8]);
    assert!(opened.receive(&response, NOW, fresh).unwrap().again);
    settle(&mut node, &mut opened, |_| Fate::Good);
    agree(&node, &mut opened);
}
