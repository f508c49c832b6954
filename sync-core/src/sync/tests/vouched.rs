//! What becomes of parts that only the province vouches for: proven by themselves, never taken for signed,
//! given back to a province that lost them, and kept from nodes that do not know them.

use super::attested::bytes_of_first_contact;
use super::repairing::{Fate, agree, province_of_thirty, settle};
use super::*;
use crate::batch::{Attestation, SignedPart, VerifyError};
use crate::codec::{Reader, Writer};
use crate::sync::proof::Verifier;

#[test]
fn every_flipped_bit_of_a_vouched_part_is_refused() {
    let (mut node, _, _) = province_of_thirty();
    let mut device = node.enrol(4, Role::ProvincialReviewer, 1, true);
    sync(&mut node, &mut device);
    let part = device.log().entry(17).unwrap().unwrap().part;
    let good = part.encode();
    assert_eq!(SignedPart::decode(&good).unwrap(), part);
    let mut verifier = Verifier::new(&node.catalogue);
    assert!(verifier.verify(part.clone()).is_ok());
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = SignedPart::decode(&bad) {
            assert!(verifier.verify(read).is_err(), "bit {bit}");
        }
    }
    for length in 0..good.len() {
        assert!(SignedPart::decode(&good[..length]).is_err());
    }
}

/// The answer that acknowledged what a tablet gave on the province's word is lost, and so is what the
/// tablet had learned of its node: what waits is offered once more before anything is compared.
#[test]
fn an_answer_lost_on_the_way_is_no_mismatch() {
    let (mut node, _, _) = province_of_thirty();
    let mut device = node.enrol(4, Role::ProvincialReviewer, 1, true);
    let mut empty = node.keyspace.clone();
    for position in 1..=LogReader(&node.keyspace).end().unwrap() {
        let (key, value) = (keys::log(position), None);
        empty.apply([Write { key, value }]);
    }
    empty.clear_derived();
    crate::log::rebuild::rebuild(&mut empty).unwrap();
    sync(&mut node, &mut device);
    let sealer = device.sealer().clone();
    let full = device.keyspace().clone();
    for cut in 1..8 {
        node.keyspace = empty.clone();
        node.cache.clear();
        let (mut device, _) = Device::open(sealer.clone(), full.clone()).unwrap();
        let mut notices = Vec::new();
        for turn in 1..50 {
            let link = if turn == cut {
                Link::AnswerLost
            } else {
                Link::Good
            };
            let Some(received) = exchange(&mut node, &mut device, link) else {
                let kept = device.keyspace().clone();
                (device, _) = Device::open(sealer.clone(), kept).unwrap();
                continue;
            };
            notices.extend(received.notices);
            if !received.again {
                break;
            }
        }
        assert!(
            !notices.contains(&Notice::FingerprintMismatch),
            "{cut}: {notices:?}"
        );
        agree(&node, &mut device);
    }
}

/// The part with bytes that say its author had signed it: what a careless relay could make of it.
fn as_if_signed(part: &SignedPart) -> SignedPart {
    let mut to = Writer::new();
    to.u8(0).bytes(&part.header().encode()).raw(&[0; 64]);
    to.var(part.index().into())
        .var(part.siblings().len() as u64);
    for sibling in part.siblings() {
        to.raw(sibling);
    }
    to.bytes(&part.part().encode())
        .var(part.changes().len() as u64);
    for change in part.changes() {
        to.bytes(change);
    }
    SignedPart::decode(to.as_slice()).unwrap()
}

#[test]
fn what_is_vouched_for_is_never_taken_for_signed() {
    let (mut node, _, _) = province_of_thirty();
    let mut device = node.enrol(4, Role::ProvincialReviewer, 1, true);
    sync(&mut node, &mut device);
    let vouched = device.log().entry(3).unwrap().unwrap().part;
    let signed = LogReader(&node.keyspace).entry(3).unwrap().unwrap().part;
    assert_eq!(vouched.id(), signed.id());
    let author = node.catalogue.key(vouched.header().key).unwrap().public_key;
    assert_eq!(vouched.clone().verify(&author), Err(VerifyError::NotSigned));
    assert_eq!(
        signed.clone().verify_vouched(),
        Err(VerifyError::NotVouched)
    );
    assert!(signed.verify(&author).is_ok());
    let relayed = as_if_signed(&vouched);
    assert_eq!(relayed.id(), vouched.id());
    let verdict = Verifier::new(&node.catalogue).verify(relayed);
    assert_eq!(verdict.unwrap_err(), "wrong-signature");
    // The word for one part is none for another.
    let other = device.log().entry(4).unwrap().unwrap().part;
    let mut bytes = other.encode();
    let header = |part: &SignedPart| {
        let mut to = Writer::new();
        to.u8(1).bytes(&part.header().encode());
        to.into_bytes().len()
    };
    let mine = vouched.encode();
    let mut from = Reader::new(&mine[header(&vouched)..]);
    Attestation::read(&mut from).unwrap();
    let begin = header(&other);
    let word = 64 + 160;
    bytes[begin..begin + word].copy_from_slice(&mine[header(&vouched)..header(&vouched) + word]);
    if let Ok(read) = SignedPart::decode(&bytes) {
        assert!(read == other || Verifier::new(&node.catalogue).verify(read).is_err());
    }
}

/// A province whose folder is lost gets back what only a tablet on its word still has, and gives it to
/// everybody who can take it.
#[test]
fn a_province_copied_back_is_given_what_a_tablet_has_on_its_word() {
    let (mut node, mut writer, _) = province_of_thirty();
    let mut device = node.enrol(4, Role::ProvincialReviewer, 1, true);
    let mut older = node.enrol(5, Role::ProvincialReviewer, 1, true);
    let mut late = node.enrol(6, Role::ProvincialReviewer, 1, true);
    let catalogue_alone = {
        let mut kept = node.keyspace.clone();
        for position in 1..=LogReader(&node.keyspace).end().unwrap() {
            kept.apply([Write {
                key: keys::log(position),
                value: None,
            }]);
        }
        kept.clear_derived();
        crate::log::rebuild::rebuild(&mut kept).unwrap();
        kept
    };
    sync(&mut node, &mut device);
    let before = LogReader(&node.keyspace).fingerprint(&Follow::All).unwrap();
    // Folder, author and every reader of the feed are gone; the tablet is opened once more.
    node.keyspace = catalogue_alone;
    node.cache.clear();
    let kept = device.keyspace().clone();
    let (mut device, _) = Device::open(device.sealer().clone(), kept).unwrap();
    let notices = sync(&mut node, &mut device);
    assert!(notices.contains(&Notice::NodeChanged), "{notices:?}");
    assert!(
        notices.iter().all(|it| *it == Notice::NodeChanged),
        "{notices:?}"
    );
    agree(&node, &mut device);
    let after = LogReader(&node.keyspace).fingerprint(&Follow::All).unwrap();
    assert_eq!(after, before);
    assert!(LogReader(&node.keyspace).has_vouched().unwrap());
    // A new tablet has everything; one of an older program is told nothing that it cannot read.
    assert_eq!(sync(&mut node, &mut late), []);
    agree(&node, &mut late);
    bytes_of_first_contact(&mut node, &mut older, true);
    assert_eq!(older.log().end().unwrap(), 0);
    // Its author comes back and is in step; the program is brought up to date, and so is the tablet.
    let cost = settle(&mut node, &mut writer, |_| Fate::Good);
    agree(&node, &mut writer);
    assert_eq!(cost.parts_sent, 0, "{cost:?}");
    sync(&mut node, &mut older);
    agree(&node, &mut older);
    assert_eq!(values(&mut older, 2), values(&mut writer, 2));
}

#[test]
fn what_waits_on_a_node_s_word_goes_to_no_older_node() {
    let (mut node, _, _) = province_of_thirty();
    let mut device = node.enrol(4, Role::Officer, 1, true);
    sync(&mut node, &mut device);
    let mut other = Node::new();
    other.catalogue = node.catalogue.clone();
    other.identity = node.identity.renewed(NodeId([55; 16]));
    for record in node.records() {
        let key = keys::catalogue(record.number().unwrap());
        let value = Some(record.encode());
        other.keyspace.apply([Write { key, value }]);
    }
    device.edit(&subject(3), &[cell("I.1", 1)]).unwrap();
    device.seal(NOW).unwrap();
    for _ in 0..20 {
        let mut request = device.request().unwrap();
        assert!(
            request
                .parts
                .iter()
                .all(|part| part.attestation().is_none())
        );
        request.bytes_max -= request.bytes_max % 4;
        let person = other.person_of(&device);
        let asked = device.pack_request(request).unwrap().encode();
        let Ok(Frame::PackedResponse(packed)) = Frame::decode(&other.handle(person, &asked)) else {
            panic!("no response")
        };
        let response = device.open_response(*packed).unwrap();
        let fresh = InstallationId([6; 8]);
        if !device.receive(&response, NOW, fresh).unwrap().again {
            break;
        }
    }
    assert_eq!(
        LogReader(&other.keyspace).end().unwrap(),
        1,
        "its own work arrived"
    );
    assert_eq!(device.outbox().len(), 30, "the rest waits, and is not lost");
    // The node is brought up to date.
    sync(&mut other, &mut device);
    agree(&other, &mut device);
}
