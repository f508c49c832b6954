//! Tablets and a node on a link that may lose an answer: what is typed arrives, once.

use super::*;
use crate::sync::PartAnswer;

#[test]
fn two_tablets_offline_meet_and_both_values_of_one_cell_stay() {
    let mut node = Node::new();
    let mut hanh = node.enrol(1, Role::Officer, 2, false);
    let mut tuan = node.enrol(2, Role::Officer, 2, false);
    hanh.edit(&subject(2), &[cell("I.1", 5), cell("I.2", 7)])
        .unwrap();
    tuan.edit(&subject(2), &[cell("I.1", 6), cell("I.3", 9)])
        .unwrap();
    assert_eq!(sync(&mut node, &mut hanh), []);
    assert_eq!(sync(&mut node, &mut tuan), []);
    assert_eq!(sync(&mut node, &mut hanh), []);
    let expected = BTreeMap::from([
        ("I.1".to_owned(), vec![number(5), number(6)]),
        ("I.2".to_owned(), vec![number(7)]),
        ("I.3".to_owned(), vec![number(9)]),
    ]);
    assert_eq!(values(&mut hanh, 2), expected);
    assert_eq!(values(&mut tuan, 2), expected);
    tuan.edit(&subject(2), &[cell("I.1", 6)]).unwrap();
    sync(&mut node, &mut tuan);
    sync(&mut node, &mut hanh);
    assert_eq!(
        values(&mut hanh, 2)["I.1"],
        [number(6)],
        "a choice is a change like any other"
    );
}

#[test]
fn an_exchange_whose_answer_was_lost_happens_once() {
    let mut node = Node::new();
    let mut device = node.enrol(1, Role::Officer, 2, false);
    device.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    device.seal(NOW).unwrap();
    for _ in 0..3 {
        assert!(exchange(&mut node, &mut device, Link::AnswerLost).is_none());
    }
    assert_eq!(LogReader(&node.keyspace).end().unwrap(), 1);
    sync(&mut node, &mut device);
    assert_eq!(LogReader(&node.keyspace).end().unwrap(), 1);
    assert!(device.outbox().is_empty());
}

/// A draft typed before somebody else's value arrived must not overwrite it silently: the draft is
/// sealed on the heads its author saw, before what was received is applied.
#[test]
fn a_draft_is_sealed_before_what_arrives_is_applied() {
    let mut node = Node::new();
    let mut hanh = node.enrol(1, Role::Officer, 2, false);
    let mut tuan = node.enrol(2, Role::Officer, 2, false);
    hanh.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    sync(&mut node, &mut hanh);
    tuan.edit(&subject(2), &[cell("I.1", 6)]).unwrap();
    // The draft is not sealed when the answer comes.
    exchange(&mut node, &mut tuan, Link::Good).unwrap();
    sync(&mut node, &mut tuan);
    assert_eq!(values(&mut tuan, 2)["I.1"], [number(5), number(6)]);
}

#[test]
fn a_receipt_proves_what_the_node_holds() {
    let mut node = Node::new();
    let mut device = node.enrol(1, Role::Officer, 2, false);
    device.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
    device.seal(NOW).unwrap();
    let request = Frame::Request(Box::new(device.request().unwrap())).encode();
    let answer = node.handle(PersonId([1; 8]), &request);
    let Ok(Frame::Response(response)) = Frame::decode(&answer) else {
        panic!()
    };
    let receipt = response.receipt.unwrap();
    assert!(receipt.is_signed_by(node.catalogue.node_keys()));
    assert_eq!(receipt.number, 1);
    let mut other = receipt.clone();
    other.number = 2;
    assert!(!other.is_signed_by(node.catalogue.node_keys()));
}

/// Work, its acknowledgement and the work of others travel packed; a request that comes again after its
/// answer was lost is rebuilt on the same ground.
#[test]
fn packed_requests_are_read_again_after_a_lost_answer() {
    let mut node = Node::new();
    let mut a = node.enrol(1, Role::Officer, 1, true);
    let mut b = node.enrol(2, Role::Officer, 1, true);
    for round in 0..4i64 {
        for device in [&mut a, &mut b] {
            device.edit(&subject(2), &[cell("x", round)]).unwrap();
            device.edit(&subject(3), &[cell("y", round)]).unwrap();
            device.seal(NOW).unwrap();
            exchange(&mut node, device, Link::AnswerLost);
            exchange(&mut node, device, Link::RequestLost);
            sync(&mut node, device);
        }
    }
    sync(&mut node, &mut a);
    assert_eq!(node.unread, 0);
    assert_eq!(values(&mut a, 2), values(&mut b, 2));
}

/// A node from an older folder cannot read what stands on what it lost: it says so, is sent the parts
/// as they are, and nothing is missing.
#[test]
fn what_stands_on_lost_ground_is_sent_as_it_is() {
    let mut node = Node::new();
    let mut a = node.enrol(1, Role::Officer, 1, true);
    a.edit(&subject(2), &[cell("x", 1)]).unwrap();
    let yesterday = node.keyspace.clone();
    sync(&mut node, &mut a);
    a.edit(&subject(2), &[cell("x", 2)]).unwrap();
    // The same id, as if nothing had happened: only positions tell.
    node.keyspace = yesterday;
    node.cache.clear();
    let notices = sync(&mut node, &mut a);
    assert!(notices.contains(&Notice::NodeChanged), "{notices:?}");
    assert_eq!(node.unread, 1);
    let mut b = node.enrol(2, Role::Officer, 1, true);
    sync(&mut node, &mut b);
    assert_eq!(values(&mut a, 2), values(&mut b, 2));
    assert_eq!(values(&mut b, 2).get("x"), Some(&vec![number(2)]));
}

/// A packing that a node cannot read is sent once more as it is, and the next work is packed again.
#[test]
fn what_could_not_be_read_travels_as_it_is_once() {
    let mut node = Node::new();
    let mut a = node.enrol(1, Role::Officer, 1, true);
    sync(&mut node, &mut a);
    let how = |frame: &Frame| {
        let Frame::PackedRequest(packed) = frame else {
            panic!("no packed request")
        };
        let is_packed = packed.parts != packed::Packing::Plain;
        (is_packed, packed.request.parts.len())
    };
    a.edit(&subject(2), &[cell("x", 1)]).unwrap();
    a.seal(NOW).unwrap();
    let mut frame = a.packed_request().unwrap();
    assert_eq!(how(&frame), (true, 0));
    if let Frame::PackedRequest(packed) = &mut frame
        && let packed::Packing::Packed { bytes, .. } = &mut packed.parts
    {
        bytes.truncate(bytes.len() / 2);
    }
    let answer = node.handle(node.person_of(&a), &frame.encode());
    let Ok(Frame::PackedResponse(told)) = Frame::decode(&answer) else {
        panic!("no response")
    };
    assert!(told.unread);
    let response = a.open_response(*told).unwrap();
    let received = a.receive(&response, NOW, InstallationId([7; 8])).unwrap();
    assert!(received.again, "{received:?}");
    assert_eq!(how(&a.packed_request().unwrap()), (false, 1));
    sync(&mut node, &mut a);
    assert_eq!(node.unread, 1);
    a.edit(&subject(2), &[cell("x", 2)]).unwrap();
    a.seal(NOW).unwrap();
    assert_eq!(how(&a.packed_request().unwrap()), (true, 0));
}

/// One answer brings the key of a new colleague and what they wrote: it is rebuilt at once.
#[test]
fn an_answer_may_name_who_it_introduces() {
    let mut node = Node::new();
    let mut a = node.enrol(1, Role::Officer, 1, true);
    sync(&mut node, &mut a);
    let mut b = node.enrol(2, Role::Officer, 1, true);
    b.edit(&subject(2), &[cell("x", 1)]).unwrap();
    sync(&mut node, &mut b);
    let received = exchange(&mut node, &mut a, Link::Good).unwrap();
    assert!(!received.again, "{received:?}");
    assert_eq!(values(&mut a, 2).get("x"), Some(&vec![number(1)]));
}

/// A packing can say anything, a change that is not the one that was signed, too: it is rebuilt as it
/// was sent, and refused as any other forgery.
#[test]
fn what_was_not_signed_is_refused_after_it_was_rebuilt() {
    let mut node = Node::new();
    let mut a = node.enrol(1, Role::Officer, 1, true);
    a.edit(&subject(2), &[cell("x", 1)]).unwrap();
    a.seal(NOW).unwrap();
    let mut request = a.request().unwrap();
    let mut bytes = request.parts[0].encode();
    *bytes.last_mut().unwrap() ^= 0x40;
    request.parts[0] = crate::batch::SignedPart::decode(&bytes).unwrap();
    let before = node.keyspace.clone();
    let frame = a.pack_request(request).unwrap();
    let Frame::PackedRequest(packed) = &frame else {
        panic!("no packed request")
    };
    assert_ne!(packed.parts, packed::Packing::Plain);
    let answer = node.handle(node.person_of(&a), &frame.encode());
    let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
        panic!("no response")
    };
    let refused = PartAnswer::Refused("wrong-signature".into());
    assert_eq!(packed.response.answers, [refused]);
    assert!(!packed.unread);
    assert_eq!(node.keyspace, before);
}

/// Records that cannot be rebuilt take the entries with them, and both come again as they are.
#[test]
fn records_that_cannot_be_rebuilt_come_as_they_are() {
    let mut node = Node::new();
    let mut a = node.enrol(1, Role::Officer, 1, true);
    sync(&mut node, &mut a);
    let mut b = node.enrol(2, Role::Officer, 1, true);
    b.edit(&subject(2), &[cell("x", 1)]).unwrap();
    sync(&mut node, &mut b);
    let mut ask = |a: &mut Device, damage: bool| {
        let request = a.packed_request().unwrap().encode();
        let answer = node.handle(PersonId([1; 8]), &request);
        let Ok(Frame::PackedResponse(mut packed)) = Frame::decode(&answer) else {
            panic!()
        };
        let is_packed = packed.records.is_some();
        if let Some(bytes) = packed.records.as_mut().filter(|_| damage) {
            bytes[0] ^= 1;
        }
        let response = a.open_response(*packed).unwrap();
        let counts = (response.records.len(), response.entries.len());
        let received = a.receive(&response, NOW, InstallationId([9; 8])).unwrap();
        (is_packed, counts, received.again)
    };
    assert_eq!(ask(&mut a, true), (true, (0, 0), true));
    assert_eq!(ask(&mut a, false), (false, (3, 1), false));
    assert_eq!(values(&mut a, 2).get("x"), Some(&vec![number(1)]));
}
