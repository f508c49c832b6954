//! Signs out: ends the family of a refresh token.

use axum::extract::State;
use axum::response::NoContent;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::app::{App, SharedApp, blocking};
use crate::extract::Body;
use crate::kept::refresh_family::{self, RefreshFamily};
use crate::operation::refresh_session::replace;
use crate::problem::{Problem, ProblemCode};

/// Any refresh token of the session.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "SessionEnd")]
#[serde(deny_unknown_fields)]
pub struct Request {
    refresh_token: String,
}

/// `POST /v1/session/end`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Body(request): Body<Request>,
) -> Result<NoContent, Problem> {
    blocking(&app, move |app| end(app, &request.refresh_token)).await?;
    Ok(NoContent)
}

fn end(app: &App, token: &str) -> Result<(), Problem> {
    let token = app
        .tokens
        .verify_refresh(token)
        .ok_or_else(|| Problem::new(ProblemCode::RefreshInvalid))?;
    let Some(kept) = app.store.get(&refresh_family::key(&token.family))? else {
        return Ok(());
    };
    let mut state = RefreshFamily::decode(&kept)?;
    if state.ended {
        return Ok(());
    }
    state.ended = true;
    replace(app, &token.family, kept, &state)
}
