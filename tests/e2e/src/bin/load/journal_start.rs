//! How soon the server serves on a gigabyte of journal, with its index and without.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use e2e::Server;
use serde_json::json;

use crate::ordinary::{Officer, grow};
use crate::{field, say};

/// Communes, each with one officer at work.
const COMMUNES: usize = 92;

/// `DONGBO_JOURNAL_BYTES` says how large the journal is, if not 1 GiB; with `DONGBO_KEEP_FOLDER` the
/// folder is left for another look.
pub(crate) fn journal_start() -> Result<()> {
    let wanted: u64 = std::env::var("DONGBO_JOURNAL_BYTES")
        .ok()
        .and_then(|bytes| bytes.parse().ok())
        .unwrap_or(1 << 30);
    let mut field = field(COMMUNES, COMMUNES)?;
    if std::env::var_os("DONGBO_KEEP_FOLDER").is_some() {
        field.folder.disable_cleanup(true);
        say(&json!({ "folder": field.folder.path() }));
    }
    let url = field.running.url();
    field.admin.peer.sync(&url)?;
    let officers: Vec<Officer> = field
        .peers
        .iter()
        .map(|(peer, unit)| (peer.device.sealer().clone(), *unit))
        .collect();
    field.running.stop()?;
    let store = field.folder.path().join("store");
    let began = Instant::now();
    let made = grow(
        &store,
        &officers,
        field.admin.peer.device.catalogue(),
        wanted,
    )?;
    let made_in = began.elapsed();
    let (without_index_s, running) = start(field.folder.path())?;
    let (peak, after) = (running.resident_peak_bytes()?, running.resident_bytes()?);
    running.stop()?;
    let (with_index_s, running) = start(field.folder.path())?;
    say(&json!({
        "journal_bytes": folder_bytes(&store.join("journal"))?,
        "journal_batches": made.batches,
        "journal_mean_batch_bytes": made.batch_bytes / made.batches.max(1),
        "journal_made_in_s": made_in.as_secs_f64(),
        "start_with_index_s": with_index_s,
        "start_without_index_s": without_index_s,
        "server_memory_while_rebuilding_bytes": peak,
        "server_memory_after_rebuild_bytes": after,
        "server_memory_with_index_bytes": running.resident_bytes()?,
    }));
    running.stop()
}

/// Seconds until the server is ready, and the server.
fn start(folder: &Path) -> Result<(f64, Server)> {
    let began = Instant::now();
    let running = Server::start(folder)?;
    Ok((began.elapsed().as_secs_f64(), running))
}

fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
