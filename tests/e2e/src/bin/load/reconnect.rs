//! Two thousand devices come back within a minute, each with a day's changes; and what a node's memory
//! comes to when it stores ten times as many documents.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use e2e::{Administrator, Server, server};
use serde_json::json;
use sync_core::log::Follow;
use sync_core::sync::message::{Known, Request};
use sync_core::sync::{Frame, PartAnswer, Response};

use crate::connection::Connection;
use crate::device::{Light, devices};
use crate::live_connection::LiveConnection;
use crate::ordinary::{Author, Begun, begin};
use crate::{percentile, say};

/// Devices that come back, and in how many seconds.
const DEVICES: usize = 2_000;
const SECONDS: u64 = 60;
/// Communes whose devices they are, and documents of each.
const COMMUNES: usize = 200;
const DOCUMENTS: usize = 500;
/// Documents that each device has changed: one in a hundred.
const CHANGED: usize = DOCUMENTS / 100;
/// Threads that play devices: each waits for its answer before it plays the next.
const PLAYERS: usize = 64;
/// Live connections while memory is measured, and documents on disk.
const LIVE: usize = 2_000;
const FEW: usize = 100_000;
const MANY: usize = 1_000_000;
/// Units in both: what a unit itself takes is not asked.
const UNITS: usize = 2_000;

/// A stored province.
struct Stored {
    folder: tempfile::TempDir,
    admin: Administrator,
    devices: Vec<Light>,
    /// What the first device of each commune wrote, if it was asked for.
    begun: Vec<Begun>,
    position: u64,
}

/// Makes a province of `documents` for each commune, written by its first device.
fn stored(communes: usize, each: usize, documents: usize, keep: bool) -> Result<Stored> {
    let mut folder = tempfile::tempdir()?;
    if std::env::var_os("DONGBO_KEEP_FOLDER").is_some() {
        folder.disable_cleanup(true);
        say(&json!({ "folder": folder.path() }));
    }
    let code = server::init(folder.path())?;
    let running = Server::start(folder.path())?;
    let mut admin = Administrator::enrol(&running.url(), &code)?;
    admin.found(communes)?;
    let devices = devices(&mut admin, &running, communes, each)?;
    admin.peer.sync(&running.url())?;
    running.stop()?;
    let first = devices.iter().take(communes);
    let officers: Vec<_> = first
        .map(|device| (device.sealer.clone(), device.unit))
        .collect();
    let store = folder.path().join("store");
    let catalogue = admin.peer.device.catalogue();
    let (position, begun) = begin(&store, &officers, catalogue, documents, keep)?;
    Ok(Stored {
        folder,
        admin,
        devices,
        begun,
        position,
    })
}

fn response(bytes: &[u8]) -> Result<Response> {
    match Frame::decode(bytes) {
        Ok(Frame::Response(response)) => Ok(*response),
        other => bail!("no response: {other:?}"),
    }
}

/// A request that knows the log up to a position, and wants no catalogue.
fn request(device: &Light, known: Option<Known>) -> Request {
    Request {
        province: device.sealer.province,
        actor: device.sealer.actor(),
        own_number: 0,
        catalogue_number: u64::MAX >> 1,
        known,
        bytes_max: 1 << 18,
        records: Vec::new(),
        parts: Vec::new(),
        repair: None,
    }
}

/// How a device names the node's log up to a position, when it has read it.
fn known(device: &Light, url: &str, position: u64) -> Result<Known> {
    let mut connection = Connection::open(url, &device.sign_in(url)?)?;
    let mut asked = request(device, None);
    asked.bytes_max = 1;
    let answer = response(&connection.post(&Frame::Request(Box::new(asked)).encode())?)?;
    let follow: Follow = answer.follow.context("what it follows")?;
    Ok(Known {
        node: answer.node,
        follow: follow.digest(),
        position,
    })
}

/// From the moment a device has a link until it is in step: sign-in, one exchange; in microseconds.
fn come_back(device: &Light, url: &str, frame: &[u8], due: Instant) -> Result<u64> {
    let mut connection = Connection::open(url, &device.sign_in(url)?)?;
    let answer = response(&connection.post(frame)?)?;
    ensure!(
        answer.answers == [PartAnswer::Accepted],
        "{:?}",
        answer.answers
    );
    ensure!(!answer.more && answer.fingerprint.is_some(), "one exchange");
    Ok(due.elapsed().as_micros() as u64)
}

/// Everything that is sent, made beforehand.
fn frames(stored: &Stored, url: &str) -> Result<Vec<Vec<u8>>> {
    let mut frames = Vec::with_capacity(DEVICES);
    let mut follows = Vec::new();
    for device in stored.devices.iter().take(COMMUNES) {
        follows.push(known(device, url, stored.position)?);
    }
    for (at, device) in stored.devices.iter().enumerate() {
        let (commune, turn) = (at % COMMUNES, at / COMMUNES);
        let begun = stored.begun.get(commune).context("documents")?;
        // Another installation than the one that began the documents.
        let mut author = Author::again(&(device.sealer.clone(), device.unit));
        author.take_over(begun, turn * CHANGED..(turn + 1) * CHANGED);
        let mut request = request(device, follows.get(commune).copied());
        request.actor = author.actor();
        request.parts = author.sit(turn + 1)?;
        frames.push(Frame::Request(Box::new(request)).encode());
    }
    Ok(frames)
}

pub(crate) fn reconnect() -> Result<()> {
    let stored = stored(COMMUNES, DEVICES / COMMUNES, DOCUMENTS, true)?;
    let running = Server::start(stored.folder.path())?;
    let url = running.url();
    let frames = frames(&stored, &url)?;
    let pace = Duration::from_secs(SECONDS) / DEVICES as u32;
    let began = Instant::now();
    let mut times: Vec<u64> = std::thread::scope(|scope| {
        let players: Vec<_> = (0..PLAYERS)
            .map(|player| {
                let (url, frames, devices) = (&url, &frames, &stored.devices);
                scope.spawn(move || {
                    let turns = (player..DEVICES).step_by(PLAYERS);
                    let played = turns.map(|at| {
                        let due = began + pace * at as u32;
                        // A pace, not a wait for something: so many devices a second.
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        let (device, frame) =
                            devices.get(at).zip(frames.get(at)).context("a device")?;
                        come_back(device, url, frame, due)
                    });
                    played.collect::<Result<Vec<_>>>()
                })
            })
            .collect();
        let ended = players.into_iter().map(|player| {
            let ended = player.join();
            ended.map_err(|_| anyhow!("a player panicked"))?
        });
        ended.collect::<Result<Vec<_>>>()
    })?
    .concat();
    say(&json!({
        "reconnect_devices": times.len(),
        "reconnect_in_s": began.elapsed().as_secs_f64(),
        "reconnect_p50_us": percentile(&mut times, 50),
        "reconnect_p99_us": percentile(&mut times, 99),
        "reconnect_server_peak_bytes": running.resident_peak_bytes()?,
    }));
    running.stop()
}

/// Memory of a node that was started on what is stored, with live devices.
fn resident(folder: &Path, admin: &mut Administrator, devices: &[Light]) -> Result<u64> {
    // Once, so that the index is there: a start that builds it is measured elsewhere.
    Server::start(folder)?.stop()?;
    let running = Server::start(folder)?;
    let url = running.url();
    admin.moved(&url);
    admin.peer.sign_in(&url)?;
    admin.get(&format!(
        "/v1/roll-ups?template={}&period={}",
        e2e::TEMPLATE,
        e2e::PERIOD
    ))?;
    let connections: Vec<LiveConnection> = devices
        .iter()
        .cycle()
        .take(LIVE)
        .map(|device| {
            let mut connection = LiveConnection::open(&url, &device.sign_in(&url)?)?;
            let mut asked = request(device, None);
            asked.bytes_max = 1;
            connection.send(&Frame::Request(Box::new(asked)).encode())?;
            response(&connection.receive()?)?;
            Ok(connection)
        })
        .collect::<Result<_>>()?;
    let bytes = running.resident_bytes()?;
    drop(connections);
    running.stop()?;
    Ok(bytes)
}

pub(crate) fn memory() -> Result<()> {
    let mut found = Vec::new();
    for documents in [FEW, MANY] {
        let mut stored = stored(UNITS, 1, documents / UNITS, false)?;
        let Stored {
            folder,
            admin,
            devices,
            ..
        } = &mut stored;
        found.push(resident(folder.path(), admin, devices)?);
    }
    let [few, many] = found[..] else {
        bail!("two measures");
    };
    say(&json!({
        "memory_live_devices": LIVE,
        "memory_100000_documents_bytes": few,
        "memory_1000000_documents_bytes": many,
        "memory_growth_percent": (many as f64 / few as f64 - 1.0) * 100.0,
    }));
    Ok(())
}
