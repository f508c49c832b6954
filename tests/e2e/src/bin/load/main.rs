//! The figures that need the real server: acknowledgements, throughput, live totals, memory, starts.
//!
//! Prints one JSON object a line. `load` runs everything; `load NAME` one part: `acknowledge`, `live`,
//! `listeners`, `reconnect`, `memory`, `journal`.

mod acknowledge;
mod connection;
mod device;
mod journal_start;
mod listeners;
mod live;
mod live_connection;
mod ordinary;
mod reconnect;

use anyhow::{Context, Result};
use e2e::{Administrator, Peer, Server, server};
use sync_core::identity::UnitId;

#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn say(figures: &serde_json::Value) {
    println!("{figures}");
}

fn main() -> Result<()> {
    let part = std::env::args().nth(1);
    let wanted = |name: &str| part.as_deref().is_none_or(|part| part == name);
    if wanted("acknowledge") {
        acknowledge::acknowledge()?;
    }
    if wanted("live") {
        live::live()?;
    }
    if wanted("listeners") {
        listeners::listeners()?;
    }
    if wanted("reconnect") {
        reconnect::reconnect()?;
    }
    if wanted("memory") {
        reconnect::memory()?;
    }
    if wanted("journal") {
        journal_start::journal_start()?;
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

fn percentile(times: &mut [u64], percent: usize) -> u64 {
    times.sort_unstable();
    let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(at).copied().unwrap_or(0)
}
