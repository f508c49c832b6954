//! What an administrator asks of a server: lists sent to the ordinary routes, each safe to repeat.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sync_core::catalogue::Role;
use sync_core::catalogue_files;
use sync_core::form::Template;
use sync_core::form::import::FormImportError;
use sync_core::identity::{DutyId, GrantId, InstallationId, KeyId, PersonId, UnitId};
use sync_core::org_unit::import::{ImportedUnit, UnitImportError, import_any, import_departments};

use crate::durable_file::{self, FileError};
use crate::road::RoadError;
use crate::road::session::DeviceSession;

/// Why nothing was imported. Nothing changed at the server.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Neither a file nor a name of the built-in catalogue.
    #[error("{wanted} is neither a file nor one of the built-in {known}")]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// The names there are.
        known: String,
    },
    /// Not text.
    #[error("{0} is not UTF-8 text")]
    NotText(String),
    /// The units cannot be read.
    #[error(transparent)]
    Units(#[from] UnitImportError),
    /// The form cannot be read.
    #[error(transparent)]
    Form(#[from] FormImportError),
    /// A row of a list is wrong.
    #[error("row {row}: {reason}")]
    Row {
        /// From 1, with the heading.
        row: usize,
        /// What is wrong.
        reason: String,
    },
    /// The server.
    #[error(transparent)]
    Road(#[from] RoadError),
}

/// The text of a file, or of a built-in one of a kind (`forms`, `org`, `figures`) by its name.
pub fn text_of(kind: &str, wanted: &str) -> Result<String, ImportError> {
    let path = std::path::Path::new(wanted);
    if let Some(bytes) = durable_file::read(path).or_else(|error| match path.is_dir() {
        true => Ok(None),
        false => Err(error),
    })? {
        return String::from_utf8(bytes).map_err(|_| ImportError::NotText(wanted.to_owned()));
    }
    let folder = format!("{kind}/");
    let names = || catalogue_files::all().filter_map(|(name, _)| name.strip_prefix(&folder));
    let stem = |name: &str| {
        name.rsplit_once('.')
            .map_or(name, |(stem, _)| stem)
            .to_owned()
    };
    match names().find(|name| *name == wanted || stem(name) == wanted) {
        Some(name) => catalogue_files::text(&format!("{folder}{name}"))
            .map(str::to_owned)
            .ok_or_else(|| ImportError::NotText(name.to_owned())),
        None => Err(ImportError::Unknown {
            wanted: wanted.to_owned(),
            known: names().map(stem).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Reads units in any of the shapes there are: a province, a tree, a table.
pub fn read_units(text: &str) -> Result<Vec<ImportedUnit>, ImportError> {
    let today = sync_core::date::Date::of_timestamp(crate::now_s());
    Ok(import_any(text, today)?)
}

/// Reads the departments of a tree file, to stand under a province.
pub fn read_departments(
    text: &str,
    province: &ImportedUnit,
) -> Result<Vec<ImportedUnit>, ImportError> {
    Ok(import_departments(
        text,
        &province.code,
        province.valid_from,
    )?)
}

/// The body of an import of units.
pub fn units_body(units: &[ImportedUnit]) -> Value {
    let rows: Vec<Value> = units
        .iter()
        .map(|unit| {
            let groups: BTreeMap<&str, &str> = unit
                .groups
                .iter()
                .map(|(grouping, group)| (grouping.as_str(), group.as_str()))
                .collect();
            json!({
                "code": unit.code,
                "name": unit.name,
                "parent_code": unit.parent_code,
                "kind": unit.kind,
                "valid_from": unit.valid_from.to_string(),
                "groups": groups,
            })
        })
        .collect();
    json!({ "units": rows })
}

/// What an import added.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Added {
    /// New records.
    pub added: usize,
    /// Rows that were there already.
    pub unchanged: usize,
}

/// A reporting duty as it is asked for: a last day or a rule, for a period or each part of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DutyAsked {
    /// Template id.
    pub template: String,
    /// Kind of unit.
    pub unit_kind: String,
    /// Only those of a group of this grouping.
    pub grouping: Option<String>,
    /// The group.
    pub group: Option<String>,
    /// Only those at or below a unit.
    pub within: Option<UnitId>,
    /// Period, canonical text.
    pub period: String,
    /// `month`, `quarter` or `half`: one for each part of the period.
    pub each: Option<String>,
    /// Last day, yyyy-mm-dd.
    pub due: Option<String>,
    /// How the last day is found.
    pub rule: Option<String>,
}

/// How a unit is to owe a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermsAsked {
    /// As everybody does.
    AsOthers,
    /// By this day, yyyy-mm-dd.
    Extended(String),
    /// Not at all.
    Exempt,
}

/// What duties came to.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct DutiesAdded {
    /// New or moved ones.
    pub added: usize,
    /// Those that were there already.
    pub unchanged: usize,
    /// Each of them.
    pub duties: Vec<DutyAdded>,
}

/// One of them.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct DutyAdded {
    /// Its id.
    pub duty: DutyId,
    /// Period.
    pub period: String,
    /// Last day.
    pub due: String,
    /// How many units owe it.
    pub units: usize,
    /// `new`, `moved` or `unchanged`.
    pub change: String,
}

/// The calendar of the province.
#[derive(Debug, Clone, Deserialize)]
pub struct HolidaysKnown {
    /// The years in which working days can be counted.
    pub years: Vec<u16>,
    /// Days that are not as their weekday says.
    pub days: Vec<HolidayKnown>,
}

/// One of them.
#[derive(Debug, Clone, Deserialize)]
pub struct HolidayKnown {
    /// yyyy-mm-dd.
    pub day: String,
    /// Offices are open.
    pub worked: bool,
    /// The province said so itself.
    pub own: bool,
}

/// A template version at the server.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct TemplateAdded {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// False if it was there already.
    pub added: bool,
}

/// A person with what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonRow {
    /// The sign-in name.
    pub name: String,
    /// The name.
    pub display: String,
    /// Their grants.
    pub grants: Vec<GrantRow>,
}

/// What a person may do, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GrantRow {
    /// The role.
    pub role: Role,
    /// A unit code; none: the whole province.
    pub unit: Option<String>,
    /// With everything below.
    pub subtree: bool,
    /// End of the lease, seconds since 1970; 0: none.
    pub until: i64,
}

/// What adding people came to.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct PeopleAdded {
    /// New records.
    pub records_added: usize,
    /// Everybody of the list.
    pub people: Vec<PersonAdded>,
}

/// One person of a list.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct PersonAdded {
    /// Their id.
    pub person: PersonId,
    /// Their sign-in name.
    pub name: String,
}

/// For whom an enrolment code is.
#[derive(Debug, Clone, Serialize)]
pub struct EnrolmentRow {
    /// The sign-in name.
    pub name: String,
    /// A unit code; none: the whole province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_code: Option<String>,
    /// What the device is called.
    pub label: String,
}

/// A one-time code.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct EnrolmentCode {
    /// Whose.
    pub person: PersonId,
    /// Their sign-in name.
    pub name: String,
    /// The code, to be told once.
    pub code: String,
    /// How long it is good.
    pub expires_in_s: i64,
}

/// An administrator's session.
#[derive(Debug)]
pub struct Administration<'a>(pub &'a mut DeviceSession);

impl Administration<'_> {
    fn post<T: serde::de::DeserializeOwned>(
        &mut self,
        path: &str,
        body: &Value,
    ) -> Result<T, RoadError> {
        self.0
            .with_token(|road, token| road.post(path, Some(token), body))
    }

    /// Imports units.
    pub fn import_units(&mut self, units: &[ImportedUnit]) -> Result<Added, RoadError> {
        self.post("/v1/org/import", &units_body(units))
    }

    /// Imports a template version.
    pub fn import_template(&mut self, template: &Template) -> Result<TemplateAdded, RoadError> {
        let content = template.to_json();
        let answer = self.0.with_token(|road, token| {
            road.post_bytes("/v1/templates", Some(token), "application/json", &content)
        })?;
        serde_json::from_slice(&answer).map_err(|error| RoadError::Garbled {
            server: self.0.road().server().to_owned(),
            reason: error.to_string(),
        })
    }

    /// Adds people and grants.
    pub fn add_people(&mut self, people: &[PersonRow]) -> Result<PeopleAdded, RoadError> {
        self.post("/v1/people", &json!({ "people": people }))
    }

    /// Adds reporting duties; a dry run only says what they come to.
    pub fn add_duties(
        &mut self,
        duties: &[DutyAsked],
        dry_run: bool,
    ) -> Result<DutiesAdded, RoadError> {
        self.post(
            "/v1/duties",
            &json!({ "duties": duties, "preview": dry_run }),
        )
    }

    /// Lets a unit owe a report otherwise. False: it was so already.
    pub fn except_from_duty(
        &mut self,
        duty: DutyId,
        unit: UnitId,
        terms: &TermsAsked,
        reason: &str,
    ) -> Result<bool, RoadError> {
        #[derive(Deserialize)]
        struct Answer {
            changed: bool,
        }
        let (terms, due) = match terms {
            TermsAsked::AsOthers => ("as_others", None),
            TermsAsked::Extended(day) => ("extended", Some(day)),
            TermsAsked::Exempt => ("exempt", None),
        };
        let body = json!({ "unit": unit, "terms": terms, "due": due, "reason": reason });
        let answer: Answer = self.post(&format!("/v1/duties/{duty}/exceptions"), &body)?;
        Ok(answer.changed)
    }

    /// Ends a reporting duty. False: there was none.
    pub fn end_duty(&mut self, duty: DutyId) -> Result<bool, RoadError> {
        #[derive(Deserialize)]
        struct Answer {
            ended: bool,
        }
        let answer: Answer = self.post(&format!("/v1/duties/{duty}/end"), &json!({}))?;
        Ok(answer.ended)
    }

    /// Announces holidays; a dry run only says what the calendar would be.
    pub fn announce_holidays(
        &mut self,
        table: &str,
        dry_run: bool,
    ) -> Result<HolidaysKnown, RoadError> {
        self.post(
            "/v1/holidays",
            &json!({ "table": table, "preview": dry_run }),
        )
    }

    /// Makes enrolment codes, in the order asked.
    pub fn new_enrolments(
        &mut self,
        rows: &[EnrolmentRow],
    ) -> Result<Vec<EnrolmentCode>, RoadError> {
        #[derive(Deserialize)]
        struct Answer {
            enrolments: Vec<EnrolmentCode>,
        }
        let answer: Answer = self.post("/v1/enrolments/bulk", &json!({ "enrolments": rows }))?;
        Ok(answer.enrolments)
    }

    /// Makes a code by which a server becomes the edge of a unit.
    pub fn add_node(
        &mut self,
        unit_code: &str,
        label: &str,
        address: &str,
    ) -> Result<Value, RoadError> {
        let body = json!({ "unit_code": unit_code, "label": label, "address": address });
        self.post("/v1/nodes", &body)
    }

    /// Lets an edge exchange with the node above it, and says how it stands then.
    pub fn sync_upstream(&mut self) -> Result<Value, RoadError> {
        self.post("/v1/upstream/exchange", &json!({}))
    }

    /// How an edge stands with the node above it.
    pub fn upstream(&mut self) -> Result<Value, RoadError> {
        self.0
            .with_token(|road, token| road.get("/v1/upstream", token))
    }

    /// Ends a grant; true if it was in force.
    pub fn end_grant(&mut self, grant: GrantId) -> Result<bool, RoadError> {
        let answer: Ended = self.post(&format!("/v1/grants/{grant}/end"), &json!({}))?;
        Ok(answer.ended)
    }

    /// Ends a device key at a frontier; true if it was in use.
    pub fn end_device(
        &mut self,
        key: KeyId,
        frontier: &BTreeMap<InstallationId, u64>,
    ) -> Result<bool, RoadError> {
        let accepted: Vec<Value> = frontier
            .iter()
            .map(|(installation, number)| json!({"installation": installation, "number": number}))
            .collect();
        let path = format!("/v1/device-keys/{key}/end");
        let answer: Ended = self.post(&path, &json!({ "accepted": accepted }))?;
        Ok(answer.ended)
    }

    /// Everybody, with grants and devices.
    pub fn people(&mut self) -> Result<Vec<Value>, RoadError> {
        self.0
            .with_token(|road, token| road.get_all("/v1/people", &BTreeMap::new(), token))
    }
}

#[derive(Deserialize)]
struct Ended {
    ended: bool,
}

/// Reads people from CSV: name, display, role, unit, subtree, until; a row of a name that came
/// before adds a grant.
pub fn read_people(text: &str) -> Result<Vec<PersonRow>, ImportError> {
    let mut people: Vec<PersonRow> = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let row = index + 1;
        let wrong = |reason: String| ImportError::Row { row, reason };
        if line.trim().is_empty() || (row == 1 && line.starts_with("name")) {
            continue;
        }
        let fields = crate::typed::split(line, ',')
            .ok_or_else(|| wrong("a quotation does not end".to_owned()))?;
        let field = |at: usize| fields.get(at).map_or("", |field| field.trim());
        let role = field(2);
        let grant = if role.is_empty() {
            None
        } else {
            Some(GrantRow {
                role: role_named(role).ok_or_else(|| wrong(format!("no role is {role}")))?,
                unit: Some(field(3).to_owned()).filter(|unit| !unit.is_empty()),
                subtree: matches!(field(4), "1" | "true" | "yes" | "có"),
                until: match field(5) {
                    "" => 0,
                    until => until
                        .parse()
                        .map_err(|_| wrong(format!("{until} is no time in seconds")))?,
                },
            })
        };
        let name = field(0).to_lowercase();
        if name.is_empty() {
            return Err(wrong("the name is empty".to_owned()));
        }
        match people.iter_mut().find(|person| person.name == name) {
            Some(person) => person.grants.extend(grant),
            None => people.push(PersonRow {
                display: Some(field(1))
                    .filter(|d| !d.is_empty())
                    .unwrap_or(&name)
                    .to_owned(),
                name,
                grants: grant.into_iter().collect(),
            }),
        }
    }
    Ok(people)
}

/// A role by the name it has in JSON.
pub fn role_named(name: &str) -> Option<Role> {
    serde_json::from_value(Value::String(name.replace('-', "_"))).ok()
}

/// Unit codes by id, as last recorded.
pub fn code_of(catalogue: &sync_core::catalogue::Catalogue, unit: UnitId) -> Option<String> {
    let record = catalogue.unit(unit)?.last()?;
    Some(record.code.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_with_their_grants() {
        let text = "name,display,role,unit,subtree,until\n\
            hanh,\"Nguyễn Thị Hạnh\",officer,05437,,\n\
            hanh,,head,05437,,\n\
            duc,Trần Đức,aggregator,khu-vuc-dinh-hoa,1,1790000000\n";
        let people = read_people(text).unwrap();
        assert_eq!(people.len(), 2);
        assert_eq!(people[0].grants.len(), 2);
        assert_eq!(people[0].display, "Nguyễn Thị Hạnh");
        let grant = &people[1].grants[0];
        assert_eq!(
            (grant.role, grant.subtree, grant.until),
            (Role::Aggregator, true, 1_790_000_000)
        );
        let error = read_people("a,b,king,,,\n").unwrap_err();
        assert!(matches!(error, ImportError::Row { row: 1, .. }));
    }

    #[test]
    fn built_in_files_are_found_by_name_and_unknown_ones_named() {
        let units = read_units(&text_of("org", "thai-nguyen-2025").unwrap()).unwrap();
        assert_eq!(
            units.iter().filter(|unit| unit.kind == "commune").count(),
            92
        );
        let text = text_of("org", "thai-nguyen-2022").unwrap();
        assert!(!read_departments(&text, &units[0]).unwrap().is_empty());
        let error = text_of("forms", "khong-co").unwrap_err();
        assert!(error.to_string().contains("bao-cao-cchc-2022"), "{error}");
    }
}
