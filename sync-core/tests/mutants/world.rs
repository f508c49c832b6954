//! A province with a node and four tablets, and a seeded history of their honest work.

use ed25519_dalek::SigningKey;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sync_core::batch::{Sealer, SignedPart};
use sync_core::catalogue::{
    Body, Catalogue, Grant, Person, Record, Role, SignedRecord, UnitRecord,
};
use sync_core::cell::CellValue;
use sync_core::document::{Capacity, Edit, Entry, SignOff, Statement, Subject, SubjectKind};
use sync_core::identity::{
    ChangeHash, GrantId, InstallationId, NodeId, PersonId, ProvinceId, UnitId,
};
use sync_core::log::{Acceptor, Cache, MemoryKeyspace, Verdict, Write, keys, rebuild};
use sync_core::sync::node::{self, Verdicts};
use sync_core::sync::{Device, NodeIdentity, Request, Response, Session};

use crate::change_mutation::{CODES, SECTIONS};

pub(crate) const NOW: i64 = 1_760_000_000;

/// Officers: of unit 2, of unit 3, of both, of unit 4. The last one sometimes writes where they may not.
const OFFICERS: [(u8, bool); 4] = [(2, false), (3, false), (1, true), (4, false)];

fn catalogue_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

/// What does not change while people work.
pub(crate) struct World {
    pub(crate) catalogue: Catalogue,
    pub(crate) records: Vec<SignedRecord>,
    pub(crate) identity: NodeIdentity,
    pub(crate) sealers: Vec<Sealer>,
}

impl World {
    pub(crate) fn new() -> Self {
        let identity = NodeIdentity {
            node: NodeId([1; 16]),
            restarts: 0,
            key: SigningKey::from_bytes(&[7; 32]),
        };
        let mut world = Self {
            catalogue: Catalogue::new(),
            records: Vec::new(),
            identity,
            sealers: Vec::new(),
        };
        world.record(Body::Province {
            name: "Tỉnh Thái Nguyên".into(),
            key: catalogue_key().verifying_key(),
        });
        for unit in 1..=4u8 {
            world.record(Body::Unit(UnitRecord {
                unit: UnitId([unit; 8]),
                valid_from: "2025-07-01".into(),
                valid_to: None,
                code: unit.to_string(),
                name: format!("Xã {unit}"),
                parent: (unit == 2 || unit == 3).then_some(UnitId([1; 8])),
                kind: "commune".into(),
                groups: Vec::new(),
            }));
        }
        world.record(Body::Template {
            id: "bao-cao".into(),
            version: 1,
            content: b"{}".to_vec(),
        });
        let public_key = *world.identity.key.verifying_key().as_bytes();
        world.record(Body::NodeKey {
            public_key,
            label: "tỉnh".into(),
        });
        for (at, (unit, subtree)) in OFFICERS.into_iter().enumerate() {
            world.enrol(at as u8 + 1, unit, subtree);
        }
        world
    }

    fn record(&mut self, body: Body) {
        let record = Record {
            number: self.catalogue.last_number() + 1,
            previous: self.catalogue.last_hash(),
            at: NOW,
            body,
        };
        let signed = SignedRecord::sign(&record, &catalogue_key());
        self.catalogue
            .apply(&signed)
            .expect("a record that follows");
        self.records.push(signed);
    }

    fn enrol(&mut self, id: u8, unit: u8, subtree: bool) {
        let person = PersonId([id; 8]);
        self.record(Body::Person(Person {
            person,
            sign_in_name: format!("p{id}"),
            display_name: format!("Người {id}"),
        }));
        self.record(Body::Grant(Grant {
            grant: GrantId([id; 8]),
            person,
            role: Role::Officer,
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
        self.sealers.push(Sealer {
            province: ProvinceId::of(catalogue_key().verifying_key().as_bytes()),
            installation: InstallationId([id; 8]),
            key,
        });
    }

    pub(crate) fn person(&self, device: usize) -> PersonId {
        let key = self.catalogue.key(self.sealers[device].key_id());
        key.expect("an enrolled device").person
    }

    /// A device as it comes up from what it kept.
    pub(crate) fn open(&self, device: usize, kept: &MemoryKeyspace) -> Device {
        let opened = Device::open(self.sealers[device].clone(), kept.clone());
        opened.expect("a device opens from what it kept").0
    }

    /// The node's keyspace before any work.
    pub(crate) fn empty_node(&self) -> MemoryKeyspace {
        let mut keyspace = MemoryKeyspace::new();
        keyspace.apply([self.identity.write()]);
        keyspace.apply(self.records.iter().zip(1..).map(|(record, number)| Write {
            key: keys::catalogue(number),
            value: Some(record.encode()),
        }));
        keyspace
    }
}

pub(crate) fn subject(unit: u8) -> Subject {
    Subject {
        kind: SubjectKind::Report,
        template: "bao-cao".into(),
        unit: UnitId([unit; 8]),
        period: "2025".into(),
    }
}

fn edit(rng: &mut ChaCha8Rng, sealer: &Sealer) -> Edit {
    let code = CODES[rng.random_range(0..CODES.len())].to_owned();
    let entry = match rng.random_range(0..8u8) {
        0..4 => Entry::Cell {
            code,
            value: CellValue::Number(rng.random_range(-5i64..2_000).into()),
        },
        4 => Entry::Cell {
            code,
            value: CellValue::Empty,
        },
        5 => Entry::Note {
            code,
            text: Some("ghi chú".to_owned()),
        },
        6 => Entry::SignOff {
            key: sealer.key_id(),
            sign_off: SignOff {
                statement: Statement::HandedIn,
                capacity: Capacity::Own,
                heads: vec![ChangeHash([7; 32])],
                reason: String::new(),
            },
        },
        _ => Entry::NarrativeText {
            section: SECTIONS[rng.random_range(0..SECTIONS.len())].to_owned(),
            text: "Đã họp".chars().take(rng.random_range(1..7)).collect(),
        },
    };
    Edit {
        entry,
        typed_at: NOW + rng.random_range(0..90),
    }
}

/// Types into one or two reports and seals.
fn type_and_seal(rng: &mut ChaCha8Rng, world: &World, device: &mut Device, at: usize) {
    let units: &[u8] = match at {
        0 => &[2],
        1 => &[3],
        2 if rng.random_bool(0.5) => &[2, 3],
        2 => &[3],
        _ if rng.random_bool(0.3) => &[2],
        _ => &[4],
    };
    for unit in units {
        for _ in 0..rng.random_range(0..3) {
            let edit = edit(rng, &world.sealers[at]);
            device.edit(&subject(*unit), &[edit]).expect("types");
        }
        // A number that nobody typed before, so that there is something to seal.
        let entry = Entry::Cell {
            code: "2".to_owned(),
            value: CellValue::Number(rng.random_range(10_000..i64::MAX).into()),
        };
        let typed_at = NOW + 90;
        let edits = [Edit { entry, typed_at }];
        device.edit(&subject(*unit), &edits).expect("types");
    }
    device.seal(NOW).expect("seals");
}

/// A part at the moment it reached the node.
pub(crate) struct Moment {
    /// The node before it.
    pub(crate) keyspace: MemoryKeyspace,
    /// The part, and the device that sealed it.
    pub(crate) part: SignedPart,
    pub(crate) signer: usize,
    /// What another device could have sealed honestly at that moment, and which.
    pub(crate) other: SignedPart,
    pub(crate) other_signer: usize,
}

/// One exchange, with both sides as they were before it.
pub(crate) struct Exchange {
    pub(crate) device: usize,
    pub(crate) device_before: MemoryKeyspace,
    pub(crate) node_before: MemoryKeyspace,
    pub(crate) request: Request,
    pub(crate) response: Response,
}

/// Honest work.
pub(crate) struct Work {
    pub(crate) world: World,
    pub(crate) moments: Vec<Moment>,
    pub(crate) exchanges: Vec<Exchange>,
}

impl Work {
    /// `rounds` times somebody types, seals and synchronises.
    pub(crate) fn new(rng: &mut ChaCha8Rng, rounds: usize) -> Self {
        let world = World::new();
        let mut devices: Vec<Device> = (0..OFFICERS.len())
            .map(|at| {
                let mut device = world.open(at, &MemoryKeyspace::new());
                device.take_records(&world.records).expect("the catalogue");
                device
            })
            .collect();
        let mut node = world.empty_node();
        let mut work = Self {
            world,
            moments: Vec::new(),
            exchanges: Vec::new(),
        };
        for _ in 0..rounds {
            let at = rng.random_range(0..devices.len());
            type_and_seal(rng, &work.world, &mut devices[at], at);
            while work.exchange(rng, &mut node, &mut devices, at) {}
        }
        work
    }

    /// One exchange of a device; true if it wants another.
    fn exchange(
        &mut self,
        rng: &mut ChaCha8Rng,
        node: &mut MemoryKeyspace,
        devices: &mut [Device],
        at: usize,
    ) -> bool {
        let device_before = devices[at].keyspace().clone();
        let node_before = node.clone();
        let request = devices[at].request().expect("a request");
        let mut verdicts = Vec::new();
        for part in &request.parts {
            let other_signer = (at + rng.random_range(1..devices.len())) % devices.len();
            let other = self.alternative(rng, &devices[other_signer], other_signer);
            self.moments.push(Moment {
                keyspace: node.clone(),
                part: part.clone(),
                signer: at,
                other,
                other_signer,
            });
            let (verdict, writes) = judge(&self.world, node, std::slice::from_ref(part));
            node.apply(writes);
            verdicts.extend(verdict);
        }
        let session = Session::of(&self.world.catalogue, self.world.person(at), NOW);
        let identity = &self.world.identity;
        let verdicts = Verdicts::on(&request, verdicts);
        let response = node::answer(node, identity, &session, &request, verdicts, NOW);
        let response = response.expect("an answer");
        let fresh = InstallationId([99; 8]);
        let received = devices[at]
            .receive(&response, NOW, fresh)
            .expect("receives");
        self.exchanges.push(Exchange {
            device: at,
            device_before,
            node_before,
            request,
            response,
        });
        received.again
    }

    /// A part that another device could send now.
    fn alternative(&self, rng: &mut ChaCha8Rng, device: &Device, at: usize) -> SignedPart {
        let mut copy = self.world.open(at, device.keyspace());
        type_and_seal(rng, &self.world, &mut copy, at);
        let parts = copy.request().expect("a request").parts;
        parts.first().expect("something was sealed").clone()
    }
}

/// What a node says of parts that came together, and what it would write.
pub(crate) fn judge(
    world: &World,
    node: &MemoryKeyspace,
    parts: &[SignedPart],
) -> (Vec<Verdict>, Vec<Write>) {
    let mut cache = Cache::default();
    let checked = node::verify(&world.catalogue, parts.to_vec());
    let mut acceptor =
        Acceptor::new(node, &world.catalogue, &mut cache, NOW).expect("a sound keyspace");
    let verdicts = node::accept(&mut acceptor, &checked).expect("a sound keyspace");
    (verdicts, acceptor.into_writes())
}

/// The keyspace with everything derived made again from the truth.
pub(crate) fn rebuilt(keyspace: &MemoryKeyspace) -> MemoryKeyspace {
    let mut again = keyspace.clone();
    again.clear_derived();
    rebuild::rebuild(&mut again).expect("the truth can be read");
    again
}

/// The truth in a keyspace.
pub(crate) fn truth(keyspace: &MemoryKeyspace) -> MemoryKeyspace {
    let mut truth = keyspace.clone();
    truth.clear_derived();
    truth
}

/// Compares keyspaces key by key: a whole keyspace is no message for a person.
pub(crate) fn check_same(left: &MemoryKeyspace, right: &MemoryKeyspace, why: &str) {
    for (one, other) in left.iter().zip(right.iter()) {
        assert_eq!(one, other, "{why}");
    }
    assert_eq!(left.iter().count(), right.iter().count(), "{why}");
}

/// Nothing that is truth before may be changed or gone after.
pub(crate) fn check_kept(before: &MemoryKeyspace, after: &MemoryKeyspace) {
    let mut left = after.iter();
    for (key, value) in before.iter().filter(|(key, _)| key[0] < keys::DERIVED_FROM) {
        let same = left.any(|(other, kept)| other == key && kept == value);
        assert!(same, "what was accepted is changed or gone: {key:02x?}");
    }
}
