//! Bundles between devices and a node: by any number of sticks, in any order, often, and in part.

use super::*;
use crate::bundle::{BundleError, Contents, Damage, Destination, Opened, Span, Written, open};
pub(super) use crate::sync::Scope;
use crate::sync::{DeviceError, PartAnswer, Request, Sequence, Taken};

pub(super) fn written(device: &mut Device, scope: Scope) -> Written {
    device.seal(NOW).unwrap();
    let written = device.write_bundle(scope, false, Destination::Anyone, NOW);
    written.unwrap().0
}

fn opened(written: &Written) -> Opened {
    open(&written.bytes, Damage::Refuse).unwrap()
}

pub(super) fn take(device: &mut Device, written: &Written) -> Taken {
    device.take_bundle(&opened(written), NOW).unwrap()
}

/// What a courier does who stands before a node with somebody's bundle: sends its parts as they are
/// and asks in its writer's name.
fn carry(node: &mut Node, courier: &Device, opened: &Opened) -> (Contents, Span) {
    let cover = &opened.head.cover;
    let request = Request {
        province: cover.province,
        actor: cover.issuer.actor().unwrap(),
        own_number: cover.own_number,
        catalogue_number: cover.catalogue_number,
        known: cover.known,
        bytes_max: u64::MAX,
        records: Vec::new(),
        parts: opened.contents.parts.clone(),
        repair: None,
    };
    let person = node.person_of(courier);
    let answer = node.handle(person, &Frame::Request(Box::new(request)).encode());
    let Ok(Frame::Response(response)) = Frame::decode(&answer) else {
        panic!("no response")
    };
    let held = opened.contents.parts.iter().zip(&response.answers);
    let held = held.filter_map(|(part, answer)| match answer {
        PartAnswer::Held(reason) => Some((part.id(), *reason)),
        PartAnswer::Accepted
        | PartAnswer::Gap(_)
        | PartAnswer::Waiting
        | PartAnswer::Refused(_) => None,
    });
    let contents = Contents {
        held: held.collect(),
        records: response.records.clone(),
        receipts: response.receipt.iter().cloned().collect(),
        parts: response
            .entries
            .iter()
            .map(|(_, part)| part.clone())
            .collect(),
    };
    let span = Span {
        node: response.node,
        follow: response
            .follow
            .clone()
            .unwrap_or(Session::of(&node.catalogue, person, NOW).follow),
        after: response.from,
        through: response.position,
    };
    (contents, span)
}

#[test]
fn a_stick_there_and_back_is_an_exchange() {
    let mut node = Node::new();
    let mut tablet = node.enrol(1, Role::Officer, 2, false);
    let mut courier = node.enrol(2, Role::Officer, 2, false);
    tablet.take_records(&node.records()).unwrap();
    sync(&mut node, &mut tablet);
    courier.edit(&subject(2), &[cell("I.2", 7)]).unwrap();
    sync(&mut node, &mut courier);
    tablet.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    let there = written(&mut tablet, Scope::Waiting);
    assert_eq!(there.head.cover.number, 1);
    let (contents, span) = carry(&mut node, &courier, &opened(&there));
    assert_eq!(LogReader(&node.keyspace).end().unwrap(), 2);
    let to = Destination::Device(tablet.sealer().key_id());
    let back = courier.write_answer(contents, span, to, NOW).unwrap().0;
    let position = |device: &mut Device| device.request().unwrap().known.unwrap().position;
    assert_eq!(position(&mut tablet), 0);
    let taken = take(&mut tablet, &back);
    assert_eq!((taken.accepted, taken.acknowledged), (1, 1));
    assert!(tablet.outbox().is_empty());
    assert_eq!(position(&mut tablet), 2);
    let again = take(&mut tablet, &back);
    assert_eq!((again.accepted, again.known, again.acknowledged), (0, 1, 0));
    assert_eq!((again.sequence, again.writes.len()), (Sequence::Again, 0));
    // On a link nothing is left to do, and the fingerprints agree.
    let end = LogReader(&node.keyspace).end().unwrap();
    assert_eq!(sync(&mut node, &mut tablet), []);
    assert_eq!(LogReader(&node.keyspace).end().unwrap(), end);
    assert_eq!(node.unread, 0, "both stand on the same ground");
}

/// The parts of a colleague's bundle are carried further, and then the node has them once.
#[test]
fn a_colleague_carries_a_bundle_further() {
    let mut node = Node::new();
    let mut tuan = node.enrol(1, Role::Officer, 2, false);
    let mut hanh = node.enrol(2, Role::Officer, 2, false);
    tuan.take_records(&node.records()).unwrap();
    tuan.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    hanh.edit(&subject(2), &[cell("I.1", 6)]).unwrap();
    let bundle = written(&mut tuan, Scope::Waiting);
    let taken = take(&mut hanh, &bundle);
    assert_eq!((taken.accepted, taken.waiting.len()), (1, 0));
    // What she had typed was sealed on the heads she saw.
    assert_eq!(values(&mut hanh, 2)["I.1"], [number(5), number(6)]);
    assert_eq!(hanh.outbox().len(), 2);
    assert_eq!(sync(&mut node, &mut hanh), []);
    assert!(hanh.outbox().is_empty());
    assert_eq!(tuan.outbox().len(), 1, "nobody has told him yet");
    assert_eq!(sync(&mut node, &mut tuan), []);
    assert_eq!(LogReader(&node.keyspace).end().unwrap(), 2);
    assert_eq!(values(&mut tuan, 2), values(&mut hanh, 2));
}

#[test]
fn three_sticks_in_any_order_end_alike() {
    let orders: [&[usize]; 6] = [
        &[0, 1, 2],
        &[2, 1, 0],
        &[1, 1, 0, 2, 0],
        &[2],
        &[0, 2, 1, 2, 1, 0],
        &[1, 0, 2, 2],
    ];
    let mut node = Node::new();
    let mut tuan = node.enrol(1, Role::Officer, 2, false);
    let mut readers: Vec<Device> = (0..6)
        .map(|number| node.enrol(10 + number, Role::Officer, 2, false))
        .collect();
    for reader in &mut readers {
        reader.take_records(&node.records()).unwrap();
    }
    tuan.take_records(&node.records()).unwrap();
    let mut bundles = Vec::new();
    for round in 0..3 {
        tuan.edit(&subject(2), &[cell("I.1", round), cell("I.2", 9)])
            .unwrap();
        bundles.push(written(&mut tuan, Scope::Waiting));
    }
    for (order, reader) in orders.iter().zip(&mut readers) {
        for bundle in *order {
            take(reader, &bundles[*bundle]);
        }
    }
    let prints: Vec<_> = readers
        .iter()
        .map(|reader| reader.log().fingerprint(&Follow::All))
        .collect();
    let expected = tuan.log().fingerprint(&Follow::All);
    assert_eq!(expected.clone().unwrap().count(), 3);
    assert!(prints.iter().all(|print| *print == expected));
}

/// A bundle of later work alone waits for the earlier one, says so, and fits after it.
#[test]
fn a_bundle_that_came_too_early_says_what_it_waits_for() {
    let mut node = Node::new();
    let mut tuan = node.enrol(1, Role::Officer, 2, false);
    let mut hanh = node.enrol(2, Role::Officer, 2, false);
    tuan.take_records(&node.records()).unwrap();
    tuan.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    let first = written(&mut tuan, Scope::Waiting);
    sync(&mut node, &mut tuan);
    tuan.edit(&subject(2), &[cell("I.1", 6)]).unwrap();
    let second = written(&mut tuan, Scope::Waiting);
    assert_eq!(second.head.cover.previous, first.id);
    let early = take(&mut hanh, &second);
    assert_eq!((early.accepted, early.waiting.len()), (0, 1));
    assert_eq!(early.sequence, Sequence::Skipped { first: 1, last: 1 });
    assert_eq!(take(&mut hanh, &first).sequence, Sequence::Late);
    let again = take(&mut hanh, &second);
    assert_eq!((again.accepted, again.waiting.len()), (1, 0));
    assert_eq!(values(&mut hanh, 2)["I.1"], [number(6)]);
}

/// A stick that broke off half-way, then the whole one.
#[test]
fn every_cut_gives_whole_batches_and_the_rest_comes_later() {
    let mut node = Node::new();
    let mut tuan = node.enrol(1, Role::Officer, 2, false);
    tuan.take_records(&node.records()).unwrap();
    for round in 0..30 {
        tuan.edit(&subject(2), &[cell("I.1", round)]).unwrap();
        tuan.seal(NOW).unwrap();
    }
    let bundle = written(&mut tuan, Scope::All);
    assert!(bundle.head.pieces.len() > 2);
    let mut hanh = node.enrol(2, Role::Officer, 2, false);
    let mut had = 0;
    for length in (0..bundle.bytes.len()).step_by(97) {
        let Ok(cut) = open(&bundle.bytes[..length], Damage::Refuse) else {
            continue;
        };
        let taken = hanh.take_bundle(&cut, NOW).unwrap();
        assert!(taken.waiting.is_empty());
        had += taken.accepted;
        assert_eq!(had, cut.contents.parts.len());
        assert_eq!(cut.missing().parts() as usize, 30 - had);
    }
    assert!(had > 0 && had < 30);
    assert_eq!(take(&mut hanh, &bundle).accepted, 30 - had);
    assert_eq!(values(&mut hanh, 2)["I.1"], [number(29)]);
}

#[test]
fn bundles_of_others_and_for_others_are_refused() {
    let mut node = Node::new();
    let mut tuan = node.enrol(1, Role::Officer, 2, false);
    let mut hanh = node.enrol(2, Role::Officer, 2, false);
    tuan.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    tuan.seal(NOW).unwrap();
    let refused =
        |device: &mut Device, written: &Written| match device.take_bundle(&opened(written), NOW) {
            Err(DeviceError::Bundle(error)) => error,
            other => panic!("{other:?}"),
        };
    let elsewhere = Destination::Device(tuan.sealer().key_id());
    let to_him = tuan
        .write_bundle(Scope::Waiting, false, elsewhere, NOW)
        .unwrap()
        .0;
    assert_eq!(
        refused(&mut hanh, &to_him),
        BundleError::NotForHere(elsewhere)
    );
    let to_node = Destination::Node(NodeId([1; 16]));
    let to_node = tuan
        .write_bundle(Scope::Waiting, false, to_node, NOW)
        .unwrap()
        .0;
    assert_eq!(refused(&mut hanh, &to_node).code(), "bundle-not-for-here");
    // A device that knows nothing of the writer, until the bundle itself tells it.
    let mut new = node.enrol_new(3, Role::Officer, 2, false);
    tuan.take_records(&node.records()).unwrap();
    let plain = written(&mut tuan, Scope::Waiting);
    assert_eq!(refused(&mut new, &plain).code(), "bundle-issuer-unknown");
    assert!(new.subjects().unwrap().is_empty());
    let with_catalogue = tuan.write_bundle(Scope::Waiting, true, Destination::Anyone, NOW);
    let taken = take(&mut new, &with_catalogue.unwrap().0);
    assert_eq!(taken.records, node.catalogue.last_number());
    assert_eq!(values(&mut new, 2)["I.1"], [number(5)]);
}

/// A bundle is no way around rights: a colleague's tablet judges as a node does.
#[test]
fn work_that_nobody_judged_is_judged_by_who_reads_it() {
    let mut node = Node::new();
    let mut stranger = node.enrol(1, Role::Officer, 3, false);
    let mut hanh = node.enrol(2, Role::Officer, 2, false);
    stranger.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    let bundle = written(&mut stranger, Scope::Waiting);
    let taken = take(&mut hanh, &bundle);
    let part = opened(&bundle).contents.parts[0].id();
    let code = "held-not-allowed".to_owned();
    assert_eq!(taken.notices, [Notice::EntryNotTaken { part, code }]);
    assert_eq!((taken.accepted, hanh.outbox().len()), (0, 0));
    assert_eq!(LogReader(hanh.keyspace()).end().unwrap(), 0);
    assert_eq!(LogReader(hanh.keyspace()).held_end().unwrap(), 1);
}

/// Only a node's own signature takes anything out of an outbox, and only what it covers.
#[test]
fn a_forged_receipt_clears_nothing() {
    let mut node = Node::new();
    let mut tablet = node.enrol(1, Role::Officer, 2, false);
    let mut courier = node.enrol(2, Role::Officer, 2, false);
    tablet.take_records(&node.records()).unwrap();
    tablet.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    let there = written(&mut tablet, Scope::Waiting);
    let (honest, span) = carry(&mut node, &courier, &opened(&there));
    tablet.edit(&subject(2), &[cell("I.1", 6)]).unwrap();
    tablet.seal(NOW).unwrap();
    let tip = tablet.log().chain(tablet.sealer().actor()).unwrap();
    let reached = (tip.number, tip.batch);
    let (id, actor) = (node.identity.node, tablet.sealer().actor());
    let forged = Receipt::sign(id, actor, reached, NOW, &courier.sealer().key);
    // What it says is in the node's log, it says without the node's word.
    let own = tablet.log().entry(2).unwrap().unwrap().part;
    let lies = Contents {
        receipts: vec![forged],
        parts: vec![own],
        ..Contents::default()
    };
    let lie = courier
        .write_answer(lies, span.clone(), Destination::Anyone, NOW)
        .unwrap()
        .0;
    let taken = take(&mut tablet, &lie);
    assert_eq!((taken.acknowledged, tablet.outbox().len()), (0, 2));
    assert_eq!(taken.notices.len(), 1);
    let back = courier
        .write_answer(honest, span, Destination::Anyone, NOW)
        .unwrap()
        .0;
    let taken = take(&mut tablet, &back);
    assert_eq!((taken.acknowledged, tablet.outbox().len()), (1, 1));
}

/// A courier who leaves something out is found out by the next exchange, which repairs it.
#[test]
fn what_a_courier_left_out_is_missed_and_read_again() {
    let mut node = Node::new();
    let mut tablet = node.enrol(1, Role::Officer, 2, false);
    let mut courier = node.enrol(2, Role::Officer, 2, false);
    tablet.take_records(&node.records()).unwrap();
    sync(&mut node, &mut tablet);
    for round in 0..2 {
        courier.edit(&subject(2), &[cell("I.2", round)]).unwrap();
        sync(&mut node, &mut courier);
    }
    tablet.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    let there = written(&mut tablet, Scope::Waiting);
    let (mut contents, span) = carry(&mut node, &courier, &opened(&there));
    assert_eq!(
        contents.parts.pop().map(|part| part.header().number),
        Some(2)
    );
    let back = courier
        .write_answer(contents, span, Destination::Anyone, NOW)
        .unwrap()
        .0;
    take(&mut tablet, &back);
    assert_eq!(values(&mut tablet, 2)["I.2"], [number(0)]);
    assert_eq!(sync(&mut node, &mut tablet), [Notice::FingerprintMismatch]);
    assert_eq!(values(&mut tablet, 2)["I.2"], [number(1)]);
    assert_eq!(sync(&mut node, &mut tablet), []);
}

/// A tablet copied back from a backup gives a number twice; its bundles are read, and it is told.
#[test]
fn a_number_given_twice_is_noticed() {
    let mut node = Node::new();
    let mut tuan = node.enrol(1, Role::Officer, 2, false);
    let mut hanh = node.enrol(2, Role::Officer, 2, false);
    tuan.take_records(&node.records()).unwrap();
    tuan.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    tuan.seal(NOW).unwrap();
    let sealer = tuan.sealer().clone();
    let (mut copy, _) = Device::open(sealer, tuan.keyspace().clone()).unwrap();
    let first = written(&mut tuan, Scope::Waiting);
    assert_eq!(take(&mut hanh, &first).sequence, Sequence::Next);
    let later = copy.write_bundle(Scope::Waiting, false, Destination::Anyone, NOW + 1);
    let later = later.unwrap().0;
    assert_eq!(later.head.cover.number, 1);
    assert_eq!(take(&mut hanh, &later).sequence, Sequence::Forked);
    // Its own newer work is not taken from elsewhere behind its node's back.
    tuan.edit(&subject(2), &[cell("I.1", 6)]).unwrap();
    let newer = written(&mut tuan, Scope::Waiting);
    assert!(take(&mut copy, &newer).own_chain_differs);
}
