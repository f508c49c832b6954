//! Mutated input against everything that reads from outside: changes, batches, frames.
//!
//! Each family starts from honest work made by a seeded scenario, damages it with knowledge of its
//! structure, and offers it where an attacker could: to the gate, to the acceptor, to both ends of a
//! link. Nothing may panic, nothing that passes may break what `ARCHITECTURE.md` promises, and what
//! passes must load in the engine, save, and be derived again from the truth to the same bytes.
//!
//! `DONGBO_SEED` chooses the seed; `DONGBO_MUTANTS` the number of mutants of all families together.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

mod batch_mutation;
mod batches;
mod bundles;
mod change_mutation;
mod changes;
mod frame_mutation;
mod frames;
mod packings;
mod reading;
mod refusals;
mod world;

use std::collections::BTreeMap;

use peak_alloc::PeakAlloc;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Counts what is allocated: what a claimed length makes a reader take is seen by `frames`.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Mutants of all families when nobody names a number. The families take their share of it in
/// percent, so that all of them take about a minute.
const MUTANTS: u64 = 200_000;

#[expect(
    clippy::disallowed_methods,
    reason = "the seed of a test run comes from outside"
)]
fn number_from(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => default,
    }
}

/// The generator of a family and how many mutants it makes; both are printed.
#[expect(clippy::print_stdout, reason = "a failure is repeated from its seed")]
fn start(family: &str, percent: u64) -> (ChaCha8Rng, u64) {
    let seed = number_from("DONGBO_SEED", 2026);
    let all = number_from("DONGBO_MUTANTS", MUTANTS);
    let mutants = all * percent / 100;
    println!("{family}: DONGBO_SEED={seed} DONGBO_MUTANTS={all}, of these {mutants}");
    (ChaCha8Rng::seed_from_u64(seed), mutants)
}

/// How often each outcome was met.
#[derive(Debug, Default)]
struct Outcomes(BTreeMap<String, u64>);

impl Outcomes {
    fn count(&mut self, outcome: impl Into<String>) {
        *self.0.entry(outcome.into()).or_default() += 1;
    }

    fn total(&self) -> u64 {
        self.0.values().sum()
    }

    fn of(&self, outcome: &str) -> u64 {
        self.0.get(outcome).copied().unwrap_or(0)
    }
}
