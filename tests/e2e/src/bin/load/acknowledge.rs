//! How soon one client is answered, and how much many clients get through: at the desk, where each
//! batch is an exchange of its own, and back from the field, where an exchange brings a day's batches.

use std::io::Write;
use std::time::Instant;

use anyhow::{Result, anyhow};
use e2e::{Peer, TEMPLATE, now_s};
use serde_json::json;
use sync_core::batch::{Sealer, SignedPart};
use sync_core::cell::CellValue;
use sync_core::document::{Edit, Entry, Subject, SubjectKind};
use sync_core::identity::UnitId;
use sync_core::log::{Follow, LogReader};
use sync_core::sync::message::{Known, Request};
use sync_core::sync::{Frame, PartAnswer, Response};

use crate::connection::Connection;
use crate::{field, percentile, say};

/// Batches of the single client.
const ALONE: usize = 400;
/// Clients of the throughput part, its rounds, and batches of each client in one.
const CLIENTS: usize = 64;
const ROUNDS: usize = 3;
const BATCHES: usize = 80;
/// Batches that one exchange brings of a day in the field.
const DAY: usize = 10;

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

/// A device that only sends, and how far it knows the node's log.
struct Client {
    connection: Connection,
    sealer: Sealer,
    known: Option<Known>,
}

/// Sends so many batches in each exchange; gives the time of each acknowledgement in microseconds.
fn push(client: &mut Client, parts: &[SignedPart], each: usize) -> Result<Vec<u64>> {
    let Client {
        connection,
        sealer,
        known,
    } = client;
    let mut times = Vec::with_capacity(parts.len().div_ceil(each));
    let actor = sealer.actor();
    for parts in parts.chunks(each) {
        let request = Request {
            province: sealer.province,
            actor,
            own_number: u64::MAX >> 1,
            catalogue_number: u64::MAX >> 1,
            known: *known,
            bytes_max: 1 << 16,
            records: Vec::new(),
            parts: parts.to_vec(),
            repair: None,
        };
        let frame = Frame::Request(Box::new(request)).encode();
        let began = Instant::now();
        let bytes = connection.post(&frame)?;
        times.push(began.elapsed().as_micros() as u64);
        let Ok(Frame::Response(response)) = Frame::decode(&bytes) else {
            anyhow::bail!("{}", String::from_utf8_lossy(&bytes));
        };
        let accepted = |answer: &PartAnswer| *answer == PartAnswer::Accepted;
        anyhow::ensure!(
            response.answers.len() == parts.len() && response.answers.iter().all(accepted),
            "{:?}",
            response.answers
        );
        *known = Some(next_known(*known, &response));
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

/// What each client is going to send, sealed beforehand; the first one also sends alone.
fn prepared(peers: &mut [(Peer, UnitId)]) -> Result<Vec<Vec<SignedPart>>> {
    let cores = std::thread::available_parallelism()?.get();
    let share = peers.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = peers
            .chunks_mut(share)
            .enumerate()
            .map(|(chunk, peers)| {
                scope.spawn(move || {
                    let each = peers.iter_mut().enumerate().map(|(at, (peer, unit))| {
                        let alone = if chunk == 0 && at == 0 { ALONE } else { 0 };
                        batches(peer, *unit, 2 * ROUNDS * BATCHES + alone)
                    });
                    each.collect::<Result<Vec<_>>>()
                })
            })
            .collect();
        let mut sealed = Vec::new();
        for thread in threads {
            let parts = thread.join().map_err(|_| anyhow!("a client panicked"))??;
            sealed.extend(parts);
        }
        Ok(sealed)
    })
}

pub(crate) fn acknowledge() -> Result<()> {
    let mut field = field(CLIENTS, CLIENTS)?;
    let url = field.running.url();
    let raw = fdatasync_p50(field.folder.path())?;
    let mut sealed = prepared(&mut field.peers)?;
    let mut clients = Vec::new();
    for (peer, _) in &mut field.peers {
        let token = peer.token(&url)?;
        let connection = Connection::open(&url, &token)?;
        clients.push(Client {
            connection,
            sealer: peer.device.sealer().clone(),
            known: None,
        });
    }
    if let (Some(client), Some(parts)) = (clients.first_mut(), sealed.first_mut()) {
        let rest = parts.split_off(ALONE);
        let mut times = push(client, &std::mem::replace(parts, rest), 1)?;
        let p50 = percentile(&mut times, 50);
        say(&json!({
            "ack_one_client_p50_us": p50, "ack_one_client_p99_us": percentile(&mut times, 99),
            "fdatasync_p50_us": raw, "ack_beyond_fdatasync_p50_us": p50.saturating_sub(raw),
        }));
    }
    for (name, each) in [("ack_64_clients", 1), ("accept_days", DAY)] {
        let mut all = Vec::new();
        let mut rates = Vec::new();
        let spent = field.running.processor_us()?;
        for _ in 0..ROUNDS {
            let round = sealed.iter_mut().map(|parts| {
                let rest = parts.split_off(BATCHES.min(parts.len()));
                std::mem::replace(parts, rest)
            });
            let (times, changes_per_s) = together(&mut clients, round.collect(), each)?;
            all.extend(times);
            rates.push(changes_per_s);
        }
        let spent = field.running.processor_us()?.saturating_sub(spent);
        let changes = CLIENTS * BATCHES * ROUNDS * 4;
        say(&json!({
            format!("{name}_changes_per_s"): percentile(&mut rates, 50),
            format!("{name}_server_us_per_change"): spent as f64 / changes as f64,
            format!("{name}_p50_us"): percentile(&mut all, 50),
            format!("{name}_p99_us"): percentile(&mut all, 99),
        }));
    }
    field.running.stop()
}

/// All clients at once: the time of each acknowledgement in microseconds, and changes per second.
fn together(
    clients: &mut [Client],
    parts: Vec<Vec<SignedPart>>,
    each: usize,
) -> Result<(Vec<u64>, u64)> {
    let began = Instant::now();
    let times: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = clients
            .iter_mut()
            .zip(parts)
            .map(|(client, parts)| scope.spawn(move || push(client, &parts, each)))
            .collect();
        let times = threads
            .into_iter()
            .filter_map(|thread| thread.join().ok()?.ok());
        times.flatten().collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    anyhow::ensure!(
        times.len() == CLIENTS * BATCHES.div_ceil(each),
        "every exchange was acknowledged: {}",
        times.len()
    );
    let changes_per_s = (CLIENTS * BATCHES * 4) as f64 / seconds;
    Ok((times, changes_per_s as u64))
}
