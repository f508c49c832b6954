//! Measures a repair between a real device and a real node that hold 100,000 parts in common, and so
//! many more that only one of them has. Run it in release mode. Prints one JSON object.
//!
//! Bytes are those of the frames without the parts in them. Time is that of both sides together, from
//! the first request of the repair to the device being done, checking and taking what it lacked
//! included; what the node does to accept what it lacked is work of any exchange and is not.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a measuring program prints, reads the clock, and stops at the first surprise"
)]

use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use sync_core::batch::{
    self, ChainTip, Compartment, Entry, NewPart, Partition, PartitionTip, Sealer, SignedPart,
};
use sync_core::catalogue::{
    Body, Catalogue, Grant, Person, Record, Role, SignedRecord, UnitRecord,
};
use sync_core::cell::CellValue;
use sync_core::document::{Edit, Entry as Typed, Subject, SubjectKind};
use sync_core::identity::{GrantId, InstallationId, NodeId, PersonId, ProvinceId, UnitId};
use sync_core::log::{
    Acceptor, Cache, Follow, LogEntry, LogReader, MemoryKeyspace, Write, keys, rebuild,
};
use sync_core::sync::packed::{self, Packing};
use sync_core::sync::{Device, Frame, NodeIdentity, Session, node};

const COMMON: usize = 100_000;
const NOW: i64 = 1_760_000_000;
const UNIT: UnitId = UnitId([2; 8]);

fn key(of: u8) -> SigningKey {
    SigningKey::from_bytes(&[of; 32])
}

fn sealer(of: u8) -> Sealer {
    Sealer {
        province: ProvinceId::of(key(9).verifying_key().as_bytes()),
        installation: InstallationId([of; 8]),
        key: key(of),
    }
}

fn subject(year: usize) -> Subject {
    Subject {
        kind: SubjectKind::Report,
        template: "bao-cao".into(),
        unit: UNIT,
        period: year.to_string(),
    }
}

/// A province with one commune, and the devices 1 to 4 of officers who may write there.
fn catalogue() -> (Catalogue, Vec<SignedRecord>) {
    let unit = |unit: u8, parent: Option<u8>| UnitRecord {
        unit: UnitId([unit; 8]),
        valid_from: "2025-07-01".into(),
        valid_to: None,
        code: unit.to_string(),
        name: format!("Xã {unit}"),
        parent: parent.map(|parent| UnitId([parent; 8])),
        kind: "commune".into(),
        groups: Vec::new(),
    };
    let mut bodies = vec![
        Body::Province {
            name: "Tỉnh Thái Nguyên".into(),
            key: key(9).verifying_key(),
        },
        Body::Unit(unit(1, None)),
        Body::Unit(unit(2, Some(1))),
        Body::Template {
            id: "bao-cao".into(),
            version: 1,
            content: b"{}".to_vec(),
        },
    ];
    for of in 1..=4 {
        let person = PersonId([of; 8]);
        bodies.push(Body::Person(Person {
            person,
            sign_in_name: format!("p{of}"),
            display_name: format!("Người {of}"),
        }));
        bodies.push(Body::Grant(Grant {
            grant: GrantId([of; 8]),
            person,
            role: Role::Officer,
            unit: Some(UNIT),
            subtree: false,
            until: 0,
        }));
        bodies.push(Body::DeviceKey {
            public_key: *key(of).verifying_key().as_bytes(),
            person,
            unit: UNIT,
            label: "máy tính bảng".into(),
        });
    }
    let (mut catalogue, mut records) = (Catalogue::new(), Vec::new());
    for body in bodies {
        let record = Record {
            number: catalogue.last_number() + 1,
            previous: catalogue.last_hash(),
            at: NOW,
            body,
        };
        let signed = SignedRecord::sign(&record, &key(9));
        catalogue.apply(&signed).expect("a record");
        records.push(signed);
    }
    (catalogue, records)
}

/// Parts as a log is full of them: small, one batch each, one chain.
fn many(of: u8, count: usize) -> Vec<SignedPart> {
    let sealer = sealer(of);
    let partition = Partition {
        unit: UNIT,
        compartment: Compartment::Reports,
    };
    let (mut tip, mut last) = (ChainTip::default(), PartitionTip::default());
    let subject = subject(2_025);
    let entry = Entry::Subject {
        document: subject.document_id(),
        subject: subject.encode(),
    };
    let mut parts = Vec::with_capacity(count);
    for _ in 0..count {
        let new = NewPart {
            partition,
            tip: last,
            entries: vec![entry.clone()],
            changes: Vec::new(),
        };
        let signed = batch::seal(&sealer, tip, NOW, vec![new]).expect("seals");
        let part = signed.into_iter().next().expect("one part");
        tip = ChainTip {
            number: part.header().number,
            batch: part.batch_id(),
        };
        last = PartitionTip {
            number: part.part().number,
            hash: part.part_hash(),
        };
        parts.push(part);
    }
    parts
}

/// Parts as a device seals them: three cells each.
fn typed(of: u8, records: &[SignedRecord], count: usize) -> Vec<SignedPart> {
    let (mut device, _) = Device::open(sealer(of), MemoryKeyspace::new()).expect("opens");
    device.take_records(records).expect("records");
    for number in 0..count {
        let edit = |cell: usize| Edit {
            entry: Typed::Cell {
                code: format!("I.{cell}"),
                value: CellValue::Number((number as i64).into()),
            },
            typed_at: NOW + number as i64,
        };
        let edits: Vec<Edit> = (0..3).map(|cell| edit(number % 40 + cell)).collect();
        device
            .edit(&subject(2_000 + number % 20), &edits)
            .expect("types");
        device.seal(NOW).expect("seals");
    }
    let page = device.log().feed(&Follow::All, 0, None, usize::MAX);
    let entries = page.expect("a feed").entries;
    entries.into_iter().map(|(_, entry)| entry.part).collect()
}

/// The truth of a log with these parts.
fn log_of<'a>(
    records: &[SignedRecord],
    parts: impl IntoIterator<Item = &'a SignedPart>,
) -> MemoryKeyspace {
    let mut keyspace = MemoryKeyspace::new();
    keyspace.apply((1..).zip(records).map(|(number, record)| Write {
        key: keys::catalogue(number),
        value: Some(record.encode()),
    }));
    keyspace.apply((1..).zip(parts).map(|(position, part)| {
        let entry = LogEntry {
            received_at: NOW,
            part: part.clone(),
        };
        Write {
            key: keys::log(position),
            value: Some(entry.encode()),
        }
    }));
    keyspace
}

struct Node {
    keyspace: MemoryKeyspace,
    catalogue: Catalogue,
    identity: NodeIdentity,
}

#[derive(Debug, Default)]
struct Cost {
    round_trips: usize,
    bytes: usize,
    spent: Duration,
}

fn besides(packing: &Packing) -> usize {
    match packing {
        Packing::Plain => 0,
        Packing::Packed { bytes, .. } => bytes.len(),
    }
}

/// One exchange. True if the device wants to go on.
fn exchange(at: &mut Node, device: &mut Device, cost: &mut Cost) -> bool {
    let start = Instant::now();
    let frame = device.packed_request().expect("asks");
    let bytes = frame.encode();
    let mut spent = start.elapsed();
    let Frame::PackedRequest(asked) = Frame::decode(&bytes).expect("reads") else {
        return false;
    };
    let is_repair = asked.request.repair.is_some();
    let sent = besides(&asked.parts);
    let person = at
        .catalogue
        .key(device.sealer().key_id())
        .expect("enrolled")
        .person;
    let session = Session::of(&at.catalogue, person, NOW);
    let opened = packed::open(&at.keyspace, &at.catalogue, &at.identity, &session, *asked);
    let packed::Opened { request, reply } = opened.expect("opens");
    let parts = node::verify(&at.catalogue, request.parts.clone());
    let mut cache = Cache::default();
    let mut acceptor = Acceptor::new(&at.keyspace, &at.catalogue, &mut cache, NOW).expect("a log");
    let verdicts = node::accept(&mut acceptor, &parts).expect("judges");
    let writes = acceptor.into_writes();
    at.keyspace.apply(writes);
    let start = Instant::now();
    let verdicts = node::Verdicts::on(&request, verdicts);
    let response = node::answer(
        &at.keyspace,
        &at.identity,
        &session,
        &request,
        verdicts,
        NOW,
    );
    let asked = (&request, reply);
    let response = response.expect("answers");
    let answer = packed::close(&at.keyspace, &at.catalogue, &session, asked, response);
    let answer = answer.expect("packs").encode();
    let Frame::PackedResponse(told) = Frame::decode(&answer).expect("reads") else {
        return false;
    };
    let got = besides(&told.entries);
    let response = device.open_response(*told).expect("opens");
    let received = device.receive(&response, NOW, InstallationId([7; 8]));
    spent += start.elapsed();
    if is_repair {
        cost.round_trips += 1;
        cost.bytes += bytes.len() - sent + answer.len() - got;
        cost.spent += spent;
    }
    received.expect("takes").again
}

/// A repair where each side has so many parts that the other has not.
fn repair(
    (catalogue, records): (&Catalogue, &[SignedRecord]),
    common: &[SignedPart],
    (here, there): (&[SignedPart], &[SignedPart]),
) -> Cost {
    let mut keyspace = log_of(records, common.iter().chain(there));
    rebuild::rebuild(&mut keyspace).expect("rebuilds");
    let mut at = Node {
        keyspace,
        catalogue: catalogue.clone(),
        identity: NodeIdentity {
            node: NodeId([1; 16]),
            restarts: 0,
            key: key(8),
        },
    };
    let truth = log_of(records, common.iter().chain(here));
    let (mut device, _) = Device::open(sealer(4), truth).expect("opens");
    let mut cost = Cost::default();
    let mut rounds = 0;
    while exchange(&mut at, &mut device, &mut cost) {
        rounds += 1;
        assert!(rounds < 30, "a repair that never ends");
    }
    let node = LogReader(&at.keyspace).fingerprint(&Follow::All);
    let ours = device.log().fingerprint(&Follow::All);
    assert_eq!(node.expect("a log"), ours.expect("a log"), "they agree");
    cost
}

fn main() {
    let (catalogue, records) = catalogue();
    let common = many(1, COMMON);
    let (mut bytes, mut round_trips, mut ms) = (Vec::new(), Vec::new(), Vec::new());
    for missing in [0, 1, 10, 100, 1_000] {
        let (here, there) = (typed(2, &records, missing), typed(3, &records, missing));
        let cost = repair((&catalogue, &records), &common, (&here, &there));
        bytes.push((missing, cost.bytes as f64));
        round_trips.push((missing, cost.round_trips as f64));
        ms.push((missing, cost.spent.as_secs_f64() * 1e3));
    }
    let mut figures = serde_json::Map::new();
    for (name, found) in [
        ("bytes", bytes),
        ("round_trips", round_trips),
        ("cpu_ms", ms),
    ] {
        for (missing, figure) in found {
            let name = format!("repair_{missing}_missing_{name}");
            figures.insert(name, figure.into());
        }
    }
    println!("{}", serde_json::Value::Object(figures));
}
