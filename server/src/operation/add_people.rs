//! Takes in people and their grants; the same list again adds nothing.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::catalogue::{Body as RecordBody, Catalogue, Grant, Person, Role};
use sync_core::identity::{GrantId, PersonId, UnitId};

use crate::app::{App, SharedApp, blocking};
use crate::entropy::random;
use crate::extract::{Administrator, Body};
use crate::limits;
use crate::operation::make_enrolments::units_by_code;
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;
use crate::schema::{Hex, RoleName};
use crate::wire::{Label, SignInName};

/// The list.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "PersonList")]
#[serde(deny_unknown_fields)]
pub struct Request {
    people: Vec<PersonRow>,
}

/// One person: the sign-in name says who.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonRow {
    name: SignInName,
    display: Label,
    #[serde(default)]
    grants: Vec<GrantRow>,
}

/// What the person may do, and where: a unit code, or left out for the whole province.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRow {
    #[schemars(with = "RoleName")]
    role: Role,
    unit: Option<String>,
    #[serde(default)]
    subtree: bool,
    /// End of the lease, seconds since 1970; left out: none.
    #[serde(default)]
    until: i64,
}

/// What was added, and everybody of the list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PeopleAdded")]
pub struct Answer {
    records_added: usize,
    people: Vec<PersonAnswer>,
}

/// One person of the list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PersonAdded")]
pub struct PersonAnswer {
    #[schemars(with = "Hex<8>")]
    person: PersonId,
    name: String,
}

/// `POST /v1/people`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    let answer = blocking(&app, move |app| add(app, &request.people)).await?;
    tracing::info!(%administrator, records_added = answer.records_added, "people and grants added");
    Ok(Json(answer))
}

fn add(app: &App, rows: &[PersonRow]) -> Result<Answer, Problem> {
    if rows.len() > limits::IMPORT_ROWS_MAX {
        return Err(Problem::new(ProblemCode::TooLarge));
    }
    let now = app.clock.now_s();
    app.registry
        .append(now, |catalogue| draft(catalogue, rows, now))
}

fn draft(catalogue: &Catalogue, rows: &[PersonRow], now: i64) -> Result<Draft<Answer>, Problem> {
    let units = units_by_code(catalogue);
    let mut bodies = Vec::new();
    let mut people = Vec::with_capacity(rows.len());
    let mut names = std::collections::BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        let number = index.saturating_add(1);
        if !names.insert(row.name.as_str()) {
            return Err(Problem::row(number, format!("{} is there twice", row.name)));
        }
        let known = catalogue.person_by_name(row.name.as_str());
        let person = match known {
            Some(known) => known.person,
            None => PersonId(random()?),
        };
        if known.is_none_or(|known| known.display_name != row.display.as_str()) {
            bodies.push(RecordBody::Person(Person {
                person,
                sign_in_name: row.name.as_str().to_owned(),
                display_name: row.display.as_str().to_owned(),
            }));
        }
        for wanted in &row.grants {
            let unit =
                match &wanted.unit {
                    None => None,
                    Some(code) => Some(*units.get(code.as_str()).ok_or_else(|| {
                        Problem::row(number, format!("no unit has the code {code}"))
                    })?),
                };
            if !is_granted(catalogue, person, wanted, unit, now) {
                bodies.push(RecordBody::Grant(Grant {
                    grant: GrantId(random()?),
                    person,
                    role: wanted.role,
                    unit,
                    subtree: wanted.subtree,
                    until: wanted.until,
                }));
            }
        }
        people.push(PersonAnswer {
            person,
            name: row.name.as_str().to_owned(),
        });
    }
    let answer = Answer {
        records_added: bodies.len(),
        people,
    };
    Ok(Draft::records(bodies, answer))
}

fn is_granted(
    catalogue: &Catalogue,
    person: PersonId,
    wanted: &GrantRow,
    unit: Option<UnitId>,
    now: i64,
) -> bool {
    catalogue.grants_of(person, now).any(|grant| {
        grant.role == wanted.role
            && grant.unit == unit
            && grant.subtree == wanted.subtree
            && grant.until == wanted.until
    })
}
