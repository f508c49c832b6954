//! How an edge stands with the node above it, and an exchange with it now.

use std::time::Duration;

use axum::Json;
use axum::extract::State;

use crate::app::SharedApp;
use crate::edge::{Edge, State as Standing};
use crate::extract::SignedIn;
use crate::limits;
use crate::problem::{Problem, ProblemCode};

fn edge(app: &SharedApp) -> Result<&Edge, Problem> {
    // A node with none above it has no such address.
    app.edge
        .as_ref()
        .ok_or_else(|| Problem::new(ProblemCode::RouteUnknown))
}

/// `GET /v1/upstream`
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    SignedIn(_): SignedIn,
) -> Result<Json<Standing>, Problem> {
    Ok(Json(edge(&app)?.state()))
}

/// `POST /v1/upstream/exchange`: waits for the end of a round that begins now, for a while.
pub(crate) async fn respond_exchanged(
    State(app): State<SharedApp>,
    SignedIn(_): SignedIn,
) -> Result<Json<Standing>, Problem> {
    let edge = edge(&app)?;
    let (wish, mut ended) = edge.ask();
    let patience = Duration::from_secs(limits::UPLINK_WAIT_S);
    // A round that was under way may have read the log before: one that begins now is waited for.
    // Whoever waits too long is told how it stands.
    let fulfilled = ended.wait_for(|fulfilled| *fulfilled >= wish);
    let _ = tokio::time::timeout(patience, fulfilled).await.is_ok();
    Ok(Json(edge.state()))
}
