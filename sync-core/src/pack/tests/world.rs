//! A catalogue of many units and people, their devices, and a node that takes what they seal.

use ed25519_dalek::SigningKey;

use crate::batch::{Sealer, SignedPart};
use crate::catalogue::{Body, Catalogue, Grant, Person, Record, Role, SignedRecord, UnitRecord};
use crate::document::{Edit, Subject, SubjectKind};
use crate::identity::{GrantId, InstallationId, PersonId, ProvinceId, UnitId};
use crate::log::{
    Acceptor, Cache, Follow, Keyspace, LogReader, MemoryKeyspace, Trust, Verdict, Write, keys,
};
use crate::pack::Timed;
use crate::sync::Device;

pub(super) const NOW: i64 = 1_767_000_000;

fn catalogue_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

pub(super) fn unit_id(unit: u16) -> UnitId {
    let hash = crate::identity::labelled_hash("test unit", &[&unit.to_be_bytes()]);
    UnitId(*hash.first_chunk().unwrap())
}

fn device_key(person: u16) -> SigningKey {
    SigningKey::from_bytes(&crate::identity::labelled_hash(
        "test key",
        &[&person.to_be_bytes()],
    ))
}

/// The province's node.
pub(super) struct World {
    pub(super) keyspace: MemoryKeyspace,
    pub(super) catalogue: Catalogue,
    cache: Cache,
}

impl World {
    pub(super) fn new(units: u16, people: u16, forms: &[&str]) -> Self {
        let mut world = Self {
            keyspace: MemoryKeyspace::new(),
            catalogue: Catalogue::new(),
            cache: Cache::default(),
        };
        world.record(Body::Province {
            name: "Tỉnh Thái Nguyên".into(),
            key: catalogue_key().verifying_key(),
        });
        for unit in 0..units {
            world.record(Body::Unit(UnitRecord {
                unit: unit_id(unit),
                valid_from: "2025-07-01".into(),
                valid_to: None,
                code: unit.to_string(),
                name: format!("Xã {unit}"),
                parent: (unit > 0).then_some(unit_id(0)),
                kind: "commune".into(),
                groups: Vec::new(),
            }));
        }
        for form in forms {
            world.record(Body::Template {
                id: (*form).into(),
                version: 1,
                content: b"{}".to_vec(),
            });
        }
        for person in 0..people {
            world.person(person);
        }
        world
    }

    fn person(&mut self, id: u16) {
        let [high, low] = id.to_be_bytes();
        let person = PersonId([high, low, 1, 1, 1, 1, 1, 1]);
        self.record(Body::Person(Person {
            person,
            sign_in_name: format!("p{id}"),
            display_name: format!("Người {id}"),
        }));
        self.record(Body::Grant(Grant {
            grant: GrantId(person.0),
            person,
            role: Role::Officer,
            unit: Some(unit_id(0)),
            subtree: true,
            until: 0,
        }));
        self.record(Body::DeviceKey {
            public_key: *device_key(id).verifying_key().as_bytes(),
            person,
            unit: unit_id(0),
            label: "máy tính bảng".into(),
        });
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

    /// The catalogue.
    pub(super) fn records(&self) -> Vec<SignedRecord> {
        let to = keys::after(keys::CATALOGUE);
        let kept = self.keyspace.scan(&[keys::CATALOGUE], &to, usize::MAX);
        let decode = |(_, value): (_, Vec<u8>)| SignedRecord::decode(&value).unwrap();
        kept.unwrap().into_iter().map(decode).collect()
    }

    /// The device of a person, with the catalogue and nothing else.
    pub(super) fn device(&self, person: u16) -> Device {
        let sealer = Sealer {
            province: ProvinceId::of(catalogue_key().verifying_key().as_bytes()),
            installation: InstallationId(
                *crate::identity::labelled_hash("test device", &[&person.to_be_bytes()])
                    .first_chunk()
                    .unwrap(),
            ),
            key: device_key(person),
        };
        let to = keys::after(keys::CATALOGUE);
        let records = self.keyspace.scan(&[keys::CATALOGUE], &to, usize::MAX);
        let mut truth = MemoryKeyspace::new();
        truth.apply(records.unwrap().into_iter().map(|(key, value)| Write {
            key,
            value: Some(value),
        }));
        let (device, _) = Device::open(sealer, truth).unwrap();
        device
    }

    /// Takes parts as a node does.
    pub(super) fn accept(&mut self, parts: &[SignedPart], now: i64) {
        let mut acceptor =
            Acceptor::new(&self.keyspace, &self.catalogue, &mut self.cache, now).unwrap();
        for part in parts {
            let key = self.catalogue.key(part.header().key).unwrap();
            let verified = part.clone().verify(&key.public_key).unwrap();
            let verdict = acceptor.accept(&verified, Trust::Relayed).unwrap();
            assert!(matches!(verdict, Verdict::Accepted { .. }), "{verdict:?}");
        }
        let writes = acceptor.into_writes();
        self.keyspace.apply(writes);
    }

    /// Everything after a position.
    pub(super) fn feed(&self, after: u64) -> Vec<Timed> {
        let reader = LogReader(&self.keyspace);
        let page = reader.feed(&Follow::All, after, None, usize::MAX).unwrap();
        let entries = page.entries.into_iter();
        entries
            .map(|(_, entry)| (entry.received_at, entry.part))
            .collect()
    }
}

pub(super) fn subject(template: &str, unit: u16, period: &str) -> Subject {
    Subject {
        kind: SubjectKind::Report,
        template: template.into(),
        unit: unit_id(unit),
        period: period.into(),
    }
}

/// Writes, seals, and gives the sealed parts.
pub(super) fn sealed(
    device: &mut Device,
    work: &[(Subject, Vec<Edit>)],
    now: i64,
) -> Vec<SignedPart> {
    let before = device.log().end().unwrap();
    for (subject, edits) in work {
        device.edit(subject, edits).unwrap();
    }
    device.seal(now).unwrap();
    let reader = device.log();
    let page = reader.feed(&Follow::All, before, None, usize::MAX).unwrap();
    page.entries
        .into_iter()
        .map(|(_, entry)| entry.part)
        .collect()
}
