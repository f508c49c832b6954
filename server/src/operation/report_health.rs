//! Says whether the process lives and whether it serves.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::{SharedApp, Stage};
use crate::problem::{Problem, ProblemCode};

/// The process answers.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Alive {
    alive: bool,
}

/// It serves.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Ready {
    ready: bool,
    /// The number of the last catalogue record.
    catalogue: u64,
}

/// `GET /health`: the process answers.
pub(crate) async fn respond_alive() -> Json<Alive> {
    Json(Alive { alive: true })
}

/// `GET /ready`: the store is open, what is derived is there, the server is not stopping.
pub(crate) async fn respond_ready(State(app): State<SharedApp>) -> Result<Json<Ready>, Problem> {
    match app.stage() {
        Stage::Starting | Stage::Failed => Err(Problem::new(ProblemCode::NotReady)),
        Stage::Draining => Err(Problem::new(ProblemCode::Draining)),
        Stage::Ready => Ok(Json(Ready {
            ready: true,
            catalogue: app.registry.current().last_number(),
        })),
    }
}
