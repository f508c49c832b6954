//! The web app, built into the program: its files under a strict policy, compressed beforehand.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};

use crate::problem::{Problem, ProblemCode};
use crate::status_page;

/// One file of the app.
struct File {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    /// The same, as it travels to who can read it.
    brotli: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/app_files.rs"));

/// Scripts, workers and styles of this server alone; WebAssembly may be compiled and nothing may be
/// evaluated; markup becomes elements through the framework's own named policy only.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
     style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types default svelte-trusted-html";

/// `GET /`: the app, or the status page where the app is not built in.
pub(crate) async fn respond_page(request: Request) -> Response {
    match find("/index.html") {
        Some(file) => respond(file, request.headers()),
        None => status_page::respond_page().await.into_response(),
    }
}

/// Any other address: a file of the app, or nothing.
pub(crate) async fn respond_file(request: Request) -> Response {
    let file = find(request.uri().path()).filter(|_| request.method() == Method::GET);
    match file {
        Some(file) => respond(file, request.headers()),
        None => Problem::new(ProblemCode::RouteUnknown).into_response(),
    }
}

fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

fn respond(file: &'static File, asked: &HeaderMap) -> Response {
    // Names under /assets hold a hash of the content; all others are asked for again.
    let keep = match file.path.starts_with("/assets/") {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    let brotli = file.brotli.filter(|_| reads_brotli(asked));
    let mut response = Body::from(brotli.unwrap_or(file.bytes)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if brotli.is_some() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

fn reads_brotli(asked: &HeaderMap) -> bool {
    asked
        .get(ACCEPT_ENCODING)
        .and_then(|accepted| accepted.to_str().ok())
        .is_some_and(|accepted| accepted.split(',').any(|coding| coding.trim() == "br"))
}
