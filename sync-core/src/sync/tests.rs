//! A province in memory: one node, several devices, a link that loses what the test says.

mod records;

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;

use super::*;
use crate::batch::Sealer;
use crate::catalogue::{Body, Catalogue, Grant, Person, Record, Role, SignedRecord, UnitRecord};
use crate::cell::CellValue;
use crate::document::{Edit, Entry, Subject, SubjectKind};
use crate::identity::{GrantId, InstallationId, KeyId, NodeId, PersonId, ProvinceId, UnitId};
use crate::log::{Acceptor, Cache, Follow, HeldReason, LogReader, MemoryKeyspace, Write, keys};

mod arriving;
mod attested;
mod budgets;
mod bundles;
mod elsewhere;
mod exchange;
mod fork;
mod growing;
mod held;
mod local_rows;
mod older;
mod repairing;
mod rolled_back;
mod schedules;
mod triangle;
mod vouched;

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
    /// Packed requests that could not be rebuilt.
    unread: usize,
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
            unread: 0,
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

    /// Enrols person `id` with a role in a unit and gives them a device that knows the catalogue.
    fn enrol(&mut self, id: u8, role: Role, unit: u8, subtree: bool) -> Device {
        let mut device = self.enrol_new(id, role, unit, subtree);
        device.take_records(&self.records()).unwrap();
        device
    }

    /// Enrols person `id` with a role in a unit and gives them a device that knows nothing yet.
    fn enrol_new(&mut self, id: u8, role: Role, unit: u8, subtree: bool) -> Device {
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
        Device::open(sealer, MemoryKeyspace::new()).unwrap().0
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
        let (request, reply) = match Frame::decode(bytes) {
            Ok(Frame::Request(request)) => (*request, None),
            Ok(Frame::PackedRequest(packed)) => {
                let session = Session::of(&self.catalogue, person, NOW);
                let below = &self.keyspace;
                let opened =
                    packed::open(below, &self.catalogue, &self.identity, &session, *packed);
                let packed::Opened { request, reply } = opened.unwrap();
                self.unread += usize::from(reply.unread);
                (request, Some(reply))
            }
            other => panic!("no request: {other:?}"),
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
            node::Verdicts::on(&request, verdicts),
            NOW,
        );
        let Some(reply) = reply else {
            return Frame::Response(Box::new(response.unwrap())).encode();
        };
        let asked = (&request, reply);
        let below = &self.keyspace;
        let answer = packed::close(below, &self.catalogue, &session, asked, response.unwrap());
        answer.unwrap().encode()
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
    let request = device.packed_request().unwrap().encode();
    if link == Link::RequestLost {
        return None;
    }
    let person = node.person_of(device);
    let answer = node.handle(person, &request);
    if link == Link::AnswerLost {
        return None;
    }
    let Ok(Frame::PackedResponse(packed)) = Frame::decode(&answer) else {
        panic!("no response")
    };
    let response = device.open_response(*packed).unwrap();
    let fresh = device.log().end().unwrap() as u8;
    let held = device.log().held_end().unwrap() as u8;
    let before = device.sealer().installation.0;
    let fresh = InstallationId([fresh, 77, held, before[0], before[2], 4, 5, before[7]]);
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
