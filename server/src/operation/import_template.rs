//! Takes in a template version; the same again adds nothing, another content is refused.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::catalogue::Body as RecordBody;
use sync_core::form::Template;
use sync_core::limits::CATALOGUE_RECORD_BYTES_MAX;

use crate::app::{App, SharedApp, blocking};
use crate::extract::Administrator;
use crate::openapi::TemplateText;
use crate::problem::{Problem, ProblemCode};
use crate::registry::Draft;

/// Which version it is, and whether it is new.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TemplateImported")]
pub struct Answer {
    id: String,
    version: u32,
    added: bool,
}

impl Answer {
    /// The template.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

/// `POST /v1/templates`: the template in its canonical text, which is what is signed.
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    TemplateText(content): TemplateText,
) -> Result<Json<Answer>, Problem> {
    let answer = blocking(&app, move |app| import(app, &content)).await?;
    tracing::info!(%administrator, template = answer.id, version = answer.version, added = answer.added,
        "a template is imported");
    Ok(Json(answer))
}

/// Adds a template version if it is not there.
pub(crate) fn import(app: &App, content: &[u8]) -> Result<Answer, Problem> {
    // The record around the content needs a little room, too.
    if content.len() > CATALOGUE_RECORD_BYTES_MAX - 1024 {
        return Err(Problem::new(ProblemCode::TooLarge));
    }
    let template = Template::from_json(content)
        .map_err(|error| Problem::new(ProblemCode::TemplateBad).with("detail", error))?;
    app.registry.append(app.clock.now_s(), |catalogue| {
        let answer = |added| Answer {
            id: template.id().to_owned(),
            version: template.version(),
            added,
        };
        match catalogue.template(template.id(), template.version()) {
            Some(known) if known.content == content => Ok(Draft::nothing(answer(false))),
            Some(_) => Err(Problem::new(ProblemCode::TemplateDiffers)
                .with("template", template.id())
                .with("version", template.version())),
            None => Ok(Draft::records(
                vec![RecordBody::Template {
                    id: template.id().to_owned(),
                    version: template.version(),
                    content: content.to_vec(),
                }],
                answer(true),
            )),
        }
    })
}
