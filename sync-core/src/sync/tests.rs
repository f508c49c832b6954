//! A province in memory: one node, several devices, a link that loses what the test says.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;
use crate::batch::Sealer;
use crate::catalogue::{Body, Catalogue, Grant, Person, Record, Role, SignedRecord, UnitRecord};
use crate::cell::CellValue;
use crate::document::{Edit, Entry, Subject, SubjectKind};
use crate::identity::{GrantId, InstallationId, KeyId, NodeId, PersonId, ProvinceId, UnitId};
use crate::log::{
    Acceptor, Cache, Follow, HeldReason, LogReader, MemoryKeyspace, Write, keys, rebuild,
};

const NOW: i64 = 1_760_000_000;

fn catalogue_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn province() -> ProvinceId {
    ProvinceId::of(catalogue_key().verifying_key().as_bytes())
}

struct Node {
    keyspace: MemoryKeyspace,
    catalogue: Catalogue,
    cache: Cache,
    identity: NodeIdentity,
}

impl Node {
    fn new() -> Self {
        let identity = NodeIdentity {
            node: NodeId([1; 16]),
            restarts: 0,
            key: SigningKey::from_bytes(&[7; 32]),
        };
        let mut node = Self {
            keyspace: MemoryKeyspace::new(),
            catalogue: Catalogue::new(),
            cache: Cache::default(),
            identity,
        };
        node.record(Body::Province {
            name: "Tỉnh Thái Nguyên".into(),
            key: catalogue_key().verifying_key(),
        });
        for unit in 1..=3u8 {
            node.record(Body::Unit(UnitRecord {
                unit: UnitId([unit; 8]),
                valid_from: "2025-07-01".into(),
                valid_to: None,
                code: unit.to_string(),
                name: format!("Xã {unit}"),
                parent: (unit > 1).then_some(UnitId([1; 8])),
                kind: "commune".into(),
                groups: Vec::new(),
            }));
        }
        node.record(Body::Template {
            id: "bao-cao".into(),
            version: 1,
            content: b"{}".to_vec(),
        });
        let public_key = *node.identity.key.verifying_key().as_bytes();
        node.record(Body::NodeKey {
            public_key,
            label: "tỉnh".into(),
        });
        node
    }

    fn record(&mut self, body: Body) {
        let record = Record {
            number: self.catalogue.last_number() + 1,
            previous: self.catalogue.last_hash(),
            at: NOW,
            body,
        };
        let signed = SignedRecord::sign(&record, &catalogue_key());
        self.catalogue.apply(&signed).unwrap();
        let key = keys::catalogue(record.number);
        self.keyspace.apply([Write {
            key,
            value: Some(signed.encode()),
        }]);
    }

    /// Enrols person `id` with a role in a unit and gives them a device.
    fn enrol(&mut self, id: u8, role: Role, unit: u8, subtree: bool) -> Device {
        let person = PersonId([id; 8]);
        self.record(Body::Person(Person {
            person,
            sign_in_name: format!("p{id}"),
            display_name: format!("Người {id}"),
        }));
        self.record(Body::Grant(Grant {
            grant: GrantId([id; 8]),
            person,
            role,
            unit: Some(UnitId([unit; 8])),
            subtree,
            until: 0,
        }));
        let key = SigningKey::from_bytes(&[100 + id; 32]);
        self.record(Body::DeviceKey {
            public_key: *key.verifying_key().as_bytes(),
            person,
            unit: UnitId([unit; 8]),
            label: "máy tính bảng".into(),
        });
        let sealer = Sealer {
            province: province(),
            installation: InstallationId([id; 8]),
            key,
        };
        let (mut device, _) = Device::open(sealer, MemoryKeyspace::new()).unwrap();
        device.take_records(&self.records()).unwrap();
        device
    }

    fn records(&self) -> Vec<SignedRecord> {
        let to = keys::after(keys::CATALOGUE);
        let found = crate::log::Keyspace::scan(&self.keyspace, &[keys::CATALOGUE], &to, 9_999);
        found
            .unwrap()
            .iter()
            .map(|(_, bytes)| SignedRecord::decode(bytes).unwrap())
            .collect()
    }

    fn person_of(&self, device: &Device) -> PersonId {
        let key = KeyId::of(device.sealer().key.verifying_key().as_bytes());
        self.catalogue.key(key).unwrap().person
    }

    fn handle(&mut self, person: PersonId, bytes: &[u8]) -> Vec<u8> {
        let Ok(Frame::Request(request)) = Frame::decode(bytes) else {
            panic!("no request")
        };
        if node::is_rolled_back(&self.keyspace, &self.identity, &request).unwrap() {
            let restarts = self.identity.restarts as u8;
            self.identity = self.identity.renewed(NodeId([200 + restarts; 16]));
            self.keyspace.apply([self.identity.write()]);
        }
        for record in &request.records {
            if self.catalogue.apply(record).is_ok() {
                let key = keys::catalogue(self.catalogue.last_number());
                self.keyspace.apply([Write {
                    key,
                    value: Some(record.encode()),
                }]);
            }
        }
        let session = Session::of(&self.catalogue, person, NOW);
        let parts = node::verify(&self.catalogue, request.parts.clone());
        let mut acceptor =
            Acceptor::new(&self.keyspace, &self.catalogue, &mut self.cache, NOW).unwrap();
        let verdicts = node::accept(&mut acceptor, &parts).unwrap();
        let writes = acceptor.into_writes();
        self.keyspace.apply(writes);
        let response = node::answer(
            &self.keyspace,
            &self.identity,
            &session,
            &request,
            verdicts,
            NOW,
        );
        Frame::Response(Box::new(response.unwrap())).encode()
    }
}

/// What a link does to one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Good,
    RequestLost,
    AnswerLost,
}

fn exchange(node: &mut Node, device: &mut Device, link: Link) -> Option<Received> {
    let request = Frame::Request(Box::new(device.request().unwrap())).encode();
    if link == Link::RequestLost {
        return None;
    }
    let person = node.person_of(device);
    let answer = node.handle(person, &request);
    if link == Link::AnswerLost {
        return None;
    }
    let Ok(Frame::Response(response)) = Frame::decode(&answer) else {
        panic!("no response")
    };
    let fresh = device.log().end().unwrap() as u8;
    let fresh = InstallationId([fresh, 77, 1, 2, 3, 4, 5, device.sealer().installation.0[0]]);
    Some(device.receive(&response, NOW, fresh).unwrap())
}

fn sync(node: &mut Node, device: &mut Device) -> Vec<Notice> {
    device.seal(NOW).unwrap();
    let mut notices = Vec::new();
    for _ in 0..50 {
        let received = exchange(node, device, Link::Good).unwrap();
        notices.extend(received.notices);
        if !received.again {
            return notices;
        }
    }
    panic!("an exchange that never ends: {notices:?}");
}

fn subject(unit: u8) -> Subject {
    Subject {
        kind: SubjectKind::Report,
        template: "bao-cao".into(),
        unit: UnitId([unit; 8]),
        period: "2025".into(),
    }
}

fn cell(code: &str, value: i64) -> Edit {
    let value = CellValue::Number(value.into());
    Edit {
        entry: Entry::Cell {
            code: code.into(),
            value,
        },
        typed_at: NOW,
    }
}

fn values(device: &mut Device, unit: u8) -> BTreeMap<String, Vec<CellValue>> {
    let document = device.load(&subject(unit)).unwrap();
    document
        .cells()
        .into_iter()
        .map(|(code, rivals)| (code, rivals.into_iter().map(|rival| rival.value).collect()))
        .collect()
}

fn number(value: i64) -> CellValue {
    CellValue::Number(value.into())
}

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

#[derive(Debug, Clone)]
enum Step {
    Edit {
        device: usize,
        unit: u8,
        code: u8,
        value: i64,
    },
    Seal {
        device: usize,
    },
    Exchange {
        device: usize,
        link: Link,
    },
    NodeRebuild,
    DeviceRestart {
        device: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0..3usize;
    prop_oneof![
        5 => (device.clone(), 2..=3u8, 0..4u8, 0..50i64)
            .prop_map(|(device, unit, code, value)| Step::Edit { device, unit, code, value }),
        2 => device.clone().prop_map(|device| Step::Seal { device }),
        5 => (device.clone(), prop_oneof![
            3 => Just(Link::Good), 1 => Just(Link::RequestLost), 1 => Just(Link::AnswerLost)
        ]).prop_map(|(device, link)| Step::Exchange { device, link }),
        1 => Just(Step::NodeRebuild),
        1 => device.prop_map(|device| Step::DeviceRestart { device }),
    ]
}

fn rebuilt(keyspace: &MemoryKeyspace) -> MemoryKeyspace {
    let mut again = keyspace.clone();
    again.clear_derived();
    rebuild::rebuild(&mut again).unwrap();
    again
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever the order, repetition and loss: all devices end with the same documents, the
    /// fingerprints agree, every typed value can still be read, and what is derived equals what is
    /// derived again from the truth alone.
    #[test]
    fn any_schedule_converges(steps in proptest::collection::vec(step(), 1..60)) {
        let mut node = Node::new();
        let mut devices = vec![
            node.enrol(1, Role::Officer, 1, true),
            node.enrol(2, Role::Officer, 1, true),
            node.enrol(3, Role::Officer, 1, true),
        ];
        let mut typed = Vec::new();
        for step in steps {
            match step {
                Step::Edit { device, unit, code, value } => {
                    let code = format!("I.{code}");
                    devices[device].edit(&subject(unit), &[cell(&code, value)]).unwrap();
                    typed.push((unit, code, value));
                }
                Step::Seal { device } => { devices[device].seal(NOW).unwrap(); }
                Step::Exchange { device, link } => {
                    exchange(&mut node, &mut devices[device], link);
                }
                Step::NodeRebuild => {
                    let again = rebuilt(&node.keyspace);
                    prop_assert_eq!(&again, &node.keyspace);
                    node.cache.clear();
                }
                Step::DeviceRestart { device } => {
                    let sealer = devices[device].sealer().clone();
                    let truth = devices[device].keyspace().clone();
                    devices[device] = Device::open(sealer, truth).unwrap().0;
                }
            }
        }
        for _ in 0..2 {
            for device in &mut devices {
                let notices = sync(&mut node, device);
                prop_assert_eq!(notices, vec![]);
            }
        }
        let all = LogReader(&node.keyspace).fingerprint(&Follow::All).unwrap();
        let states: Vec<_> = devices
            .iter_mut()
            .map(|device| (values(device, 2), values(device, 3), device.log().fingerprint(&Follow::All).unwrap()))
            .collect();
        for state in &states {
            prop_assert_eq!(state, &states[0]);
            prop_assert_eq!(state.2, all);
        }
        for (unit, code, value) in typed {
            let document = devices[0].load(&subject(unit)).unwrap();
            let history = document.cell_history(&code);
            prop_assert!(history.iter().any(|rival| rival.value == number(value)));
        }
        for keyspace in devices.iter().map(Device::keyspace).chain([&node.keyspace]) {
            prop_assert_eq!(&rebuilt(keyspace), keyspace);
        }
    }

    #[test]
    fn frames_are_strict(at in 0usize..2_000, bit in 0u8..8) {
        let mut node = Node::new();
        let mut device = node.enrol(1, Role::Officer, 2, false);
        device.edit(&subject(2), &[cell("I.1", 5)]).unwrap();
        device.seal(NOW).unwrap();
        let request = Frame::Request(Box::new(device.request().unwrap()));
        let answer = node.handle(PersonId([1; 8]), &request.encode());
        for mut bytes in [request.encode(), answer] {
            let frame = Frame::decode(&bytes).unwrap();
            prop_assert_eq!(frame.encode(), bytes.clone());
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert!(Frame::decode(&bytes).is_err());
            prop_assert!(Frame::decode(&bytes[..at]).is_err());
        }
    }
}
