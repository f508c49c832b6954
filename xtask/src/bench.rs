//! The figures this project holds itself to, each with its bound; `--json` gives one object.

mod sync;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use crate::program::{built, cargo, output, program, run as run_program};
use crate::web;

/// Key, bound, and whether the figure must stay below it.
const BOUNDS: [(&str, f64, Side); 39] = [
    ("ack_beyond_fdatasync_p50_us", 3_000.0, Side::AtMost),
    ("ack_64_clients_changes_per_s", 10_000.0, Side::AtLeast),
    // Ten batches of four changes in an exchange, as a device brings them from the field.
    ("accept_days_changes_per_s", 20_000.0, Side::AtLeast),
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
    // 100,000 parts on both sides, 100 missing on each.
    ("repair_100_missing_bytes", 16e3, Side::AtMost),
    ("repair_100_missing_round_trips", 2.0, Side::AtMost),
    ("repair_100_missing_cpu_ms", 100.0, Side::AtMost),
    ("findings_3321_reports_ms", 1_000.0, Side::AtMost),
    // A province of 113 units: read, cut and matched; a person waits for it.
    ("plan_import_500_rows_ms", 10_000.0, Side::AtMost),
    ("form_import_500_rows_ms", 500.0, Side::AtMost),
    ("server_memory_92_communes_bytes", 80e6, Side::AtMost),
    ("start_with_index_s", 2.0, Side::AtMost),
    ("start_without_index_s", 30.0, Side::AtMost),
    ("idle_live_connections_per_gb", 20_000.0, Side::AtLeast),
    ("push_after_ack_p99_us", 10_000.0, Side::AtMost),
    // 2,000 devices that come back within a minute.
    ("reconnect_p99_us", 2e6, Side::AtMost),
    ("reconnect_server_peak_bytes", 1e9, Side::AtMost),
    ("memory_1000000_documents_bytes", 256e6, Side::AtMost),
    ("memory_growth_percent", 5.0, Side::AtMost),
    // 5,000 seeds and a million steps in five minutes.
    ("simulation_seeds_per_s", 5_000.0 / 300.0, Side::AtLeast),
    ("simulation_steps_per_s", 1e6 / 300.0, Side::AtLeast),
    // The app in a browser slowed six times: what a cheap tablet bears.
    ("first_visit_bytes", 900e3, Side::AtMost),
    ("sign_in_page_bytes", 60e3, Side::AtMost),
    ("first_visit_sign_in_usable_ms", 2_000.0, Side::AtMost),
    ("first_visit_list_ms", 5_000.0, Side::AtMost),
    ("later_start_offline_list_ms", 1_500.0, Side::AtMost),
    ("open_report_ms", 300.0, Side::AtMost),
    ("key_to_screen_p95_ms", 50.0, Side::AtMost),
    ("key_to_durable_p95_ms", 150.0, Side::AtMost),
    ("accepted_to_desk_p99_ms", 150.0, Side::AtMost),
    ("tab_memory_500_documents_mb", 120.0, Side::AtMost),
    ("worker_500_documents_to_list_ms", 150.0, Side::AtMost),
    ("worker_500_documents_open_one_ms", 50.0, Side::AtMost),
    ("open_200_rows_p50_ms", 150.0, Side::AtMost),
    ("key_to_findings_p95_ms", 16.0, Side::AtMost),
    ("paste_2000_cells_p50_ms", 500.0, Side::AtMost),
];

/// Seeds of the simulation: enough for a figure, not for a verdict.
const SEEDS: &str = "0..300";

/// What is measured, in order: the program, and what it is told.
const PROGRAMS: [(&str, &[&str]); 9] = [
    ("examples/bench_gate", &[]),
    ("examples/bench_roll_up", &[]),
    ("examples/bench_repair", &[]),
    ("examples/bench_review", &[]),
    ("examples/bench_plan", &[]),
    ("examples/bench_import", &[]),
    ("examples/bench_store", &[]),
    ("load", &[]),
    ("simulate", &["--seeds", SEEDS, "--json"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    AtMost,
    AtLeast,
}

/// `cargo xtask bench [sync] [--browser] [--json]`: the node and the core, an exchange, or the app in a
/// browser.
#[expect(clippy::print_stdout, reason = "the figures are the result")]
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    if arguments.contains(&"sync") {
        return sync::run(arguments.contains(&"--json"));
    }
    let browser = arguments.contains(&"--browser");
    if browser {
        web::build()?;
    }
    // One build of everything: a choice of packages would choose other features of what they share.
    let every = ["build", "--release", "--quiet", "--workspace", "--bins"];
    run_program(cargo(&[&every[..], &["--examples"]].concat()))?;
    let figures = if browser { in_a_browser()? } else { here()? };
    if arguments.contains(&"--json") {
        println!(
            "{}",
            serde_json::to_string(&figures).context("figures are no JSON")?
        );
        return Ok(());
    }
    for (key, value) in &figures {
        println!("{key:<48} {value}{}", against_its_bound(key, value));
    }
    Ok(())
}

/// The figures of the app, with the programs as they are shipped.
fn in_a_browser() -> Result<BTreeMap<String, Value>> {
    let mut figures = BTreeMap::new();
    for measures in ["tests/browser/bounds.mjs", "tests/browser/entry-bounds.mjs"] {
        let mut measuring = program("node", &[measures]);
        measuring.env("DONGBO_PROFILE", "release");
        let said: BTreeMap<String, Value> =
            serde_json::from_str(&output(measuring)?).context("the browser gave no figures")?;
        figures.extend(said);
    }
    Ok(figures)
}

/// The figures of the node and the core.
fn here() -> Result<BTreeMap<String, Value>> {
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
    Ok(figures)
}

/// Whether a figure keeps its bound, in a few words; nothing for one that has none.
fn against_its_bound(key: &str, value: &Value) -> String {
    let Some((_, bound, side)) = BOUNDS.iter().find(|(bounded, ..)| *bounded == key) else {
        return String::new();
    };
    verdict(value.as_f64().unwrap_or(f64::NAN), *bound, *side)
}

fn verdict(figure: f64, bound: f64, side: Side) -> String {
    let (met, sign) = match side {
        Side::AtMost => (figure <= bound, "<="),
        Side::AtLeast => (figure >= bound, ">="),
    };
    format!("   {} {sign} {bound}", if met { "ok" } else { "MISSED" })
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
