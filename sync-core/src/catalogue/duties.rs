//! Who owes which report by when, and on which days offices are closed.
//!
//! A [`Duty`] says that the units of a kind owe the report of a template for a period by a day; it may
//! be narrower: those of one group, or those at or below one unit. The day is worked out once, when the
//! duty is made, by its rule and the calendar of that moment ([`crate::calendar`]), and stands as signed:
//! a holiday announced later moves no deadline by itself. Whoever wants it moved makes the duty again.
//!
//! One unit may owe otherwise: a [`DutyException`] gives it a later day or lets it off, with a reason that
//! the unit reads. The last exception of a unit stands. A unit that is let off is missing nowhere; what it
//! hands in all the same counts.
//!
//! [`Holidays`] are the days that the province's administrator announces, in the table's own words; a later
//! record says otherwise about the days it names and leaves the others.

use super::record::NO_UNIT;
use super::{Catalogue, UnitRecord};
use crate::calendar::{Calendar, TableError};
use crate::codec::{DecodeError, Reader, Writer};
use crate::date::Date;
use crate::identity::{DutyId, UnitId};
use crate::limits;
use crate::org_unit::OrgTree;

/// Which units of a kind owe a report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Among {
    /// Every one.
    #[default]
    All,
    /// Those of a group: (grouping, group), as unit records name them.
    Group(String, String),
    /// Those at or below a unit.
    Within(UnitId),
}

/// A reporting duty: units of a kind owe the report of a template for a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// The duty.
    pub duty: DutyId,
    /// Template id.
    pub template: String,
    /// Kind of the units that owe it.
    pub unit_kind: String,
    /// Which of them.
    pub among: Among,
    /// Period, canonical text.
    pub period: String,
    /// How the last day was found ([`crate::calendar::DueRule`]); empty: it was named.
    pub rule: String,
    /// Last day, yyyy-mm-dd.
    pub due: String,
}

/// What one unit owes otherwise than its duty says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyException {
    /// The duty.
    pub duty: DutyId,
    /// The unit.
    pub unit: UnitId,
    /// What it owes.
    pub terms: Terms,
    /// Why, for the unit to read; at most [`limits::REASON_BYTES_MAX`] bytes.
    pub reason: String,
}

/// How a unit owes a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Terms {
    /// As everybody does: what an earlier exception said is over.
    AsOthers,
    /// By another day, yyyy-mm-dd.
    Extended(String),
    /// Not at all.
    Exempt,
}

/// Days of a province's own calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holidays {
    table: String,
    days: Calendar,
}

/// A report that a unit owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed<'a> {
    /// By which duty.
    pub duty: &'a Duty,
    /// Who.
    pub unit: &'a UnitRecord,
    /// What was said about this unit alone, if it still stands.
    pub exception: Option<&'a DutyException>,
}

impl<'a> Owed<'a> {
    /// True if the unit was let off.
    pub fn is_exempt(&self) -> bool {
        self.exception
            .is_some_and(|exception| exception.terms == Terms::Exempt)
    }

    /// The last day, yyyy-mm-dd; none if the unit was let off.
    pub fn due(&self) -> Option<&'a str> {
        match self.exception.map(|exception| &exception.terms) {
            Some(Terms::Exempt) => None,
            Some(Terms::Extended(day)) => Some(day),
            Some(Terms::AsOthers) | None => Some(&self.duty.due),
        }
    }

    /// The last day; none if the unit was let off, or if an administrator signed what is no day.
    pub fn due_day(&self) -> Option<Date> {
        self.due()?.parse().ok()
    }
}

impl Among {
    /// True if a unit of this tree is one of them.
    fn takes(&self, tree: &OrgTree, unit: &UnitRecord) -> bool {
        match self {
            Self::All => true,
            Self::Group(grouping, group) => unit
                .groups
                .iter()
                .any(|(of, named)| of == grouping && named == group),
            Self::Within(above) => unit.unit == *above || tree.is_within(unit.unit, *above),
        }
    }
}

impl Duty {
    /// The units that owe it by this tree, whether one of them was let off or not.
    pub fn units<'a>(&'a self, tree: &'a OrgTree) -> impl Iterator<Item = &'a UnitRecord> {
        let of_kind = tree.of_kind(&self.unit_kind);
        of_kind.filter(move |unit| self.among.takes(tree, unit))
    }

    /// True if it says no more than the first duties could.
    pub(crate) fn is_plain(&self) -> bool {
        self.among == Among::All && self.rule.is_empty()
    }

    /// Writes the body; gives the kind.
    pub(super) fn write(&self, to: &mut Writer) -> u8 {
        to.raw(&self.duty.0)
            .text(&self.template)
            .text(&self.unit_kind);
        to.text(&self.period).text(&self.due);
        if self.is_plain() {
            return 9;
        }
        let nothing = ("", "");
        let ((grouping, group), within) = match &self.among {
            Among::All => (nothing, NO_UNIT),
            Among::Group(grouping, group) => ((grouping.as_str(), group.as_str()), NO_UNIT),
            Among::Within(unit) => (nothing, *unit),
        };
        to.text(grouping).text(group).raw(&within.0);
        to.text(&self.rule);
        16
    }

    /// Reads what the first duties say.
    pub(super) fn read_plain(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            duty: DutyId(from.array("duty")?),
            template: from.text(limits::CODE_BYTES_MAX, "template id")?.to_owned(),
            unit_kind: from.name("unit kind")?.to_owned(),
            period: from.name("period")?.to_owned(),
            due: from.name("due date")?.to_owned(),
            among: Among::All,
            rule: String::new(),
        })
    }

    /// Reads a duty with a rule, or one that only some of a kind owe.
    pub(super) fn read_narrower(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let duty = Self::read_plain(from)?;
        let grouping = from.name("grouping")?.to_owned();
        let group = from.name("group")?.to_owned();
        let within = UnitId(from.array("unit")?);
        let rule = from.name("due rule")?.to_owned();
        let among = match (grouping.is_empty() && group.is_empty(), within == NO_UNIT) {
            (true, true) => Among::All,
            (true, false) => Among::Within(within),
            (false, true) => Among::Group(grouping, group),
            (false, false) => return Err(DecodeError::Undefined("who owes a duty")),
        };
        let duty = Self {
            among,
            rule,
            ..duty
        };
        match duty.is_plain() {
            true => Err(DecodeError::Undefined("a duty that is written otherwise")),
            false => Ok(duty),
        }
    }
}

impl DutyException {
    pub(super) fn write(&self, to: &mut Writer) {
        let (terms, day) = match &self.terms {
            Terms::AsOthers => (0, ""),
            Terms::Extended(day) => (1, day.as_str()),
            Terms::Exempt => (2, ""),
        };
        to.raw(&self.duty.0).raw(&self.unit.0).u8(terms);
        to.text(day).text(&self.reason);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let duty = DutyId(from.array("duty")?);
        let unit = UnitId(from.array("unit")?);
        let terms = from.u8("terms")?;
        let day = from.name("due date")?;
        let terms = match (terms, day) {
            (0, "") => Terms::AsOthers,
            (1, day) if day.parse::<Date>().is_ok() => Terms::Extended(day.to_owned()),
            (2, "") => Terms::Exempt,
            _ => return Err(DecodeError::Undefined("terms of a duty")),
        };
        let reason = from.text(limits::REASON_BYTES_MAX, "reason")?.to_owned();
        Ok(Self {
            duty,
            unit,
            terms,
            reason,
        })
    }
}

impl Holidays {
    /// The days of a table ([`Calendar::extend`]).
    pub fn of_table(table: &str) -> Result<Self, TableError> {
        if table.len() > limits::HOLIDAY_TABLE_BYTES_MAX {
            return Err(TableError::Long);
        }
        let mut days = Calendar::default();
        days.extend(table)?;
        Ok(Self {
            table: table.to_owned(),
            days,
        })
    }

    /// As it was written.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// What it says.
    pub fn days(&self) -> &Calendar {
        &self.days
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.text(&self.table);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let table = from.text(limits::HOLIDAY_TABLE_BYTES_MAX, "holidays")?;
        Self::of_table(table).map_err(|_| DecodeError::Undefined("holidays"))
    }
}

impl Catalogue {
    /// Every reporting duty that was not ended.
    pub fn duties(&self) -> impl Iterator<Item = &Duty> {
        self.duties.values()
    }

    /// A duty that was not ended.
    pub fn duty(&self, duty: DutyId) -> Option<&Duty> {
        self.duties.get(&duty)
    }

    /// What units owe by a duty, in the order of the tree; those that were let off among them.
    pub fn owed<'a>(&'a self, duty: &'a Duty, tree: &'a OrgTree) -> impl Iterator<Item = Owed<'a>> {
        duty.units(tree).map(move |unit| Owed {
            duty,
            unit,
            exception: self.exceptions.get(&(duty.duty, unit.unit)),
        })
    }

    /// What still stands beside a duty, unit by unit.
    pub fn exceptions(&self, duty: DutyId) -> impl Iterator<Item = &DutyException> {
        let from = (duty, UnitId([0; 8]));
        let to = (duty, UnitId([255; 8]));
        self.exceptions
            .range(from..=to)
            .map(|(_, exception)| exception)
    }

    pub(super) fn except(&mut self, exception: DutyException) {
        let of = (exception.duty, exception.unit);
        match exception.terms {
            Terms::AsOthers => self.exceptions.remove(&of),
            Terms::Extended(_) | Terms::Exempt => self.exceptions.insert(of, exception),
        };
    }

    /// The working days as this program knows them, with what the province announced itself.
    pub fn calendar(&self) -> Calendar {
        let mut calendar = Calendar::national();
        calendar.supersede(&self.calendar);
        calendar
    }

    /// The days that the province announced itself: worked or not.
    pub fn own_days(&self) -> impl Iterator<Item = (Date, bool)> {
        self.calendar.days()
    }
}

#[cfg(test)]
mod tests;
