//! Makes a one-time code by which a server becomes the edge of an area.
//!
//! What an edge may read is a grant like any other: it is a person of the catalogue who looks at the
//! unit with all below it and may write nothing.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Condition, Write};
use sync_core::catalogue::{Body as RecordBody, Grant, Person, Role};
use sync_core::identity::{GrantId, PersonId};

use crate::app::{App, SharedApp, blocking};
use crate::entropy::random;
use crate::extract::{Administrator, Body};
use crate::kept::enrolment::{self, Enrolment};
use crate::limits;
use crate::operation::make_enrolments::units_by_code;
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;
use crate::wire::{EnrolmentCode, Label};

/// The unit it serves with all below it, by its code; what it is called; where tablets reach it.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "NodeRequest")]
#[serde(deny_unknown_fields)]
pub struct Request {
    unit_code: String,
    label: Label,
    address: Label,
}

/// A code, to be typed at the edge once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NodeMade")]
pub struct Answer {
    name: String,
    code: EnrolmentCode,
    expires_in_s: i64,
}

/// `POST /v1/nodes`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    let answer = blocking(&app, move |app| add(app, request)).await?;
    tracing::info!(%administrator, name = answer.name, "a code for an edge is made");
    Ok(Json(answer))
}

fn add(app: &App, request: Request) -> Result<Answer, Problem> {
    app.only_at_province()?;
    let address = request.address.into_string();
    if !address.starts_with("https://") && !address.starts_with("http://") {
        let detail = "the address begins with https:// or http://";
        return Err(Problem::new(ProblemCode::RequestMalformed).with("detail", detail));
    }
    let code = EnrolmentCode::of(random()?);
    let now = app.clock.now_s();
    app.registry.append(now, |catalogue| {
        let unit = units_by_code(catalogue)
            .get(request.unit_code.as_str())
            .copied();
        let unit = unit.ok_or_else(|| {
            Problem::new(ProblemCode::UnitUnknown).with("unit", &request.unit_code)
        })?;
        let name = format!("node-{}", request.unit_code.to_lowercase());
        let known = catalogue.person_by_name(&name).map(|known| known.person);
        let mut bodies = Vec::new();
        let person = match known {
            Some(person) => person,
            None => {
                let person = PersonId(random()?);
                bodies.push(RecordBody::Person(Person {
                    person,
                    sign_in_name: name.clone(),
                    display_name: request.label.as_str().to_owned(),
                }));
                person
            }
        };
        let reads = catalogue
            .grants_of(person, now)
            .any(|grant| grant.unit == Some(unit) && grant.subtree);
        if !reads {
            bodies.push(RecordBody::Grant(Grant {
                grant: GrantId(random()?),
                person,
                role: Role::Auditor,
                unit: Some(unit),
                subtree: true,
                until: 0,
            }));
        }
        let enrolment = Enrolment {
            person,
            unit,
            label: request.label.as_str().to_owned(),
            expires_at: now.saturating_add(limits::FIRST_CODE_S),
            used_by: None,
            node: Some(address),
        };
        let answer = Answer {
            name,
            code: code.clone(),
            expires_in_s: limits::FIRST_CODE_S,
        };
        let mut draft = Draft::records(bodies, answer);
        let key = enrolment::key(code.as_str());
        draft.beside.conditions.push(Condition {
            key: key.clone(),
            expected: None,
        });
        draft.beside.writes.push(Write {
            key,
            value: Some(enrolment.encode()),
        });
        Ok(draft)
    })
}
