//! Retires a template, so that no new report is begun by it, or puts it in use again. Reports that were
//! begun go on with the version they have. The same again adds nothing.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::catalogue::Body as RecordBody;

use crate::app::{App, SharedApp, blocking};
use crate::extract::{Administrator, At, Body};
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;
use crate::wire::Label;

/// Why it is retired; nothing puts it in use again.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "TemplateRetirement")]
#[serde(deny_unknown_fields)]
pub struct Request {
    reason: Option<Label>,
}

/// Whether anything is different now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TemplateRetired")]
pub struct Answer {
    changed: bool,
}

/// `POST /v1/templates/{id}/retire`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    At(id): At<String>,
    Body(request): Body<Request>,
) -> Result<Json<Answer>, Problem> {
    let template = id.clone();
    let changed = blocking(&app, move |app| retire(app, &id, request.reason)).await?;
    tracing::info!(%administrator, template, changed, "a template is retired or put in use");
    Ok(Json(Answer { changed }))
}

fn retire(app: &App, id: &str, reason: Option<Label>) -> Result<bool, Problem> {
    let reason = reason.map(Label::into_string).unwrap_or_default();
    app.registry.append(app.clock.now_s(), |catalogue| {
        if catalogue.newest_template(id).is_none() {
            return Err(Problem::new(ProblemCode::TemplateUnknown).with("template", id));
        }
        if catalogue.template_retired(id).unwrap_or_default() == reason {
            return Ok(Draft::nothing(false));
        }
        let body = RecordBody::TemplateRetired {
            id: id.to_owned(),
            reason: reason.clone(),
        };
        Ok(Draft::records(vec![body], true))
    })
}
