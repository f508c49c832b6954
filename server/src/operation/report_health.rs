//! Says whether the process lives and whether it serves.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::{SharedApp, Stage};
use crate::problem::{Problem, ProblemCode};

/// `GET /health`: the process answers.
pub(crate) async fn respond_alive() -> Json<Value> {
    Json(json!({ "alive": true }))
}

/// `GET /ready`: the store is open, what is derived is there, the server is not stopping.
pub(crate) async fn respond_ready(State(app): State<SharedApp>) -> Result<Json<Value>, Problem> {
    match app.stage() {
        Stage::Starting | Stage::Failed => Err(Problem::new(ProblemCode::NotReady)),
        Stage::Draining => Err(Problem::new(ProblemCode::Draining)),
        Stage::Ready => Ok(Json(json!({
            "ready": true,
            "catalogue": app.registry.current().last_number(),
        }))),
    }
}
