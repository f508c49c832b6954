//! The province day beside what others needed for the same work, with the bounds on it.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::{Side, verdict};
use crate::program::{built, cargo, output, program, run as run_program};

/// What others took, recorded 2026-11-22 on 2 processors over the same kinds of links: first sync,
/// reconnect, nothing new, reconnect on 2G, cut every 20 KB, conflicting values kept.
const OTHERS: [[&str; 7]; 7] = [
    [
        "PouchDB + express-pouchdb",
        "489,944",
        "262,956",
        "9,106",
        "58 s",
        "never by default; 1.65 MB when tuned",
        "document kept, 150 other edits hidden",
    ],
    [
        "automerge-repo",
        "992,323",
        "270,850",
        "92,660",
        "never by default; 30 s when tuned",
        "never",
        "50 of 50",
    ],
    [
        "samod",
        "1,030,825",
        "324,502",
        "160,479",
        "29 s",
        "never",
        "50 of 50",
    ],
    [
        "Yjs + Hocuspocus",
        "2,028,572",
        "275,792",
        "70,381",
        "16 s",
        "never",
        "0 of 50, one is dropped",
    ],
    [
        "floor: the edits as JSON, zstd-19",
        "327,059",
        "16,842",
        "0",
        "",
        "",
        "",
    ],
    [
        "floor: Loro updates, zstd-19",
        "331,940",
        "20,785",
        "0",
        "",
        "",
        "",
    ],
    [
        "ours, at most",
        "300,000",
        "24,000 in 1 round trip",
        "400 in 1 round trip",
        "5 s",
        "<= 1.3 x; every 2 KB <= 2 x",
        "50 of 50, 1,300 others",
    ],
];

const HEADINGS: [&str; 7] = [
    "",
    "first sync",
    "reconnect",
    "nothing new",
    "reconnect on 2G",
    "cut every 20 KB",
    "conflicts kept",
];

/// Key, bound, and whether the figure must stay below it.
const BOUNDS: [(&str, f64, Side); 11] = [
    ("first_sync_bytes", 300_000.0, Side::AtMost),
    ("small_day_bytes", 4_000.0, Side::AtMost),
    ("small_day_round_trips", 1.0, Side::AtMost),
    ("reconnect_bytes", 24_000.0, Side::AtMost),
    ("reconnect_round_trips", 1.0, Side::AtMost),
    ("nothing_new_bytes", 400.0, Side::AtMost),
    ("nothing_new_round_trips", 1.0, Side::AtMost),
    ("reconnect_2g_s", 5.0, Side::AtMost),
    ("client_rss_mib", 40.0, Side::AtMost),
    ("conflicts_visible", 50.0, Side::AtLeast),
    ("lone_edits_visible", 1_300.0, Side::AtLeast),
];

/// How many times the bytes of an uncut reconnect one with cuts may take.
const CUT_BOUNDS: [(&str, f64); 2] = [("cut_20k_bytes", 1.3), ("cut_2k_bytes", 2.0)];

/// `cargo xtask bench sync [--json]`
#[expect(clippy::print_stdout, reason = "the figures are the result")]
pub(super) fn run(json: bool) -> Result<()> {
    let every = ["build", "--release", "--quiet", "--workspace", "--bins"];
    run_program(cargo(&every))?;
    let path = built("release", "province_day");
    let text = output(program(&path.to_string_lossy(), &[]))?;
    let figures: Map<String, Value> =
        serde_json::from_str(text.trim()).context("the province day gave no figures")?;
    if json {
        println!("{}", Value::Object(figures));
        return Ok(());
    }
    print!("{}", table(&figures));
    println!();
    for (key, value) in figures.iter().filter(|(key, _)| *key != "reasons") {
        println!("{key:<36} {value}{}", judged(&figures, key, value));
    }
    let reasons = figures.get("reasons").and_then(Value::as_object);
    for (key, reason) in reasons.into_iter().flatten() {
        println!("{key:<36} not known: {reason}");
    }
    println!(
        "Payload of TCP, both ways, heads of HTTP included. Signing in is not part of an exchange; it \
         took {} bytes before.",
        figures.get("sign_in_bytes").unwrap_or(&Value::Null)
    );
    Ok(())
}

fn judged(figures: &Map<String, Value>, key: &str, value: &Value) -> String {
    let number = |key: &str| figures.get(key).and_then(Value::as_f64);
    if let Some((_, bound, side)) = BOUNDS.iter().find(|(bounded, ..)| *bounded == key) {
        return verdict(value.as_f64().unwrap_or(f64::NAN), *bound, *side);
    }
    let cut = CUT_BOUNDS.iter().find(|(bounded, _)| *bounded == key);
    match (cut, number("reconnect_bytes")) {
        (Some((_, times)), Some(uncut)) => verdict(
            value.as_f64().unwrap_or(f64::NAN),
            times * uncut,
            Side::AtMost,
        ),
        (Some(_), None) | (None, _) => String::new(),
    }
}

/// Our measured row under those of others.
fn table(figures: &Map<String, Value>) -> String {
    let whole = |key: &str| match figures.get(key).and_then(Value::as_u64) {
        Some(number) => grouped(number),
        None => "not known".to_owned(),
    };
    let trips = |phase: &str| {
        let trips = whole(&format!("{phase}_round_trips"));
        format!("{} in {trips}", whole(&format!("{phase}_bytes")))
    };
    let seconds = match figures.get("reconnect_2g_s").and_then(Value::as_f64) {
        Some(seconds) => format!("{seconds:.1} s"),
        None => "never".to_owned(),
    };
    let cut = |key: &str| match figures.get(key).and_then(Value::as_u64) {
        Some(bytes) => grouped(bytes),
        None => "never".to_owned(),
    };
    let ours = [
        "ours, measured now".to_owned(),
        whole("first_sync_bytes"),
        trips("reconnect"),
        trips("nothing_new"),
        seconds,
        format!(
            "{}; every 2 KB {}",
            cut("cut_20k_bytes"),
            cut("cut_2k_bytes")
        ),
        format!(
            "{} of 50, {} others",
            whole("conflicts_visible"),
            whole("lone_edits_visible")
        ),
    ];
    let mut text = String::new();
    row(&mut text, &HEADINGS);
    row(&mut text, &["---"; 7]);
    for other in &OTHERS {
        row(&mut text, other);
    }
    row(&mut text, &ours.each_ref().map(String::as_str));
    text
}

fn row(text: &mut String, cells: &[&str; 7]) {
    // Writing into a string cannot fail.
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
