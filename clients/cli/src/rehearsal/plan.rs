//! Who does what in a rehearsal: a function of the files and the seed.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sync_core::apportion::apportion_form;
use sync_core::catalogue::Role as Right;
use sync_core::cell::CellValue;
use sync_core::form::published::read_figures;
use sync_core::form::{Aggregation, Kind, Template};
use sync_core::number::Number;
use sync_core::org_unit::import::{AREA_KIND, ImportedUnit};

use super::{Options, RehearsalError};
use crate::administration::{self, EnrolmentRow, GrantRow, PersonRow};

/// The kind of unit that owes the report.
pub const COMMUNE_KIND: &str = "commune";

/// Communes that stay unreported until they are settled.
pub const SILENT: usize = 3;

/// Communes with two devices that typed different values.
pub const CONTESTED: usize = 2;

/// Cells in conflict in each of them.
pub const CONTESTED_CELLS: usize = 2;

/// What a simulated device is there for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Fills the report of its commune.
    Reporter,
    /// Fills two cells of a commune's report with other values.
    Rival,
    /// Fills nothing until it is settled.
    Silent,
    /// Reads an area.
    Aggregator,
    /// Reads the province.
    Reviewer,
    /// Fills the province's own report with the figures as printed.
    Province,
}

/// A simulated device and its person.
#[derive(Debug, Clone)]
pub struct PlannedDevice {
    /// The folder's name, and the person's sign-in name.
    pub folder: String,
    /// The person's name.
    pub display: String,
    /// What it is there for.
    pub role: Role,
    /// The code of its unit; none: the whole province.
    pub unit_code: Option<String>,
    /// The unit's name.
    pub unit_name: String,
    /// Cells it fills.
    pub cells: BTreeMap<String, CellValue>,
    /// The person has a password for browsers.
    pub has_password: bool,
}

impl PlannedDevice {
    /// True if it fills a report before anything is settled.
    pub fn reports_now(&self) -> bool {
        match self.role {
            Role::Reporter | Role::Rival | Role::Province => true,
            Role::Silent | Role::Aggregator | Role::Reviewer => false,
        }
    }

    /// The person and what they may do.
    pub fn person(&self) -> PersonRow {
        let (role, subtree) = match self.role {
            Role::Reporter | Role::Rival | Role::Silent | Role::Province => (Right::Officer, false),
            Role::Aggregator => (Right::Aggregator, true),
            Role::Reviewer => (Right::ProvincialReviewer, true),
        };
        PersonRow {
            name: self.folder.clone(),
            display: self.display.clone(),
            grants: vec![GrantRow {
                role,
                unit: self.unit_code.clone(),
                subtree,
                until: 0,
            }],
        }
    }

    /// The enrolment of the device.
    pub fn enrolment(&self) -> EnrolmentRow {
        EnrolmentRow {
            name: self.folder.clone(),
            unit_code: self.unit_code.clone(),
            label: format!("Máy diễn tập – {}", self.unit_name),
        }
    }
}

/// A rehearsal.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The template.
    pub template: Template,
    /// Units with departments, parents first.
    pub units: Vec<ImportedUnit>,
    /// The figures as printed.
    pub published: BTreeMap<String, Number>,
    /// The choice every commune makes, by code.
    pub choices: BTreeMap<String, Number>,
    /// Every device.
    pub devices: Vec<PlannedDevice>,
    /// What contested cells come to in the end: (folder of the settling device, cells).
    pub settlements: Vec<(String, BTreeMap<String, CellValue>)>,
    /// Cells shown while it is played, largest first.
    pub headline: Vec<String>,
}

impl Plan {
    /// The plan of a rehearsal.
    pub fn new(options: &Options) -> Result<Self, RehearsalError> {
        let form = administration::text_of("forms", &options.form)?;
        let template = Template::import(&form, 1).map_err(administration::ImportError::from)?;
        let figures = read_figures(&administration::text_of("figures", &options.figures)?)?;
        let published: BTreeMap<String, Number> = figures
            .into_iter()
            .filter_map(|(code, figure)| Some((code, figure.value?)))
            .collect();
        let mut units = administration::read_units(&administration::text_of("org", &options.org)?)?;
        let province = units
            .first()
            .cloned()
            .ok_or_else(|| RehearsalError::Missing("the province".to_owned()))?;
        let communes: Vec<ImportedUnit> = units
            .iter()
            .filter(|unit| unit.kind == COMMUNE_KIND)
            .cloned()
            .collect();
        if communes.len() < SILENT + CONTESTED + 1 {
            return Err(RehearsalError::Missing("enough communes".to_owned()));
        }
        if let Some(departments) = &options.departments {
            let text = administration::text_of("org", departments)?;
            units.extend(administration::read_departments(&text, &province)?);
        }
        let mut plan = Self {
            choices: choices(&template, &published),
            headline: largest_amounts(&template, &published),
            devices: Vec::new(),
            settlements: Vec::new(),
            template,
            units,
            published,
        };
        plan.add_communes(&communes, options.seed)?;
        plan.add_others(&province);
        Ok(plan)
    }

    fn add_communes(&mut self, communes: &[ImportedUnit], seed: u64) -> Result<(), RehearsalError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let weights: Vec<Number> = communes
            .iter()
            .map(|_| Number::from(rng.random_range(5_i64..100)))
            .collect();
        let shares = apportion_form(&self.template, &self.published, &weights)?;
        // The officer whose sign-in is printed reports plainly.
        let mut special: Vec<usize> = (0..communes.len())
            .filter(|index| communes.get(*index).is_some_and(|unit| !is_shown(unit)))
            .collect();
        shuffle(&mut special, &mut rng);
        let silent: BTreeSet<usize> = special.iter().take(SILENT).copied().collect();
        let contested: Vec<usize> = special
            .iter()
            .skip(SILENT)
            .take(CONTESTED)
            .copied()
            .collect();
        let mut names = BTreeSet::new();
        for (index, (unit, shares)) in communes.iter().zip(shares).enumerate() {
            let mut cells: BTreeMap<String, CellValue> = shares
                .into_iter()
                .map(|(code, share)| (code, CellValue::Number(share)))
                .collect();
            for (code, choice) in &self.choices {
                cells.insert(code.clone(), CellValue::Number(*choice));
            }
            let name = sign_in_name(unit, &mut names);
            let role = if silent.contains(&index) {
                Role::Silent
            } else {
                Role::Reporter
            };
            if let Some(at) = contested.iter().position(|of| *of == index) {
                self.contest(unit, &name, at, &cells);
            }
            self.devices.push(PlannedDevice {
                display: format!("Cán bộ {}", unit.name),
                folder: name,
                role,
                unit_code: Some(unit.code.clone()),
                unit_name: unit.name.clone(),
                cells,
                has_password: is_shown(unit),
            });
        }
        Ok(())
    }

    /// A second device of a commune that types other values into two cells.
    fn contest(
        &mut self,
        unit: &ImportedUnit,
        name: &str,
        at: usize,
        cells: &BTreeMap<String, CellValue>,
    ) {
        let codes = self
            .headline
            .iter()
            .skip(at * CONTESTED_CELLS)
            .take(CONTESTED_CELLS);
        let mut rivals = BTreeMap::new();
        let mut settled = BTreeMap::new();
        for (step, code) in codes.enumerate() {
            if let Some(CellValue::Number(share)) = cells.get(code) {
                let more = Number::from(step as i64 + 7);
                if let Ok(other) = share.checked_add(more) {
                    rivals.insert(code.clone(), CellValue::Number(other));
                    settled.insert(code.clone(), CellValue::Number(*share));
                }
            }
        }
        self.settlements.push((name.to_owned(), settled));
        self.devices.push(PlannedDevice {
            folder: format!("{name}-2"),
            display: format!("Cán bộ thứ hai {}", unit.name),
            role: Role::Rival,
            unit_code: Some(unit.code.clone()),
            unit_name: unit.name.clone(),
            cells: rivals,
            has_password: false,
        });
    }

    fn add_others(&mut self, province: &ImportedUnit) {
        let areas: Vec<ImportedUnit> = self
            .units
            .iter()
            .filter(|unit| unit.kind == AREA_KIND)
            .cloned()
            .collect();
        for area in areas {
            self.devices.push(PlannedDevice {
                folder: format!("tong-hop-{}", area.code),
                display: format!("Tổng hợp {}", area.name),
                role: Role::Aggregator,
                has_password: is_shown(&area),
                unit_code: Some(area.code),
                unit_name: area.name,
                cells: BTreeMap::new(),
            });
        }
        let printed = self.published.iter();
        let printed = printed.map(|(code, value)| (code.clone(), CellValue::Number(*value)));
        self.devices.push(PlannedDevice {
            folder: "bao-cao-tinh".to_owned(),
            display: format!("Báo cáo {}", province.name),
            role: Role::Province,
            unit_code: Some(province.code.clone()),
            unit_name: province.name.clone(),
            cells: printed.collect(),
            has_password: false,
        });
        self.devices.push(PlannedDevice {
            folder: "tham-dinh-tinh".to_owned(),
            display: "Thẩm định cấp tỉnh".to_owned(),
            role: Role::Reviewer,
            unit_code: None,
            unit_name: province.name.clone(),
            cells: BTreeMap::new(),
            has_password: true,
        });
    }

    /// The device that reads everything.
    pub fn reviewer(&self) -> Result<&PlannedDevice, RehearsalError> {
        self.of_role(&Role::Reviewer)
    }

    /// The first device of a role.
    pub fn of_role(&self, role: &Role) -> Result<&PlannedDevice, RehearsalError> {
        let mut devices = self.devices.iter();
        devices
            .find(|device| device.role == *role)
            .ok_or_else(|| RehearsalError::Missing(format!("a device of role {role:?}")))
    }

    /// A device by its folder name.
    pub fn device(&self, folder: &str) -> Option<&PlannedDevice> {
        self.devices.iter().find(|device| device.folder == folder)
    }
}

/// The places whose sign-ins are printed at the end.
fn is_shown(unit: &ImportedUnit) -> bool {
    let key = sync_core::org_unit::search_key::search_key(&unit.name);
    key.ends_with("dinh hoa")
}

fn sign_in_name(unit: &ImportedUnit, names: &mut BTreeSet<String>) -> String {
    let plain = sync_core::org_unit::search_key::code_from_name(&unit.name);
    let name = if names.contains(&plain) {
        format!("{plain}-{}", unit.code)
    } else {
        plain
    };
    names.insert(name.clone());
    name
}

/// Everybody chooses what was printed; where that is no choice, the first of the list.
fn choices(template: &Template, published: &BTreeMap<String, Number>) -> BTreeMap<String, Number> {
    let choice = |row: &sync_core::form::Indicator| {
        let listed = |number: &Number| {
            row.choices
                .iter()
                .any(|choice| Number::from(choice.value) == *number)
        };
        let printed = published.get(&row.code).copied().filter(listed);
        let first = || row.choices.first().map(|choice| Number::from(choice.value));
        Some((row.code.clone(), printed.or_else(first)?))
    };
    template
        .rows()
        .iter()
        .filter(|row| row.kind == Kind::Choice && published.contains_key(&row.code))
        .filter_map(choice)
        .collect()
}

/// Codes of amounts that are typed and add up, the largest printed figure first.
fn largest_amounts(template: &Template, published: &BTreeMap<String, Number>) -> Vec<String> {
    let mut amounts: Vec<(Number, String)> = template
        .rows()
        .iter()
        .enumerate()
        .filter(|(row, indicator)| {
            template.aggregation(*row) == Aggregation::Sum
                && indicator.formula.is_none()
                && indicator.kind == Kind::Integer
        })
        .filter_map(|(_, row)| Some((*published.get(&row.code)?, row.code.clone())))
        .collect();
    amounts.sort_by(|a, b| b.cmp(a));
    amounts.truncate(CONTESTED * CONTESTED_CELLS);
    amounts.into_iter().map(|(_, code)| code).collect()
}

/// Fisher and Yates, so that the order is a function of the seed alone.
pub(super) fn shuffle<T>(items: &mut [T], rng: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
}

#[cfg(test)]
mod tests;
