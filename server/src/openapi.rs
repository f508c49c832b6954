//! The document of the interface: made from the table of routes and from the types that travel.
//!
//! What an operation takes and gives is read off its signature, so the document cannot say anything
//! else than the program does. Only what a signature leaves open (frames, streams) is told beside it.

mod signatures;

use std::any::type_name;
use std::sync::OnceLock;

use aide::axum::routing::{ApiMethodRouter, get_with, post_with};
use aide::generate::reset_context;
use aide::openapi::{
    Components, Info, OpenApi, Parameter, ParameterData, ParameterSchemaOrContent, PathItem,
    PathStyle, ReferenceOr, SchemaObject, SecurityScheme,
};
use aide::operation::OperationHandler;
use aide::transform::TransformOperation;
use aide::{OperationInput, OperationOutput};
use axum::handler::Handler;
use schemars::json_schema;
use serde_json::{Value, json};

use crate::app::SharedApp;
use crate::problem::{Problem, ProblemCode};
use crate::routes;

pub(crate) use signatures::{Events, InterfaceText, TemplateText};

/// The name of the one way to prove who one is.
const SESSION: &str = "session";

/// The document as it is served.
pub(crate) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| format!("{:#}", document()))
}

/// The document of everything in the table of routes.
pub fn document() -> Value {
    reset_context();
    let mut document = OpenApi {
        info: Info {
            title: "Đồng Bộ".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            description: Some(
                "Everything a refused request can say is under x-problems.".to_owned(),
            ),
            ..Info::default()
        },
        components: Some(Components {
            security_schemes: [(SESSION.to_owned(), ReferenceOr::Item(bearer()))].into(),
            ..Components::default()
        }),
        ..OpenApi::default()
    };
    document
        .extensions
        .insert("x-problems".to_owned(), problems());
    let _routes = routes::table().finish_api(&mut document);
    for (path, item) in document.paths.iter_mut().flat_map(|paths| &mut paths.paths) {
        if let ReferenceOr::Item(item) = item {
            name_variables(path, item);
        }
    }
    // A struct of strings, numbers and lists always has a JSON form.
    serde_json::to_value(&document).unwrap_or_default()
}

fn bearer() -> SecurityScheme {
    SecurityScheme::Http {
        scheme: "bearer".to_owned(),
        bearer_format: None,
        description: Some("The access token of a session.".to_owned()),
        extensions: Default::default(),
    }
}

/// Every code with what it means for the one who asked.
fn problems() -> Value {
    let told = |code: &ProblemCode| {
        let problem = Problem::new(*code).body();
        json!({
            "code": code.as_str(),
            "status": code.status().as_u16(),
            "retry": code.retry(),
            "happened": code.happened(),
            "message_vi": problem.get("message_vi"),
            "message_en": problem.get("message_en"),
        })
    };
    ProblemCode::ALL.iter().map(told).collect()
}

/// The variable parts of a path, which an extractor knows by type and not by name.
fn name_variables(path: &str, item: &mut PathItem) {
    let names = path
        .split('/')
        .filter_map(|piece| piece.strip_prefix('{')?.strip_suffix('}'));
    item.parameters.extend(names.map(|name| {
        ReferenceOr::Item(Parameter::Path {
            parameter_data: ParameterData {
                name: name.to_owned(),
                description: None,
                required: true,
                deprecated: None,
                format: ParameterSchemaOrContent::Schema(SchemaObject {
                    json_schema: json_schema!({ "type": "string" }),
                    example: None,
                    external_docs: None,
                }),
                example: None,
                examples: Default::default(),
                explode: None,
                extensions: Default::default(),
            },
            style: PathStyle::Simple,
        })
    }));
}

/// A route for GET, named after its operation.
pub(crate) fn get<H, I, O, T>(handler: H) -> ApiMethodRouter<SharedApp>
where
    H: Handler<T, SharedApp> + OperationHandler<I, O>,
    I: OperationInput,
    O: OperationOutput,
    T: 'static,
{
    get_with(handler, |operation| named::<H>(operation))
}

/// A route for POST, named after its operation.
pub(crate) fn post<H, I, O, T>(handler: H) -> ApiMethodRouter<SharedApp>
where
    H: Handler<T, SharedApp> + OperationHandler<I, O>,
    I: OperationInput,
    O: OperationOutput,
    T: 'static,
{
    post_with(handler, |operation| named::<H>(operation))
}

/// `…::operation::make_enrolments::respond_bulk` is called `make_enrolments_bulk`.
fn named<H>(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let mut pieces = type_name::<H>().rsplit("::");
    let (function, file) = (
        pieces.next().unwrap_or_default(),
        pieces.next().unwrap_or_default(),
    );
    let rest = function.strip_prefix("respond").unwrap_or(function);
    operation.id(&format!("{file}{rest}"))
}
