//! Extractors: a request is checked here, once, and refused with a problem of ours.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use sync_core::access;
use sync_core::catalogue::Role;
use sync_core::identity::{PersonId, UnitId};

use crate::app::{App, SharedApp};
use crate::limits;
use crate::problem::{Problem, ProblemCode};
use crate::token::Identity;

/// Why a body or query cannot be read.
pub(crate) fn malformed(status: StatusCode, detail: &str) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(ProblemCode::BodyTooLarge).with("bytes_max", limits::BODY_BYTES_MAX);
    }
    Problem::new(ProblemCode::RequestMalformed).with("detail", detail)
}

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Json::<T>::from_request(request, state)
            .await
            .map(|Json(value)| Self(value))
            .map_err(|rejection| malformed(rejection.status(), &rejection.body_text()))
    }
}

/// The query.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<SharedApp> for Asked<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        Query::<T>::from_request_parts(parts, app)
            .await
            .map(|Query(value)| Self(value))
            .map_err(|rejection| malformed(rejection.status(), &rejection.body_text()))
    }
}

/// The variable parts of the path. One that is no identity cannot name anything: not found.
#[derive(Debug)]
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<SharedApp> for At<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        Path::<T>::from_request_parts(parts, app)
            .await
            .map(|Path(value)| Self(value))
            .map_err(|_| Problem::new(ProblemCode::RouteUnknown))
    }
}

/// A person who proved who they are, whose device key (if it was one) is still good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedIn(pub(crate) Identity);

/// The access token of a request.
fn bearer(parts: &Parts) -> Result<&str, Problem> {
    parts
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| Problem::new(ProblemCode::SignInRequired))
}

/// Judges an access token against the catalogue as it is now.
pub(crate) fn identify(app: &SharedApp, token: &str) -> Result<Identity, Problem> {
    let identity = app.tokens.verify_access(token, app.clock.now_s())?;
    check_standing(app, identity)?;
    Ok(identity)
}

/// The same where frames go, where a link token will do.
pub(crate) fn identify_link(app: &SharedApp, parts: &Parts) -> Result<Identity, Problem> {
    let token = bearer(parts)?;
    let now = app.clock.now_s();
    match app.tokens.verify_link(token, &app.registry.current(), now) {
        Some(identity) => {
            let identity = identity?;
            check_standing(app, identity)?;
            Ok(identity)
        }
        None => identify(app, token),
    }
}

/// Looks whether a proved identity is still somebody, and its device key still good.
pub(crate) fn check_standing(app: &App, identity: Identity) -> Result<(), Problem> {
    let catalogue = app.registry.current();
    if catalogue.person(identity.person).is_none() {
        return Err(Problem::new(ProblemCode::SignInRequired));
    }
    if let Some(key) = identity.key {
        let device = catalogue
            .key(key)
            .ok_or_else(|| Problem::new(ProblemCode::DeviceKeyUnknown).with("key", key))?;
        if device.ended.is_some() {
            return Err(Problem::new(ProblemCode::DeviceKeyEnded).with("key", key));
        }
    }
    Ok(())
}

impl FromRequestParts<SharedApp> for SignedIn {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        identify(app, bearer(parts)?).map(Self)
    }
}

/// The protocol of live connections, as a client offers it beside its token.
pub(crate) const LIVE_PROTOCOL: &str = "dongbo";

/// The same, for a peer that only wants to be woken.
pub(crate) const WAKE_PROTOCOL: &str = "dongbo.wake";

/// What comes before the token in the list of protocols.
const TOKEN_PROTOCOL: &str = "bearer.";

/// The same, of somebody who opens a live connection. A page can give a WebSocket no header but the
/// list of its protocols: the token stands there, never in the address, which is written into logs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LiveSignedIn(pub(crate) Identity);

impl FromRequestParts<SharedApp> for LiveSignedIn {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        let offered = parts.headers.get_all(SEC_WEBSOCKET_PROTOCOL);
        let mut offered = offered
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .filter_map(|protocol| protocol.trim().strip_prefix(TOKEN_PROTOCOL));
        let token = match offered.next() {
            Some(token) => token,
            None => bearer(parts)?,
        };
        identify(app, token).map(Self)
    }
}

/// A person who proved who they are, or nobody; a token that is wrong is refused all the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaybeSignedIn(pub(crate) Option<Identity>);

impl FromRequestParts<SharedApp> for MaybeSignedIn {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        if parts.headers.contains_key(AUTHORIZATION) {
            let identity = identify(app, bearer(parts)?)?;
            Ok(Self(Some(identity)))
        } else {
            Ok(Self(None))
        }
    }
}

/// Somebody who may read figures: a person with a right to the unit, or anybody in a rehearsal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FigureReader(Option<Identity>);

impl FigureReader {
    /// Refuses units whose figures this reader may not see.
    pub(crate) fn check(&self, app: &App, unit: UnitId) -> Result<(), Problem> {
        let catalogue = app.registry.current();
        let Some(identity) = self.0 else {
            return match catalogue.rehearsal() {
                Some(_) => Ok(()),
                None => Err(Problem::new(ProblemCode::SignInRequired)),
            };
        };
        if access::may_read(&catalogue, identity.person, unit, app.clock.now_s()) {
            Ok(())
        } else {
            Err(Problem::new(ProblemCode::RightsMissing))
        }
    }
}

impl FromRequestParts<SharedApp> for FigureReader {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        let MaybeSignedIn(identity) = MaybeSignedIn::from_request_parts(parts, app).await?;
        if identity.is_none() && app.registry.current().rehearsal().is_none() {
            return Err(Problem::new(ProblemCode::SignInRequired));
        }
        Ok(Self(identity))
    }
}

/// An administrator of the whole province.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Administrator(pub(crate) PersonId);

impl FromRequestParts<SharedApp> for Administrator {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Problem> {
        let SignedIn(identity) = SignedIn::from_request_parts(parts, app).await?;
        let administers = app
            .registry
            .current()
            .grants_of(identity.person, app.clock.now_s())
            .any(|grant| grant.role == Role::Administrator && grant.unit.is_none());
        if administers {
            Ok(Self(identity.person))
        } else {
            Err(Problem::new(ProblemCode::RightsMissing))
        }
    }
}
