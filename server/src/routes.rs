//! Every address of the server, in one table.

use std::time::Instant;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, http};
use tracing::Instrument;

use crate::app::{SharedApp, Stage};
use crate::limits;
use crate::operation as op;
use crate::problem::{Problem, ProblemCode};
use crate::status_page;
use crate::web_app;

/// The router of a server.
pub fn router(app: SharedApp) -> Router {
    let served = Router::new()
        // Signing in.
        .route("/v1/session", post(op::sign_in::respond))
        .route("/v1/session/refresh", post(op::refresh_session::respond))
        .route("/v1/session/end", post(op::end_session::respond))
        .route("/v1/password", post(op::change_password::respond))
        .route("/v1/device/challenge", post(op::challenge_device::respond))
        .route("/v1/device/session", post(op::sign_in_device::respond))
        // Enrolling devices.
        .route("/v1/enrolments", post(op::make_enrolments::respond))
        .route(
            "/v1/enrolments/bulk",
            post(op::make_enrolments::respond_bulk),
        )
        .route("/v1/enrolments/redeem", post(op::redeem_enrolment::respond))
        .route(
            "/v1/people/{person}/enrolment",
            post(op::make_enrolments::respond_for_person),
        )
        // Administration.
        .route("/v1/org/import", post(op::import_units::respond))
        .route(
            "/v1/templates",
            get(op::list_templates::respond).post(op::import_template::respond),
        )
        .route(
            "/v1/people",
            get(op::list_people::respond).post(op::add_people::respond),
        )
        .route("/v1/duties", post(op::add_duties::respond))
        .route("/v1/grants/{grant}/end", post(op::end_grant::respond))
        .route(
            "/v1/device-keys/{key}/end",
            post(op::end_device_key::respond),
        )
        // Reading the catalogue.
        .route("/v1/units", get(op::list_units::respond))
        .route(
            "/v1/templates/{id}/{version}",
            get(op::list_templates::respond_one),
        )
        .route(
            "/v1/catalogue",
            get(op::read_catalogue::respond).post(op::take_back_catalogue::respond),
        )
        // Synchronising.
        .route(
            "/v1/sync",
            post(op::sync_once::respond).layer(DefaultBodyLimit::max(limits::SYNC_BODY_BYTES_MAX)),
        )
        .route("/v1/live", get(op::sync_live::respond))
        // Reading reports and figures.
        .route("/v1/reports", get(op::list_reports::respond))
        .route("/v1/reports/{document}", get(op::read_report::respond))
        .route(
            "/v1/reports/{document}/cells/{code}/history",
            get(op::read_report::respond_history),
        )
        .route("/v1/coverage", get(op::read_coverage::respond))
        .route("/v1/roll-ups", get(op::read_roll_up::respond))
        .route("/v1/roll-ups/parts", get(op::list_parts::respond))
        .route("/v1/roll-ups/live", get(op::follow_roll_up::respond))
        .route("/v1/fingerprints", get(op::read_fingerprints::respond))
        .route("/v1/status", get(op::read_status::respond))
        .layer(from_fn_with_state(app.clone(), only_when_ready));
    Router::new()
        .route("/", get(web_app::respond_page))
        // The status page: three files, no third party.
        .route("/status", get(status_page::respond_page))
        .route("/status.js", get(status_page::respond_script))
        .route("/status.css", get(status_page::respond_style))
        .route("/health", get(op::report_health::respond_alive))
        .route("/ready", get(op::report_health::respond_ready))
        .merge(served)
        .fallback(web_app::respond_file)
        .method_not_allowed_fallback(async || Problem::new(ProblemCode::MethodNotAllowed))
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES_MAX))
        .layer(from_fn(read_small_bodies))
        .layer(from_fn(in_a_span))
        .with_state(app)
}

/// Tells requests to come again while the server starts or stops.
async fn only_when_ready(
    State(app): State<SharedApp>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    match app.stage() {
        Stage::Starting | Stage::Failed => Err(Problem::new(ProblemCode::NotReady)),
        Stage::Draining => Err(Problem::new(ProblemCode::Draining)),
        Stage::Ready => Ok(next.run(request).await),
    }
}

/// Reads small bodies whole before anything is answered. A request that is refused early, or takes no
/// body, would otherwise leave bytes unread, and the connection could not be used again.
async fn read_small_bodies(request: Request, next: Next) -> Result<Response, Problem> {
    let length = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok())
        .filter(|length| (1..=limits::SMALL_BODY_BYTES_MAX).contains(length));
    let Some(length) = length else {
        return Ok(next.run(request).await);
    };
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, length)
        .await
        .map_err(|error| Problem::new(ProblemCode::RequestMalformed).with("detail", error))?;
    Ok(next.run(Request::from_parts(parts, bytes.into())).await)
}

/// One span and one line for each request. Queries are left out: they may name people.
async fn in_a_span(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let quiet = method == http::Method::GET;
    let span = tracing::info_span!("request", %method, %path);
    async move {
        let started = Instant::now();
        let response = next.run(request).await;
        let status = response.status().as_u16();
        let took_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        match response.extensions().get::<ProblemCode>() {
            Some(code) => {
                tracing::info!(
                    status,
                    took_us,
                    code = code.as_str(),
                    "refused: {}",
                    code.as_str()
                );
            }
            None if quiet => tracing::debug!(status, took_us, "answered"),
            None => tracing::info!(status, took_us, "answered"),
        }
        response
    }
    .instrument(span)
    .await
}
