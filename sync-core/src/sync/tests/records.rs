//! Catalogue records a node lost, two histories of the catalogue, and news between two answers.

use super::*;

/// A node whose folder was copied back, and then changed before anybody gave back what it lost.
fn restored_and_changed() -> (Node, Device) {
    let mut node = Node::new();
    let mut hanh = node.enrol(1, Role::Officer, 2, false);
    sync(&mut node, &mut hanh);
    let yesterday = (node.keyspace.clone(), node.catalogue.clone());
    node.record(Body::Rehearsal { label: "A".into() });
    node.record(Body::Rehearsal { label: "B".into() });
    sync(&mut node, &mut hanh);
    (node.keyspace, node.catalogue) = yesterday;
    node.cache.clear();
    (node, hanh)
}

#[test]
fn records_that_a_node_lost_are_given_back() {
    let (mut node, mut hanh) = restored_and_changed();
    assert!(node.catalogue.last_number() < hanh.catalogue().last_number());
    assert_eq!(sync(&mut node, &mut hanh), []);
    assert_eq!(node.catalogue.last_hash(), hanh.catalogue().last_hash());
}

#[test]
fn two_histories_of_the_catalogue_are_told_and_reports_go_on() {
    for records in 1..=4 {
        let (mut node, mut hanh) = restored_and_changed();
        for label in 0..records {
            let name = format!("other {label}");
            node.record(Body::Person(Person {
                person: PersonId([90 + label; 8]),
                sign_in_name: name.clone(),
                display_name: name,
            }));
        }
        let kept = hanh.catalogue().last_hash();
        hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
        let notices = sync(&mut node, &mut hanh);
        let ends_alike = node.catalogue.last_number() == hanh.catalogue().last_number();
        let is_told = notices
            .iter()
            .any(|notice| matches!(notice, Notice::CatalogueForked { .. }));
        // Of two histories of one length nothing is seen until one of them goes on.
        assert_eq!(is_told, !ends_alike, "{records} records: {notices:?}");
        assert_eq!(hanh.catalogue().last_hash(), kept, "nothing is dropped");
        assert!(hanh.outbox().is_empty(), "the report is acknowledged");
        if records > 2 {
            // A packing of records that do not follow can never be read: none is asked for again.
            let received = exchange(&mut node, &mut hanh, Link::Good).unwrap();
            assert!(!received.again, "{records} records: {received:?}");
        }
    }
}

#[test]
fn news_between_a_request_and_its_answer_take_nothing_from_the_answer() {
    let mut node = Node::new();
    let mut hanh = node.enrol(1, Role::Officer, 2, false);
    let mut tuan = node.enrol(2, Role::Officer, 2, false);
    for device in [&mut hanh, &mut tuan] {
        sync(&mut node, device);
    }
    hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    hanh.seal(NOW).unwrap();
    let waiting = Frame::Request(Box::new(hanh.request().unwrap())).encode();
    tuan.edit(&subject(2), &[cell("I.2", 6)]).unwrap();
    sync(&mut node, &mut tuan);
    let person = node.person_of(&hanh);
    let fresh = InstallationId([9; 8]);
    let take = |hanh: &mut Device, node: &mut Node, frame: &[u8]| {
        let Ok(Frame::Response(response)) = Frame::decode(&node.handle(person, frame)) else {
            panic!("no response")
        };
        hanh.receive(&response, NOW, fresh).unwrap()
    };
    // What a live node sends by itself: the last request again, without parts.
    let Ok(Frame::Request(mut request)) = Frame::decode(&waiting) else {
        panic!("no request")
    };
    request.parts.clear();
    let news = Frame::Request(request).encode();
    let received = take(&mut hanh, &mut node, &news);
    assert_eq!((received.acknowledged, received.documents.len()), (0, 1));
    let received = take(&mut hanh, &mut node, &waiting);
    assert_eq!(received.acknowledged, 1);
    assert!(hanh.outbox().is_empty());
    // The same answer once more is nobody's.
    let received = take(&mut hanh, &mut node, &waiting);
    assert_eq!(received.acknowledged, 0);
}

/// A catalogue of several pages: the first answer used to carry entries beside its first page, signed by
/// keys that stand in a later one. They were not taken, the fingerprints differed, and everything was
/// read a second time.
#[test]
fn a_new_device_reads_the_whole_catalogue_before_the_first_entry() {
    let mut node = Node::new();
    for _ in 0..600 {
        let label = "x".repeat(crate::limits::NAME_BYTES_MAX);
        node.record(Body::Rehearsal { label });
    }
    let mut hanh = node.enrol(1, Role::Officer, 2, false);
    sync(&mut node, &mut hanh);
    hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    hanh.seal(NOW).unwrap();
    sync(&mut node, &mut hanh);
    let mut tuan = node.enrol_new(2, Role::Officer, 2, false);
    assert_eq!(sync(&mut node, &mut tuan), []);
    assert_eq!(tuan.log().end().unwrap(), 1);
}
