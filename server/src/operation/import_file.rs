//! Takes in units or a form from a file: one that ships with the product, or one that is sent.
//!
//! The files are read by the core; what they come to is imported as every list and template is.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sync_core::catalogue_files;
use sync_core::date::Date;
use sync_core::form::Template;
use sync_core::org_unit::import::import_any;

use crate::app::{SharedApp, blocking};
use crate::extract::{Administrator, Body};
use crate::operation::import_template::{self, import as import_template};
use crate::operation::import_units::{self, UnitRow, import as import_units};
use crate::problem::{Problem, ProblemCode};

/// Either the name of a file that ships with the product, or the text of one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ImportedFile")]
pub(crate) struct Request {
    shipped: Option<String>,
    text: Option<String>,
}

/// What ships with the product.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Shipped {
    org: Vec<ShippedFile>,
    forms: Vec<ShippedFile>,
}

/// One file.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ShippedFile {
    name: String,
    title: String,
}

#[derive(Deserialize)]
struct Titled {
    title_vi: Option<String>,
}

/// `GET /v1/shipped`
pub(crate) async fn respond_list(Administrator(_): Administrator) -> Json<Shipped> {
    Json(Shipped {
        org: shipped("org").collect(),
        forms: shipped("forms").collect(),
    })
}

/// `POST /v1/org/file`
pub(crate) async fn respond_units(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    Body(request): Body<Request>,
) -> Result<Json<import_units::Answer>, Problem> {
    let answer = blocking(&app, move |app| {
        let text = text("org", &request)?;
        let today = Date::of_timestamp(app.clock.now_s());
        let units = import_any(text, today).map_err(|error| bad(&error))?;
        let rows = units
            .iter()
            .enumerate()
            .map(|(index, unit)| {
                let row = index.saturating_add(1);
                UnitRow::read(unit).map_err(|wrong| Problem::row(row, wrong))
            })
            .collect::<Result<Vec<_>, _>>()?;
        import_units(app, &rows)
    })
    .await?;
    tracing::info!(%administrator, added = answer.added(), "org units imported");
    Ok(Json(answer))
}

/// `POST /v1/templates/file`: as version 1 of its form.
pub(crate) async fn respond_template(
    State(app): State<SharedApp>,
    Administrator(administrator): Administrator,
    Body(request): Body<Request>,
) -> Result<Json<import_template::Answer>, Problem> {
    let answer = blocking(&app, move |app| {
        let form = Template::import(text("forms", &request)?, 1).map_err(|error| bad(&error))?;
        import_template(app, &form.to_json())
    })
    .await?;
    tracing::info!(%administrator, template = answer.id(), "a form is imported");
    Ok(Json(answer))
}

fn shipped(kind: &'static str) -> impl Iterator<Item = ShippedFile> {
    catalogue_files::all().filter_map(move |(path, text)| {
        let name = path
            .strip_prefix(kind)?
            .strip_prefix('/')?
            .strip_suffix(".json")?;
        let titled: Option<Titled> = serde_json::from_str(text).ok();
        let title = titled.and_then(|titled| titled.title_vi);
        Some(ShippedFile {
            name: name.to_owned(),
            title: title.unwrap_or_else(|| name.to_owned()),
        })
    })
}

fn text<'a>(kind: &str, request: &'a Request) -> Result<&'a str, Problem> {
    match (&request.shipped, &request.text) {
        (Some(name), None) => catalogue_files::text(&format!("{kind}/{name}.json"))
            .ok_or_else(|| bad(&format!("nothing called {name} ships with this program"))),
        (None, Some(text)) => Ok(text),
        (Some(_), Some(_)) | (None, None) => Err(Problem::new(ProblemCode::RequestMalformed)
            .with("detail", "either a shipped file or a text")),
    }
}

fn bad(detail: &dyn std::fmt::Display) -> Problem {
    Problem::new(ProblemCode::FileBad).with("detail", detail)
}
