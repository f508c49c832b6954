//! The catalogue: numbered records in one order, signed by the province's catalogue key.
//!
//! Org units, templates, people, grants, device keys and duties are never merged: one writer numbers
//! them, everybody else verifies and applies them in that order. A node or a tablet that holds the
//! records up to number n judges exactly as the province did at n, with nobody in reach.
//!
//! [`record`] is the bytes; this file is the state they add up to.

pub mod duties;
mod names;
pub mod record;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ed25519_dalek::VerifyingKey;

use crate::calendar::Calendar;
use crate::identity::{DutyId, GrantId, InstallationId, KeyId, PersonId, ProvinceId, UnitId};
pub use duties::{Among, Duty, DutyException, Holidays, Owed, Terms};
pub use names::{InOrder, Names};
pub use record::{
    Body, Grant, NodeRecord, Person, Record, RecordError, Role, SignedRecord, UnitRecord,
};

/// Why a record cannot follow the ones applied so far. The state is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The bytes or the signature are wrong.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The number is not the next one.
    #[error("catalogue record {found} came where {expected} is next")]
    Number {
        /// The number that would follow.
        expected: u64,
        /// The number of the record.
        found: u64,
    },
    /// The record names another predecessor: two histories of one province.
    #[error("catalogue record {0} does not follow the one held before it")]
    Fork(u64),
    /// The first record must name the province and its key, and only the first.
    #[error("catalogue record {0} is out of place: the province is record 1 and no other")]
    Province(u64),
    /// The record refers to something no earlier record made.
    #[error("catalogue record {number} refers to {what}, which no record before it made")]
    Unknown {
        /// The record's number.
        number: u64,
        /// What it refers to.
        what: &'static str,
    },
}

/// A device key as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceKey {
    /// The Ed25519 public key.
    pub public_key: [u8; 32],
    /// Whose it is.
    pub person: PersonId,
    /// The unit the device was enrolled for.
    pub unit: UnitId,
    /// What the device is called.
    pub label: String,
    /// If the key was ended: the last batch number accepted per installation; others accept none.
    pub ended: Option<BTreeMap<InstallationId, u64>>,
    parsed: Parsed,
}

impl DeviceKey {
    /// The public key as a point, which is found once: it is a tenth of a verification. None if the
    /// bytes are no key, under which nothing verifies.
    pub fn verifying(&self) -> Option<&VerifyingKey> {
        let Parsed(parsed) = &self.parsed;
        parsed
            .get_or_init(|| VerifyingKey::from_bytes(&self.public_key).ok())
            .as_ref()
    }
}

/// A function of the key's bytes, once somebody asked: two of them never tell keys apart.
#[derive(Debug, Clone, Default)]
struct Parsed(OnceLock<Option<VerifyingKey>>);

impl PartialEq for Parsed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Parsed {}

/// A published template version; `form` reads the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateVersion {
    /// Template id.
    pub id: String,
    /// Version, from 1.
    pub version: u32,
    /// JSON of the template schema, as signed.
    pub content: Vec<u8>,
}

/// What the records applied so far add up to.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    last_number: u64,
    last_hash: [u8; 32],
    province: Option<Province>,
    rehearsal: Option<String>,
    units: BTreeMap<UnitId, Vec<UnitRecord>>,
    templates: BTreeMap<(String, u32), TemplateVersion>,
    /// Why no new report is begun by them.
    retired: BTreeMap<String, String>,
    people: BTreeMap<PersonId, Person>,
    names: BTreeMap<String, PersonId>,
    grants: BTreeMap<GrantId, (Grant, bool)>,
    grants_of: BTreeMap<PersonId, Vec<GrantId>>,
    keys: BTreeMap<KeyId, DeviceKey>,
    duties: BTreeMap<DutyId, Duty>,
    exceptions: BTreeMap<(DutyId, UnitId), DutyException>,
    calendar: Calendar,
    node_keys: BTreeMap<KeyId, [u8; 32]>,
    nodes: BTreeMap<KeyId, NodeRecord>,
    named: Names,
}

/// The province itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Province {
    /// Its id, a function of the key.
    pub id: ProvinceId,
    /// Its name.
    pub name: String,
    /// The key that signs the catalogue.
    pub key: VerifyingKey,
}

impl Catalogue {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Verifies the next record and applies it.
    ///
    /// The first record proves itself: its province id follows from its key. A caller that already
    /// knows which province it belongs to compares [`Catalogue::province`] afterwards.
    pub fn apply(&mut self, signed: &SignedRecord) -> Result<(), ApplyError> {
        let record = match &self.province {
            Some(province) => signed.verify(&province.key)?,
            None => signed.verify_first()?,
        };
        self.follow(signed, record)
    }

    /// Applies the next record out of what this node or device keeps itself: its signature was
    /// verified before it was kept. That it follows the one before is checked all the same.
    pub fn apply_kept(&mut self, signed: &SignedRecord) -> Result<(), ApplyError> {
        self.follow(signed, signed.unverified()?)
    }

    fn follow(&mut self, signed: &SignedRecord, record: Record) -> Result<(), ApplyError> {
        let number = record.number;
        if number != self.last_number + 1 {
            return Err(ApplyError::Number {
                expected: self.last_number + 1,
                found: number,
            });
        }
        if record.previous != self.last_hash {
            return Err(ApplyError::Fork(number));
        }
        if (number == 1) != matches!(record.body, Body::Province { .. }) {
            return Err(ApplyError::Province(number));
        }
        self.check_references(&record)?;
        self.apply_body(record.body)?;
        self.last_number = number;
        self.last_hash = signed.hash();
        Ok(())
    }

    fn check_references(&self, record: &Record) -> Result<(), ApplyError> {
        let unknown = |what| {
            Err(ApplyError::Unknown {
                number: record.number,
                what,
            })
        };
        match &record.body {
            Body::Unit(unit) => match unit.parent {
                Some(parent) if !self.units.contains_key(&parent) => unknown("a parent unit"),
                _ => Ok(()),
            },
            Body::Grant(grant) => {
                if !self.people.contains_key(&grant.person) {
                    unknown("a person")
                } else if grant
                    .unit
                    .is_some_and(|unit| !self.units.contains_key(&unit))
                {
                    unknown("a unit")
                } else {
                    Ok(())
                }
            }
            Body::GrantEnded(grant) if !self.grants.contains_key(grant) => unknown("a grant"),
            Body::DeviceKey { person, .. } if !self.people.contains_key(person) => {
                unknown("a person")
            }
            Body::DeviceKeyEnded { key, .. } if !self.keys.contains_key(key) => {
                unknown("a device key")
            }
            Body::Node(node) if !self.units.contains_key(&node.unit) => unknown("a unit"),
            Body::DutyEnded(duty) if !self.duties.contains_key(duty) => unknown("a duty"),
            Body::DutyException(exception) if !self.duties.contains_key(&exception.duty) => {
                unknown("a duty")
            }
            Body::DutyException(exception) if !self.units.contains_key(&exception.unit) => {
                unknown("a unit")
            }
            Body::Duty(Duty {
                among: Among::Within(unit),
                ..
            }) if !self.units.contains_key(unit) => unknown("a unit"),
            Body::TemplateRetired { id, .. } if self.newest_template(id).is_none() => {
                unknown("a template")
            }
            Body::Province { .. }
            | Body::Template { .. }
            | Body::Person(_)
            | Body::GrantEnded(_)
            | Body::DeviceKey { .. }
            | Body::DeviceKeyEnded { .. }
            | Body::Duty(_)
            | Body::DutyEnded(_)
            | Body::DutyException(_)
            | Body::Holidays(_)
            | Body::NodeKey { .. }
            | Body::Node(_)
            | Body::Rehearsal { .. }
            | Body::TemplateRetired { .. } => Ok(()),
        }
    }

    fn apply_body(&mut self, body: Body) -> Result<(), ApplyError> {
        self.named.take(&body);
        match body {
            Body::Province { name, key } => {
                let id = ProvinceId::of(key.as_bytes());
                self.province = Some(Province { id, name, key });
            }
            Body::Unit(unit) => {
                let records = self.units.entry(unit.unit).or_default();
                records.retain(|old| old.valid_from != unit.valid_from);
                records.push(unit);
                records.sort_by(|a, b| a.valid_from.cmp(&b.valid_from));
            }
            Body::Template {
                id,
                version,
                content,
            } => {
                let template = TemplateVersion {
                    id: id.clone(),
                    version,
                    content,
                };
                self.templates.insert((id, version), template);
            }
            Body::Person(person) => {
                if let Some(old) = self.people.get(&person.person) {
                    self.names.remove(&old.sign_in_name);
                }
                self.names
                    .insert(person.sign_in_name.clone(), person.person);
                self.people.insert(person.person, person);
            }
            Body::Grant(grant) => {
                let of = self.grants_of.entry(grant.person).or_default();
                if !of.contains(&grant.grant) {
                    of.push(grant.grant);
                }
                self.grants.insert(grant.grant, (grant, true));
            }
            Body::GrantEnded(grant) => {
                if let Some((_, in_force)) = self.grants.get_mut(&grant) {
                    *in_force = false;
                }
            }
            Body::DeviceKey {
                public_key,
                person,
                unit,
                label,
            } => {
                let key = DeviceKey {
                    public_key,
                    person,
                    unit,
                    label,
                    ended: None,
                    parsed: Parsed::default(),
                };
                let id = KeyId::of(&public_key);
                self.keys.entry(id).or_insert(key);
            }
            Body::DeviceKeyEnded { key, accepted } => {
                if let Some(device_key) = self.keys.get_mut(&key) {
                    device_key.ended = Some(accepted.into_iter().collect());
                }
            }
            Body::Duty(duty) => {
                self.duties.insert(duty.duty, duty);
            }
            Body::DutyEnded(duty) => {
                self.duties.remove(&duty);
                self.exceptions.retain(|(of, _), _| *of != duty);
            }
            Body::DutyException(exception) => {
                self.except(exception);
            }
            Body::Holidays(holidays) => self.calendar.supersede(holidays.days()),
            Body::NodeKey { public_key, .. } => {
                self.node_keys.insert(KeyId::of(&public_key), public_key);
            }
            Body::Node(node) => {
                let id = KeyId::of(&node.public_key);
                self.node_keys.insert(id, node.public_key);
                self.nodes.insert(id, node);
            }
            Body::Rehearsal { label } => self.rehearsal = Some(label),
            Body::TemplateRetired { id, reason } if reason.is_empty() => {
                self.retired.remove(&id);
            }
            Body::TemplateRetired { id, reason } => {
                self.retired.insert(id, reason);
            }
        }
        Ok(())
    }

    /// The number of the last record applied; 0 before the first.
    pub fn last_number(&self) -> u64 {
        self.last_number
    }
    /// The hash of the last record applied; zeros before the first.
    pub fn last_hash(&self) -> [u8; 32] {
        self.last_hash
    }
    /// The province, once the first record was applied.
    pub fn province(&self) -> Option<&Province> {
        self.province.as_ref()
    }
    /// The label of a rehearsal, if this province is one.
    pub fn rehearsal(&self) -> Option<&str> {
        self.rehearsal.as_deref()
    }
    /// All dated records of a unit, by the day they hold from.
    pub fn unit(&self, unit: UnitId) -> Option<&[UnitRecord]> {
        self.units.get(&unit).map(Vec::as_slice)
    }
    /// Every unit with its dated records.
    pub fn units(&self) -> impl Iterator<Item = (&UnitId, &Vec<UnitRecord>)> {
        self.units.iter()
    }
    /// The record of a unit that holds on a day (yyyy-mm-dd), if any.
    pub fn unit_on(&self, unit: UnitId, day: &str) -> Option<&UnitRecord> {
        self.units
            .get(&unit)?
            .iter()
            .rev()
            .find(|record| record.holds_on(day))
    }
    /// True if `unit` is `above` or below it on a day. A cycle ends the walk.
    pub fn is_within(&self, unit: UnitId, above: UnitId, day: &str) -> bool {
        let mut at = Some(unit);
        for _ in 0..crate::limits::UNIT_TIERS_MAX {
            match at {
                Some(here) if here == above => return true,
                Some(here) => at = self.unit_on(here, day).and_then(|record| record.parent),
                None => return false,
            }
        }
        false
    }
    /// The units above a unit on a day, the nearest one first. A cycle ends the walk.
    pub fn above(&self, unit: UnitId, day: &str) -> Vec<UnitId> {
        let parent = |unit: &UnitId| self.unit_on(*unit, day)?.parent;
        std::iter::successors(parent(&unit), parent)
            .take(crate::limits::UNIT_TIERS_MAX)
            .collect()
    }
    /// One version of a template.
    pub fn template(&self, id: &str, version: u32) -> Option<&TemplateVersion> {
        self.templates.get(&(id.to_owned(), version))
    }
    /// The newest version of a template.
    pub fn newest_template(&self, id: &str) -> Option<&TemplateVersion> {
        self.templates
            .range((id.to_owned(), 0)..=(id.to_owned(), u32::MAX))
            .next_back()
            .map(|(_, template)| template)
    }
    /// Why no new report is begun by a template; `None` while it is in use. Reports that were begun go on.
    pub fn template_retired(&self, id: &str) -> Option<&str> {
        self.retired.get(id).map(String::as_str)
    }
    /// Every version of every template.
    pub fn templates(&self) -> impl Iterator<Item = &TemplateVersion> {
        self.templates.values()
    }
    /// A person.
    pub fn person(&self, person: PersonId) -> Option<&Person> {
        self.people.get(&person)
    }
    /// A person by the name they sign in with.
    pub fn person_by_name(&self, sign_in_name: &str) -> Option<&Person> {
        self.people.get(self.names.get(sign_in_name)?)
    }
    /// Every person.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }
    /// A grant and whether it is still in force.
    pub fn grant(&self, grant: GrantId) -> Option<(&Grant, bool)> {
        self.grants
            .get(&grant)
            .map(|(grant, in_force)| (grant, *in_force))
    }
    /// The grants of a person in force at a moment (seconds since 1970, by the judge's clock).
    pub fn grants_of(&self, person: PersonId, now: i64) -> impl Iterator<Item = &Grant> {
        self.grants_of
            .get(&person)
            .into_iter()
            .flatten()
            .filter_map(|id| self.grants.get(id))
            .filter(move |(grant, in_force)| *in_force && (grant.until == 0 || now < grant.until))
            .map(|(grant, _)| grant)
    }
    /// A device key.
    pub fn key(&self, key: KeyId) -> Option<&DeviceKey> {
        self.keys.get(&key)
    }
    /// The device key whose id begins with these bytes; the first, should there be two.
    pub fn key_that_begins(&self, with: [u8; 6]) -> Option<(KeyId, &DeviceKey)> {
        let mut from = KeyId([0; 16]);
        let (begin, _) = from.0.split_at_mut(with.len());
        begin.copy_from_slice(&with);
        let (key, device) = self.keys.range(from..).next()?;
        key.0.starts_with(&with).then_some((*key, device))
    }
    /// Every device key.
    pub fn keys(&self) -> impl Iterator<Item = (&KeyId, &DeviceKey)> {
        self.keys.iter()
    }
    /// The public keys of nodes that may sign receipts.
    pub fn node_keys(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.node_keys.values()
    }
    /// The public key of a node of the province itself, whose word counts for parts that it accepted. An
    /// area's node has no such right: it could speak for authors that it only met.
    pub fn province_node_key(&self, key: KeyId) -> Option<&[u8; 32]> {
        let public_key = self.node_keys.get(&key)?;
        (!self.nodes.contains_key(&key)).then_some(public_key)
    }
    /// The nodes beside the province's own, by their keys.
    pub fn nodes(&self) -> impl Iterator<Item = (&KeyId, &NodeRecord)> {
        self.nodes.iter()
    }
    /// Those whose keys were not ended: what a tablet may go to.
    pub fn nodes_in_use(&self) -> impl Iterator<Item = &NodeRecord> {
        let is_ended = |id| self.key(id).is_some_and(|key| key.ended.is_some());
        let in_use = move |(id, _): &(&KeyId, &NodeRecord)| !is_ended(**id);
        self.nodes.iter().filter(in_use).map(|(_, node)| node)
    }
    /// The node of a key.
    pub fn node(&self, key: KeyId) -> Option<&NodeRecord> {
        self.nodes.get(&key)
    }
}
