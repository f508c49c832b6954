//! One exchange between two processes over a link: started, signed in, let go, measured.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::Server;
use e2e::link::{Conditions, Link, Passed};
use serde_json::Value;

/// Longer than anything that was measured of others.
const PATIENCE: Duration = Duration::from_secs(400);

/// What came of an exchange.
#[derive(Debug)]
pub(crate) struct Exchanged {
    /// What passed on the link.
    pub(crate) passed: Passed,
    /// From the first byte of the exchange to the tablet's word that it is over.
    pub(crate) seconds: f64,
    /// What signing in took before that, in bytes.
    pub(crate) sign_in_bytes: u64,
    /// The most memory the tablet ever held.
    pub(crate) client_bytes: u64,
    /// The most memory the server ever held.
    pub(crate) server_bytes: u64,
    /// Why it did not come to its end.
    pub(crate) unfinished: Option<String>,
}

/// The program beside this one.
fn tablet_program() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    Ok(here.with_file_name("province_tablet"))
}

/// Runs the tablet for something that needs no link; `input` is what it is given.
pub(crate) fn tablet(words: &[&str], folder: &Path, input: &[u8]) -> Result<Vec<u8>> {
    let mut child = Command::new(tablet_program()?)
        .args(words)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run province_tablet: cargo build --workspace --bins first")?;
    child.stdin.take().context("no input")?.write_all(input)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the tablet failed: {words:?}");
    Ok(output.stdout)
}

/// A copy of a folder, for one more run from the same state.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status()?;
    ensure!(status.success(), "cannot copy {}", from.display());
    Ok(())
}

/// Exchanges the tablet in a folder with a server under these conditions.
pub(crate) fn exchange(
    server: &Server,
    folder: &Path,
    conditions: Conditions,
) -> Result<Exchanged> {
    let link = Link::to(server.url().trim_start_matches("http://"))?;
    let mut child = Command::new(tablet_program()?)
        .arg("sync")
        .arg(folder)
        .arg(link.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run province_tablet")?;
    let lines = lines_of(&mut child)?;
    let outcome = measured(&mut child, &lines, &link, server, conditions);
    // Whatever happened, nothing of it stays behind.
    if outcome
        .as_ref()
        .map_or(true, |exchanged| exchanged.unfinished.is_some())
    {
        let _ = child.kill();
    }
    child.wait()?;
    outcome
}

fn measured(
    child: &mut Child,
    lines: &Receiver<String>,
    link: &Link,
    server: &Server,
    conditions: Conditions,
) -> Result<Exchanged> {
    lines
        .recv_timeout(PATIENCE)
        .context("the tablet did not sign in")?;
    let sign_in_bytes = link.passed().bytes();
    link.begin(conditions);
    let began = Instant::now();
    go_on(child)?;
    let unfinished = match lines.recv_timeout(PATIENCE) {
        Ok(line) => trouble(&serde_json::from_str(&line)?),
        Err(RecvTimeoutError::Timeout) => Some(format!("nothing after {PATIENCE:?}")),
        Err(RecvTimeoutError::Disconnected) => Some("the tablet ended".to_owned()),
    };
    let exchanged = Exchanged {
        seconds: began.elapsed().as_secs_f64(),
        passed: link.passed(),
        sign_in_bytes,
        client_bytes: peak_bytes(child.id()).unwrap_or(0),
        server_bytes: server.resident_peak_bytes()?,
        unfinished,
    };
    if exchanged.unfinished.is_none() {
        go_on(child)?;
    }
    Ok(exchanged)
}

fn go_on(child: &mut Child) -> Result<()> {
    let input = child.stdin.as_mut().context("no input")?;
    input.write_all(b"\n")?;
    Ok(input.flush()?)
}

fn lines_of(child: &mut Child) -> Result<Receiver<String>> {
    let output = child.stdout.take().context("no output")?;
    let (send, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    Ok(lines)
}

/// Why an exchange that the tablet reports on is not whole.
fn trouble(report: &Value) -> Option<String> {
    let waiting = report.get("waiting").and_then(Value::as_u64);
    let notices = report.get("notices").and_then(Value::as_array);
    if let Some(reason) = report.get("stopped_by").and_then(Value::as_str) {
        let failures = report.get("failures").unwrap_or(&Value::Null);
        return Some(format!("given up after {failures} failures: {reason}"));
    }
    let notices = notices.map_or(&[][..], Vec::as_slice);
    if waiting == Some(0) && notices.is_empty() {
        return None;
    }
    let (first, last) = (notices.first(), notices.last());
    Some(format!(
        "not in step: {waiting:?} parts wait, {} notices: {first:?} to {last:?}",
        notices.len()
    ))
}

/// The most resident memory a process ever had, in bytes.
fn peak_bytes(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.context("no VmHWM")?.parse::<u64>()? * 1024)
}
