//! Takes in reporting duties; the same list again adds nothing.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::catalogue::{Body as RecordBody, Catalogue, Duty};
use sync_core::identity::DutyId;
use sync_core::period::Period;

use crate::app::{App, SharedApp, blocking};
use crate::entropy::random;
use crate::extract::{Administrator, Body};
use crate::limits;
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;
use crate::wire::{Day, Label};

/// The list.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "DutyList")]
#[serde(deny_unknown_fields)]
pub struct Request {
    duties: Vec<DutyRow>,
}

/// Every unit of a kind owes the report of a template for a period by a day.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DutyRow {
    template: String,
    unit_kind: Label,
    period: String,
    due: Day,
}

/// What was added.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DutiesAdded")]
pub struct Answer {
    added: usize,
    unchanged: usize,
}

/// `POST /v1/duties`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    let answer = blocking(&app, move |app| add(app, &request.duties)).await?;
    tracing::info!(%administrator, added = answer.added, "reporting duties added");
    Ok(Json(answer))
}

fn add(app: &App, rows: &[DutyRow]) -> Result<Answer, Problem> {
    if rows.len() > limits::IMPORT_ROWS_MAX {
        return Err(Problem::new(ProblemCode::TooLarge));
    }
    app.registry
        .append(app.clock.now_s(), |catalogue| draft(catalogue, rows))
}

fn draft(catalogue: &Catalogue, rows: &[DutyRow]) -> Result<Draft<Answer>, Problem> {
    let mut bodies: Vec<RecordBody> = Vec::new();
    for row in rows {
        if catalogue.newest_template(&row.template).is_none() {
            return Err(Problem::new(ProblemCode::TemplateUnknown).with("template", &row.template));
        }
        if row.period.parse::<Period>().is_err() {
            return Err(Problem::new(ProblemCode::PeriodBad).with("period", &row.period));
        }
        let same = |duty: &Duty| {
            duty.template == row.template
                && duty.unit_kind == row.unit_kind.as_str()
                && duty.period == row.period
                && duty.due == row.due.as_str()
        };
        let drafted = bodies
            .iter()
            .any(|body| matches!(body, RecordBody::Duty(duty) if same(duty)));
        if drafted || catalogue.duties().any(same) {
            continue;
        }
        // The same duty with another day replaces the old day: it keeps its id.
        let moved = catalogue.duties().find(|duty| {
            duty.template == row.template
                && duty.unit_kind == row.unit_kind.as_str()
                && duty.period == row.period
        });
        bodies.push(RecordBody::Duty(Duty {
            duty: match moved {
                Some(moved) => moved.duty,
                None => DutyId(random()?),
            },
            template: row.template.clone(),
            unit_kind: row.unit_kind.as_str().to_owned(),
            period: row.period.clone(),
            due: row.due.as_str().to_owned(),
        }));
    }
    let answer = Answer {
        added: bodies.len(),
        unchanged: rows.len().saturating_sub(bodies.len()),
    };
    Ok(Draft::records(bodies, answer))
}
