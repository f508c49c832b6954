//! The figures this project holds itself to, each with its bound; `--json` gives one object.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use crate::program::{built, cargo, output, program, run as run_program};

/// Key, bound, and whether the figure must stay below it.
const BOUNDS: [(&str, f64, Side); 11] = [
    ("ack_beyond_fdatasync_p50_us", 3_000.0, Side::AtMost),
    ("ack_64_clients_changes_per_s", 10_000.0, Side::AtLeast),
    ("gate_us_per_change", 10.0, Side::AtMost),
    ("live_total_after_ack_p99_us", 50_000.0, Side::AtMost),
    (
        "totals_3321_communes_from_extracted_cells_ms",
        20.0,
        Side::AtMost,
    ),
    (
        "totals_3321_communes_from_documents_ms",
        2_000.0,
        Side::AtMost,
    ),
    ("server_memory_92_communes_bytes", 80e6, Side::AtMost),
    ("start_with_index_s", 2.0, Side::AtMost),
    ("start_without_index_s", 30.0, Side::AtMost),
    // 5,000 seeds and a million steps in five minutes.
    ("simulation_seeds_per_s", 5_000.0 / 300.0, Side::AtLeast),
    ("simulation_steps_per_s", 1e6 / 300.0, Side::AtLeast),
];

/// Seeds of the simulation: enough for a figure, not for a verdict.
const SEEDS: &str = "0..300";

/// What is measured, in order: the program, and what it is told.
const PROGRAMS: [(&str, &[&str]); 5] = [
    ("examples/bench_gate", &[]),
    ("examples/bench_roll_up", &[]),
    ("examples/bench_store", &[]),
    ("load", &[]),
    ("simulate", &["--seeds", SEEDS, "--json"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    AtMost,
    AtLeast,
}

/// `cargo xtask bench [--json]`.
#[expect(clippy::print_stdout, reason = "the figures are the result")]
pub(crate) fn run(json: bool) -> Result<()> {
    // One build of everything: a choice of packages would choose other features of what they share.
    let every = ["build", "--release", "--quiet", "--workspace", "--bins"];
    run_program(cargo(&[&every[..], &["--examples"]].concat()))?;
    let mut figures: BTreeMap<String, Value> = BTreeMap::new();
    for (name, arguments) in PROGRAMS {
        let path = built("release", name);
        for line in output(program(&path.to_string_lossy(), arguments))?.lines() {
            let Ok(Value::Object(object)) = serde_json::from_str(line) else {
                continue;
            };
            if name == "simulate" {
                figures.extend(of_simulation(&object)?);
            } else {
                figures.extend(object);
            }
        }
    }
    if json {
        println!(
            "{}",
            serde_json::to_string(&figures).context("figures are no JSON")?
        );
        return Ok(());
    }
    for (key, value) in &figures {
        let bound = BOUNDS.iter().find(|(bounded, ..)| bounded == key);
        let said = match bound {
            None => String::new(),
            Some((_, bound, side)) => {
                let figure = value.as_f64().unwrap_or(f64::NAN);
                let met = match side {
                    Side::AtMost => figure <= *bound,
                    Side::AtLeast => figure >= *bound,
                };
                let sign = if *side == Side::AtMost { "<=" } else { ">=" };
                format!("   {} {sign} {bound}", if met { "ok" } else { "MISSED" })
            }
        };
        println!("{key:<48} {value}{said}");
    }
    let missing = BOUNDS
        .iter()
        .filter(|(key, ..)| !figures.contains_key(*key));
    for (key, ..) in missing {
        println!("{key:<48} not measured");
    }
    Ok(())
}

/// The figures of a run of the simulation, which must have come to a good end.
fn of_simulation(ran: &Map<String, Value>) -> Result<BTreeMap<String, Value>> {
    let number = |key: &str| ran.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let failed = ran.get("failed").and_then(Value::as_array);
    ensure!(
        failed.is_some_and(Vec::is_empty),
        "the simulation failed: {failed:?}"
    );
    let seconds = number("seconds");
    Ok(BTreeMap::from([
        (
            "simulation_seeds_per_s".to_owned(),
            (number("seeds") / seconds).into(),
        ),
        (
            "simulation_steps_per_s".to_owned(),
            (number("steps") / seconds).into(),
        ),
    ]))
}
