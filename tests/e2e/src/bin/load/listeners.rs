//! What idle live connections cost, and how soon those whom a change concerns have it.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use e2e::{Peer, now_s};
use serde_json::json;
use sync_core::batch::SignedPart;
use sync_core::identity::{PartId, UnitId};
use sync_core::log::{Follow, LogReader};
use sync_core::sync::message::Request;
use sync_core::sync::{Frame, PartAnswer};

use crate::connection::Connection;
use crate::live_connection::LiveConnection;
use crate::{Field, field, percentile, say};

/// Communes, each with an officer whose device is followed from many places.
const COMMUNES: usize = 92;
/// Connections that only wait, to see what one takes.
const IDLE: usize = 8_000;
/// Listeners of the push.
const LISTENERS: usize = 1_500;
/// Changes a second, one a batch, and for how many seconds.
const CHANGES_PER_S: usize = 350;
const SECONDS: usize = 10;
/// Senders that share the changes.
const SENDERS: usize = 7;
/// Stack of a listener's thread, bytes: it reads a frame and notes the time.
const LISTENER_STACK_BYTES: usize = 128 * 1024;

/// When a part was acknowledged, or came.
type Seen = (PartId, Instant);

/// A device that writes: its connection, its requests, the part in each.
type Sending = (Connection, Vec<Vec<u8>>, Vec<PartId>);

/// A request of somebody who holds nothing and wants no catalogue.
fn request(peer: &Peer, parts: Vec<SignedPart>) -> Vec<u8> {
    let sealer = peer.device.sealer();
    Frame::Request(Box::new(Request {
        province: sealer.province,
        actor: sealer.actor(),
        own_number: 0,
        catalogue_number: u64::MAX >> 1,
        known: None,
        bytes_max: 1 << 16,
        records: Vec::new(),
        parts,
        repair: None,
    }))
    .encode()
}

/// A live connection that has had its first answer.
fn listening(url: &str, token: &str, asks: &[u8]) -> Result<LiveConnection> {
    let mut connection = LiveConnection::open(url, token)?;
    connection.send(asks)?;
    match Frame::decode(&connection.receive()?) {
        Ok(Frame::Response(response)) if !response.more => Ok(connection),
        other => bail!("no whole answer: {other:?}"),
    }
}

/// As many connections as wanted, shared among the devices.
fn connections(field: &mut Field, count: usize) -> Result<Vec<(usize, LiveConnection)>> {
    let url = field.running.url();
    let mut tokens = Vec::new();
    for (peer, _) in &mut field.peers {
        // Another installation than the one that writes: what it writes is news here.
        tokens.push((peer.token(&url)?, request(peer, Vec::new())));
    }
    (0..count)
        .map(|at| {
            let commune = at % tokens.len();
            let (token, asks) = tokens.get(commune).context("a token")?;
            Ok((commune, listening(&url, token, asks)?))
        })
        .collect()
}

/// Memory of the server with many connections that only wait.
fn idle(field: &mut Field) -> Result<()> {
    let before = field.running.resident_bytes()?;
    let connections = connections(field, IDLE)?;
    let after = field.running.resident_bytes()?;
    let each = after.saturating_sub(before) / IDLE as u64;
    say(&json!({
        "idle_live_connections": connections.len(),
        "idle_live_connection_bytes": each,
        "idle_live_connections_per_gb": 1_000_000_000 / each.max(1),
    }));
    Ok(())
}

/// Sealed batches of one change, for one sender.
fn batches(peer: &mut Peer, unit: UnitId, count: usize) -> Result<Vec<SignedPart>> {
    let start = peer.device.log().end()?;
    for batch in 0..count {
        peer.fill(unit, &[("III.1.1", batch as i64)])?;
        peer.device.seal(now_s())?;
    }
    let page = LogReader(peer.device.keyspace()).feed(&Follow::All, start, None, usize::MAX)?;
    Ok(page
        .entries
        .into_iter()
        .map(|(_, entry)| entry.part)
        .collect())
}

/// Sends batches of several devices in turn, one each so many milliseconds.
fn send(mut senders: Vec<Sending>, every: Duration, acknowledged: &Sender<Seen>) -> Result<()> {
    let began = Instant::now();
    let rounds = senders.first().map_or(0, |(_, frames, _)| frames.len());
    let mut sent = 0u32;
    for round in 0..rounds {
        for (connection, frames, ids) in &mut senders {
            // A pace, not a wait for something: the load is so many a second.
            std::thread::sleep((every * sent).saturating_sub(began.elapsed()));
            sent += 1;
            let (Some(frame), Some(id)) = (frames.get(round), ids.get(round)) else {
                continue;
            };
            let answer = connection.post(frame)?;
            let now = Instant::now();
            match Frame::decode(&answer) {
                Ok(Frame::Response(response)) if response.answers == [PartAnswer::Accepted] => {}
                other => bail!("not accepted: {other:?}"),
            }
            acknowledged.send((*id, now))?;
        }
    }
    Ok(())
}

/// From the acknowledgement of a change to the frame that brings it, at each who follows its unit.
fn push(field: &mut Field) -> Result<()> {
    let url = field.running.url();
    let connections = connections(field, LISTENERS)?;
    let per_device = CHANGES_PER_S * SECONDS / COMMUNES;
    let mut listeners_of = BTreeMap::new();
    for (commune, _) in &connections {
        *listeners_of.entry(*commune).or_insert(0usize) += 1;
    }
    let (came, coming) = mpsc::channel();
    for (_, mut connection) in connections {
        let came = came.clone();
        std::thread::Builder::new()
            .stack_size(LISTENER_STACK_BYTES)
            .spawn(move || {
                while let Ok(bytes) = connection.receive() {
                    let now = Instant::now();
                    let Ok(Frame::Response(response)) = Frame::decode(&bytes) else {
                        return;
                    };
                    for (_, part) in &response.entries {
                        if came.send((part.id(), now)).is_err() {
                            return;
                        }
                    }
                }
            })?;
    }
    let mut senders: Vec<Vec<_>> = (0..SENDERS).map(|_| Vec::new()).collect();
    let mut expected = 0;
    for (at, (peer, unit)) in field.peers.iter_mut().enumerate() {
        let parts = batches(peer, *unit, per_device)?;
        let ids = parts.iter().map(SignedPart::id).collect();
        let frames = parts.into_iter().map(|part| request(peer, vec![part]));
        let frames: Vec<_> = frames.collect();
        expected += frames.len() * listeners_of.get(&at).copied().unwrap_or_default();
        let token = peer.token(&url)?;
        let sender = (Connection::open(&url, &token)?, frames, ids);
        senders
            .get_mut(at % SENDERS)
            .context("a sender")?
            .push(sender);
    }
    let (acknowledged, acknowledging) = mpsc::channel();
    let every = Duration::from_secs(1) * SENDERS as u32 / CHANGES_PER_S as u32;
    let began = Instant::now();
    std::thread::scope(|scope| {
        let threads: Vec<_> = senders
            .into_iter()
            .map(|senders| {
                let acknowledged = acknowledged.clone();
                scope.spawn(move || send(senders, every, &acknowledged))
            })
            .collect();
        for thread in threads {
            let ended = thread.join();
            ended.map_err(|_| anyhow::anyhow!("a sender panicked"))??;
        }
        anyhow::Ok(())
    })?;
    let seconds = began.elapsed().as_secs_f64();
    drop(acknowledged);
    let acknowledged: BTreeMap<PartId, Instant> = acknowledging.iter().collect();
    let mut times = Vec::new();
    while times.len() < expected {
        let (part, now) = coming
            .recv_timeout(Duration::from_secs(20))
            .with_context(|| format!("{} of {expected} came", times.len()))?;
        let from = acknowledged.get(&part).context("a part nobody sent")?;
        times.push(now.saturating_duration_since(*from).as_micros() as u64);
    }
    ensure!(!times.is_empty(), "nobody listened");
    say(&json!({
        "push_listeners": LISTENERS,
        "push_changes_per_s": (acknowledged.len() as f64 / seconds) as u64,
        "push_deliveries": times.len(),
        "push_after_ack_p50_us": percentile(&mut times, 50),
        "push_after_ack_p99_us": percentile(&mut times, 99),
    }));
    Ok(())
}

pub(crate) fn listeners() -> Result<()> {
    let mut field = field(COMMUNES, COMMUNES)?;
    idle(&mut field)?;
    push(&mut field)?;
    field.running.stop()
}
