//! The province's office: who is enrolled, what ends, what is renamed, and snapshots for newcomers.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use sync_core::batch::{Entry, NewPart, Partition, Sealer, seal};
use sync_core::catalogue::{Body, Grant, Person, Role, UnitRecord};
use sync_core::identity::{GrantId, InstallationId, PersonId, UnitId};
use sync_core::log::{Keyspace, LogEntry, MemoryKeyspace, Write, keys};

use crate::bugs::Bug;
use crate::durable::{Commit, Durable};
use crate::operations::Place;
use crate::tablet::Tablet;
use crate::violation::{Checked, Violation, must};
use crate::world::World;

/// Tablets of one run at most.
const TABLETS_MAX: usize = 7;

/// Where a tablet stands with its node (`docs/formats.md` section 11).
const PEER: u8 = 0x23;

/// What of older years a device leaves out (`docs/formats.md` section 11).
const REACH: u8 = 0x2b;

impl World {
    /// Starts the node and gives the first people their tablets.
    pub(crate) fn found(&mut self, node_key: &SigningKey) -> Checked<()> {
        self.start(Place::Node)?;
        for body in self.setting.first_records(node_key) {
            self.record(body)?;
        }
        self.node.follow_figures(&self.setting)?;
        for number in 0..self.knobs.tablets {
            let communes = self.setting.communes.clone();
            let commune = self.dice.pick(&communes).map(|(unit, _)| *unit);
            let area = self.dice.pick(&self.setting.areas).copied();
            let (unit, subtree, role) = match self.dice.below(10) {
                0 => (Some(self.setting.top), true, Role::ProvincialReviewer),
                1 => (None, true, Role::Officer),
                2 | 3 => (area, true, Role::Officer),
                _ => (commune, false, Role::Officer),
            };
            // Somebody always has work in common with somebody else.
            let (unit, subtree, role) = match number {
                0 => (
                    communes.first().map(|(unit, _)| *unit),
                    false,
                    Role::Officer,
                ),
                1 => (Some(self.setting.top), true, Role::Officer),
                _ => (unit, subtree, role),
            };
            self.enrol(unit, subtree, role)?;
            self.tablet(number)?.start()?;
            let records = self.node.records()?;
            self.give_records(number, &records)?;
        }
        Ok(())
    }

    fn give_records(
        &mut self,
        number: usize,
        records: &[sync_core::catalogue::SignedRecord],
    ) -> Checked<()> {
        let tablet = self
            .tablets
            .get_mut(number)
            .ok_or_else(|| Violation::new("tablet", "none"))?;
        let Some(device) = &mut tablet.device else {
            return Ok(());
        };
        let writes = must("device-takes-records", device.take_records(records))?;
        tablet.save(&writes, &mut self.ledger)?;
        self.perhaps_leave_years(number)
    }

    /// Appends a record, unless the node is behind what others hold: then it must get those back
    /// first. False: it was not kept.
    pub(crate) fn record(&mut self, body: Body) -> Checked<bool> {
        self.start(Place::Node)?;
        if !self.node.up || self.node.catalogue.last_number() < self.catalogue_known {
            return Ok(false);
        }
        let record = self.setting.sign(&self.node.catalogue, self.now, body);
        let kept = self.node.append_record(&record)? == Commit::Durable;
        self.catalogue_known = self.catalogue_known.max(self.node.catalogue.last_number());
        Ok(kept)
    }

    /// Enrols a person with a tablet that was never started. False: a record was not kept.
    fn enrol(&mut self, unit: Option<UnitId>, subtree: bool, role: Role) -> Checked<bool> {
        let number = self.tablets.len();
        let person = PersonId(self.dice.bytes());
        let key = SigningKey::from_bytes(&self.dice.bytes());
        let bodies = [
            Body::Person(Person {
                person,
                sign_in_name: format!("p{number}"),
                display_name: format!("Người {number}"),
            }),
            Body::Grant(Grant {
                grant: GrantId(self.dice.bytes()),
                person,
                role,
                unit,
                subtree,
                until: 0,
            }),
            Body::DeviceKey {
                public_key: *key.verifying_key().as_bytes(),
                person,
                unit: unit.unwrap_or(self.setting.top),
                label: "máy tính bảng".to_owned(),
            },
        ];
        for body in bodies {
            if !self.record(body)? {
                return Ok(false);
            }
        }
        let durable = Durable::new(
            self.dice.number(),
            self.dice.bytes(),
            self.knobs.segment_bytes_max,
        );
        self.trace.say(format_args!(
            "tablet {number}: {person} {role:?} at {unit:?} subtree {subtree}"
        ));
        let installation = InstallationId(self.dice.bytes());
        let province = self.setting.province();
        let tablet = Tablet::new(province, person, key, installation, durable);
        self.tablets.push(tablet);
        Ok(true)
    }

    fn grants_of(&mut self, number: usize) -> Checked<Vec<Grant>> {
        let (person, now) = (self.tablet(number)?.person, self.now);
        Ok(self
            .node
            .catalogue
            .grants_of(person, now)
            .cloned()
            .collect())
    }

    /// Every right of a person ends.
    pub(crate) fn end_grants(&mut self, number: usize) -> Checked<()> {
        for grant in self.grants_of(number)? {
            self.record(Body::GrantEnded(grant.grant))?;
        }
        Ok(())
    }

    /// A person gets a right, perhaps one they have, perhaps for a while.
    pub(crate) fn grant(&mut self, number: usize) -> Checked<()> {
        let communes = self.setting.communes.clone();
        let unit = self.dice.pick(&communes).map(|(unit, _)| *unit);
        let lease = self.dice.one_in(3);
        let grant = Grant {
            grant: GrantId(self.dice.bytes()),
            person: self.tablet(number)?.person,
            role: Role::Officer,
            unit,
            subtree: self.dice.one_in(4),
            until: if lease { self.now + 5_000 } else { 0 },
        };
        self.record(Body::Grant(grant)).map(drop)
    }

    /// A device key ends; what the node has of it by now stands.
    pub(crate) fn end_key(&mut self, number: usize) -> Checked<()> {
        let key = self.tablet(number)?.key_id;
        let mut accepted: BTreeMap<InstallationId, u64> = BTreeMap::new();
        for part in self.node.accepted()? {
            let header = part.header();
            if header.key == key {
                let last = accepted.entry(header.installation).or_default();
                *last = (*last).max(header.number);
            }
        }
        let accepted = accepted.into_iter().collect();
        self.record(Body::DeviceKeyEnded { key, accepted })
            .map(drop)
    }

    /// The form has a new version.
    pub(crate) fn new_template(&mut self) -> Checked<()> {
        let newest = self
            .node
            .catalogue
            .newest_template(crate::setting::TEMPLATE);
        let version = newest.map_or(1, |newest| newest.version + 1);
        let body = self.setting.template(version);
        self.record(body)?;
        if self.node.up {
            self.node.follow_figures(&self.setting)?;
        }
        Ok(())
    }

    /// A unit is renamed.
    pub(crate) fn rename(&mut self, unit: usize) -> Checked<()> {
        let communes = &self.setting.communes;
        let Some((unit, area)) = communes.get(unit % communes.len().max(1)).copied() else {
            return Ok(());
        };
        let number = self.dice.below(1_000);
        let body = Body::Unit(UnitRecord {
            unit,
            valid_from: "2016-01-01".to_owned(),
            valid_to: None,
            code: (500 + number).to_string(),
            name: format!("Đơn vị {number}"),
            parent: Some(area),
            kind: "commune".to_owned(),
            groups: Vec::new(),
        });
        self.record(body)?;
        if self.node.up {
            self.node.follow_figures(&self.setting)?;
        }
        Ok(())
    }

    /// A new colleague with the same rights begins with a snapshot of a tablet: its log, what it has
    /// not sent, its catalogue and where it stands with the node; or, as often, with nothing, to be given
    /// everything on the province's word.
    pub(crate) fn snapshot(&mut self, from: usize) -> Checked<()> {
        if self.tablets.len() >= TABLETS_MAX || !self.running(from)? {
            return Ok(());
        }
        let grants = self.grants_of(from)?;
        let Some(grant) = grants.first().filter(|_| grants.len() == 1).cloned() else {
            return Ok(());
        };
        let mut truth = MemoryKeyspace::new();
        if let Some(device) = &self.tablet(from)?.device {
            for tag in [keys::CATALOGUE, keys::LOG, keys::OUTBOX, PEER, REACH] {
                let found = device
                    .keyspace()
                    .scan(&[tag], &keys::after(tag), usize::MAX);
                truth.apply(must("scan", found)?.into_iter().map(|(key, value)| Write {
                    key,
                    value: Some(value),
                }));
            }
        }
        if !self.enrol(grant.unit, grant.subtree, grant.role)? {
            return Ok(());
        }
        if self.bug == Some(Bug::SnapshotWithoutParts) {
            truth = self.without_parts(truth)?;
        } else if self.dice.one_in(2) || self.tablet(from)?.copied_back {
            // What a tablet copied back says under numbers used before is rightly refused elsewhere.
            truth = MemoryKeyspace::new();
        }
        let number = self.tablets.len() - 1;
        let at = self.tablet(from)?.at;
        let tablet = self.tablet(number)?;
        tablet.at = at;
        tablet.start()?;
        let writes: Vec<Write> = truth
            .iter()
            .map(|(key, value)| Write {
                key: key.to_vec(),
                value: Some(value.to_vec()),
            })
            .collect();
        tablet.durable.commit(&writes)?;
        tablet.end(crate::durable::End::Killed);
        tablet.start()?;
        let records = self.node.records()?;
        self.give_records(number, &records)
    }

    /// The same changes, but in parts of the snapshot's own making: whose they were is lost.
    fn without_parts(&mut self, truth: MemoryKeyspace) -> Checked<MemoryKeyspace> {
        let sealer = Sealer {
            province: self.setting.province(),
            installation: InstallationId(self.dice.bytes()),
            key: self.setting.key.clone(),
        };
        let mut parts: BTreeMap<Partition, NewPart> = BTreeMap::new();
        let mut kept = Vec::new();
        let mut subjects = BTreeSet::new();
        for (key, value) in truth.iter() {
            match key.first() {
                Some(&keys::LOG) => {
                    let entry = must("log-entry", LogEntry::decode(value))?;
                    let partition = entry.part.part().partition;
                    let empty = NewPart {
                        partition,
                        tip: sync_core::batch::PartitionTip::default(),
                        entries: Vec::new(),
                        changes: Vec::new(),
                    };
                    let part = parts.entry(partition).or_insert(empty);
                    for (about, bytes) in entry.part.entries() {
                        if !matches!(about, Entry::Subject { .. })
                            || subjects.insert(about.document())
                        {
                            part.entries.push(about.clone());
                            part.changes.extend(bytes.map(<[u8]>::to_vec));
                        }
                    }
                }
                Some(&keys::OUTBOX) => {}
                Some(_) | None => kept.push((key.to_vec(), value.to_vec())),
            }
        }
        let mut again = MemoryKeyspace::new();
        again.apply(kept.into_iter().map(|(key, value)| Write {
            key,
            value: Some(value),
        }));
        let new_parts: Vec<NewPart> = parts.into_values().collect();
        if new_parts.is_empty() {
            return Ok(again);
        }
        let tip = sync_core::batch::ChainTip::default();
        let sealed = must("seal", seal(&sealer, tip, self.now, new_parts))?;
        for (position, part) in (1..).zip(sealed) {
            let entry = LogEntry {
                received_at: self.now,
                part,
            };
            again.apply([Write {
                key: keys::log(position),
                value: Some(entry.encode()),
            }]);
        }
        Ok(again)
    }
}
