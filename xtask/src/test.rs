//! Every test: Rust natively, the golden vectors in WebAssembly, the app in a browser, the field
//! simulation.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::program::{built, cargo, program, require, run as run_program};
use crate::{simulation, web};

/// Runs everything and ends with one line of counts; the vectors in WebAssembly, the stories in
/// the browser and the simulation count as one test each.
#[expect(clippy::print_stdout, reason = "the counts are the result")]
pub(crate) fn run() -> Result<()> {
    require(
        "node",
        "install Node.js 20 or later (Debian: apt-get install nodejs)",
    )?;
    require("strace", "apt-get install strace")?;
    require(
        &chromium(),
        "apt-get install chromium, or name one in CHROMIUM",
    )?;
    web::build()?;
    // The programs that the tests start, with the features that the tests are built with: another
    // choice of features would build the engine twice.
    run_program(cargo(&["build", "--workspace", "--all-targets"]))?;
    let passed = rust_tests()?;
    vectors_in_webassembly()?;
    browser()?;
    simulation::run_many()?;
    println!("{} passed, 0 failed", passed + 3);
    Ok(())
}

fn chromium() -> String {
    std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned())
}

/// Milliseconds for one file of browser tests. The longest one kills a tab a hundred times and takes three
/// minutes; what takes five times as long waits for something that will not come.
const BROWSER_FILE_MS_MAX: u32 = 15 * 60 * 1_000;

/// The stories that the app must survive, in real Chromium against the real server.
fn browser() -> Result<()> {
    web::build_planted()?;
    let reporter = "--test-reporter=spec";
    let timeout = format!("--test-timeout={BROWSER_FILE_MS_MAX}");
    run_program(program(
        "node",
        &["--test", reporter, &timeout, "tests/browser/"],
    ))
}

/// Runs the tests of the workspace, shows what they print and counts them.
#[expect(clippy::print_stdout, reason = "what the tests say is passed on")]
fn rust_tests() -> Result<u64> {
    let mut command = cargo(&[
        "test",
        "--workspace",
        "--lib",
        "--bins",
        "--tests",
        "--no-fail-fast",
    ]);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo test")?;
    let lines = child.stdout.take().context("cargo test has no output")?;
    let mut passed = 0;
    for line in BufReader::new(lines).lines() {
        let line = line.context("cannot read what cargo test prints")?;
        passed += count_passed(&line);
        println!("{line}");
    }
    let status = child.wait().context("cannot wait for cargo test")?;
    if !status.success() {
        bail!("cargo test ended with {status}: see the failures above");
    }
    Ok(passed)
}

/// The number in "test result: ok. 12 passed; …"; 0 in other lines.
fn count_passed(line: &str) -> u64 {
    let counted = line
        .strip_prefix("test result: ok. ")
        .and_then(|rest| rest.split(' ').next());
    counted.and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// The golden vectors natively and as WebAssembly in Node.
pub(crate) fn vectors() -> Result<()> {
    run_program(cargo(&["test", "--quiet", "-p", "vectors"]))?;
    vectors_in_webassembly()
}

fn vectors_in_webassembly() -> Result<()> {
    let target = "wasm32-unknown-unknown";
    run_program(cargo(&[
        "build", "--quiet", "-p", "vectors", "--target", target,
    ]))?;
    let wasm = built(target, "debug/vectors.wasm");
    run_program(program(
        "node",
        &["tests/vectors/run.mjs", &wasm.to_string_lossy()],
    ))
}

/// Writes `server/openapi.json` anew: the test that compares it does so when it is told to.
pub(crate) fn accept_interface() -> Result<()> {
    let mut command = cargo(&[
        "test",
        "--workspace",
        "--test",
        "http",
        "the_document_is_the_accepted_one",
    ]);
    command.env("DONGBO_ACCEPT_OPENAPI", "1");
    run_program(command)
}

/// Mutants of changes, batches and frames with a seed of the moment unless `DONGBO_SEED` names one.
pub(crate) fn fuzz() -> Result<()> {
    // The whole workspace is named, so that the engine has the features it was built with before.
    let mut command = cargo(&[
        "test",
        "--workspace",
        "--test",
        "mutants",
        "--",
        "--nocapture",
    ]);
    if std::env::var_os("DONGBO_SEED").is_none() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        command.env(
            "DONGBO_SEED",
            now.map_or(0, |now| now.as_secs()).to_string(),
        );
    }
    run_program(command)
}
