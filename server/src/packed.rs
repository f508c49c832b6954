//! One exchange in whichever form a peer asks: plain or packed frames, the same for every pipe.

use sync_core::log::KeyspaceError;
use sync_core::sync::packed::{self, Opened, PackedRequest, Packing, Reply, Wanted};
use sync_core::sync::{Frame, Proof, Request, Response};

use crate::app::{SharedApp, blocking};
use crate::exchange::session;
use crate::keyspace::StoreKeyspace;
use crate::problem::{Problem, ProblemCode};
use crate::token::Identity;

/// A frame that cannot be read.
pub(crate) fn frame_bad(detail: &dyn std::fmt::Display) -> Problem {
    Problem::new(ProblemCode::FrameBad).with("detail", detail)
}

/// The request in a frame, and how it is to be answered: none for a plain one.
pub(crate) async fn open(
    app: &SharedApp,
    identity: Identity,
    bytes: &[u8],
) -> Result<(Request, Option<Reply>), Problem> {
    match Frame::decode(bytes) {
        Ok(Frame::Request(request)) => Ok((*request, None)),
        Ok(Frame::PackedRequest(packed)) => {
            let opened = unpack(app, identity, *packed).await?;
            Ok((opened.request, Some(opened.reply)))
        }
        Ok(Frame::Response(_) | Frame::PackedResponse(_) | Frame::Problem(_)) => {
            Err(frame_bad(&"a node takes requests only"))
        }
        Err(error) => Err(frame_bad(&error)),
    }
}

async fn unpack(
    app: &SharedApp,
    identity: Identity,
    packed: PackedRequest,
) -> Result<Opened, Problem> {
    if packed.parts == Packing::Plain {
        let reply = Reply {
            wanted: packed.wanted,
            unread: false,
            proof: Proof::of(packed.request.bytes_max),
        };
        let request = packed.request;
        return Ok(Opened { request, reply });
    }
    blocking(app, move |app| {
        let below = StoreKeyspace(&*app.store);
        let catalogue = app.registry.current();
        let session = session(app, identity);
        let opened = packed::open(&below, &catalogue, &app.identity(), &session, packed)?;
        if opened.reply.unread {
            tracing::info!("a packed request cannot be rebuilt here: it is asked for as it is");
        }
        Ok(opened)
    })
    .await
}

/// The frame of an answer.
pub(crate) async fn close(
    app: &SharedApp,
    identity: Identity,
    kept: Request,
    (response, reply): (Response, Option<Reply>),
) -> Result<Frame, Problem> {
    let Some(reply) = reply else {
        return Ok(Frame::Response(Box::new(response)));
    };
    let nothing = response.entries.is_empty() && response.records.is_empty();
    if nothing || reply.wanted == Wanted::Plain {
        return Ok(packed::plain(response, reply));
    }
    blocking(app, move |app| {
        let below = StoreKeyspace(&*app.store);
        let catalogue = app.registry.current();
        let session = session(app, identity);
        let framed: Result<Frame, KeyspaceError> =
            packed::close(&below, &catalogue, &session, (&kept, reply), response);
        Ok(framed?)
    })
    .await
}

/// What is kept of a request while it is answered and after.
pub(crate) fn without_parts(request: &Request) -> Request {
    Request {
        province: request.province,
        actor: request.actor,
        own_number: request.own_number,
        catalogue_number: request.catalogue_number,
        known: request.known,
        bytes_max: request.bytes_max,
        records: Vec::new(),
        parts: Vec::new(),
        repair: None,
    }
}
