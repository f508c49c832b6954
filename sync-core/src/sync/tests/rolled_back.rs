//! Nodes and tablets copied back from an older folder: nothing that either side held is lost.

use super::*;

#[test]
fn a_node_copied_back_from_yesterday_loses_nothing() {
    let mut node = Node::new();
    let mut hanh = node.enrol(1, Role::Officer, 2, false);
    let mut province = node.enrol(2, Role::ProvincialReviewer, 1, true);
    hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut node, &mut hanh);
    let yesterday = node.keyspace.clone();
    let yesterday_catalogue = node.catalogue.clone();
    // A new colleague and new work, which the copy does not have.
    let mut tuan = node.enrol(3, Role::Officer, 2, false);
    tuan.edit(&subject(2), &[cell("I.2", 6)]).unwrap();
    sync(&mut node, &mut tuan);
    sync(&mut node, &mut hanh);
    sync(&mut node, &mut province);
    let before = LogReader(&node.keyspace).fingerprint(&Follow::All).unwrap();
    node.keyspace = yesterday;
    node.catalogue = yesterday_catalogue;
    node.cache.clear();
    let notices = sync(&mut node, &mut province);
    assert!(notices.contains(&Notice::NodeChanged), "{notices:?}");
    let after = LogReader(&node.keyspace).fingerprint(&Follow::All).unwrap();
    assert_eq!(after, before, "the peer that had seen it gave it back");
    for device in [&mut hanh, &mut tuan] {
        sync(&mut node, device);
        assert_eq!(values(device, 2).len(), 2);
    }
}

#[test]
fn a_tablet_copied_back_goes_on_as_a_new_installation_and_nothing_is_lost() {
    let mut node = Node::new();
    let mut hanh = node.enrol(1, Role::Officer, 2, false);
    let mut tuan = node.enrol(2, Role::Officer, 2, false);
    hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut node, &mut hanh);
    let backup = hanh.keyspace().clone();
    hanh.edit(&subject(2), &[cell("I.2", 6)]).unwrap();
    sync(&mut node, &mut hanh);
    // The backup comes back and types something else under the same number.
    let (mut hanh, _) = Device::open(hanh.sealer().clone(), backup).unwrap();
    hanh.edit(&subject(2), &[cell("I.3", 7), cell("I.1", 8)])
        .unwrap();
    let notices = sync(&mut node, &mut hanh);
    assert!(notices.contains(&Notice::NewInstallation), "{notices:?}");
    sync(&mut node, &mut tuan);
    let expected = BTreeMap::from([
        ("I.1".to_owned(), vec![number(8)]),
        ("I.2".to_owned(), vec![number(6)]),
        ("I.3".to_owned(), vec![number(7)]),
    ]);
    assert_eq!(values(&mut hanh, 2), expected);
    assert_eq!(values(&mut tuan, 2), expected);
    // The evidence of the fork is kept on both sides.
    assert!(LogReader(&node.keyspace).held(1).unwrap().is_some());
    hanh.edit(&subject(2), &[cell("I.3", 9)]).unwrap();
    assert_eq!(sync(&mut node, &mut hanh), [], "the new chain works");
    sync(&mut node, &mut tuan);
    assert_eq!(values(&mut tuan, 2)["I.3"], [number(9)]);
}

/// Positions and fingerprints do not count held parts, so a rollback that lost nothing else shows
/// only in how far the node says that it holds the chain.
#[test]
fn held_parts_come_back_after_a_rollback_that_lost_them_alone() {
    let mut node = Node::new();
    let mut stranger = node.enrol(1, Role::Officer, 3, false);
    stranger.edit(&subject(3), &[cell("I.1", 1)]).unwrap();
    sync(&mut node, &mut stranger);
    let yesterday = node.keyspace.clone();
    stranger.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut node, &mut stranger);
    assert!(LogReader(&node.keyspace).held(1).unwrap().is_some());
    node.keyspace = yesterday;
    node.cache.clear();
    sync(&mut node, &mut stranger);
    assert!(LogReader(&node.keyspace).held(1).unwrap().is_some());
}

/// A device copied back learned of its fork from an answer, and sealed the drafts of documents in
/// that same answer under the number that forked: the node's own part of this number was then
/// evidence to the device, and a hole in its log for good.
#[test]
fn a_draft_of_a_device_copied_back_is_sealed_on_its_new_chain() {
    let mut node = Node::new();
    let mut hanh = node.enrol(1, Role::Officer, 2, false);
    hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut node, &mut hanh);
    let backup = hanh.keyspace().clone();
    hanh.edit(&subject(2), &[cell("I.2", 6)]).unwrap();
    sync(&mut node, &mut hanh);
    let (mut hanh, _) = Device::open(hanh.sealer().clone(), backup).unwrap();
    hanh.edit(&subject(2), &[cell("I.3", 7)]).unwrap();
    // The draft is not sealed when the answer comes.
    exchange(&mut node, &mut hanh, Link::Good).unwrap();
    assert_eq!(sync(&mut node, &mut hanh), []);
    let all = LogReader(&node.keyspace).fingerprint(&Follow::All).unwrap();
    assert_eq!(hanh.log().fingerprint(&Follow::All).unwrap(), all);
    assert_eq!(values(&mut hanh, 2).len(), 3);
}

/// What an abandoned part declared is declared again: a change in a text builds on it.
#[test]
fn a_text_of_a_device_copied_back_is_said_again() {
    let words = |insert: &str| Edit {
        entry: Entry::Narrative {
            section: "i".into(),
            position: 0,
            delete: 0,
            insert: insert.into(),
        },
        typed_at: NOW,
    };
    let mut node = Node::new();
    let mut hanh = node.enrol(1, Role::Officer, 2, false);
    hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut node, &mut hanh);
    let backup = hanh.keyspace().clone();
    hanh.edit(&subject(2), &[cell("I.2", 6)]).unwrap();
    sync(&mut node, &mut hanh);
    let (mut hanh, _) = Device::open(hanh.sealer().clone(), backup).unwrap();
    hanh.edit(&subject(2), &[words("Đã họp.")]).unwrap();
    assert!(sync(&mut node, &mut hanh).contains(&Notice::NewInstallation));
    let text = hanh.load(&subject(2)).unwrap().narrative("i");
    assert_eq!(text.as_deref(), Some("Đã họp."));
}

/// The answer that shows the fork takes the unit away as well, so everything of it is offered once
/// more: what the same answer acknowledges must keep the changes that it builds on.
#[test]
fn a_fork_learned_together_with_a_lost_right_tears_nothing_apart() {
    let mut node = Node::new();
    let mut hanh = node.enrol(1, Role::Officer, 2, false);
    hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut node, &mut hanh);
    hanh.edit(&subject(2), &[cell("I.1", 6)]).unwrap();
    hanh.seal(NOW).unwrap();
    let backup = hanh.keyspace().clone();
    sync(&mut node, &mut hanh);
    hanh.edit(&subject(2), &[cell("I.1", 7)]).unwrap();
    sync(&mut node, &mut hanh);
    // The copy sends its second batch, which the node has, and another third one.
    let (mut hanh, _) = Device::open(hanh.sealer().clone(), backup).unwrap();
    hanh.edit(&subject(2), &[cell("I.2", 8)]).unwrap();
    hanh.seal(NOW).unwrap();
    let request = hanh.packed_request().unwrap().encode();
    node.record(Body::GrantEnded(GrantId([1; 8])));
    let person = node.person_of(&hanh);
    let Ok(Frame::PackedResponse(packed)) = Frame::decode(&node.handle(person, &request)) else {
        panic!("no response")
    };
    let response = hanh.open_response(*packed).unwrap();
    assert!(response.follow.is_some(), "the unit is taken away");
    let fresh = InstallationId([77; 8]);
    let received = hanh.receive(&response, NOW, fresh).unwrap();
    assert!(received.notices.contains(&Notice::NewInstallation));
    assert_eq!(values(&mut hanh, 2)["I.2"], [number(8)]);
    assert_eq!(values(&mut hanh, 2)["I.1"], [number(6)]);
}

/// After a rollback of the node somebody who follows one unit gives back the later of two batches. A
/// receipt for it would also vouch for the one before, which is not there.
#[test]
fn a_chain_reaches_only_as_far_as_nothing_is_missing() {
    let mut node = Node::new();
    let mut hanh = node.enrol(1, Role::Officer, 1, true);
    let mut tuan = node.enrol(2, Role::Officer, 3, false);
    sync(&mut node, &mut tuan);
    let yesterday = node.keyspace.clone();
    for unit in [2, 3] {
        hanh.edit(&subject(unit), &[cell("I.1", 5)]).unwrap();
        sync(&mut node, &mut hanh);
    }
    sync(&mut node, &mut tuan);
    let actor = hanh.sealer().actor();
    assert_eq!(LogReader(&node.keyspace).chain(actor).unwrap().number, 2);
    node.keyspace = yesterday;
    node.cache.clear();
    sync(&mut node, &mut tuan);
    assert_eq!(LogReader(&node.keyspace).end().unwrap(), 1);
    assert_eq!(LogReader(&node.keyspace).chain(actor).unwrap().number, 0);
    sync(&mut node, &mut hanh);
    assert_eq!(LogReader(&node.keyspace).chain(actor).unwrap().number, 2);
}
