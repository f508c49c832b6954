//! `simulate`: runs seeds of the field simulation, one again with its trace, or the planted mistakes.

#![expect(
    clippy::print_stdout,
    reason = "a program for people and scripts: what it finds goes to the standard output"
)]

use std::ops::Range;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use serde_json::json;
use simulation::{Bug, Outcome, run};

/// Seeds within which a planted mistake must be noticed.
const SEEDS_PER_BUG: u64 = 2_000;

/// Runs the field simulation.
#[derive(Parser)]
struct Arguments {
    /// One seed, with its knobs first.
    #[arg(long)]
    seed: Option<u64>,
    /// A range of seeds, as 0..5000.
    #[arg(long, value_parser = seeds)]
    seeds: Option<Range<u64>>,
    /// Threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Prints everything that happened; with --seed.
    #[arg(long)]
    trace: bool,
    /// Plants a mistake.
    #[arg(long, value_parser = bug)]
    bug: Option<Bug>,
    /// Plants each mistake and says how many seeds it takes to notice it.
    #[arg(long)]
    bugs: bool,
    /// Goes on after a failure.
    #[arg(long)]
    keep_going: bool,
    /// One JSON object instead of words.
    #[arg(long)]
    json: bool,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("a range is written 0..5000")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    Ok(number(from)?..number(to)?)
}

fn bug(name: &str) -> Result<Bug, String> {
    let names = Bug::ALL.map(Bug::name).join(", ");
    Bug::from_name(name).ok_or(format!("one of {names}"))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let good = if arguments.bugs {
        plant_all(&arguments)
    } else if let Some(seed) = arguments.seed {
        one(seed, &arguments)
    } else {
        let seeds = arguments.seeds.clone().unwrap_or(0..100);
        many(seeds, &arguments)
    };
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn one(seed: u64, arguments: &Arguments) -> bool {
    // Printed first: a run that never ends has said what it was.
    if !arguments.json {
        println!("SEED {seed}");
        if let Ok(commit) = std::env::var("COMMIT") {
            println!("commit {commit}");
        }
        println!("{}", simulation::knobs_of(seed));
    }
    let outcome = run(seed, arguments.bug, arguments.trace);
    if arguments.json {
        println!("{}", as_json(&outcome));
    } else {
        for line in &outcome.trace {
            println!("{line}");
        }
        println!(
            "{} steps, {} rounds to agree, {} parts, digest {}",
            outcome.steps, outcome.rounds, outcome.parts, outcome.digest
        );
        say_failure(&outcome, arguments.bug);
    }
    outcome.violation.is_none()
}

fn as_json(outcome: &Outcome) -> serde_json::Value {
    json!({
        "seed": outcome.seed,
        "knobs": outcome.knobs,
        "steps": outcome.steps,
        "rounds": outcome.rounds,
        "parts": outcome.parts,
        "digest": outcome.digest,
        "violation": outcome.violation.as_ref().map(ToString::to_string),
    })
}

fn say_failure(outcome: &Outcome, bug: Option<Bug>) {
    if let Some(violation) = &outcome.violation {
        let bug = bug.map_or(String::new(), |bug| format!(" --bug {bug}"));
        println!("FAILED seed {}: {violation}", outcome.seed);
        println!("knobs: {}", outcome.knobs);
        println!(
            "again: cargo run -p simulation --bin simulate -- --seed {}{bug} --trace",
            outcome.seed
        );
    }
}

/// What many seeds came to.
#[derive(Default)]
struct Tally {
    seeds: u64,
    steps: usize,
    rounds_max: usize,
    failed: Vec<Outcome>,
}

/// Runs seeds on several threads; `stop` ends it at the first failure.
fn tally(seeds: Range<u64>, threads: usize, bug: Option<Bug>, stop: bool) -> Tally {
    let (next, ended) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while !ended.load(Ordering::SeqCst) {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end {
                        return;
                    }
                    let outcome = run(seed, bug, false);
                    let mut tally = tally
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    tally.seeds += 1;
                    tally.steps += outcome.steps;
                    tally.rounds_max = tally.rounds_max.max(outcome.rounds);
                    if outcome.violation.is_some() {
                        tally.failed.push(outcome);
                        ended.fetch_or(stop, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let mut tally = tally
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    tally.failed.sort_by_key(|outcome| outcome.seed);
    tally
}

fn many(seeds: Range<u64>, arguments: &Arguments) -> bool {
    let began = Instant::now();
    let tally = tally(
        seeds.clone(),
        arguments.threads,
        arguments.bug,
        !arguments.keep_going,
    );
    let seconds = began.elapsed().as_secs_f64();
    if arguments.json {
        let failed: Vec<_> = tally.failed.iter().map(as_json).collect();
        println!(
            "{}",
            json!({
                "seeds": tally.seeds,
                "steps": tally.steps,
                "seconds": seconds,
                "seeds_per_second": tally.seeds as f64 / seconds,
                "rounds_max": tally.rounds_max,
                "failed": failed,
            })
        );
    } else {
        println!(
            "seeds {seeds:?}: {} run, {} steps, {seconds:.1} s, {:.1} seeds/s, at most {} rounds to agree, {} failed",
            tally.seeds,
            tally.steps,
            tally.seeds as f64 / seconds,
            tally.rounds_max,
            tally.failed.len()
        );
        for outcome in &tally.failed {
            say_failure(outcome, arguments.bug);
        }
    }
    tally.failed.is_empty()
}

fn plant_all(arguments: &Arguments) -> bool {
    let mut rows = Vec::new();
    for bug in Bug::ALL {
        let tally = tally(0..SEEDS_PER_BUG, arguments.threads, Some(bug), true);
        let first = tally.failed.first();
        let by = first.and_then(|outcome| outcome.violation.as_ref().map(|v| v.invariant));
        rows.push((bug, first.map(|outcome| outcome.seed + 1), by));
        if !arguments.json {
            match (first, by) {
                (Some(outcome), Some(by)) => {
                    println!("{bug:<32} {:>5} seeds, by {by}", outcome.seed + 1)
                }
                (_, _) => println!("{bug:<32} NOT NOTICED in {SEEDS_PER_BUG} seeds"),
            }
        }
    }
    if arguments.json {
        let rows: serde_json::Map<_, _> = rows
            .iter()
            .map(|(bug, seeds, by)| {
                (
                    bug.name().to_owned(),
                    json!({ "seeds": seeds, "invariant": by }),
                )
            })
            .collect();
        println!("{}", serde_json::Value::Object(rows));
    }
    rows.iter().all(|(_, seeds, _)| seeds.is_some())
}
