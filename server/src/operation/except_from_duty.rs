//! Lets one unit owe a report otherwise: by another day, or not at all, with the reason that it reads;
//! or as everybody does again. The same again changes nothing.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::catalogue::{Body as RecordBody, Catalogue, DutyException, Terms};
use sync_core::identity::{DutyId, UnitId};
use sync_core::limits::REASON_BYTES_MAX;

use crate::app::{App, SharedApp, blocking};
use crate::extract::{Administrator, At, Body};
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;
use crate::schema::Hex;
use crate::wire::Day;

/// What the unit owes.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "DutyException")]
#[serde(deny_unknown_fields)]
pub struct Request {
    #[schemars(with = "Hex<8>")]
    unit: UnitId,
    terms: TermsAsked,
    /// Its own last day, if that is put off.
    due: Option<Day>,
    /// Why, for the unit to read; needed unless it owes as others again.
    #[serde(default)]
    reason: String,
}

/// How it owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TermsAsked {
    /// As everybody does.
    AsOthers,
    /// By another day.
    Extended,
    /// Not at all.
    Exempt,
}

/// Whether anything was different before.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DutyExcepted")]
pub struct Answer {
    changed: bool,
}

/// `POST /v1/duties/{duty}/exceptions`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    At(duty): At<DutyId>,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    let unit = request.unit;
    let changed = blocking(&app, move |app| except(app, duty, &request)).await?;
    tracing::info!(%administrator, %duty, %unit, changed, "a unit owes a report otherwise");
    Ok(Json(Answer { changed }))
}

fn except(app: &App, duty: DutyId, request: &Request) -> Result<bool, Problem> {
    app.registry.append(app.clock.now_s(), |catalogue| {
        let exception = draft(catalogue, duty, request)?;
        let standing = catalogue
            .exceptions(duty)
            .find(|standing| standing.unit == exception.unit);
        let is_there = match standing {
            Some(standing) => *standing == exception,
            None => exception.terms == Terms::AsOthers,
        };
        Ok(match is_there {
            true => Draft::nothing(false),
            false => Draft::records(vec![RecordBody::DutyException(exception)], true),
        })
    })
}

fn draft(catalogue: &Catalogue, duty: DutyId, request: &Request) -> Result<DutyException, Problem> {
    let malformed =
        |detail: &str| Problem::new(ProblemCode::RequestMalformed).with("detail", detail);
    if catalogue.duty(duty).is_none() {
        return Err(Problem::new(ProblemCode::DutyUnknown).with("duty", duty));
    }
    if catalogue.unit(request.unit).is_none() {
        return Err(Problem::new(ProblemCode::UnitUnknown).with("unit", request.unit));
    }
    let reason = request.reason.trim();
    if reason.len() > REASON_BYTES_MAX {
        return Err(Problem::new(ProblemCode::TooLarge));
    }
    let terms = match (request.terms, &request.due) {
        (TermsAsked::AsOthers, None) => Terms::AsOthers,
        (TermsAsked::Extended, Some(day)) => Terms::Extended(day.as_str().to_owned()),
        (TermsAsked::Exempt, None) => Terms::Exempt,
        (TermsAsked::Extended, None) => return Err(malformed("until which day")),
        (TermsAsked::AsOthers | TermsAsked::Exempt, Some(_)) => {
            return Err(malformed("a day belongs to a deadline that is put off"));
        }
    };
    if reason.is_empty() && terms != Terms::AsOthers {
        return Err(Problem::new(ProblemCode::ReasonMissing));
    }
    Ok(DutyException {
        duty,
        unit: request.unit,
        terms,
        reason: reason.to_owned(),
    })
}
