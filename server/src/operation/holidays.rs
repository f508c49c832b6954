//! The days on which offices are closed or open otherwise than their weekday says: those the program
//! knows, and those that the administrator announces.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use sync_core::calendar::Calendar;
use sync_core::catalogue::{Body as RecordBody, Catalogue, Holidays};

use crate::app::{App, SharedApp, blocking};
use crate::extract::{Administrator, Body, SignedIn};
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;

/// Lines of days: `2027-02-04..2027-02-10 off Tết`, `2027-01-09 on`.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "HolidayTable")]
#[serde(deny_unknown_fields)]
pub struct Request {
    table: String,
    /// Only say what the calendar would be.
    #[serde(default)]
    preview: bool,
}

/// The calendar.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Holidays")]
pub struct Answer {
    /// The years of which the holidays are known; last days in others cannot be counted.
    years: Vec<u16>,
    days: Vec<DayLine>,
}

/// A day.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DayLine {
    day: String,
    /// Offices are open, though it is a weekend.
    worked: bool,
    /// The province's own word.
    own: bool,
}

/// `GET /v1/holidays`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    SignedIn(_): SignedIn,
) -> Result<Json<Answer>, Problem> {
    let catalogue = app.registry.current();
    Ok(Json(answer(&catalogue, &Calendar::default())))
}

/// `POST /v1/holidays`
pub(crate) async fn respond_announced(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    let preview = request.preview;
    let answer = blocking(&app, move |app| announce(app, &request)).await?;
    if !preview {
        tracing::info!(%administrator, "holidays announced");
    }
    Ok(Json(answer))
}

fn announce(app: &App, request: &Request) -> Result<Answer, Problem> {
    let holidays = Holidays::of_table(request.table.trim())
        .map_err(|error| Problem::new(ProblemCode::HolidaysBad).with("reason", error))?;
    app.registry.append(app.clock.now_s(), |catalogue| {
        let answer = answer(catalogue, holidays.days());
        let own: BTreeMap<_, _> = catalogue.own_days().collect();
        let is_own = |(day, worked)| own.get(&day) == Some(&worked);
        let is_there = holidays.days().days().all(is_own);
        Ok(match request.preview || is_there {
            true => Draft::nothing(answer),
            false => Draft::records(vec![RecordBody::Holidays(holidays)], answer),
        })
    })
}

fn answer(catalogue: &Catalogue, more: &Calendar) -> Answer {
    let mut calendar = catalogue.calendar();
    calendar.supersede(more);
    let own: BTreeMap<_, _> = catalogue.own_days().chain(more.days()).collect();
    let days = calendar.days().map(|(day, worked)| DayLine {
        day: day.to_string(),
        worked,
        own: own.contains_key(&day),
    });
    Answer {
        years: calendar.years().collect(),
        days: days.collect(),
    }
}
