//! Tablets and one node in memory, over a road that does what the test says.

use std::collections::VecDeque;

use ed25519_dalek::SigningKey;
use sync_core::catalogue::{
    Body, Catalogue, Grant, Person, Record, Role, SignedRecord, UnitRecord,
};
use sync_core::cell::CellValue;
use sync_core::document::{Edit, Entry, Subject, SubjectKind};
use sync_core::form::Template;
use sync_core::identity::{GrantId, KeyId, NodeId, PersonId, ProvinceId, UnitId};
use sync_core::log::{Acceptor, Cache, LogReader, MemoryKeyspace, Write, keys};
use sync_core::sync::{NodeIdentity, Session, node};
use tempfile::TempDir;

use super::*;
use crate::evidence::Evidence;
use crate::folder::{DeviceCard, DeviceFolder};
use crate::verify::verify;

const NOW: i64 = 1_767_000_000;

/// A node that answers in the same process.
pub(crate) struct FakeNode {
    keyspace: MemoryKeyspace,
    catalogue: Catalogue,
    cache: Cache,
    identity: NodeIdentity,
    person: PersonId,
    /// What becomes of the next exchanges; then all is well.
    faults: VecDeque<Fault>,
}

/// What a road does to an exchange.
#[derive(Clone, Copy)]
enum Fault {
    RequestLost,
    AnswerLost,
}

fn catalogue_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

impl FakeNode {
    fn new() -> Self {
        let mut node = Self {
            keyspace: MemoryKeyspace::new(),
            catalogue: Catalogue::new(),
            cache: Cache::default(),
            identity: NodeIdentity {
                node: NodeId([1; 16]),
                restarts: 0,
                key: SigningKey::from_bytes(&[7; 32]),
            },
            person: PersonId([5; 8]),
            faults: VecDeque::new(),
        };
        let text = sync_core::catalogue_files::text("forms/bao-cao-cchc-2022.json").unwrap();
        let form = Template::import(text, 1).unwrap();
        node.record(Body::Province {
            name: "Tỉnh Thái Nguyên".into(),
            key: catalogue_key().verifying_key(),
        });
        node.record(Body::Unit(UnitRecord {
            unit: UnitId([1; 8]),
            valid_from: "2025-07-01".into(),
            valid_to: None,
            code: "05437".into(),
            name: "Xã Định Hóa".into(),
            parent: None,
            kind: "commune".into(),
            groups: Vec::new(),
        }));
        node.record(Body::Template {
            id: form.id().into(),
            version: 1,
            content: form.to_json(),
        });
        node.record(Body::Person(Person {
            person: node.person,
            sign_in_name: "hanh".into(),
            display_name: "Nguyễn Thị Hạnh".into(),
        }));
        node.record(Body::Grant(Grant {
            grant: GrantId([5; 8]),
            person: node.person,
            role: Role::Officer,
            unit: Some(UnitId([1; 8])),
            subtree: false,
            until: 0,
        }));
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
        self.keyspace.apply([Write {
            key: keys::catalogue(record.number),
            value: Some(signed.encode()),
        }]);
    }

    /// A device folder of the one person, known to the node.
    fn enrol(&mut self, name: &str) -> (TempDir, DeviceFolder) {
        let root = tempfile::tempdir().unwrap();
        let folder = DeviceFolder::new(root.path().join(name));
        let key = folder.key_for_enrolment(None).unwrap();
        let public_key = *key.verifying_key().as_bytes();
        self.record(Body::DeviceKey {
            public_key,
            person: self.person,
            unit: UnitId([1; 8]),
            label: name.into(),
        });
        let card = DeviceCard {
            version: 1,
            server: "http://127.0.0.1:1".into(),
            province: ProvinceId::of(catalogue_key().verifying_key().as_bytes()),
            province_name: "Tỉnh Thái Nguyên".into(),
            rehearsal: None,
            catalogue_public_key: String::new(),
            node: self.identity.node,
            person: self.person,
            name: "hanh".into(),
            display: "Nguyễn Thị Hạnh".into(),
            unit: None,
            key_id: KeyId::of(&public_key),
            label: name.into(),
        };
        folder.write_card(&card).unwrap();
        (root, folder)
    }

    fn answer(&mut self, request: &Request) -> Response {
        let session = Session::of(&self.catalogue, self.person, NOW);
        let parts = node::verify(&self.catalogue, request.parts.clone());
        let mut acceptor =
            Acceptor::new(&self.keyspace, &self.catalogue, &mut self.cache, NOW).unwrap();
        let verdicts = node::accept(&mut acceptor, &parts).unwrap();
        let writes = acceptor.into_writes();
        self.keyspace.apply(writes);
        let answer = node::answer(
            &self.keyspace,
            &self.identity,
            &session,
            request,
            node::Verdicts::on(request, verdicts),
            NOW,
        );
        answer.unwrap()
    }
}

fn offline() -> RoadError {
    RoadError::Offline {
        server: "here".into(),
        reason: "cut".into(),
    }
}

impl Link for FakeNode {
    fn exchange(&mut self, request: &Request) -> Result<Response, RoadError> {
        match self.faults.pop_front() {
            Some(Fault::RequestLost) => Err(offline()),
            Some(Fault::AnswerLost) => {
                self.answer(request);
                Err(offline())
            }
            None => Ok(self.answer(request)),
        }
    }
}

const IMPATIENT: Patience = Patience {
    failures_max: 5,
    first_wait: Duration::ZERO,
    longest_wait: Duration::ZERO,
};

fn subject() -> Subject {
    Subject {
        kind: SubjectKind::Report,
        template: "bao-cao-cchc-2022".into(),
        unit: UnitId([1; 8]),
        period: "2025".into(),
    }
}

fn cell(code: &str, number: i64) -> Edit {
    Edit {
        entry: Entry::Cell {
            code: code.into(),
            value: CellValue::Number(number.into()),
        },
        typed_at: NOW,
    }
}

fn sync(tablet: &mut Tablet, node: &mut FakeNode) -> SyncReport {
    synchronise(tablet, node, IMPATIENT, &|| NOW).unwrap()
}

fn values(tablet: &mut Tablet, code: &str) -> Vec<CellValue> {
    let cells = tablet.document(&subject()).unwrap().cells();
    let rivals = cells.get(code).into_iter().flatten();
    rivals.map(|rival| rival.value.clone()).collect()
}

#[test]
fn what_was_saved_survives_a_kill_at_every_step() {
    let mut node = FakeNode::new();
    let (_root, folder) = node.enrol("a");
    let mut tablet = Tablet::open(&folder, None).unwrap();
    assert!(sync(&mut tablet, &mut node).stopped_by.is_none());
    tablet.edit(&subject(), &[cell("I.1", 12)]).unwrap();
    // Dropped without closing: the process is gone.
    drop(tablet);
    let mut tablet = Tablet::open(&folder, None).unwrap();
    assert_eq!(values(&mut tablet, "I.1"), [CellValue::Number(12.into())]);
    let installation = tablet.device().sealer().installation;
    tablet.seal(NOW).unwrap();
    drop(tablet);
    let mut tablet = Tablet::open(&folder, None).unwrap();
    assert_eq!(tablet.device().sealer().installation, installation);
    assert_eq!(tablet.device().status().unwrap().waiting_parts, 1);
    assert!(tablet.device().draft(subject().document_id()).is_none());
    sync(&mut tablet, &mut node);
    drop(tablet);
    let tablet = Tablet::open(&folder, None).unwrap();
    assert_eq!(tablet.device().status().unwrap().waiting_parts, 0);
}

#[test]
fn lost_requests_and_answers_are_sent_again_and_count_once() {
    let mut node = FakeNode::new();
    let (_root, folder) = node.enrol("a");
    let mut tablet = Tablet::open(&folder, None).unwrap();
    sync(&mut tablet, &mut node);
    tablet.edit(&subject(), &[cell("I.1", 12)]).unwrap();
    node.faults = [Fault::RequestLost, Fault::AnswerLost, Fault::AnswerLost].into();
    let report = sync(&mut tablet, &mut node);
    assert!(report.stopped_by.is_none());
    assert_eq!((report.failures, report.acknowledged), (3, 1));
    assert_eq!(LogReader(&node.keyspace).end().unwrap(), 1);
}

/// One exchange is not always enough: a node from an older folder has to be read again before it is
/// given what it lost. One call goes on until neither side lacks anything.
#[test]
fn one_call_goes_on_until_nothing_is_lacking() {
    let mut node = FakeNode::new();
    let (_root, folder) = node.enrol("a");
    let mut tablet = Tablet::open(&folder, None).unwrap();
    sync(&mut tablet, &mut node);
    let yesterday = node.keyspace.clone();
    tablet.edit(&subject(), &[cell("I.1", 12)]).unwrap();
    sync(&mut tablet, &mut node);
    node.keyspace = yesterday;
    node.cache.clear();
    node.identity = node.identity.renewed(NodeId([2; 16]));
    let report = sync(&mut tablet, &mut node);
    assert!(report.rounds > 1 && report.stopped_by.is_none());
    assert_eq!(LogReader(&node.keyspace).end().unwrap(), 1);
}

#[test]
fn without_a_network_the_work_stays_and_patience_ends() {
    let mut node = FakeNode::new();
    let (_root, folder) = node.enrol("a");
    let mut tablet = Tablet::open(&folder, None).unwrap();
    sync(&mut tablet, &mut node);
    tablet.edit(&subject(), &[cell("I.1", 12)]).unwrap();
    node.faults = [Fault::RequestLost; 20].into();
    let report = sync(&mut tablet, &mut node);
    assert!(matches!(report.stopped_by, Some(RoadError::Offline { .. })));
    assert_eq!(report.failures, IMPATIENT.failures_max + 1);
    assert_eq!(tablet.device().status().unwrap().waiting_parts, 1);
    assert_eq!(values(&mut tablet, "I.1"), [CellValue::Number(12.into())]);
}

#[test]
fn two_devices_apart_keep_both_values_and_their_histories_verify() {
    let mut node = FakeNode::new();
    let (_root_a, folder_a) = node.enrol("a");
    let (_root_b, folder_b) = node.enrol("b");
    let mut a = Tablet::open(&folder_a, None).unwrap();
    let mut b = Tablet::open(&folder_b, None).unwrap();
    for tablet in [&mut a, &mut b] {
        sync(tablet, &mut node);
    }
    a.edit(&subject(), &[cell("I.1", 12)]).unwrap();
    b.edit(&subject(), &[cell("I.1", 13)]).unwrap();
    sync(&mut a, &mut node);
    sync(&mut b, &mut node);
    sync(&mut a, &mut node);
    assert_eq!(values(&mut a, "I.1").len(), 2);
    assert_eq!(values(&mut a, "I.1"), values(&mut b, "I.1"));
    a.close().unwrap();
    let evidence = Evidence::of_journal(folder_a.path()).unwrap();
    let verified = verify(&evidence).unwrap();
    assert_eq!(
        (verified.parts, verified.wrong.len()),
        (2, 0),
        "{:?}",
        verified.wrong
    );
    let served = LogReader(&node.keyspace);
    let everything = served.fingerprint(&sync_core::log::Follow::All).unwrap();
    assert_eq!(verified.fingerprint, everything);
    // An export says the same, and a part of another hand in it is found out.
    let file = folder_a.path().join("export.json");
    let province = b.card().province;
    let export = evidence.to_export(province, Vec::new()).to_string();
    std::fs::write(&file, &export).unwrap();
    let mut read = Evidence::of_export(&file).unwrap();
    assert_eq!(verify(&read).unwrap().fingerprint, everything);
    let (_, other) = read.entries.remove(0);
    let found = verify(&read).unwrap();
    assert_ne!(found.fingerprint, everything);
    let mut bytes = other.part.encode();
    let signature_at = 2 + other.part.header().encode().len();
    bytes[signature_at] ^= 1;
    let forged = sync_core::batch::SignedPart::decode(&bytes).unwrap();
    read.entries.insert(
        0,
        (
            1,
            sync_core::log::LogEntry {
                received_at: NOW,
                part: forged,
            },
        ),
    );
    let found = verify(&read).unwrap();
    assert!(
        found
            .wrong
            .iter()
            .any(|wrong| wrong.code == "wrong-signature"),
        "{:?}",
        found.wrong
    );
}

#[test]
fn history_replayed_into_another_node_gives_the_same_fingerprint() {
    let mut node = FakeNode::new();
    let (_root, folder) = node.enrol("a");
    let mut tablet = Tablet::open(&folder, None).unwrap();
    sync(&mut tablet, &mut node);
    for number in 1..=5 {
        tablet.edit(&subject(), &[cell("I.1", number)]).unwrap();
        sync(&mut tablet, &mut node);
    }
    let evidence = Evidence::of_keyspace(&node.keyspace).unwrap();
    // Another node with the same catalogue and nothing else.
    let mut other = FakeNode::new();
    other.identity.node = NodeId([2; 16]);
    other.keyspace = MemoryKeyspace::new();
    other.catalogue = Catalogue::new();
    for (index, record) in evidence.records.iter().enumerate() {
        other.catalogue.apply(record).unwrap();
        other.keyspace.apply([Write {
            key: keys::catalogue(index as u64 + 1),
            value: Some(record.encode()),
        }]);
    }
    let replayed = crate::replay::replay(&evidence, &mut tablet, &mut other, false).unwrap();
    assert_eq!((replayed.accepted, replayed.refused.len()), (5, 0));
    let there = LogReader(&other.keyspace);
    let there = there.fingerprint(&sync_core::log::Follow::All).unwrap();
    assert_eq!(replayed.fingerprint, there);
    assert_eq!(replayed.server_fingerprint, Some(there));
    let again = crate::replay::replay(&evidence, &mut tablet, &mut other, false).unwrap();
    assert_eq!(again.fingerprint, there);
    assert_eq!(LogReader(&other.keyspace).end().unwrap(), 5);
}

#[test]
fn a_folder_is_used_by_one_process_and_only_after_enrolment() {
    let mut node = FakeNode::new();
    let (root, folder) = node.enrol("a");
    let tablet = Tablet::open(&folder, None).unwrap();
    assert!(matches!(
        Tablet::open(&folder, None),
        Err(TabletError::Lock(_))
    ));
    drop(tablet);
    let nobody = DeviceFolder::new(root.path().join("nobody"));
    let error = Tablet::open(&nobody, None).unwrap_err();
    assert!(matches!(
        error,
        TabletError::Folder(crate::folder::FolderError::NotEnrolled(_))
    ));
}
