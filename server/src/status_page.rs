//! The plain status page: one page, one script, one style sheet, all from here, under a strict policy.

use axum::http::HeaderName;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::IntoResponse;

/// Nothing but the three files and requests to this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn file(kind: &'static str, content: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &'static str); 5] = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, content)
}

/// `GET /status`
pub(crate) async fn respond_page() -> impl IntoResponse {
    file(
        "text/html; charset=utf-8",
        include_str!("status_page/status.html"),
    )
}

/// `GET /status.js`
pub(crate) async fn respond_script() -> impl IntoResponse {
    file(
        "text/javascript; charset=utf-8",
        include_str!("status_page/status.js"),
    )
}

/// `GET /status.css`
pub(crate) async fn respond_style() -> impl IntoResponse {
    file(
        "text/css; charset=utf-8",
        include_str!("status_page/status.css"),
    )
}
