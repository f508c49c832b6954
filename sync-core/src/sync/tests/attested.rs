//! First contacts on the province's word: without signatures, whatever is cut, forged or lost.

use super::repairing::{Cost, Fate, agree, province_of_thirty, settle_with, work};
use super::*;
use crate::batch::{Attestation, Statement, attestation};
use crate::catalogue::NodeRecord;
use crate::codec::{Reader, Writer};
use crate::identity::PartId;
use crate::sync::packed::PackedResponse;

fn vouched(device: &Device) -> usize {
    let page = device
        .log()
        .feed(&Follow::All, 0, None, usize::MAX)
        .unwrap();
    let of_node = |entry: &&(u64, crate::log::LogEntry)| entry.1.part.attestation().is_some();
    page.entries.iter().filter(of_node).count()
}

fn ids(device: &Device) -> Vec<PartId> {
    let page = device
        .log()
        .feed(&Follow::All, 0, None, usize::MAX)
        .unwrap();
    page.entries
        .iter()
        .map(|(_, entry)| entry.part.id())
        .collect()
}

/// Bytes of all answers until the device has everything. `old` is true of a program from before.
pub(super) fn bytes_of_first_contact(node: &mut Node, device: &mut Device, old: bool) -> usize {
    let mut bytes = 0;
    for _ in 0..20 {
        let mut request = device.request().unwrap();
        if old {
            request.bytes_max -= request.bytes_max % 4; // as older programs ask
        }
        let person = node.person_of(device);
        let asked = device.pack_request(request).unwrap().encode();
        let answer = node.handle(person, &asked);
        bytes += answer.len();
        let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
            panic!("no response")
        };
        assert!(!old || (packed.response.piece.is_none() && !packed.takes_vouched));
        let response = device.open_response(*packed).unwrap();
        let fresh = InstallationId([6; 8]);
        if !device.receive(&response, NOW, fresh).unwrap().again {
            return bytes;
        }
    }
    panic!("a first contact that never ends");
}

#[test]
fn a_first_contact_carries_no_signatures_and_ends_as_ever() {
    let (mut node, mut writer, _) = province_of_thirty();
    let mut old = node.enrol(4, Role::ProvincialReviewer, 1, true);
    let mut new = node.enrol(5, Role::ProvincialReviewer, 1, true);
    let before = bytes_of_first_contact(&mut node, &mut old, true);
    let after = bytes_of_first_contact(&mut node, &mut new, false);
    agree(&node, &mut old);
    agree(&node, &mut new);
    assert_eq!((vouched(&old), vouched(&new)), (0, 30));
    assert_eq!(
        ids(&old),
        ids(&new),
        "ids cover everything but the signature"
    );
    assert_eq!(values(&mut old, 2), values(&mut new, 2));
    // Thirty signatures less, one attestation more.
    assert!(after + 30 * 64 < before + 400, "{before} {after}");
    // What is done afterwards comes with its author's signature.
    work(&mut writer, 30..33);
    sync(&mut node, &mut writer);
    assert_eq!(sync(&mut node, &mut new), []);
    agree(&node, &mut new);
    assert_eq!(vouched(&new), 30);
    // All of it is there after the device was closed.
    let kept = new.keyspace().clone();
    let (opened, _) = Device::open(new.sealer().clone(), kept).unwrap();
    assert_eq!(vouched(&opened), 30);
    assert!(opened.log().has_vouched().unwrap());
}

/// A first contact in pages of a few parts.
fn in_pages(node: &mut Node, device: &mut Device, fate: impl Fn(usize) -> Fate) -> Cost {
    let mut cost = Cost::default();
    for turn in 0..200 {
        let mut request = device.request().unwrap();
        let bytes_max = request.bytes_max;
        assert!(!bytes_max.is_multiple_of(4), "an older device");
        request.bytes_max = Proof::of(bytes_max).with(1_000);
        let person = node.person_of(device);
        let asked = device.pack_request(request).unwrap().encode();
        cost.exchanges += 1;
        if fate(turn) == Fate::RequestLost {
            continue;
        }
        let answer = node.handle(person, &asked);
        if fate(turn) == Fate::AnswerLost {
            continue;
        }
        let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
            panic!("no response")
        };
        let response = device.open_response(*packed).unwrap();
        cost.entries_got += response.entries.len();
        let fresh = InstallationId([6; 8]);
        let received = device.receive(&response, NOW, fresh).unwrap();
        cost.notices.extend(received.notices);
        if fate(turn) == Fate::Closed {
            let kept = device.keyspace().clone();
            *device = Device::open(device.sealer().clone(), kept).unwrap().0;
        }
        if !received.again && fate(turn) == Fate::Good {
            return cost;
        }
    }
    panic!("a first contact that never ends: {cost:?}");
}

#[test]
fn a_first_contact_may_be_cut_at_every_message_and_goes_on() {
    let (mut node, _, _) = province_of_thirty();
    let mut whole = node.enrol(4, Role::ProvincialReviewer, 1, true);
    let undisturbed = in_pages(&mut node, &mut whole, |_| Fate::Good);
    assert!(undisturbed.exchanges > 5, "{undisturbed:?}");
    for disturbed in [Fate::RequestLost, Fate::AnswerLost, Fate::Closed] {
        for at in 0..undisturbed.exchanges {
            let mut device = node.enrol_new(5, Role::ProvincialReviewer, 1, true);
            let id = InstallationId([at as u8, disturbed as u8, 1, 1, 1, 1, 1, 1]);
            let sealer = Sealer {
                installation: id,
                ..device.sealer().clone()
            };
            device = Device::open(sealer, MemoryKeyspace::new()).unwrap().0;
            device.take_records(&node.records()).unwrap();
            let fate = |turn| if turn == at { disturbed } else { Fate::Good };
            let cost = in_pages(&mut node, &mut device, fate);
            assert_eq!(cost.notices, [], "{disturbed:?} at {at}");
            assert_eq!(cost.entries_got, 30, "nothing comes twice");
            agree(&node, &mut device);
            assert_eq!(vouched(&device), 30, "{disturbed:?} at {at}");
        }
    }
}

#[test]
fn new_work_and_lost_rights_in_the_middle_change_nothing() {
    let (mut node, mut writer, _) = province_of_thirty();
    let mut device = node.enrol(4, Role::Officer, 1, true);
    // What is typed before the first contact is over goes up with it.
    device.edit(&subject(3), &[cell("I.1", 1)]).unwrap();
    device.seal(NOW).unwrap();
    let mut request = device.request().unwrap();
    request.bytes_max = Proof::Node.with(1_000);
    let asked = device.pack_request(request).unwrap().encode();
    let person = node.person_of(&device);
    let answer = node.handle(person, &asked);
    let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
        panic!("no response")
    };
    let response = device.open_response(*packed).unwrap();
    assert!(
        device
            .receive(&response, NOW, InstallationId([6; 8]))
            .unwrap()
            .again
    );
    work(&mut writer, 40..45);
    sync(&mut node, &mut writer);
    node.record(Body::GrantEnded(GrantId([4; 8])));
    node.record(Body::Grant(Grant {
        grant: GrantId([44; 8]),
        person,
        role: Role::Officer,
        unit: Some(UnitId([2; 8])),
        subtree: false,
        until: 0,
    }));
    sync(&mut node, &mut device);
    let of = Follow::These(crate::access::readable(&node.catalogue, person, NOW).unwrap());
    let theirs = LogReader(&node.keyspace).fingerprint(&of).unwrap();
    assert_eq!(device.log().fingerprint(&of).unwrap(), theirs);
    assert_eq!(values(&mut device, 2).len(), 35);
}

/// The answer to a first contact, opened by nobody yet.
fn first_answer(node: &mut Node, device: &mut Device) -> PackedResponse {
    let asked = device.packed_request().unwrap().encode();
    let person = node.person_of(device);
    let answer = node.handle(person, &asked);
    let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
        panic!("no response")
    };
    assert!(packed.response.piece.is_some());
    *packed
}

#[test]
fn a_piece_that_is_not_as_it_is_attested_is_refused_by_name_and_comes_signed() {
    let (mut node, _, _) = province_of_thirty();
    let edge = SigningKey::from_bytes(&[77; 32]);
    node.record(Body::Node(NodeRecord {
        public_key: *edge.verifying_key().as_bytes(),
        unit: UnitId([2; 8]),
        label: "xã".into(),
        address: "https://xa.example".into(),
    }));
    let own = node.identity.key.clone();
    let key_of = |key: &SigningKey| KeyId::of(key.verifying_key().as_bytes());
    type Forgery = Box<dyn Fn(&mut Statement)>;
    let forgeries: Vec<(&str, SigningKey, Forgery)> = vec![
        (
            "piece-other-province",
            own.clone(),
            Box::new(|said| said.province.0[0] ^= 1),
        ),
        (
            "piece-other-node",
            own.clone(),
            Box::new(|said| said.node.0[0] ^= 1),
        ),
        (
            "piece-other-selection",
            own.clone(),
            Box::new(|said| said.follow[0] ^= 1),
        ),
        (
            "piece-other-place",
            own.clone(),
            Box::new(|said| said.through += 1),
        ),
        (
            "piece-other-place",
            own.clone(),
            Box::new(|said| said.from += 1),
        ),
        (
            "piece-other-parts",
            own.clone(),
            Box::new(|said| said.parts -= 1),
        ),
        (
            "piece-other-parts",
            own.clone(),
            Box::new(|said| said.root[0] ^= 1),
        ),
        (
            "piece-other-parts",
            own.clone(),
            Box::new(|said| said.root = attestation::root_of(&[])),
        ),
        // Signed by a node of an area, by nobody known, and with another key than is named.
        (
            "piece-unknown-key",
            edge.clone(),
            Box::new(move |said| said.key = key_of(&edge)),
        ),
        (
            "piece-unknown-key",
            SigningKey::from_bytes(&[78; 32]),
            Box::new(move |said| said.key = key_of(&SigningKey::from_bytes(&[78; 32]))),
        ),
        (
            "piece-wrong-signature",
            SigningKey::from_bytes(&[78; 32]),
            Box::new(|_| {}),
        ),
    ];
    for (at, (code, key, forge)) in forgeries.into_iter().enumerate() {
        let mut device = node.enrol(100 + at as u8, Role::ProvincialReviewer, 1, true);
        let mut packed = first_answer(&mut node, &mut device);
        let mut said = packed.response.piece.clone().unwrap().said;
        forge(&mut said);
        packed.response.piece = Some(Attestation::sign(said, &key));
        let response = device.open_response(packed).unwrap();
        let received = device
            .receive(&response, NOW, InstallationId([6; 8]))
            .unwrap();
        assert_eq!(received.notices, [Notice::PieceRefused { code }]);
        assert_eq!(device.log().end().unwrap(), 0, "{code}: nothing was kept");
        assert!(received.again);
        assert_eq!(sync(&mut node, &mut device), []);
        agree(&node, &mut device);
        assert_eq!(vouched(&device), 0, "{code}: asked for with signatures");
    }
}

#[test]
fn a_node_that_lies_again_and_again_is_not_asked_for_ever() {
    let (mut node, _, _) = province_of_thirty();
    let mut device = node.enrol(4, Role::ProvincialReviewer, 1, true);
    for turn in 0..3 {
        let asked = device.packed_request().unwrap().encode();
        let person = node.person_of(&device);
        let answer = node.handle(person, &asked);
        let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
            panic!("no response")
        };
        let mut response = device.open_response(*packed).unwrap();
        let parts: Vec<PartId> = response.entries.iter().map(|(_, part)| part.id()).collect();
        let said = Statement {
            province: province(),
            node: response.node,
            key: KeyId([0; 16]),
            follow: Follow::All.digest(),
            from: response.from,
            through: response.position,
            parts: parts.len() as u64,
            root: attestation::root_of(&parts),
        };
        response.piece = Some(Attestation::sign(said, &SigningKey::from_bytes(&[78; 32])));
        let received = device
            .receive(&response, NOW, InstallationId([6; 8]))
            .unwrap();
        assert!(matches!(
            received.notices[..],
            [Notice::PieceRefused { .. }]
        ));
        assert_eq!(received.again, turn == 0);
        assert_eq!(device.log().end().unwrap(), 0);
    }
}

#[test]
fn a_node_of_an_area_gives_signatures() {
    let (mut node, _, _) = province_of_thirty();
    let own = SigningKey::from_bytes(&[66; 32]);
    node.record(Body::Node(NodeRecord {
        public_key: *own.verifying_key().as_bytes(),
        unit: UnitId([2; 8]),
        label: "xã".into(),
        address: "https://xa.example".into(),
    }));
    node.identity.key = own;
    let mut device = node.enrol(4, Role::ProvincialReviewer, 1, true);
    assert_eq!(sync(&mut node, &mut device), []);
    agree(&node, &mut device);
    assert_eq!(vouched(&device), 0);
}

#[test]
fn an_answer_exchanged_on_the_way_moves_nothing_on() {
    let (mut node, _, _) = province_of_thirty();
    let mut device = node.enrol(4, Role::ProvincialReviewer, 1, true);
    let cost = settle_with(
        &mut node,
        &mut device,
        |_| Fate::Good,
        |response| {
            if response.piece.is_some() {
                response.entries.swap(3, 4);
            }
        },
    );
    let code = "piece-other-parts";
    assert_eq!(cost.notices, [Notice::PieceRefused { code }]);
    agree(&node, &mut device);
}

#[test]
fn what_the_last_bits_say_is_read_as_it_was_written() {
    for proof in [Proof::Author, Proof::Either, Proof::Node] {
        assert_eq!(Proof::of(proof.with(262_144)), proof);
        assert_eq!(Proof::of(proof.with(0)), Proof::Author, "no room, no parts");
        assert!(proof.with(262_144) < 262_144 + 4);
    }
    assert_eq!(
        Proof::of(Proof::afterwards(Proof::Node.with(1_000))),
        Proof::Either
    );
    assert_eq!(Proof::afterwards(Proof::Author.with(1_000)), 1_000);
}

/// What a device does about its node's feed, as it is kept (`docs/formats.md` section 11, key 23).
fn mode_of(device: &Device) -> Option<u8> {
    let bytes = crate::log::Keyspace::get(device.keyspace(), &[0x23]).unwrap()?;
    let mut from = Reader::new(&bytes);
    let _node: [u8; 16] = from.array("node").unwrap();
    let _position = from.var("position").unwrap();
    Some(from.u8("mode").unwrap())
}

/// The same device at another mode.
fn put_into(device: &Device, mode: u8) -> Device {
    let mut kept = device.keyspace().clone();
    let bytes = crate::log::Keyspace::get(&kept, &[0x23]).unwrap().unwrap();
    let mut from = Reader::new(&bytes);
    let node: [u8; 16] = from.array("node").unwrap();
    let position = from.var("position").unwrap();
    let _mode = from.u8("mode").unwrap();
    let mut to = Writer::new();
    to.raw(&node).var(position).u8(mode).raw(from.rest());
    kept.apply([Write {
        key: vec![0x23],
        value: Some(to.into_bytes()),
    }]);
    Device::open(device.sealer().clone(), kept).unwrap().0
}

/// What an answer is to a first contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    /// Parts, and more of them follow.
    More,
    /// The last parts.
    Last,
    /// Parts on a word that is not for them.
    False,
    /// It comes from a node with another id.
    OtherNode,
}

/// The table of first contacts: what a device asks for at each mode, and what it is at after each kind of
/// answer. 0 follows, 1 reads everything, 2 repairs, 3 follows and never yet had everything.
#[test]
fn every_pair_of_a_first_contact_is_decided() {
    use Comes::{False, Last, More, OtherNode};
    let table = [
        (None, Proof::Node, [3, 0, 3, 3]),
        (Some(3), Proof::Node, [3, 0, 3, 2]),
        (Some(0), Proof::Either, [0, 0, 0, 2]),
        (Some(1), Proof::Either, [1, 0, 1, 2]),
    ];
    for (mode, proof, after) in table {
        for (comes, expected) in [More, Last, False, OtherNode].into_iter().zip(after) {
            let (mut node, _, _) = province_of_thirty();
            let mut device = node.enrol(4, Role::ProvincialReviewer, 1, true);
            let person = node.person_of(&device);
            let exchange = |node: &mut Node, device: &mut Device, bytes: u64| {
                let mut request = device.request().unwrap();
                let asked = Proof::of(request.bytes_max);
                request.bytes_max = Proof::Node.with(bytes);
                let asked_for = device.pack_request(request).unwrap().encode();
                let answer = node.handle(person, &asked_for);
                let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
                    panic!("no response")
                };
                (asked, device.open_response(*packed).unwrap())
            };
            if let Some(mode) = mode {
                let (_, response) = exchange(&mut node, &mut device, 1_000);
                device
                    .receive(&response, NOW, InstallationId([6; 8]))
                    .unwrap();
                device = put_into(&device, mode);
            }
            assert_eq!(mode_of(&device), mode);
            if comes == OtherNode {
                node.identity = node.identity.renewed(NodeId([88; 16]));
            }
            let bytes = if comes == Last { 1 << 18 } else { 1_000 };
            let (asked, mut response) = exchange(&mut node, &mut device, bytes);
            assert_eq!(asked, proof, "{mode:?}");
            if comes == False {
                response.entries.pop();
            }
            let position = device.request().unwrap().known.map(|known| known.position);
            let held = device.log().end().unwrap();
            let received = device
                .receive(&response, NOW, InstallationId([6; 8]))
                .unwrap();
            assert_eq!(mode_of(&device), Some(expected), "{mode:?}, {comes:?}");
            let refused = |it: &Notice| matches!(it, Notice::PieceRefused { .. });
            assert_eq!(received.notices.iter().any(refused), comes == False);
            if comes == False {
                let now = device.request().unwrap().known.map(|known| known.position);
                assert_eq!(
                    now,
                    Some(position.unwrap_or(0)),
                    "{mode:?}: nothing moved on"
                );
                assert_eq!(device.log().end().unwrap(), held);
                let asked = Proof::of(device.request().unwrap().bytes_max);
                assert_eq!(asked, Proof::Either, "{mode:?}: signatures are asked for");
            }
            sync(&mut node, &mut device);
            agree(&node, &mut device);
        }
    }
}
