//! What is held: told to its author, kept from others, and no hole in anybody's log.

use super::*;
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
