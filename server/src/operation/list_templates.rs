//! Lists template versions and gives the content of one.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::form::Template;

use crate::app::SharedApp;
use crate::extract::{Asked, At, SignedIn};
use crate::openapi::TemplateText;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, ProblemCode};

/// One version.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TemplateLine {
    id: String,
    version: u32,
    bytes: usize,
    title: String,
    rows: usize,
    /// What whoever published it said about it.
    note: Option<String>,
    /// Why no new report is begun by any version of the template.
    retired: Option<String>,
}

/// `GET /v1/templates`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    SignedIn(_): SignedIn,
    Asked(page): Asked<PageQuery>,
) -> Result<Json<Page<TemplateLine>>, Problem> {
    let after = page.after.as_deref().map(read_cursor).transpose()?;
    let catalogue = app.registry.current();
    let lines = catalogue
        .templates()
        .filter(|template| {
            after
                .as_ref()
                .is_none_or(|(id, version)| (&template.id, template.version) > (id, *version))
        })
        .map(|template| {
            // What was taken in was read before; a page of lines reads a few of them again.
            let form = Template::from_json(&template.content).ok();
            TemplateLine {
                id: template.id.clone(),
                version: template.version,
                bytes: template.content.len(),
                title: form.as_ref().map_or("", Template::title).to_owned(),
                rows: form.as_ref().map_or(0, |form| form.rows().len()),
                note: form.and_then(|form| form.published_note().map(str::to_owned)),
                retired: catalogue.template_retired(&template.id).map(str::to_owned),
            }
        });
    Ok(Json(Page::take(lines, page.limit(), |line| {
        format!("{}:{}", line.id, line.version)
    })))
}

fn read_cursor(cursor: &str) -> Result<(String, u32), Problem> {
    cursor
        .split_once(':')
        .and_then(|(id, version)| Some((id.to_owned(), version.parse().ok()?)))
        .ok_or_else(|| Problem::new(ProblemCode::CursorBad))
}

/// `GET /v1/templates/{id}/{version}`: the bytes as they were signed.
pub(crate) async fn respond_one(
    State(app): State<SharedApp>,
    SignedIn(_): SignedIn,
    At((id, version)): At<(String, u32)>,
) -> Result<TemplateText, Problem> {
    let catalogue = app.registry.current();
    let template = catalogue.template(&id, version).ok_or_else(|| {
        Problem::new(ProblemCode::TemplateUnknown).with("template", format!("{id} {version}"))
    })?;
    Ok(TemplateText(template.content.clone().into()))
}
