//! One exchange of the sync protocol: a request in, an answer out, the same for every pipe.

use std::sync::Arc;

use sync_core::batch::SignedPart;
use sync_core::catalogue::Catalogue;
use sync_core::identity::NodeId;
use sync_core::sync::node::{self, Session, Verdicts};
use sync_core::sync::repair::Ask;
use sync_core::sync::{Request, Response};

use crate::app::{App, SharedApp, blocking};
use crate::entropy::random;
use crate::keyspace::StoreKeyspace;
use crate::limits::PARTS_VERIFIED_AT_ONCE as AT_ONCE;
use crate::problem::{Problem, ProblemCode};
use crate::token::Identity;

/// What an identity follows now.
pub(crate) fn session(app: &App, identity: Identity) -> Arc<Session> {
    let catalogue = app.registry.current();
    app.sessions
        .get(&catalogue, identity.person, app.clock.now_s())
}

/// Does what a peer asks and gives the answer. Everything the answer acknowledges is durable.
pub(crate) async fn exchange(
    app: &SharedApp,
    identity: Identity,
    mut request: Request,
) -> Result<Response, Problem> {
    let catalogue = app.registry.current();
    check_province(&catalogue, &request)?;
    if let Some(Ask::Symbols { from: 0, .. }) = request.repair {
        app.metrics.repairing();
        tracing::info!(person = %identity.person, "a device repairs its set");
    }
    let parts = std::mem::take(&mut request.parts);
    let about = parts.iter().map(SignedPart::id).collect();
    let (request, checked) = if is_ordinary(app, &request) && parts.len() <= AT_ONCE {
        (request, node::verify(&catalogue, parts))
    } else {
        blocking(app, move |app| {
            renew_if_rolled_back(app, &request)?;
            if !request.records.is_empty() {
                app.registry.take_back(&request.records)?;
            }
            let checked = node::verify(&app.registry.current(), parts);
            Ok((request, checked))
        })
        .await?
    };
    let verdicts = if checked.is_empty() {
        Vec::new()
    } else {
        app.running()?.acceptor.accept(checked).await?
    };
    blocking(app, move |app| {
        let session = session(app, identity);
        let identity = app.identity();
        let below = StoreKeyspace(&*app.store);
        let now = app.clock.now_s();
        let verdicts = Verdicts {
            parts: about,
            verdicts,
        };
        Ok(node::answer(
            &below, &identity, &session, &request, verdicts, now,
        )?)
    })
    .await
}

/// True if nothing has to be read or written before the parts of a request are judged: it gives no
/// records back, and no position that this node has not reached.
fn is_ordinary(app: &App, request: &Request) -> bool {
    let reached = |position| {
        let running = app.running();
        running.is_ok_and(|running| position <= *running.acceptor.end().borrow())
    };
    request.records.is_empty() && request.reach().is_none_or(reached)
}

fn check_province(catalogue: &Catalogue, request: &Request) -> Result<(), Problem> {
    let ours = catalogue
        .province()
        .is_some_and(|province| province.id == request.province);
    if ours {
        Ok(())
    } else {
        Err(Problem::new(ProblemCode::FrameBad).with("detail", "another province"))
    }
}

/// A peer that holds a position this node never gave proves that the node's folder is an older copy:
/// it takes a new id before it answers anybody.
fn renew_if_rolled_back(app: &App, request: &Request) -> Result<(), Problem> {
    let below = StoreKeyspace(&*app.store);
    let identity = app.identity();
    if node::is_rolled_back(&below, &identity, request)? {
        let renewed = app.renew_identity(&identity, NodeId(random()?))?;
        tracing::warn!(node = %renewed.node, restarts = renewed.restarts,
            "this folder is an older copy: the node has a new id");
    }
    Ok(())
}
