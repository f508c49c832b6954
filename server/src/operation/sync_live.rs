//! Exchanges over a WebSocket: the same frames, and what others write comes by itself. A peer that
//! offers the other protocol is only woken.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use sync_core::sync::message::Known;
use sync_core::sync::packed::Reply;
use sync_core::sync::repair::Told;
use sync_core::sync::{Frame, Proof, Request, Response as Answer};
use tokio::sync::OwnedSemaphorePermit;

use crate::app::{SharedApp, Stage, reached};
use crate::exchange::{exchange, session};
use crate::extract::{LIVE_PROTOCOL, LiveSignedIn, WAKE_PROTOCOL};
use crate::limits;
use crate::operation::wake_live::Waking;
use crate::packed;
use crate::problem::{Problem, ProblemCode};
use crate::token::Identity;

/// `GET /v1/live`: the protocol that the peer offers says what for.
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    LiveSignedIn(identity): LiveSignedIn,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let place = Arc::clone(&app.live)
        .try_acquire_owned()
        .map_err(|_| Problem::new(ProblemCode::NotReady))?;
    app.running()?;
    let upgrade = upgrade
        .protocols([LIVE_PROTOCOL, WAKE_PROTOCOL])
        .read_buffer_size(limits::LIVE_BUFFER_BYTES)
        .write_buffer_size(limits::LIVE_BUFFER_BYTES)
        .max_message_size(limits::SYNC_BODY_BYTES_MAX)
        .max_frame_size(limits::SYNC_BODY_BYTES_MAX);
    let wakes = upgrade
        .selected_protocol()
        .is_some_and(|protocol| protocol == WAKE_PROTOCOL);
    Ok(upgrade.on_upgrade(move |socket| async move {
        tracing::debug!(person = %identity.person, wakes, "a live connection is open");
        if wakes {
            let waking = Waking {
                app,
                identity,
                _place: place,
            };
            return waking.run(socket).await;
        }
        let live = Live {
            app,
            identity,
            peer: None,
            _place: place,
        };
        live.run(socket).await;
    }))
}

/// What a connection needs to know of its peer to send by itself.
struct Peer {
    /// Its last request, without parts and records, at the position it has by now.
    request: Request,
    /// How its answers travel: none for plain ones.
    reply: Option<Reply>,
}

/// What a live connection acts upon.
enum Event {
    Asked(Bytes),
    Text,
    /// The log reaches so far, and something there is for the peer.
    Grown(u64),
    Records,
}

struct Live {
    app: SharedApp,
    identity: Identity,
    peer: Option<Peer>,
    _place: OwnedSemaphorePermit,
}

impl Live {
    async fn run(mut self, mut socket: WebSocket) {
        // Before the first request is read: what comes meanwhile is told.
        let follows = session(&self.app, self.identity);
        let mut listening = self.app.listeners.listen(follows);
        let mut records = self.app.registry.subscribe();
        let mut stage = self.app.stage.subscribe();
        loop {
            let event = tokio::select! {
                message = socket.recv() => match message {
                    Some(Ok(Message::Binary(bytes))) => Event::Asked(bytes),
                    Some(Ok(Message::Text(_))) => Event::Text,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                },
                end = listening.changed() => Event::Grown(end),
                grown = records.changed() => match grown {
                    Ok(()) => Event::Records,
                    Err(_) => return,
                },
                () = reached(&mut stage, Stage::Draining) => {
                    let code = close_code::AWAY;
                    let close = CloseFrame { code, reason: "draining".into() };
                    // The peer may be gone already.
                    let _ = socket.send(Message::Close(Some(close))).await;
                    return;
                }
            };
            // Before the log is read: what is written after that, in a place that is followed only
            // from now on, is told.
            listening.follow(&session(&self.app, self.identity));
            let frame = match event {
                Event::Asked(bytes) => Some(self.answer(&bytes).await),
                Event::Text => Some(Frame::Problem("frame-bad".to_owned())),
                Event::Grown(end) if !self.lacks(end) => None,
                Event::Grown(_) | Event::Records => self.push().await,
            };
            if let Some(frame) = frame
                && socket
                    .send(Message::Binary(frame.encode().into()))
                    .await
                    .is_err()
            {
                return;
            }
        }
    }

    async fn answer(&mut self, bytes: &[u8]) -> Frame {
        match self.exchange(bytes).await {
            Ok(frame) => frame,
            Err(problem) => {
                tracing::info!(code = problem.code.as_str(), "live exchange refused");
                Frame::Problem(problem.code.as_str().to_owned())
            }
        }
    }

    async fn exchange(&mut self, bytes: &[u8]) -> Result<Frame, Problem> {
        // A token lasts a quarter of an hour and a connection a day: the person's standing is
        // looked at again for each exchange.
        self.still_welcome()?;
        let (request, reply) = packed::open(&self.app, self.identity, bytes).await?;
        let asked = packed::without_parts(&request);
        let mut kept = asked.clone();
        // What comes later is no first contact.
        kept.bytes_max = Proof::afterwards(kept.bytes_max);
        let answer = exchange(&self.app, self.identity, request).await?;
        self.advance(&mut kept, &answer);
        // What the node sends by itself is no answer to parts.
        let later = reply.map(|reply| Reply {
            unread: false,
            proof: Proof::of(kept.bytes_max),
            ..reply
        });
        // Who lacks some of what lies before its position is asking again already.
        let arriving = matches!(answer.repair, Some(Told::Rest(_)));
        self.peer = (!arriving).then_some(Peer {
            request: kept,
            reply: later,
        });
        packed::close(&self.app, self.identity, asked, (answer, reply)).await
    }

    fn still_welcome(&self) -> Result<(), Problem> {
        crate::extract::check_standing(&self.app, self.identity)
    }

    /// What the peer will have after this answer.
    fn advance(&self, request: &mut Request, answer: &Answer) {
        let follow = session(&self.app, self.identity).follow.digest();
        request.known = Some(Known {
            node: answer.node,
            follow,
            position: answer.position,
        });
        request.catalogue_number = match answer.records.len() {
            0 => request.catalogue_number,
            count => request
                .catalogue_number
                .saturating_add(u64::try_from(count).unwrap_or(u64::MAX)),
        };
        request.own_number = request.own_number.max(answer.chain.number);
    }

    /// True if the log has grown since the peer's last answer.
    fn lacks(&self, end: u64) -> bool {
        let known = self.peer.as_ref().and_then(|peer| peer.request.known);
        known.is_some_and(|known| known.position < end)
    }

    /// What the peer lacks by now, if it has asked once and lacks anything.
    async fn push(&mut self) -> Option<Frame> {
        if self.still_welcome().is_err() {
            return Some(Frame::Problem("sign-in-required".to_owned()));
        }
        let mut peer = self.peer.take()?;
        let asked = peer.request.clone();
        let outcome = exchange(&self.app, self.identity, asked.clone()).await;
        let outcome = match outcome {
            Ok(answer) => {
                let news = !answer.entries.is_empty() || !answer.records.is_empty();
                self.advance(&mut peer.request, &answer);
                match news {
                    true => {
                        let answer = (answer, peer.reply);
                        let frame = packed::close(&self.app, self.identity, asked, answer).await;
                        frame.map(Some)
                    }
                    false => Ok(None),
                }
            }
            Err(problem) => Err(problem),
        };
        let frame = match outcome {
            Ok(frame) => frame,
            Err(problem) => {
                tracing::warn!(code = problem.code.as_str(), "nothing could be sent live");
                None
            }
        };
        self.peer = Some(peer);
        frame
    }
}
