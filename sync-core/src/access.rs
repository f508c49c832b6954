//! Rights: who may write what, judged on what a decoded change touches, by every node alike.
//!
//! A right is a grant in the catalogue: a person, a role, a unit with or without its subtree, perhaps
//! with an end. [`WRITES`] is the whole table of what a role may write where its grant holds; what is
//! not in it is refused. Times are the judging node's, never the tablet's.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::batch::{Compartment, Partition};
use crate::catalogue::{Catalogue, Grant, Role};
use crate::date::Date;
use crate::form::local;
use crate::gate::Touch;
use crate::identity::{PersonId, UnitId};

/// What a change touches, as far as rights tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Cells, notes with sources and reasons, narrative, attachments, the template version.
    Content,
    /// Rows that a unit adds to a form for itself and the units below it.
    LocalRow,
    /// Comments at cells.
    Comment,
    /// A statement by its number (`docs/formats.md` section 7).
    Statement(u8),
}

/// Which role may write what where its grant holds: the order of work in a unit, an area, a province. Whoever may read
/// may comment.
pub const WRITES: [(Role, &[Subject]); 8] = [
    (
        Role::Officer,
        &[
            Subject::Content,
            Subject::LocalRow,
            Subject::Comment,
            Subject::Statement(1),
            Subject::Statement(2),
        ],
    ),
    (
        Role::Head,
        &[
            Subject::Content,
            Subject::LocalRow,
            Subject::Comment,
            Subject::Statement(1),
            Subject::Statement(2),
            Subject::Statement(3),
        ],
    ),
    (
        Role::Aggregator,
        &[
            Subject::LocalRow,
            Subject::Comment,
            Subject::Statement(4),
            Subject::Statement(5),
        ],
    ),
    (Role::DepartmentOwner, &[Subject::Comment]),
    (
        Role::ProvincialReviewer,
        &[
            Subject::Comment,
            Subject::Statement(4),
            Subject::Statement(5),
        ],
    ),
    (
        Role::Approver,
        &[
            Subject::Comment,
            Subject::Statement(5),
            Subject::Statement(6),
        ],
    ),
    (Role::Administrator, &[Subject::Comment]),
    (Role::Auditor, &[Subject::Comment]),
];

/// What a touch is to rights, among the documents of a compartment.
pub fn subject(compartment: Compartment, touch: &Touch) -> Subject {
    match touch {
        Touch::Cell(_) if compartment == Compartment::Forms => Subject::LocalRow,
        Touch::Cell(_)
        | Touch::Note(_)
        | Touch::TemplateVersion
        | Touch::Narrative(_)
        | Touch::Attachment(_) => Subject::Content,
        Touch::Comment(_) => Subject::Comment,
        Touch::SignOff(statement) => Subject::Statement(*statement),
    }
}

/// True if all of this can be written in a compartment at all, whoever writes it. Where the rows of a unit stand
/// nothing else is written: no row of the form itself, no figure, no signature.
pub fn belong(compartment: Compartment, touches: &[Touch]) -> bool {
    let is_row = |touch: &Touch| matches!(touch, Touch::Cell(key) if local::is_key(key));
    compartment != Compartment::Forms || touches.iter().all(is_row)
}

/// True if a person may add rows to forms for a unit.
pub fn adds_rows(catalogue: &Catalogue, person: PersonId, unit: UnitId, now: i64) -> bool {
    let day = Date::of_timestamp(now).to_string();
    catalogue.grants_of(person, now).any(|grant| {
        role_writes(grant.role, Subject::LocalRow) && covers(catalogue, grant, unit, &day)
    })
}

/// True if a role may write this.
pub fn role_writes(role: Role, subject: Subject) -> bool {
    WRITES
        .iter()
        .any(|(of, subjects)| *of == role && subjects.contains(&subject))
}

/// True if a grant holds in a unit on a day.
pub fn covers(catalogue: &Catalogue, grant: &Grant, unit: UnitId, day: &str) -> bool {
    match grant.unit {
        None => true,
        Some(at) if at == unit => true,
        Some(at) => grant.subtree && catalogue.is_within(unit, at, day),
    }
}

/// The first touch that a person has no right to, if any. `now` is the judging node's clock.
pub fn first_refused<'a>(
    catalogue: &Catalogue,
    person: PersonId,
    partition: Partition,
    touches: &'a [Touch],
    now: i64,
) -> Option<&'a Touch> {
    let day = Date::of_timestamp(now).to_string();
    let roles: BTreeSet<Role> = catalogue
        .grants_of(person, now)
        .filter(|grant| covers(catalogue, grant, partition.unit, &day))
        .map(|grant| grant.role)
        .collect();
    touches.iter().find(|touch| {
        let subject = subject(partition.compartment, touch);
        !roles.iter().any(|role| role_writes(*role, subject))
    })
}

/// True if a person may read a unit: any grant that holds there.
pub fn may_read(catalogue: &Catalogue, person: PersonId, unit: UnitId, now: i64) -> bool {
    let day = Date::of_timestamp(now).to_string();
    catalogue
        .grants_of(person, now)
        .any(|grant| covers(catalogue, grant, unit, &day))
}

/// True if a person has a role for the whole province.
pub fn has_role(catalogue: &Catalogue, person: PersonId, role: Role, now: i64) -> bool {
    catalogue
        .grants_of(person, now)
        .any(|grant| grant.role == role && grant.unit.is_none())
}

/// The partitions a person's devices hold; none means all of them. Who reads a unit reads the rows that it and
/// the units above it add to forms: its reports are filled by them.
pub fn readable(catalogue: &Catalogue, person: PersonId, now: i64) -> Option<BTreeSet<Partition>> {
    if catalogue
        .grants_of(person, now)
        .any(|grant| grant.unit.is_none())
    {
        return None;
    }
    let day = Date::of_timestamp(now).to_string();
    let units = catalogue.units().map(|(unit, _)| *unit);
    let mut readable = BTreeSet::new();
    for unit in units.filter(|unit| may_read(catalogue, person, *unit, now)) {
        let of = |unit, compartment| Partition { unit, compartment };
        readable.insert(of(unit, Compartment::Reports));
        let above = catalogue.above(unit, &day);
        let forms = std::iter::once(unit).chain(above);
        readable.extend(forms.map(|unit| of(unit, Compartment::Forms)));
    }
    Some(readable)
}
