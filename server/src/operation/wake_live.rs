//! A live connection that only says "there is something new for you": the peer asks for it by itself.
//!
//! For pages, whose every answer goes through one careful way of taking it. The word is sent for
//! changes in what the person follows, unless this device sent them, and for the catalogue.

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use sync_core::identity::KeyId;
use sync_core::log::LogReader;
use tokio::sync::OwnedSemaphorePermit;

use crate::app::{SharedApp, Stage, blocking, reached};
use crate::exchange::session;
use crate::extract::check_standing;
use crate::keyspace::StoreKeyspace;
use crate::problem::Problem;
use crate::token::Identity;

/// What is said.
const NEWS: &str = "news";

/// Entries looked at to find out whether one concerns the peer; with more, one surely does.
const LOOKED_AT_MAX: u64 = 256;

/// An open connection.
pub(super) struct Waking {
    pub(super) app: SharedApp,
    pub(super) identity: Identity,
    pub(super) _place: OwnedSemaphorePermit,
}

impl Waking {
    pub(super) async fn run(self, mut socket: WebSocket) {
        let Ok(running) = self.app.running() else {
            return;
        };
        let follows = session(&self.app, self.identity);
        let mut listening = self.app.listeners.listen(follows);
        let mut seen = *running.acceptor.end().borrow();
        let mut records = self.app.registry.subscribe();
        let mut stage = self.app.stage.subscribe();
        loop {
            let news = tokio::select! {
                message = socket.recv() => match message {
                    Some(Ok(Message::Binary(_) | Message::Text(_) | Message::Ping(_) | Message::Pong(_))) => false,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                },
                through = listening.changed() => {
                    let from = std::mem::replace(&mut seen, through);
                    // When in doubt the peer may ask for nothing.
                    self.concerns(from, through).await.unwrap_or(true)
                },
                grown = records.changed() => match grown {
                    Ok(()) => true,
                    Err(_) => return,
                },
                () = reached(&mut stage, Stage::Draining) => {
                    let close = CloseFrame { code: close_code::AWAY, reason: "draining".into() };
                    // The peer may be gone already.
                    let _ = socket.send(Message::Close(Some(close))).await;
                    return;
                }
            };
            listening.follow(&session(&self.app, self.identity));
            if news
                && (check_standing(&self.app, self.identity).is_err()
                    || socket.send(Message::Text(NEWS.into())).await.is_err())
            {
                return;
            }
        }
    }

    /// True if something after `from`, up to `through`, is for this peer and not its own.
    async fn concerns(&self, from: u64, through: u64) -> Result<bool, Problem> {
        if through.saturating_sub(from) > LOOKED_AT_MAX {
            return Ok(true);
        }
        let identity = self.identity;
        blocking(&self.app, move |app| {
            let follow = session(app, identity);
            let below = StoreKeyspace(&*app.store);
            let reader = LogReader(&below);
            let own: Option<KeyId> = identity.key;
            for position in from.saturating_add(1)..=through {
                let Some(entry) = reader.entry(position)? else {
                    continue;
                };
                let is_own = own == Some(entry.part.header().key);
                if !is_own && follow.follow.contains(entry.part.part().partition) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }
}
