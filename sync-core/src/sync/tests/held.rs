//! What is held: told to its author, kept from others, and no hole in anybody's log.

use super::*;
use crate::batch::SignedPart;
use crate::log::{Trust, Verdict, rebuild};
use crate::sync::Scope;

#[test]
fn what_a_person_may_not_write_is_held_and_told() {
    let mut node = Node::new();
    let mut stranger = node.enrol(1, Role::Officer, 3, false);
    let mut owner = node.enrol(2, Role::Officer, 2, false);
    stranger.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    let notices = sync(&mut node, &mut stranger);
    assert!(matches!(
        &notices[..],
        [Notice::Held {
            reason: HeldReason::NotAllowed,
            ..
        }]
    ));
    assert_eq!(LogReader(&node.keyspace).end().unwrap(), 0);
    assert!(
        LogReader(&node.keyspace).held(1).unwrap().is_some(),
        "held, not thrown away"
    );
    assert_eq!(
        values(&mut stranger, 2)["I.1"],
        [number(5)],
        "its author still has it"
    );
    // The chain goes on: what builds on the held change waits with it, the rest does not.
    stranger.edit(&subject(3), &[cell("I.1", 1)]).unwrap();
    assert_eq!(sync(&mut node, &mut stranger), []);
    stranger.edit(&subject(2), &[cell("I.1", 8)]).unwrap();
    let notices = sync(&mut node, &mut stranger);
    assert!(matches!(
        &notices[..],
        [Notice::Held {
            reason: HeldReason::WaitsForHeld,
            ..
        }]
    ));
    sync(&mut node, &mut owner);
    assert!(values(&mut owner, 2).is_empty());
}

/// A node keeps to itself what it holds. A peer that insisted on every part number of a chain would
/// take nothing of that chain any more, and its fingerprint would never agree again.
#[test]
fn what_a_node_holds_leaves_no_hole_for_others() {
    let mut node = Node::new();
    let mut stranger = node.enrol(1, Role::Officer, 3, false);
    let mut owner = node.enrol(2, Role::Officer, 2, false);
    stranger.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    assert_eq!(sync(&mut node, &mut stranger).len(), 1, "held");
    node.record(Body::Grant(Grant {
        grant: GrantId([9; 8]),
        person: PersonId([1; 8]),
        role: Role::Officer,
        unit: Some(UnitId([2; 8])),
        subtree: false,
        until: 0,
    }));
    let other = Subject {
        period: "2026".into(),
        ..subject(2)
    };
    stranger.edit(&other, &[cell("I.1", 7)]).unwrap();
    assert_eq!(sync(&mut node, &mut stranger), []);
    assert_eq!(sync(&mut node, &mut owner), []);
    let cells = owner.load(&other).unwrap().cells();
    assert_eq!(cells["I.1"][0].value, number(7));
}

/// A part may build on a document whose introduction is held, and name a text of it first.
#[test]
fn a_text_in_a_document_that_is_held_waits_for_it() {
    let mut node = Node::new();
    let mut stranger = node.enrol(1, Role::Officer, 3, false);
    stranger.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut node, &mut stranger);
    let insert = "Đã họp.".to_owned();
    let words = Edit {
        entry: Entry::Narrative {
            section: "i".into(),
            position: 0,
            delete: 0,
            insert,
        },
        typed_at: NOW,
    };
    stranger.edit(&subject(2), &[words]).unwrap();
    let notices = sync(&mut node, &mut stranger);
    let waits = HeldReason::WaitsForHeld;
    assert!(matches!(&notices[..], [Notice::Held { reason, .. }] if *reason == waits));
}

/// A tablet that knows less than the province holds what came by a stick; taken later, it is as new to the
/// document as anything else, and what is being typed there was typed without having seen it.
#[test]
fn what_was_held_here_and_is_taken_later_overwrites_nothing_that_is_being_typed() {
    let mut node = Node::new();
    let mut tuan = node.enrol(1, Role::Officer, 3, false);
    let mut hanh = node.enrol(2, Role::Officer, 2, false);
    sync(&mut node, &mut hanh);
    node.record(Body::Grant(Grant {
        grant: GrantId([9; 8]),
        person: PersonId([1; 8]),
        role: Role::Officer,
        unit: Some(UnitId([2; 8])),
        subtree: false,
        until: 0,
    }));
    tuan.take_records(&node.records()).unwrap();
    tuan.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    let stick = bundles::written(&mut tuan, Scope::Waiting);
    bundles::take(&mut hanh, &stick);
    assert_eq!(
        hanh.log().held_end().unwrap(),
        1,
        "she knows of no such right"
    );
    assert!(values(&mut hanh, 2).is_empty());
    sync(&mut node, &mut tuan);
    // She types while the exchange is under way.
    hanh.edit(&subject(2), &[cell("I.1", 6)]).unwrap();
    exchange(&mut node, &mut hanh, Link::Good).unwrap();
    sync(&mut node, &mut hanh);
    sync(&mut node, &mut tuan);
    assert_eq!(values(&mut hanh, 2)["I.1"], [number(5), number(6)]);
    assert_eq!(values(&mut tuan, 2), values(&mut hanh, 2));
}

/// A receipt says that nothing is missing up to a batch. A part that was held first and taken later is still
/// one part of its batch.
#[test]
fn a_part_that_was_held_first_stands_for_no_other_part_of_its_batch() {
    let mut node = Node::new();
    let mut stranger = node.enrol(1, Role::Officer, 3, false);
    for unit in [2, 3] {
        stranger.edit(&subject(unit), &[cell("I.1", 5)]).unwrap();
    }
    stranger.seal(NOW).unwrap();
    let parts: Vec<_> = stranger.outbox().keys().copied().collect();
    let part = |id| stranger.part(id).unwrap().unwrap();
    let mut parts: Vec<_> = parts.into_iter().map(part).collect();
    parts.sort_by_key(|part| part.part().partition.unit != UnitId([2; 8]));
    let actor = stranger.sealer().actor();
    let reached = |node: &Node| LogReader(&node.keyspace).chain(actor).unwrap().number;
    let take = |node: &mut Node, at: usize, trust: Trust| {
        let verified = node::verify(&node.catalogue, vec![parts[at].clone()]);
        let below = node.keyspace.clone();
        let mut acceptor = Acceptor::new(&below, &node.catalogue, &mut node.cache, NOW).unwrap();
        let verdict = acceptor.accept(verified[0].as_ref().unwrap(), trust);
        node.keyspace.apply(acceptor.into_writes());
        let mut again = node.keyspace.clone();
        again.clear_derived();
        rebuild::rebuild(&mut again).unwrap();
        assert!(again.iter().eq(node.keyspace.iter()), "derived again");
        verdict.unwrap()
    };
    let held = take(&mut node, 0, Trust::Judge);
    assert!(matches!(held, Verdict::Held { .. }), "{held:?}");
    let taken = take(&mut node, 0, Trust::Relayed);
    assert!(matches!(taken, Verdict::Accepted { .. }), "{taken:?}");
    assert_eq!(reached(&node), 0, "the other part has not come");
    take(&mut node, 1, Trust::Judge);
    assert_eq!(reached(&node), 1);
}

/// Two copies of a device each sealed a batch 2, of reports of different communes. A node that does not
/// follow the commune of the one that stands has its batches 1 and 3: what batch 3 does not name as the one
/// before it is not of that chain, even though number 2 is free here.
#[test]
fn a_batch_that_the_next_one_does_not_name_is_evidence() {
    let mut node = Node::new();
    let mut first = node.enrol(1, Role::Officer, 1, true);
    first.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    first.seal(NOW).unwrap();
    let copy = first.keyspace().clone();
    let part = |device: &Device, at| device.log().entry(at).unwrap().unwrap().part;
    let beside = Subject {
        period: "2024".into(),
        ..subject(2)
    };
    let seals = |value, subjects: &[Subject]| {
        let (mut device, _) = Device::open(first.sealer().clone(), copy.clone()).unwrap();
        for subject in subjects {
            device.edit(subject, &[cell("I.2", value)]).unwrap();
            device.seal(NOW).unwrap();
        }
        device
    };
    let stands = seals(6, &[subject(3), subject(2)]);
    let loses = seals(7, &[beside]);
    let mut take = |part: SignedPart| {
        let verified = node::verify(&node.catalogue, vec![part]);
        let below = node.keyspace.clone();
        let mut acceptor = Acceptor::new(&below, &node.catalogue, &mut node.cache, NOW).unwrap();
        let verdict = acceptor.accept(verified[0].as_ref().unwrap(), Trust::Relayed);
        node.keyspace.apply(acceptor.into_writes());
        let mut again = node.keyspace.clone();
        again.clear_derived();
        rebuild::rebuild(&mut again).unwrap();
        assert!(again.iter().eq(node.keyspace.iter()), "derived again");
        verdict.unwrap()
    };
    for at in [1, 3] {
        let verdict = take(part(&stands, at));
        assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict:?}");
    }
    let verdict = take(part(&loses, 2));
    let reason = HeldReason::Equivocation;
    assert!(
        matches!(verdict, Verdict::Held { reason: of, .. } if of == reason),
        "{verdict:?}"
    );
    // The one that is named comes late, and is taken.
    let verdict = take(part(&stands, 2));
    assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict:?}");
}
