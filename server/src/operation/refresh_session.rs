//! Exchanges a refresh token for the next session.
//!
//! Rotation survives a lost answer: until the newest token has been used, the one before it gives the
//! same newest token again. A token older than that was copied by somebody: its family ends.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Commit, Condition, Write};

use crate::app::{App, SharedApp, blocking};
use crate::extract::Body;
use crate::kept::refresh_family::{self, RefreshFamily};
use crate::operation::sign_in::{Session, session};
use crate::problem::{Problem, ProblemCode};

/// The newest refresh token the client has.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "SessionRefresh")]
#[serde(deny_unknown_fields)]
pub struct Request {
    refresh_token: String,
}

/// `POST /v1/session/refresh`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    Body(request): Body<Request>,
) -> Result<Json<Session>, Problem> {
    blocking(&app, move |app| refresh(app, &request.refresh_token))
        .await
        .map(Json)
}

fn refresh(app: &App, token: &str) -> Result<Session, Problem> {
    let invalid = || Problem::new(ProblemCode::RefreshInvalid);
    let token = app.tokens.verify_refresh(token).ok_or_else(invalid)?;
    let kept = app
        .store
        .get(&refresh_family::key(&token.family))?
        .ok_or_else(invalid)?;
    let mut state = RefreshFamily::decode(&kept)?;
    if state.ended || app.clock.now_s() >= state.expires_at {
        return Err(invalid());
    }
    if token.generation.checked_add(1) == Some(state.generation) {
        // The answer that carried the newest token was lost, or two requests raced.
        return session(app, token.family, &state);
    }
    // A generation beyond the kept one is genuine, too: this node restarted from an older folder.
    let replayed = token.generation < state.generation;
    if replayed {
        state.ended = true;
    } else {
        state.generation = token.generation.checked_add(1).ok_or_else(invalid)?;
    }
    match replace(app, &token.family, kept, &state) {
        Ok(()) if replayed => {
            tracing::warn!(person = %state.person, "a refresh token was replayed: its family is ended");
            Err(Problem::new(ProblemCode::RefreshReplayed))
        }
        Ok(()) => session(app, token.family, &state),
        Err(problem) => Err(problem),
    }
}

/// Replaces the state of a family if nobody did so meanwhile.
pub(crate) fn replace(
    app: &App,
    family: &[u8; 16],
    before: Vec<u8>,
    after: &RefreshFamily,
) -> Result<(), Problem> {
    let key = refresh_family::key(family);
    app.store.commit(Commit {
        conditions: vec![Condition {
            key: key.clone(),
            expected: Some(before),
        }],
        writes: vec![Write {
            key,
            value: Some(after.encode()),
        }],
    })?;
    Ok(())
}
