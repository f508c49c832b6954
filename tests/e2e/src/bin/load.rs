//! The figures that need the real server: acknowledgements, throughput, live totals, memory, starts.
//!
//! Prints one JSON object a line. `load` runs everything; `load NAME` one part: `acknowledge`, `live`,
//! `journal`.

use std::io::{BufRead, BufReader, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use e2e::{Administrator, Peer, Server, TEMPLATE, now_s, server};
use serde_json::json;
use sync_core::batch::SignedPart;
use sync_core::cell::CellValue;
use sync_core::document::{Edit, Entry, Subject, SubjectKind};
use sync_core::identity::{InstallationId, UnitId};
use sync_core::log::{Follow, LogReader};
use sync_core::sync::message::{Known, Request};
use sync_core::sync::{Frame, PartAnswer, Response};

/// Batches of the single client.
const ALONE: usize = 400;
/// Clients of the throughput part, and batches of each.
const CLIENTS: usize = 64;
const BATCHES: usize = 120;

#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn say(figures: &serde_json::Value) {
    println!("{figures}");
}

fn main() -> Result<()> {
    let part = std::env::args().nth(1);
    let wanted = |name: &str| part.as_deref().is_none_or(|part| part == name);
    if wanted("acknowledge") {
        acknowledge()?;
    }
    if wanted("live") {
        live()?;
    }
    if wanted("journal") {
        journal()?;
    }
    Ok(())
}

/// A running province with communes and one officer's device for each.
struct Field {
    folder: tempfile::TempDir,
    running: Server,
    admin: Administrator,
    peers: Vec<(Peer, UnitId)>,
}

fn field(communes: usize, devices: usize) -> Result<Field> {
    let folder = tempfile::tempdir()?;
    let code = server::init(folder.path())?;
    let running = Server::start(folder.path())?;
    let url = running.url();
    let mut admin = Administrator::enrol(&url, &code)?;
    admin.found(communes)?;
    let mut peers = Vec::new();
    for index in 0..devices {
        let code = format!("{:05}", index % communes);
        let peer = admin.person(&format!("p{index}"), "officer", &code, false)?;
        let unit = *admin.units.get(&code).context("no such unit")?;
        peers.push((peer, unit));
    }
    Ok(Field {
        folder,
        running,
        admin,
        peers,
    })
}

/// Four documents of a unit, so that one sealing is a batch of four changes.
fn four(unit: UnitId) -> [Subject; 4] {
    ["2021", "2022", "2023", "2024"].map(|period| Subject {
        kind: SubjectKind::Report,
        template: TEMPLATE.into(),
        unit,
        period: period.into(),
    })
}

/// Sealed batches of four changes, in order.
fn batches(peer: &mut Peer, unit: UnitId, count: usize) -> Result<Vec<SignedPart>> {
    let start = peer.device.log().end()?;
    for batch in 0..count {
        for subject in four(unit) {
            let value = CellValue::Number((batch as i64).into());
            let code = format!("III.1.{}", 1 + batch % 4);
            let edit = Edit {
                entry: Entry::Cell { code, value },
                typed_at: now_s(),
            };
            peer.device.edit(&subject, &[edit])?;
        }
        peer.device.seal(now_s())?;
    }
    let page = LogReader(peer.device.keyspace()).feed(&Follow::All, start, None, usize::MAX)?;
    Ok(page
        .entries
        .into_iter()
        .map(|(_, entry)| entry.part)
        .collect())
}

/// Sends batches one exchange each; gives the time of each acknowledgement in microseconds.
fn push(peer: &mut Peer, url: &str, parts: &[SignedPart]) -> Result<Vec<u64>> {
    let mut known: Option<Known> = None;
    let mut times = Vec::with_capacity(parts.len());
    for part in parts {
        let request = Request {
            province: peer.device.sealer().province,
            actor: peer.device.sealer().actor(),
            own_number: u64::MAX >> 1,
            catalogue_number: u64::MAX >> 1,
            known,
            bytes_max: 1 << 16,
            records: Vec::new(),
            parts: vec![part.clone()],
        };
        let frame = Frame::Request(Box::new(request)).encode();
        let began = Instant::now();
        let (_, bytes) = peer.post_frame(url, &frame)?;
        times.push(began.elapsed().as_micros() as u64);
        let Ok(Frame::Response(response)) = Frame::decode(&bytes) else {
            anyhow::bail!("{}", String::from_utf8_lossy(&bytes));
        };
        anyhow::ensure!(
            response.answers == [PartAnswer::Accepted],
            "{:?}",
            response.answers
        );
        known = Some(next_known(known, &response));
    }
    Ok(times)
}

fn next_known(known: Option<Known>, response: &Response) -> Known {
    let follow = match (&response.follow, known) {
        (Some(follow), _) => follow.digest(),
        (None, Some(known)) => known.follow,
        (None, None) => [0; 8],
    };
    Known {
        node: response.node,
        follow,
        position: response.position,
    }
}

fn percentile(times: &mut [u64], percent: usize) -> u64 {
    times.sort_unstable();
    let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(at).copied().unwrap_or(0)
}

/// What one fdatasync of a small append costs on this folder's disk, median in microseconds.
fn fdatasync_p50(folder: &std::path::Path) -> Result<u64> {
    let mut file = std::fs::File::create(folder.join("probe"))?;
    let mut times = Vec::new();
    for _ in 0..ALONE {
        file.write_all(&[7; 1_024])?;
        let began = Instant::now();
        file.sync_data()?;
        times.push(began.elapsed().as_micros() as u64);
    }
    Ok(percentile(&mut times, 50))
}

fn acknowledge() -> Result<()> {
    let mut field = field(CLIENTS, CLIENTS)?;
    let url = field.running.url();
    let raw = fdatasync_p50(field.folder.path())?;
    let mut sealed = Vec::new();
    for (index, (peer, unit)) in field.peers.iter_mut().enumerate() {
        let count = if index == 0 { BATCHES + ALONE } else { BATCHES };
        sealed.push(batches(peer, *unit, count)?);
    }
    if let (Some((peer, _)), Some(parts)) = (field.peers.first_mut(), sealed.first_mut()) {
        let rest = parts.split_off(ALONE);
        let mut times = push(peer, &url, parts)?;
        let p50 = percentile(&mut times, 50);
        say(&json!({
            "ack_one_client_p50_us": p50, "ack_one_client_p99_us": percentile(&mut times, 99),
            "fdatasync_p50_us": raw, "ack_beyond_fdatasync_p50_us": p50.saturating_sub(raw),
        }));
        *parts = rest;
    }
    let began = Instant::now();
    let mut all: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = field
            .peers
            .iter_mut()
            .zip(&sealed)
            .map(|((peer, _), parts)| {
                let url = &url;
                scope.spawn(move || push(peer, url, parts))
            })
            .collect();
        let times = threads
            .into_iter()
            .filter_map(|thread| thread.join().ok()?.ok());
        times.flatten().collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    anyhow::ensure!(
        all.len() == CLIENTS * BATCHES,
        "every batch was acknowledged: {}",
        all.len()
    );
    say(&json!({
        "ack_64_clients_changes_per_s": (all.len() * 4) as f64 / seconds,
        "ack_64_clients_p50_us": percentile(&mut all, 50),
        "ack_64_clients_p99_us": percentile(&mut all, 99),
    }));
    field.running.stop()
}

/// From an acknowledgement to the event that shows the new total of the province, 92 communes.
fn live() -> Result<()> {
    let mut field = field(92, 92)?;
    let url = field.running.url();
    for (peer, unit) in &mut field.peers {
        let cells: Vec<(String, i64)> = (1..=4).map(|row| (format!("III.1.{row}"), 10)).collect();
        let cells: Vec<(&str, i64)> = cells
            .iter()
            .map(|(code, value)| (code.as_str(), *value))
            .collect();
        peer.fill(*unit, &cells)?;
        peer.sync(&url)?;
    }
    let token = field.admin.peer.token(&url)?;
    let path = format!(
        "{url}/v1/roll-ups/live?template={TEMPLATE}&period={}",
        e2e::PERIOD
    );
    let (send, events) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let Ok(mut response) = ureq::get(&path)
            .header("Authorization", format!("Bearer {token}"))
            .call()
        else {
            return;
        };
        for line in BufReader::new(response.body_mut().as_reader()).lines() {
            let Ok(line) = line else { return };
            if line.starts_with("data:") && send.send((Instant::now(), line)).is_err() {
                return;
            }
        }
    });
    events
        .recv_timeout(Duration::from_secs(20))
        .context("no first table")?;
    let mut times = Vec::new();
    for round in 0..3i64 {
        for (peer, unit) in &mut field.peers {
            peer.fill(*unit, &[("III.1.1", 1_000 + round)])?;
            peer.device.seal(now_s())?;
            let (response, received) = peer.exchange(&url)?;
            let acknowledged = Instant::now();
            anyhow::ensure!(
                response.answers == [PartAnswer::Accepted],
                "{:?}",
                received.notices
            );
            let (seen, _) = events
                .recv_timeout(Duration::from_secs(20))
                .context("no event")?;
            times.push(seen.saturating_duration_since(acknowledged).as_micros() as u64);
        }
    }
    say(&json!({
        "live_total_after_ack_p50_us": percentile(&mut times, 50),
        "live_total_after_ack_p99_us": percentile(&mut times, 99),
        "server_memory_92_communes_bytes": field.running.resident_bytes()?,
    }));
    Ok(())
}

/// Starts on a journal of about 1 GB, with the index and without. `DONGBO_JOURNAL_BYTES` says how much.
fn journal() -> Result<()> {
    let wanted: u64 = std::env::var("DONGBO_JOURNAL_BYTES")
        .ok()
        .and_then(|bytes| bytes.parse().ok())
        .unwrap_or(1 << 30);
    let mut field = field(CLIENTS, CLIENTS)?;
    let url = field.running.url();
    let journal = field.folder.path().join("store").join("journal");
    while folder_bytes(&journal)? < wanted {
        std::thread::scope(|scope| {
            for (peer, unit) in &mut field.peers {
                let url = &url;
                scope.spawn(move || fill_journal(peer, *unit, url));
            }
        });
    }
    let bytes = folder_bytes(&journal)?;
    field.running.stop()?;
    let began = Instant::now();
    let running = Server::start(field.folder.path())?;
    let with_index_s = began.elapsed().as_secs_f64();
    running.stop()?;
    std::fs::remove_dir_all(field.folder.path().join("store").join("index"))?;
    let began = Instant::now();
    let running = Server::start(field.folder.path())?;
    let without_index_s = began.elapsed().as_secs_f64();
    say(&json!({
        "journal_bytes": bytes,
        "start_with_index_s": with_index_s,
        "start_without_index_s": without_index_s,
        "server_memory_after_rebuild_bytes": running.resident_bytes()?,
    }));
    running.stop()
}

/// Large honest batches: notes of several kilobytes, as many as make a journal grow quickly.
fn fill_journal(peer: &mut Peer, unit: UnitId, url: &str) -> Result<()> {
    for year in 2000..2020 {
        let subject = Subject {
            kind: SubjectKind::Report,
            template: TEMPLATE.into(),
            unit,
            period: year.to_string(),
        };
        let edits: Vec<Edit> = (0..12)
            .map(|row| Edit {
                entry: Entry::Cell {
                    code: format!("III.{row}"),
                    value: CellValue::Text(
                        data_encoding::BASE64.encode(&e2e::peer::random::<600>()),
                    ),
                },
                typed_at: now_s(),
            })
            .collect();
        peer.device.edit(&subject, &edits)?;
    }
    peer.sync(url)?;
    // What was sent need not stay in this process: a new installation of the same key goes on.
    let sealer = sync_core::batch::Sealer {
        installation: InstallationId(e2e::peer::random()),
        ..peer.device.sealer().clone()
    };
    let mut truth = sync_core::log::MemoryKeyspace::new();
    truth.apply(
        peer.device
            .keyspace()
            .iter()
            .filter(|(key, _)| key.first() == Some(&2))
            .map(|(key, value)| sync_core::log::Write {
                key: key.to_vec(),
                value: Some(value.to_vec()),
            }),
    );
    peer.device = sync_core::sync::Device::open(sealer, truth)?.0;
    Ok(())
}

fn folder_bytes(folder: &std::path::Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
