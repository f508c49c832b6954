//! Makes one-time codes by which devices are enrolled.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Commit, Condition, Write};
use sync_core::catalogue::Catalogue;
use sync_core::identity::{PersonId, UnitId};

use crate::app::{App, SharedApp, blocking};
use crate::entropy::random;
use crate::extract::{Administrator, At, Body};
use crate::kept::enrolment::{self, Enrolment};
use crate::limits;
use crate::problem::{Problem, ProblemCode};
use crate::schema::Hex;
use crate::wire::{EnrolmentCode, Label, SignInName};

/// For whom a code is: the person by id or sign-in name, the unit by id or code (left out: the whole
/// province), and what the device is called.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "EnrolmentRequest")]
#[serde(deny_unknown_fields)]
pub struct Request {
    #[schemars(with = "Option<Hex<8>>")]
    person: Option<PersonId>,
    name: Option<SignInName>,
    #[schemars(with = "Option<Hex<8>>")]
    unit: Option<UnitId>,
    unit_code: Option<String>,
    label: Label,
}

/// The same for the person named in the path.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "PersonEnrolmentRequest")]
#[serde(deny_unknown_fields)]
pub struct RequestForPerson {
    #[schemars(with = "Option<Hex<8>>")]
    unit: Option<UnitId>,
    unit_code: Option<String>,
    label: Label,
}

/// Several at once.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "EnrolmentRequests")]
#[serde(deny_unknown_fields)]
pub struct Requests {
    enrolments: Vec<Request>,
}

/// A code, to be told to the person once.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EnrolmentMade")]
pub struct Answer {
    #[schemars(with = "Hex<8>")]
    person: PersonId,
    name: String,
    code: EnrolmentCode,
    expires_in_s: i64,
}

/// Several codes, in the order asked.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EnrolmentsMade")]
pub struct Answers {
    enrolments: Vec<Answer>,
}

/// `POST /v1/enrolments`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    one(&app, administrator, request).await
}

/// `POST /v1/people/{person}/enrolment`
pub(crate) async fn respond_for_person(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    At(person): At<PersonId>,
    Body(request): Body<RequestForPerson>,
) -> Result<Json<Answer>, Problem> {
    let request = Request {
        person: Some(person),
        name: None,
        unit: request.unit,
        unit_code: request.unit_code,
        label: request.label,
    };
    one(&app, administrator, request).await
}

/// `POST /v1/enrolments/bulk`
pub(crate) async fn respond_bulk(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    Body(requests): Body<Requests>,
) -> Result<Json<Answers>, Problem> {
    let enrolments = blocking(&app, move |app| {
        make(app, administrator, &requests.enrolments)
    })
    .await?;
    Ok(Json(Answers { enrolments }))
}

async fn one(
    app: &SharedApp,
    administrator: PersonId,
    request: Request,
) -> Result<Json<Answer>, Problem> {
    blocking(app, move |app| {
        make(app, administrator, std::slice::from_ref(&request))?
            .pop()
            .map(Json)
            .ok_or_else(|| Problem::internal(&"one enrolment was asked and none was made"))
    })
    .await
}

fn make(app: &App, administrator: PersonId, requests: &[Request]) -> Result<Vec<Answer>, Problem> {
    app.only_at_province()?;
    if requests.len() > limits::ENROLMENT_CODES_AT_ONCE {
        return Err(Problem::new(ProblemCode::TooLarge));
    }
    let catalogue = app.registry.current();
    let units = units_by_code(&catalogue);
    let expires_at = app.clock.now_s().saturating_add(limits::ENROLMENT_CODE_S);
    let mut commit = Commit::default();
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        let person = match (&request.person, &request.name) {
            (Some(person), _) => catalogue.person(*person),
            (None, Some(name)) => catalogue.person_by_name(name.as_str()),
            (None, None) => None,
        };
        let person = person.ok_or_else(|| {
            let asked = request.person.map(|person| person.to_string());
            let asked = asked.or_else(|| request.name.as_ref().map(ToString::to_string));
            Problem::new(ProblemCode::PersonUnknown).with("person", asked.unwrap_or_default())
        })?;
        let code = EnrolmentCode::of(random()?);
        let kept = Enrolment {
            person: person.person,
            unit: unit_asked(&catalogue, &units, request)?,
            label: request.label.as_str().to_owned(),
            expires_at,
            used_by: None,
            node: None,
        };
        let key = enrolment::key(code.as_str());
        commit.conditions.push(Condition {
            key: key.clone(),
            expected: None,
        });
        commit.writes.push(Write {
            key,
            value: Some(kept.encode()),
        });
        answers.push(Answer {
            person: person.person,
            name: person.sign_in_name.clone(),
            code,
            expires_in_s: limits::ENROLMENT_CODE_S,
        });
    }
    if !answers.is_empty() {
        app.store.commit(commit)?;
    }
    tracing::info!(%administrator, codes = answers.len(), "enrolment codes made");
    Ok(answers)
}

fn unit_asked(
    catalogue: &Catalogue,
    units: &BTreeMap<&str, UnitId>,
    request: &Request,
) -> Result<UnitId, Problem> {
    let unknown =
        |unit: &dyn std::fmt::Display| Problem::new(ProblemCode::UnitUnknown).with("unit", unit);
    match (&request.unit, &request.unit_code) {
        (Some(unit), _) if catalogue.unit(*unit).is_some() => Ok(*unit),
        (Some(unit), _) => Err(unknown(unit)),
        (None, Some(code)) => units
            .get(code.as_str())
            .copied()
            .ok_or_else(|| unknown(code)),
        (None, None) => Ok(UnitId([0; 8])),
    }
}

/// Units by the code of their latest record.
pub(crate) fn units_by_code(catalogue: &Catalogue) -> BTreeMap<&str, UnitId> {
    catalogue
        .units()
        .filter_map(|(unit, records)| Some((records.last()?.code.as_str(), *unit)))
        .collect()
}
