//! One exchange over one POST: the way for the worst networks.

use axum::body::Bytes;
use axum::extract::State;
use sync_core::sync::Frame;

use crate::app::SharedApp;
use crate::exchange::exchange;
use crate::extract::SignedIn;
use crate::problem::{Problem, ProblemCode};

/// `POST /v1/sync`: a request frame in, a response frame out.
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    SignedIn(identity): SignedIn,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Bytes, Problem> {
    let body = body.map_err(|rejection| frame_bad(&rejection))?;
    let request = match Frame::decode(&body) {
        Ok(Frame::Request(request)) => *request,
        Ok(Frame::Response(_) | Frame::Problem(_)) => {
            return Err(frame_bad(&"a node takes requests only"));
        }
        Err(error) => return Err(frame_bad(&error)),
    };
    let answer = exchange(&app, identity, request).await?;
    Ok(Frame::Response(Box::new(answer)).encode().into())
}

/// A frame that cannot be read.
pub(crate) fn frame_bad(detail: &dyn std::fmt::Display) -> Problem {
    Problem::new(ProblemCode::FrameBad).with("detail", detail)
}
