//! What catalogue records say, field by field.

use super::Trouble;
use super::coder::Pipe;
use super::records::Records;
use crate::catalogue::{Among, Body, Duty, Grant, Person, Role, UnitRecord};
use crate::identity::{DutyId, GrantId, PersonId, UnitId};
use crate::limits;

/// How a record is told.
pub(super) mod told {
    /// Bits of what follows.
    pub(in crate::pack) const BITS: u32 = 3;
    /// As it is: kinds that come once or seldom.
    pub(in crate::pack) const BYTES: u64 = 0;
    pub(in crate::pack) const UNIT: u64 = 1;
    pub(in crate::pack) const TEMPLATE: u64 = 2;
    pub(in crate::pack) const PERSON: u64 = 3;
    pub(in crate::pack) const GRANT: u64 = 4;
    pub(in crate::pack) const DEVICE_KEY: u64 = 5;
    pub(in crate::pack) const DUTY: u64 = 6;

    /// How a body is told.
    pub(in crate::pack) fn how(body: &crate::catalogue::Body) -> u64 {
        use crate::catalogue::Body;
        match body {
            Body::Unit(_) => UNIT,
            Body::Template { .. } => TEMPLATE,
            Body::Person(_) => PERSON,
            Body::Grant(_) => GRANT,
            Body::DeviceKey { .. } => DEVICE_KEY,
            Body::Duty(duty) if duty.is_plain() => DUTY,
            Body::Province { .. }
            | Body::GrantEnded(_)
            | Body::DeviceKeyEnded { .. }
            | Body::Duty(_)
            | Body::DutyEnded(_)
            | Body::DutyException(_)
            | Body::Holidays(_)
            | Body::NodeKey { .. }
            | Body::Node(_)
            | Body::Rehearsal { .. }
            | Body::TemplateRetired { .. } => BYTES,
        }
    }
}

impl<P: Pipe> Records<P> {
    /// Carries the body of a record that is told in this way.
    pub(super) fn body(&mut self, how: u64, given: Option<&Body>) -> Result<Body, Trouble> {
        match how {
            told::UNIT => self.unit(given),
            told::TEMPLATE => self.template(given),
            told::PERSON => self.person(given),
            told::GRANT => self.grant(given),
            told::DEVICE_KEY => self.device_key(given),
            told::DUTY => self.duty(given),
            _ => Err(Trouble::Malformed("kind of a record")),
        }
    }

    fn unit_id(&mut self, what: &'static str, given: Option<UnitId>) -> Result<UnitId, Trouble> {
        let given = given.map(|unit| unit.0);
        self.units.code(&mut self.pipe, what, given).map(UnitId)
    }

    fn person_id(
        &mut self,
        what: &'static str,
        given: Option<PersonId>,
    ) -> Result<PersonId, Trouble> {
        let given = given.map(|person| person.0);
        self.people.code(&mut self.pipe, what, given).map(PersonId)
    }

    /// Carries a unit that may be none.
    fn unit_or_none(
        &mut self,
        what: &'static str,
        given: Option<UnitId>,
    ) -> Result<Option<UnitId>, Trouble> {
        match self.flag(what, given.is_some())? {
            true => self.unit_id(what, given).map(Some),
            false => Ok(None),
        }
    }

    fn unit(&mut self, given: Option<&Body>) -> Result<Body, Trouble> {
        let given = given.and_then(|body| {
            let Body::Unit(unit) = body else { return None };
            Some(unit)
        });
        let text = |of: fn(&UnitRecord) -> &str| given.map(of);
        let unit = self.unit_id("unit", given.map(|unit| unit.unit))?;
        let valid_from = self.name("valid from", text(|unit| &unit.valid_from))?;
        let valid_to = text(|unit| unit.valid_to.as_deref().unwrap_or_default());
        let valid_to = Some(self.name("valid to", valid_to)?).filter(|day| !day.is_empty());
        let code = self.name("code", text(|unit| &unit.code))?;
        let name = self.name("name", text(|unit| &unit.name))?;
        let parent = self.unit_or_none("parent", given.and_then(|unit| unit.parent))?;
        let kind = self.name("unit kind", text(|unit| &unit.kind))?;
        let groups = given.map_or(&[][..], |unit| &unit.groups);
        let count = self.number("groupings", groups.len() as u64)?;
        if count > limits::GROUPINGS_PER_UNIT_MAX as u64 {
            return Err(Trouble::Limit("groupings"));
        }
        let groups = (0..count as usize)
            .map(|at| {
                let given = groups.get(at);
                let grouping = given.map(|(grouping, _)| grouping.as_str());
                let group = given.map(|(_, group)| group.as_str());
                Ok((self.name("grouping", grouping)?, self.name("group", group)?))
            })
            .collect::<Result<_, Trouble>>()?;
        Ok(Body::Unit(UnitRecord {
            unit,
            valid_from,
            valid_to,
            code,
            name,
            parent,
            kind,
            groups,
        }))
    }

    fn template(&mut self, given: Option<&Body>) -> Result<Body, Trouble> {
        let given = given.and_then(|body| {
            let Body::Template {
                id,
                version,
                content,
            } = body
            else {
                return None;
            };
            Some((id.as_str(), *version, content.as_slice()))
        });
        let id = self.word("template", limits::CODE_BYTES_MAX, given.map(|(id, ..)| id))?;
        let version = self.number("version", given.map_or(0, |(_, version, _)| version.into()))?;
        let version = u32::try_from(version).map_err(|_| Trouble::Limit("version"))?;
        let content = self.bytes("content", given.map(|(.., content)| content))?;
        Ok(Body::Template {
            id,
            version,
            content,
        })
    }

    fn person(&mut self, given: Option<&Body>) -> Result<Body, Trouble> {
        let given = given.and_then(|body| {
            let Body::Person(person) = body else {
                return None;
            };
            Some(person)
        });
        let sign_in_name = given.map(|person| person.sign_in_name.as_str());
        let display_name = given.map(|person| person.display_name.as_str());
        Ok(Body::Person(Person {
            person: self.person_id("person", given.map(|person| person.person))?,
            sign_in_name: self.name("sign-in name", sign_in_name)?,
            display_name: self.name("display name", display_name)?,
        }))
    }

    fn grant(&mut self, given: Option<&Body>) -> Result<Body, Trouble> {
        let given = given.and_then(|body| {
            let Body::Grant(grant) = body else {
                return None;
            };
            Some(grant)
        });
        let grant = self.pipe.array(given.map(|grant| &grant.grant.0))?;
        let person = self.person_id("whose grant", given.map(|grant| grant.person))?;
        let role = self.number("role", given.map_or(0, |grant| grant.role.tag().into()))?;
        let role = u8::try_from(role).ok().and_then(Role::from_tag);
        Ok(Body::Grant(Grant {
            grant: GrantId(grant),
            person,
            role: role.ok_or(Trouble::Malformed("role"))?,
            unit: self.unit_or_none("granted unit", given.and_then(|grant| grant.unit))?,
            subtree: self.flag("subtree", given.is_some_and(|grant| grant.subtree))?,
            until: self.differs("until", 0, given.map_or(0, |grant| grant.until as u64))? as i64,
        }))
    }

    fn device_key(&mut self, given: Option<&Body>) -> Result<Body, Trouble> {
        let given = given.and_then(|body| {
            let Body::DeviceKey {
                public_key,
                person,
                unit,
                label,
            } = body
            else {
                return None;
            };
            Some((public_key, *person, *unit, label.as_str()))
        });
        Ok(Body::DeviceKey {
            public_key: self.pipe.array(given.map(|(key, ..)| key))?,
            person: self.person_id("whose key", given.map(|(_, person, ..)| person))?,
            unit: self.unit_id("unit of a key", given.map(|(.., unit, _)| unit))?,
            label: self.name("label", given.map(|(.., label)| label))?,
        })
    }

    fn duty(&mut self, given: Option<&Body>) -> Result<Body, Trouble> {
        let given = given.and_then(|body| {
            let Body::Duty(duty) = body else { return None };
            Some(duty)
        });
        let text = |of: fn(&Duty) -> &str| given.map(of);
        let duty = self.pipe.array(given.map(|duty| &duty.duty.0))?;
        Ok(Body::Duty(Duty {
            duty: DutyId(duty),
            template: self.word(
                "template",
                limits::CODE_BYTES_MAX,
                text(|duty| &duty.template),
            )?,
            unit_kind: self.name("unit kind", text(|duty| &duty.unit_kind))?,
            period: self.name("period", text(|duty| &duty.period))?,
            due: self.name("due", text(|duty| &duty.due))?,
            among: Among::All,
            rule: String::new(),
        }))
    }
}
