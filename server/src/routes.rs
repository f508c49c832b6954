//! Every address of the server, in one table.

use std::time::Instant;

use aide::axum::ApiRouter;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::{Router, http, routing};
use tracing::Instrument;

use crate::app::{SharedApp, Stage};
use crate::first_run;
use crate::limits;
use crate::openapi::{get, post};
use crate::operation as op;
use crate::origins;
use crate::problem::{Problem, ProblemCode};
use crate::status_page;
use crate::web_app;

/// The router of a server.
pub fn router(app: SharedApp) -> Router {
    let served =
        Router::from(while_ready()).layer(from_fn_with_state(app.clone(), only_when_ready));
    Router::new()
        .route("/", routing::get(web_app::respond_page))
        // The status page: three files, no third party.
        .route("/status", routing::get(status_page::respond_page))
        .route("/status.js", routing::get(status_page::respond_script))
        .route("/status.css", routing::get(status_page::respond_style))
        .merge(Router::from(always()))
        .merge(served)
        .fallback(web_app::respond_file)
        .method_not_allowed_fallback(async || Problem::new(ProblemCode::MethodNotAllowed))
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES_MAX))
        .layer(from_fn(read_small_bodies))
        .layer(from_fn_with_state(app.clone(), origins::name_edges))
        .layer(from_fn_with_state(app.clone(), origins::let_province_in))
        .layer(from_fn_with_state(app.clone(), in_a_span))
        .with_state(app)
}

/// The whole table, pages for people left out.
pub(crate) fn table() -> ApiRouter<SharedApp> {
    always().merge(while_ready())
}

/// What is answered at every stage of the server's life.
fn always() -> ApiRouter<SharedApp> {
    ApiRouter::new()
        .api_route("/health", get(op::report_health::respond_alive))
        .api_route("/ready", get(op::report_health::respond_ready))
        .api_route("/v1/province", post(first_run::respond_founded))
        .api_route("/v1/openapi.json", get(op::read_interface::respond))
}

/// What needs the figures, the log and its writer.
fn while_ready() -> ApiRouter<SharedApp> {
    ApiRouter::new()
        // Signing in.
        .api_route("/v1/session", post(op::sign_in::respond))
        .api_route("/v1/session/refresh", post(op::refresh_session::respond))
        .api_route("/v1/session/end", post(op::end_session::respond))
        .api_route("/v1/password", post(op::change_password::respond))
        .api_route("/v1/device/challenge", post(op::challenge_device::respond))
        .api_route("/v1/device/session", post(op::sign_in_device::respond))
        // Enrolling devices.
        .api_route("/v1/enrolments", post(op::make_enrolments::respond))
        .api_route(
            "/v1/enrolments/bulk",
            post(op::make_enrolments::respond_bulk),
        )
        .api_route("/v1/enrolments/redeem", post(op::redeem_enrolment::respond))
        .api_route(
            "/v1/people/{person}/enrolment",
            post(op::make_enrolments::respond_for_person),
        )
        // Administration.
        .api_route("/v1/shipped", get(op::import_file::respond_list))
        .api_route("/v1/org/file", post(op::import_file::respond_units))
        .api_route(
            "/v1/templates/file",
            post(op::import_file::respond_template),
        )
        .api_route("/v1/org/import", post(op::import_units::respond))
        .api_route("/v1/templates", get(op::list_templates::respond))
        .api_route("/v1/templates", post(op::import_template::respond))
        .api_route(
            "/v1/templates/{id}/retire",
            post(op::retire_template::respond),
        )
        .api_route("/v1/people", get(op::list_people::respond))
        .api_route("/v1/people", post(op::add_people::respond))
        .api_route("/v1/duties", get(op::list_duties::respond))
        .api_route("/v1/duties", post(op::add_duties::respond))
        .api_route("/v1/duties/{duty}/end", post(op::end_duty::respond))
        .api_route(
            "/v1/duties/{duty}/exceptions",
            post(op::except_from_duty::respond),
        )
        .api_route("/v1/holidays", get(op::holidays::respond))
        .api_route("/v1/holidays", post(op::holidays::respond_announced))
        .api_route("/v1/nodes", post(op::add_node::respond))
        .api_route("/v1/grants/{grant}/end", post(op::end_grant::respond))
        .api_route(
            "/v1/device-keys/{key}/end",
            post(op::end_device_key::respond),
        )
        // Reading the catalogue.
        .api_route("/v1/units", get(op::list_units::respond))
        .api_route(
            "/v1/templates/{id}/{version}",
            get(op::list_templates::respond_one),
        )
        .api_route("/v1/catalogue", get(op::read_catalogue::respond))
        .api_route("/v1/catalogue", post(op::take_back_catalogue::respond))
        // Synchronising.
        .api_route("/v1/sync", post(op::sync_once::respond))
        .api_route("/v1/live", get(op::sync_live::respond))
        .api_route("/v1/upstream", get(op::read_upstream::respond))
        .api_route(
            "/v1/upstream/exchange",
            post(op::read_upstream::respond_exchanged),
        )
        // Reading reports and figures.
        .api_route("/v1/reports", get(op::list_reports::respond))
        .api_route("/v1/reports/{document}", get(op::read_report::respond))
        .api_route(
            "/v1/reports/{document}/cells/{code}/history",
            get(op::read_report::respond_history),
        )
        .api_route("/v1/coverage", get(op::read_coverage::respond))
        .api_route("/v1/roll-ups", get(op::read_roll_up::respond))
        .api_route("/v1/roll-ups/parts", get(op::list_parts::respond))
        .api_route("/v1/roll-ups/live", get(op::follow_roll_up::respond))
        .api_route("/v1/fingerprints", get(op::read_fingerprints::respond))
        .api_route("/v1/status", get(op::read_status::respond))
}

/// What is measured: for an address of its own, since it is for whoever runs the server alone.
pub fn metrics_router(app: SharedApp) -> Router {
    Router::new()
        .route("/metrics", routing::get(op::read_metrics::respond))
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

/// Where frames are posted, as in the table.
const SYNC: &str = "/v1/sync";

/// Reads small bodies whole before anything is answered. A request that is refused early, or takes no
/// body, would otherwise leave bytes unread, and the connection could not be used again. Exchanges read
/// theirs themselves, in whatever pieces they come.
async fn read_small_bodies(request: Request, next: Next) -> Result<Response, Problem> {
    let length = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok())
        .filter(|length| (1..=limits::SMALL_BODY_BYTES_MAX).contains(length))
        .filter(|_| request.uri().path() != SYNC);
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
async fn in_a_span(State(app): State<SharedApp>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let quiet = method == http::Method::GET;
    let span = tracing::info_span!("request", %method, %path);
    async move {
        let started = Instant::now();
        let response = next.run(request).await;
        let status = response.status().as_u16();
        let took = started.elapsed();
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        app.metrics.answered(method.as_str(), &route, status, took);
        if let Some(code) = response.extensions().get::<ProblemCode>() {
            app.metrics.refused(*code);
        }
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
