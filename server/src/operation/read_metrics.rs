//! Gives what the server measures of itself, as Prometheus reads it.

use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;

use crate::app::{SharedApp, blocking};
use crate::problem::Problem;

/// The kind of text that `prometheus_client` writes.
const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`, on the address for metrics alone.
pub(crate) async fn respond(
    State(app): State<SharedApp>,
) -> Result<([(HeaderName, &'static str); 1], String), Problem> {
    let text = blocking(&app, |app| app.metrics.text(app)).await?;
    Ok(([(CONTENT_TYPE, KIND)], text))
}
