//! Finding things of the catalogue by what a person writes for them.

use std::collections::BTreeMap;
use sync_core::catalogue::{Catalogue, DeviceKey, Person, UnitRecord};
use sync_core::date::Date;
use sync_core::document::{Subject, SubjectKind};
use sync_core::form::Template;
use sync_core::identity::{ActorId, KeyId, UnitId};
use sync_core::log::LogReader;
use sync_core::org_unit::OrgTree;
use sync_core::period::Period;

/// What was not found, or not told apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// No such unit in the catalogue held here.
    #[error("no unit here is {0}")]
    UnknownUnit(String),
    /// Several units answer to it.
    #[error("{wanted} may be any of {found}")]
    SeveralUnits {
        /// What was asked for.
        wanted: String,
        /// Codes and names.
        found: String,
    },
    /// No such template in the catalogue held here.
    #[error("no template here is {0}")]
    UnknownTemplate(String),
    /// The template cannot be read.
    #[error("template {id} cannot be read: {reason}")]
    BadTemplate {
        /// Its id.
        id: String,
        /// Why.
        reason: String,
    },
    /// No period.
    #[error("{0} is no period")]
    BadPeriod(String),
    /// The units make no tree.
    #[error("the units of the catalogue make no tree: {0}")]
    Tree(String),
}

/// A unit by its code, its id, or a part of its name without tones.
pub fn unit(catalogue: &Catalogue, wanted: &str) -> Result<UnitId, LookupError> {
    let latest = || {
        catalogue
            .units()
            .filter_map(|(unit, all)| Some((*unit, all.last()?)))
    };
    if let Some((unit, _)) = latest().find(|(_, record)| record.code == wanted) {
        return Ok(unit);
    }
    if let Ok(id) = wanted.parse::<UnitId>()
        && catalogue.unit(id).is_some()
    {
        return Ok(id);
    }
    let tree = tree_on(catalogue, Date::of_timestamp(crate::now_s()))?;
    let found: Vec<&UnitRecord> = tree.search(wanted).collect();
    match found.as_slice() {
        [] => Err(LookupError::UnknownUnit(wanted.to_owned())),
        [one] => Ok(one.unit),
        several => match several.iter().find(|record| record.name == wanted) {
            Some(exact) => Ok(exact.unit),
            None => Err(LookupError::SeveralUnits {
                wanted: wanted.to_owned(),
                found: several
                    .iter()
                    .take(8)
                    .map(|record| format!("{} {}", record.code, record.name))
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        },
    }
}

/// The tree of units on a day.
pub fn tree_on(catalogue: &Catalogue, day: Date) -> Result<OrgTree, LookupError> {
    OrgTree::of_catalogue(catalogue, day).map_err(|error| LookupError::Tree(error.to_string()))
}

/// The newest version of a template.
pub fn template(catalogue: &Catalogue, id: &str) -> Result<Template, LookupError> {
    let kept = catalogue
        .newest_template(id)
        .ok_or_else(|| LookupError::UnknownTemplate(id.to_owned()))?;
    Template::from_json(&kept.content).map_err(|error| LookupError::BadTemplate {
        id: id.to_owned(),
        reason: error.to_string(),
    })
}

/// A period in its canonical form.
pub fn period(text: &str) -> Result<Period, LookupError> {
    text.parse()
        .map_err(|_| LookupError::BadPeriod(text.to_owned()))
}

/// The subject of a report.
pub fn subject(
    catalogue: &Catalogue,
    template: &str,
    unit_wanted: &str,
    period_text: &str,
) -> Result<Subject, LookupError> {
    if catalogue.newest_template(template).is_none() {
        return Err(LookupError::UnknownTemplate(template.to_owned()));
    }
    Ok(Subject {
        kind: SubjectKind::Report,
        template: template.to_owned(),
        unit: unit(catalogue, unit_wanted)?,
        period: period(period_text)?.to_string(),
    })
}

/// The name of a unit as last recorded.
pub fn unit_name(catalogue: &Catalogue, unit: UnitId) -> String {
    let records = catalogue.unit(unit).and_then(<[UnitRecord]>::last);
    records.map_or_else(|| unit.to_string(), |record| record.name.clone())
}

/// Who wrote what: the key of every chain in a log.
#[derive(Debug, Clone, Default)]
pub struct Authors {
    keys: BTreeMap<ActorId, KeyId>,
}

impl Authors {
    /// The chains in a log.
    pub fn of(log: LogReader<'_>) -> Result<Self, sync_core::log::KeyspaceError> {
        let mut keys = BTreeMap::new();
        for position in 1..=log.end()? {
            if let Some(entry) = log.entry(position)? {
                keys.insert(entry.part.actor(), entry.part.header().key);
            }
        }
        Ok(Self { keys })
    }

    /// Adds a chain that has sealed nothing yet.
    pub fn with(mut self, actor: ActorId, key: KeyId) -> Self {
        self.keys.insert(actor, key);
        self
    }

    /// Device and person of a chain.
    pub fn of_actor<'a>(
        &self,
        catalogue: &'a Catalogue,
        actor: ActorId,
    ) -> Option<(&'a DeviceKey, &'a Person)> {
        let device = catalogue.key(*self.keys.get(&actor)?)?;
        Some((device, catalogue.person(device.person)?))
    }
}
