//! Who may talk to whom from a browser: the app comes from the province and may also ask the edges.
//!
//! At the province the policy of the app names the addresses of the catalogue's nodes, so that a page
//! may connect there and nowhere else. At an edge the province's page is answered across origins, for
//! what synchronising needs and nothing more; there are no cookies, who asks proves it by a token. A
//! browser that asks before it lets a public page reach a local address is told yes.

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_SECURITY_POLICY, ORIGIN, VARY,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::{App, SharedApp};

/// What the app of the province asks an edge for.
const OPEN: [&str; 6] = [
    "/ready",
    "/v1/status",
    "/v1/catalogue",
    "/v1/device/challenge",
    "/v1/device/session",
    "/v1/sync",
];

/// Seconds that a browser remembers the answer to a preflight.
const REMEMBERED_S: &str = "600";

const PRIVATE_ASKED: HeaderName = HeaderName::from_static("access-control-request-private-network");
const PRIVATE_ALLOWED: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Names the edges in the policy of the app.
pub(crate) async fn name_edges(
    State(app): State<SharedApp>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if let Some(policy) = response.headers().get(CONTENT_SECURITY_POLICY)
        && let Some(wider) = policy
            .to_str()
            .ok()
            .and_then(|policy| with_edges(&app, policy))
    {
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, wider);
    }
    response
}

fn with_edges(app: &App, policy: &str) -> Option<HeaderValue> {
    let catalogue = app.registry.current();
    let mut sources = String::from("connect-src 'self'");
    for node in catalogue.nodes_in_use() {
        let Some(origin) = origin_of(&node.address) else {
            continue;
        };
        // The same place for live connections.
        let live = origin.replacen("http", "ws", 1);
        sources.push_str(&format!(" {origin} {live}"));
    }
    let wider = policy.replacen("connect-src 'self'", &sources, 1);
    HeaderValue::from_str(&wider).ok()
}

/// Scheme, host and port of an address; none if it has anything that has no place in a policy.
fn origin_of(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split('/').next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let is_one = matches!(scheme, "http" | "https") && !host.is_empty() && host.bytes().all(plain);
    is_one.then(|| address.get(..scheme.len() + 3 + host.len()))?
}

/// Answers the province's page at an edge.
pub(crate) async fn let_province_in(
    State(app): State<SharedApp>,
    request: Request,
    next: Next,
) -> Response {
    let allowed = allowed(&app, &request);
    let Some(origin) = allowed else {
        return next.run(request).await;
    };
    let is_preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let is_private = request.headers().contains_key(PRIVATE_ASKED);
    let mut response = match is_preflight {
        true => StatusCode::NO_CONTENT.into_response(),
        false => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(VARY, HeaderValue::from_static("origin"));
    if is_preflight {
        let say = HeaderValue::from_static;
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, say("GET, POST"));
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            say("authorization, content-type"),
        );
        headers.insert(ACCESS_CONTROL_MAX_AGE, say(REMEMBERED_S));
        if is_private {
            headers.insert(PRIVATE_ALLOWED, say("true"));
        }
    }
    response
}

/// The origin of a request, if it is the province's page and asks for what is open to it.
fn allowed(app: &App, request: &Request) -> Option<HeaderValue> {
    let edge = app.edge.as_ref()?;
    let origin = request.headers().get(ORIGIN)?;
    let is_province = origin_of(&edge.upstream) == origin.to_str().ok();
    let is_open = OPEN.contains(&request.uri().path());
    (is_province && is_open).then(|| origin.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port_and_nothing_that_widens_a_policy() {
        let of = origin_of;
        assert_eq!(of("https://a.vn:8443/x/y"), Some("https://a.vn:8443"));
        assert_eq!(of("http://[::1]:80"), Some("http://[::1]:80"));
        for bad in [
            "https://*",
            "https://a; script-src *",
            "ftp://a",
            "https://",
            "a.vn",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
