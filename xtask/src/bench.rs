//! The figures this project holds itself to, each with its bound; `--json` gives one object.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::program::{cargo, output, run as run_program};

/// Key, bound, and whether the figure must stay below it.
const BOUNDS: [(&str, f64, Side); 9] = [
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
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    AtMost,
    AtLeast,
}

/// `cargo xtask bench [--json]`.
#[expect(clippy::print_stdout, reason = "the figures are the result")]
pub(crate) fn run(json: bool) -> Result<()> {
    let mut figures: BTreeMap<String, Value> = BTreeMap::new();
    let programs: [&[&str]; 4] = [
        &["-p", "sync-core", "--example", "bench_gate"],
        &["-p", "sync-core", "--example", "bench_roll_up"],
        &["-p", "store-sled", "--example", "bench_store"],
        &["-p", "e2e", "--bin", "load"],
    ];
    run_program(cargo(&[
        "build",
        "--release",
        "--quiet",
        "-p",
        "dongbo-server",
    ]))?;
    for program in programs {
        let mut command = cargo(&["run", "--release", "--quiet"]);
        command.args(program);
        for line in output(command)?.lines() {
            let Ok(Value::Object(object)) = serde_json::from_str(line) else {
                continue;
            };
            figures.extend(object);
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
