//! How soon a listener sees the province's new total.

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use e2e::{TEMPLATE, now_s};
use serde_json::json;
use sync_core::sync::PartAnswer;

use crate::{field, percentile, say};

/// From an acknowledgement to the event that shows the new total of the province, 92 communes.
pub(crate) fn live() -> Result<()> {
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
