//! What a packing refers to by place: units and device keys in the order in which the records first
//! named them, which is the same on every side as far as it goes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Body, Catalogue, SignedRecord};
use crate::identity::{KeyId, ProvinceId, UnitId};

/// Ids, each with its place.
#[derive(Debug, Clone)]
pub struct InOrder<T> {
    ids: Vec<T>,
    places: BTreeMap<T, usize>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self {
            ids: Vec::new(),
            places: BTreeMap::new(),
        }
    }
}

impl<T: Copy + Ord> InOrder<T> {
    /// Adds an id behind all others, unless it is there.
    fn add(&mut self, id: T) {
        if let std::collections::btree_map::Entry::Vacant(free) = self.places.entry(id) {
            free.insert(self.ids.len());
            self.ids.push(id);
        }
    }

    /// The id at a place.
    pub fn at(&self, place: usize) -> Option<T> {
        self.ids.get(place).copied()
    }

    /// The place of an id.
    pub fn place(&self, id: T) -> Option<usize> {
        self.places.get(&id).copied()
    }
}

/// The names in a catalogue.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The province.
    pub province: Option<ProvinceId>,
    /// Units.
    pub units: InOrder<UnitId>,
    /// Device keys.
    pub keys: InOrder<KeyId>,
}

impl Names {
    pub(super) fn take(&mut self, body: &Body) {
        match body {
            Body::Province { key, .. } => self.province = Some(ProvinceId::of(key.as_bytes())),
            Body::Unit(unit) => self.units.add(unit.unit),
            Body::DeviceKey { public_key, .. } => self.keys.add(KeyId::of(public_key)),
            Body::Template { .. }
            | Body::Person(_)
            | Body::Grant(_)
            | Body::GrantEnded(_)
            | Body::DeviceKeyEnded { .. }
            | Body::Duty(_)
            | Body::DutyEnded(_)
            | Body::DutyException(_)
            | Body::Holidays(_)
            | Body::NodeKey { .. }
            | Body::Node(_)
            | Body::Rehearsal { .. }
            | Body::TemplateRetired { .. } => {}
        }
    }
}

impl Catalogue {
    /// What a packing may refer to.
    pub fn names(&self) -> &Names {
        &self.named
    }

    /// The same once these records are taken: an answer brings records and what is written by whom
    /// they name. Nobody's signature is looked at, since a wrong name leads to nothing but a refusal.
    pub fn names_with(&self, records: &[SignedRecord]) -> Cow<'_, Names> {
        let mut names = Cow::Borrowed(&self.named);
        for record in records {
            match record.unverified() {
                Ok(record) if record.number > self.last_number => {
                    names.to_mut().take(&record.body);
                }
                Ok(_) | Err(_) => {}
            }
        }
        names
    }
}
