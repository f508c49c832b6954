//! Kill -9 at any moment: no acknowledged batch is lost, and the folder always opens.
//!
//! Rounds on one folder: devices push batches and note what was acknowledged, the server is killed
//! after a time drawn from the seed, every fourth time already while it starts. Each round begins by
//! asking the server for everything it holds and comparing. `DONGBO_ROUNDS` and `DONGBO_SEED` change
//! how many and which.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what is wrong by panicking"
)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use e2e::{Administrator, Peer, Server, server};
use sync_core::identity::{PartId, UnitId};
use sync_core::sync::{Frame, PartAnswer};

struct Worker {
    peer: Peer,
    unit: UnitId,
    acknowledged: BTreeSet<PartId>,
    typed: i64,
}

impl Worker {
    /// Pushes batches until told to stop or until the server is gone.
    fn push(&mut self, url: &str, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            self.typed += 1;
            self.peer.seal_changes(self.unit, 1, self.typed).unwrap();
            let request = self.peer.device.request().unwrap();
            let parts: Vec<PartId> = request.parts.iter().map(|part| part.id()).collect();
            let bytes = Frame::Request(Box::new(request)).encode();
            let Ok((_, bytes)) = self.peer.post_frame(url, &bytes) else {
                return;
            };
            let Ok(Frame::Response(response)) = Frame::decode(&bytes) else {
                return;
            };
            assert_eq!(response.answers.len(), parts.len());
            for (part, answer) in parts.into_iter().zip(&response.answers) {
                if *answer == PartAnswer::Accepted {
                    self.acknowledged.insert(part);
                }
            }
            let fresh = sync_core::identity::InstallationId(e2e::peer::random());
            let received = self
                .peer
                .device
                .receive(&response, e2e::now_s(), fresh)
                .unwrap();
            assert_eq!(received.notices, [], "nothing was rolled back");
        }
    }
}

/// A seeded sequence: SplitMix64.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(otherwise)
}

/// Everything the server holds, read by a device that held nothing.
fn held(reader: &mut Peer, url: &str) -> BTreeSet<PartId> {
    reader.sign_in(url).unwrap();
    reader.sync(url).unwrap();
    let page = reader
        .device
        .log()
        .feed(&sync_core::log::Follow::All, 0, None, usize::MAX)
        .unwrap();
    page.entries
        .iter()
        .map(|(_, entry)| entry.part.id())
        .collect()
}

#[test]
fn two_hundred_kills_lose_nothing_that_was_acknowledged() {
    let rounds = number("DONGBO_ROUNDS", 200);
    let mut seed = number("DONGBO_SEED", 20_261_122);
    println!("SEED {seed} ROUNDS {rounds}");
    let folder = tempfile::tempdir().unwrap();
    let code = server::init(folder.path()).unwrap();
    let running = Server::start(folder.path()).unwrap();
    let mut admin = Administrator::enrol(&running.url(), &code).unwrap();
    admin.found(3).unwrap();
    let mut workers: Vec<Worker> = (0..3)
        .map(|commune| {
            let code = format!("{commune:05}");
            let peer = admin
                .person(&format!("p{commune}"), "officer", &code, false)
                .unwrap();
            Worker {
                peer,
                unit: admin.units[&code],
                acknowledged: BTreeSet::new(),
                typed: 0,
            }
        })
        .collect();
    let mut reader = admin.person("reader", "auditor", "19", true).unwrap();
    running.kill().unwrap();
    let mut startups = 0;
    for round in 0..rounds {
        if round % 4 == 3 {
            startups += 1;
            kill_while_starting(folder.path(), next(&mut seed));
        }
        let running = Server::start(folder.path()).unwrap_or_else(|e| panic!("round {round}: {e}"));
        let url = running.url();
        let holds = held(&mut reader, &url);
        for worker in &workers {
            let lost: Vec<_> = worker.acknowledged.difference(&holds).collect();
            assert!(
                lost.is_empty(),
                "round {round}: acknowledged and lost: {lost:?}"
            );
        }
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for worker in &mut workers {
                worker.peer.sign_in(&url).unwrap();
                let (url, stop) = (url.as_str(), &stop);
                scope.spawn(move || worker.push(url, stop));
            }
            // The moment of the kill is the fault that is injected, not a wait for something.
            std::thread::sleep(Duration::from_micros(next(&mut seed) % 60_000));
            running.kill().unwrap();
            stop.store(true, Ordering::Relaxed);
        });
    }
    let acknowledged: usize = workers.iter().map(|worker| worker.acknowledged.len()).sum();
    println!(
        "{rounds} rounds, {startups} of them killed while starting, {acknowledged} acknowledged"
    );
    assert!(
        acknowledged > rounds as usize,
        "the rounds did some work: {acknowledged}"
    );
    assert!(
        startups * 4 >= rounds,
        "a quarter of the rounds is killed while starting"
    );
}

/// Starts the server and kills it within the time a start takes.
fn kill_while_starting(folder: &std::path::Path, drawn: u64) {
    let mut child = std::process::Command::new(server::program())
        .args(["serve", "--listen", "127.0.0.1:0", "--folder"])
        .arg(folder)
        .env("DONGBO_LOG", "off")
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_micros(drawn % 30_000));
    child.kill().unwrap();
    child.wait().unwrap();
}
