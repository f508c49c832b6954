//! What is held: told to its author, kept from others, and no hole in anybody's log.

use super::*;

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
