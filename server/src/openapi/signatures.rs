//! What each piece of an operation's signature means in the document.

use std::marker::PhantomData;

use aide::generate::GenContext;
use aide::openapi::{
    MediaType, Operation, RequestBody, Response as Described, SchemaObject, SecurityRequirement,
};
use aide::operation::{ParamLocation, add_parameters, parameters_from_schema, set_body};
use aide::{OperationInput, OperationOutput};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::SESSION;
use crate::app::SharedApp;
use crate::extract::{
    Administrator, Asked, At, Body, FigureReader, LiveSignedIn, MaybeSignedIn, SignedIn,
};
use crate::operation::sync_once::{Arriving, FrameBytes};
use crate::problem::{Happened, Problem, ProblemCode};

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";

/// A template in its canonical text, which is what is signed.
#[derive(Debug)]
pub(crate) struct TemplateText(pub(crate) Bytes);

/// Server-sent events: the whole first, then what has changed.
#[derive(Debug)]
pub(crate) struct Events<Whole, Change>(Response, PhantomData<fn() -> (Whole, Change)>);

impl<Whole, Change> Events<Whole, Change> {
    /// A stream that tells these.
    pub(crate) fn new(stream: impl IntoResponse) -> Self {
        Self(stream.into_response(), PhantomData)
    }
}

/// The document of the interface itself.
#[derive(Debug)]
pub(crate) struct InterfaceText(pub(crate) &'static str);

impl FromRequest<SharedApp> for TemplateText {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, app).await;
        bytes.map(Self).map_err(|rejection| {
            crate::extract::malformed(rejection.status(), &rejection.body_text())
        })
    }
}

impl IntoResponse for TemplateText {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, JSON)], self.0).into_response()
    }
}

impl IntoResponse for InterfaceText {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, JSON)], self.0).into_response()
    }
}

impl<Whole, Change> IntoResponse for Events<Whole, Change> {
    fn into_response(self) -> Response {
        self.0
    }
}

fn content(kind: &str, json_schema: Schema) -> (String, MediaType) {
    let schema = SchemaObject {
        json_schema,
        example: None,
        external_docs: None,
    };
    let media = MediaType {
        schema: Some(schema),
        ..MediaType::default()
    };
    (kind.to_owned(), media)
}

fn answer(description: &str, kind: &str, schema: Schema) -> Described {
    Described {
        description: description.to_owned(),
        content: [content(kind, schema)].into(),
        ..Described::default()
    }
}

fn any_object() -> Schema {
    json_schema!({ "type": "object" })
}

impl OperationInput for TemplateText {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let body = RequestBody {
            content: [content(JSON, any_object())].into(),
            required: true,
            ..RequestBody::default()
        };
        set_body(ctx, operation, body);
    }
}

impl OperationOutput for TemplateText {
    type Inner = Self;
    fn operation_response(_: &mut GenContext, _: &mut Operation) -> Option<Described> {
        Some(answer("A template as it was signed.", JSON, any_object()))
    }
    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<u16>, Described)> {
        let response = Self::operation_response(ctx, operation);
        response
            .map(|response| (Some(200), response))
            .into_iter()
            .collect()
    }
}

impl OperationOutput for InterfaceText {
    type Inner = Self;
    fn inferred_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Described)> {
        vec![(Some(200), answer("This document.", JSON, any_object()))]
    }
}

impl<Whole: JsonSchema, Change: JsonSchema> OperationOutput for Events<Whole, Change> {
    type Inner = Self;
    fn operation_response(ctx: &mut GenContext, _: &mut Operation) -> Option<Described> {
        let (whole, change) = (
            ctx.schema.subschema_for::<Whole>(),
            ctx.schema.subschema_for::<Change>(),
        );
        let either = json_schema!({ "anyOf": [whole, change] });
        Some(answer("Events `table`, then `change`.", EVENTS, either))
    }
    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<u16>, Described)> {
        let response = Self::operation_response(ctx, operation);
        response
            .map(|response| (Some(200), response))
            .into_iter()
            .collect()
    }
}

impl<T: JsonSchema> OperationInput for Body<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(ctx, operation);
    }
}

impl<T: JsonSchema> OperationInput for Asked<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let schema = ctx.schema.subschema_for::<T>();
        let parameters = parameters_from_schema(ctx, schema, ParamLocation::Query);
        add_parameters(ctx, operation, parameters);
    }
}

/// The names stand in the path itself.
impl<T> OperationInput for At<T> {}

fn needs_session(operation: &mut Operation) {
    operation.security = vec![session()];
}

fn session() -> SecurityRequirement {
    [(SESSION.to_owned(), Vec::new())].into()
}

impl OperationInput for SignedIn {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        needs_session(operation);
    }
}

impl OperationInput for LiveSignedIn {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        needs_session(operation);
    }
}

impl OperationInput for Arriving {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        needs_session(operation);
        Bytes::operation_input(ctx, operation);
    }
}

impl OperationOutput for FrameBytes {
    type Inner = Self;
    fn operation_response(ctx: &mut GenContext, operation: &mut Operation) -> Option<Described> {
        Bytes::operation_response(ctx, operation)
    }
    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<u16>, Described)> {
        Bytes::inferred_responses(ctx, operation)
    }
}

impl OperationInput for Administrator {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        needs_session(operation);
        operation.description = Some("For administrators of the province.".to_owned());
    }
}

impl OperationInput for MaybeSignedIn {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        operation.security = vec![SecurityRequirement::default(), session()];
    }
}

impl OperationInput for FigureReader {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        MaybeSignedIn::operation_input(ctx, operation);
    }
}

impl JsonSchema for ProblemCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ProblemCode".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<&str> = Self::ALL.iter().map(|code| code.as_str()).collect();
        json_schema!({ "type": "string", "enum": codes })
    }
}

impl JsonSchema for Problem {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Problem".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (code, happened) = (
            generator.subschema_for::<ProblemCode>(),
            generator.subschema_for::<Happened>(),
        );
        json_schema!({
            "type": "object",
            "description": "Why a request was not done, with the values its sentences name.",
            "properties": {
                "code": code,
                "message_vi": { "type": "string" },
                "message_en": { "type": "string" },
                "retry": { "type": "boolean" },
                "happened": happened,
            },
            "required": ["code", "message_vi", "message_en", "retry", "happened"],
        })
    }
}

impl OperationOutput for Problem {
    type Inner = Self;
    fn operation_response(ctx: &mut GenContext, _: &mut Operation) -> Option<Described> {
        let schema = ctx.schema.subschema_for::<Self>();
        Some(answer("The request was not done.", JSON, schema))
    }
    fn inferred_responses(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<u16>, Described)> {
        let response = Self::operation_response(ctx, operation);
        response
            .map(|response| (None, response))
            .into_iter()
            .collect()
    }
}
