//! One exchange over one POST: the way for the worst networks. A cut in the middle costs what was under way.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;

use crate::app::SharedApp;
use crate::exchange::exchange;
use crate::extract::identify_link;
use crate::interrupted::{Arrived, Growing};
use crate::limits::{EXCHANGE_KEPT_BYTES_MIN, SYNC_BODY_BYTES_MAX};
use crate::packed::{self, frame_bad};
use crate::problem::Problem;
use crate::token::Identity;

/// A body that may never arrive whole.
#[derive(Debug)]
pub(crate) struct Arriving {
    identity: Result<Identity, Problem>,
    body: Body,
}

impl FromRequest<SharedApp> for Arriving {
    type Rejection = Problem;
    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let identity = identify_link(app, &parts);
        Ok(Self { identity, body })
    }
}

/// What has arrived of a body. While it comes its device may ask for it on another connection; dropped
/// before it is whole, by an error or with its connection, it is kept.
struct Coming {
    app: SharedApp,
    identity: Identity,
    bytes: Vec<u8>,
    /// The request that it is or goes on with, once its name was read.
    request: Option<Growing>,
    whole: bool,
}

impl Coming {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if let Some(request) = &self.request {
            let mut request = request.lock().unwrap_or_else(PoisonError::into_inner);
            request.extend_from_slice(bytes);
            return;
        }
        let interrupted = &self.app.interrupted;
        let body = Bytes::copy_from_slice(&self.bytes);
        if let Arrived::Request(name, bytes) = interrupted.arrived(self.identity, body)
            && name.length() > EXCHANGE_KEPT_BYTES_MIN
        {
            let request = Growing::new(Mutex::new(bytes.into()));
            interrupted.keep_arriving(self.identity, name, &request);
            self.request = Some(request);
        }
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        if self.whole {
            return;
        }
        let bytes = std::mem::take(&mut self.bytes).into();
        let interrupted = &self.app.interrupted;
        if let Arrived::Request(name, bytes) = interrupted.arrived(self.identity, bytes)
            && name.length() > EXCHANGE_KEPT_BYTES_MIN
        {
            interrupted.keep_request(self.identity, name, bytes);
        }
    }
}

impl Arriving {
    /// Reads it to its end, also for somebody who is refused then: with what is not read the connection
    /// would be lost, and the refusal with it.
    async fn read(self, app: &SharedApp) -> Result<(Identity, Bytes), Problem> {
        let mut coming = self.identity.as_ref().ok().map(|identity| Coming {
            app: Arc::clone(app),
            identity: *identity,
            bytes: Vec::new(),
            request: None,
            whole: false,
        });
        let mut length = 0_usize;
        let mut stream = self.body.into_data_stream();
        while let Some(bytes) = stream.next().await {
            let bytes = bytes.map_err(|error| frame_bad(&error))?;
            length = length.saturating_add(bytes.len());
            if length > SYNC_BODY_BYTES_MAX {
                // Whoever sends without end is not listened to without end, whoever they are.
                return Err(frame_bad(&"longer than a frame may be"));
            }
            if let Some(coming) = &mut coming {
                coming.take(&bytes);
            }
        }
        let identity = self.identity?;
        let bytes = coming.map(|mut coming| {
            coming.whole = true;
            std::mem::take(&mut coming.bytes)
        });
        Ok((identity, bytes.unwrap_or_default().into()))
    }
}

/// A frame or a piece, without a word that nobody reads: its reader knows what it asked for.
#[derive(Debug)]
pub(crate) struct FrameBytes(Bytes);

impl IntoResponse for FrameBytes {
    fn into_response(self) -> Response {
        Response::new(Body::from(self.0))
    }
}

/// `POST /v1/sync`: a request frame in, a response frame out; or pieces of them, after a cut.
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    arriving: Arriving,
) -> Result<FrameBytes, Problem> {
    let (identity, body) = arriving.read(&app).await?;
    let (name, body) = match app.interrupted.arrived(identity, body) {
        Arrived::Answer(bytes) => return Ok(FrameBytes(bytes)),
        Arrived::Request(name, bytes) => (Some(name), bytes),
        Arrived::Other(bytes) => (None, bytes),
    };
    let large = body.len() > EXCHANGE_KEPT_BYTES_MIN;
    if let Some(name) = name.filter(|_| large) {
        app.interrupted.keep_request(identity, name, body.clone());
    }
    let bytes = answer(&app, identity, &body).await?;
    let large = large || bytes.len() > EXCHANGE_KEPT_BYTES_MIN;
    if let Some(name) = name.filter(|_| large) {
        app.interrupted.keep_answer(identity, name, bytes.clone());
    }
    Ok(FrameBytes(bytes))
}

async fn answer(app: &SharedApp, identity: Identity, body: &[u8]) -> Result<Bytes, Problem> {
    let (request, reply) = packed::open(app, identity, body).await?;
    let kept = packed::without_parts(&request);
    let answer = exchange(app, identity, request).await?;
    let frame = packed::close(app, identity, kept, (answer, reply)).await?;
    Ok(frame.encode().into())
}
