//! A node in this process, two officers of one commune, and the workers of their tablets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]
#![allow(dead_code, reason = "each test file uses what it needs")]

use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use sync_core::catalogue::{
    Among, Body, Catalogue, Duty, Grant, Person, Record, Role, SignedRecord, UnitRecord,
};
use sync_core::catalogue_files;
use sync_core::form::Template;
use sync_core::identity::{DutyId, GrantId, NodeId, PersonId, ProvinceId, UnitId};
use sync_core::log::{Acceptor, Cache, MemoryKeyspace, Write, keys};
use sync_core::sync::Frame;
use sync_core::sync::node::{self, NodeIdentity, Session, Verdicts};
use sync_core::sync::packed::{self, Opened};
use tablet_wasm::TabletState;

pub(crate) const NOW: i64 = 1_765_000_000;
pub(crate) const COMMUNE: UnitId = UnitId([2; 8]);

pub(crate) fn catalogue_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

pub(crate) fn province() -> ProvinceId {
    ProvinceId::of(catalogue_key().verifying_key().as_bytes())
}

pub(crate) fn seed(person: u8) -> [u8; 32] {
    [100 + person; 32]
}

/// A node in this process, with two officers of one commune.
pub(crate) struct Node {
    pub(crate) keyspace: MemoryKeyspace,
    pub(crate) catalogue: Catalogue,
    pub(crate) cache: Cache,
    pub(crate) identity: NodeIdentity,
    pub(crate) records: Vec<String>,
}

impl Node {
    pub(crate) fn new() -> Self {
        let mut node = Self {
            keyspace: MemoryKeyspace::new(),
            catalogue: Catalogue::new(),
            cache: Cache::default(),
            identity: NodeIdentity {
                node: NodeId([1; 16]),
                restarts: 0,
                key: SigningKey::from_bytes(&[7; 32]),
            },
            records: Vec::new(),
        };
        let text = catalogue_files::text("forms/bao-cao-cchc-2022.json").unwrap();
        let template = Template::import(text, 1).unwrap();
        node.record(Body::Province {
            name: "Tỉnh Thái Nguyên".into(),
            key: catalogue_key().verifying_key(),
        });
        node.record(Body::Unit(UnitRecord {
            unit: COMMUNE,
            valid_from: "2025-07-01".into(),
            valid_to: None,
            code: "05545".into(),
            name: "Xã Định Hoá".into(),
            parent: None,
            kind: "commune".into(),
            groups: Vec::new(),
        }));
        node.record(Body::Template {
            id: template.id().to_owned(),
            version: 1,
            content: template.to_json(),
        });
        node.record(Body::Duty(Duty {
            duty: DutyId([1; 8]),
            template: template.id().to_owned(),
            unit_kind: "commune".into(),
            among: Among::All,
            rule: String::new(),
            period: "2025".into(),
            due: "2025-12-15".into(),
        }));
        for id in [1, 2] {
            let person = PersonId([id; 8]);
            node.record(Body::Person(Person {
                person,
                sign_in_name: format!("p{id}"),
                display_name: ["Ma Thị Hạnh", "Hoàng Văn Toàn"][usize::from(id) - 1].into(),
            }));
            node.record(Body::Grant(Grant {
                grant: GrantId([id; 8]),
                person,
                role: Role::Officer,
                unit: Some(COMMUNE),
                subtree: false,
                until: 0,
            }));
            node.record(Body::DeviceKey {
                public_key: *SigningKey::from_bytes(&seed(id)).verifying_key().as_bytes(),
                person,
                unit: COMMUNE,
                label: format!("máy 0{id}"),
            });
        }
        node
    }

    pub(crate) fn record(&mut self, body: Body) {
        let record = Record {
            number: self.catalogue.last_number() + 1,
            previous: self.catalogue.last_hash(),
            at: NOW,
            body,
        };
        let signed = SignedRecord::sign(&record, &catalogue_key());
        self.catalogue.apply(&signed).unwrap();
        let bytes = signed.encode();
        self.records.push(data_encoding::BASE64.encode(&bytes));
        self.keyspace.apply([Write {
            key: keys::catalogue(record.number),
            value: Some(bytes),
        }]);
    }

    pub(crate) fn answer(&mut self, person: u8, frame: &[u8]) -> Vec<u8> {
        let Ok(Frame::PackedRequest(packed)) = Frame::decode(frame) else {
            panic!("no request")
        };
        let session = Session::of(&self.catalogue, PersonId([person; 8]), NOW);
        let below = &self.keyspace;
        let opened = packed::open(below, &self.catalogue, &self.identity, &session, *packed);
        let Opened { request, reply } = opened.unwrap();
        assert!(!reply.unread, "what a tablet packs is rebuilt");
        let parts = node::verify(&self.catalogue, request.parts.clone());
        let mut acceptor =
            Acceptor::new(&self.keyspace, &self.catalogue, &mut self.cache, NOW).unwrap();
        let verdicts = node::accept(&mut acceptor, &parts).unwrap();
        let writes = acceptor.into_writes();
        self.keyspace.apply(writes);
        let verdicts = Verdicts::on(&request, verdicts);
        let response = node::answer(
            &self.keyspace,
            &self.identity,
            &session,
            &request,
            verdicts,
            NOW,
        );
        let asked = (&request, reply);
        let below = &self.keyspace;
        let framed = packed::close(below, &self.catalogue, &session, asked, response.unwrap());
        framed.unwrap().encode()
    }
}

/// A worker: a tablet, and what it has made durable.
pub(crate) struct Worker {
    pub(crate) person: u8,
    pub(crate) state: TabletState,
    pub(crate) durable: Vec<u8>,
}

impl Worker {
    pub(crate) fn enrolled(node: &Node, person: u8) -> Self {
        let hex = province().to_string();
        let mut state = TabletState::open(&hex, &[person; 8], &seed(person), &[], false).unwrap();
        state
            .take_records(&json!(node.records).to_string())
            .unwrap();
        let mut worker = Self {
            person,
            state,
            durable: Vec::new(),
        };
        worker.keep();
        worker
    }

    pub(crate) fn keep(&mut self) {
        let writes = self.state.take_writes();
        self.durable.extend(writes);
    }

    pub(crate) fn type_in(&mut self, edits: Value) -> Value {
        let rows = self
            .state
            .edit(&subject(), &edits.to_string(), NOW)
            .unwrap();
        self.keep();
        serde_json::from_str(&rows).unwrap()
    }

    pub(crate) fn sync(&mut self, node: &mut Node) {
        self.state.seal(NOW).unwrap();
        self.keep();
        for _ in 0..20 {
            let request = self.state.request(false, NOW, false).unwrap();
            let answer = node.answer(self.person, &request);
            let answer = self.state.unpacked(&answer).unwrap();
            let received = self.state.receive(&answer, NOW, &[9; 8], "[]").unwrap();
            self.keep();
            let received: Value = serde_json::from_str(&received).unwrap();
            assert_eq!(received["notices"], json!([]));
            if received["again"] == json!(false) {
                return;
            }
        }
        panic!("an exchange that never ends");
    }

    /// The worker is gone and starts again from what is durable.
    pub(crate) fn restart(&mut self) {
        let hex = province().to_string();
        self.state =
            TabletState::open(&hex, &[77; 8], &seed(self.person), &self.durable, false).unwrap();
    }

    pub(crate) fn row(&mut self, code: &str) -> Value {
        let report: Value = serde_json::from_str(&self.state.report(&subject()).unwrap()).unwrap();
        report["rows"][code].clone()
    }

    pub(crate) fn status(&mut self) -> Value {
        serde_json::from_str(&self.state.status().unwrap()).unwrap()
    }
}

pub(crate) fn subject() -> String {
    json!({"template": "bao-cao-cchc-2022", "unit": COMMUNE, "period": "2025"}).to_string()
}

pub(crate) fn cell(code: &str, text: &str) -> Value {
    json!({"kind": "cell", "code": code, "text": text})
}
