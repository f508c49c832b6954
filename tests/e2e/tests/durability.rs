//! No acknowledgement leaves before its fdatasync: the system calls of the real server, in order.
//!
//! strace writes down, for every thread, writes to sockets and syncs of files. Between the moment an
//! exchange's request was read and the moment its answer was written, an fdatasync of a journal file
//! must have returned.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what is wrong by panicking"
)]

use std::collections::BTreeMap;
use std::process::Command;

use e2e::{Administrator, Server, server};

/// One system call: when it ended, which, and what strace shows of it.
struct Call {
    ended: f64,
    began: f64,
    text: String,
}

fn calls(trace: &str) -> Vec<Call> {
    // "[pid] 1700000000.123456 name(args) = result <0.000123>"; where another thread came in between, the
    // line breaks off with "<unfinished ...>" and goes on later as "<... name resumed>".
    let mut unfinished: BTreeMap<&str, (f64, &str)> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let Some((at, text)) = rest.trim_start().split_once(' ') else {
            continue;
        };
        let Ok(at) = at.parse::<f64>() else {
            continue;
        };
        if let Some(begun) = text.strip_suffix("<unfinished ...>") {
            unfinished.insert(thread, (at, begun));
            continue;
        }
        let (began, begun) = match text.starts_with("<... ") {
            true => unfinished.remove(thread).unwrap_or((at, "")),
            false => (at, ""),
        };
        let took = text.rsplit('<').next().unwrap_or_default();
        if let Ok(took) = took.trim_end_matches('>').parse::<f64>() {
            calls.push(Call {
                ended: began + took,
                began,
                text: format!("{begun}{text}"),
            });
        }
    }
    calls.sort_by(|a: &Call, b| a.began.total_cmp(&b.began));
    calls
}

/// A call that another thread interrupts in the trace is one call, and is there with its whole time.
#[test]
fn a_call_that_was_interrupted_is_one_call() {
    let trace = "71 10.5 fdatasync(9</f/journal/1> <unfinished ...>\n\
                 72  10.6 read(3<socket>, \"POST\", 9) = 4 <0.000010>\n\
                 71  11.0 <... fdatasync resumed>) = 0 <0.500000>\n";
    let calls = calls(trace);
    assert_eq!(calls.len(), 2);
    assert!(calls[0].text.contains("fdatasync(") && calls[0].text.contains("/journal/"));
    assert_eq!((calls[0].began, calls[0].ended), (10.5, 11.0));
}

#[test]
fn an_answer_leaves_after_the_sync_of_what_it_acknowledges() {
    assert!(
        Command::new("strace").arg("--version").output().is_ok(),
        "strace is missing: apt-get install strace"
    );
    let folder = tempfile::tempdir().unwrap();
    let code = server::init(folder.path()).unwrap();
    let running = Server::start(folder.path()).unwrap();
    let mut admin = Administrator::enrol(&running.url(), &code).unwrap();
    admin.found(2).unwrap();
    let mut peer = admin.person("p", "officer", "00000", false).unwrap();
    let unit = admin.units["00000"];
    running.stop().unwrap();

    let trace = folder.path().join("trace");
    let trace_text = trace.to_string_lossy().into_owned();
    let through = [
        "strace",
        "-f",
        "-ttt",
        "-T",
        "-y",
        "-s",
        "24",
        "-e",
        "trace=write,writev,sendto,sendmsg,pwrite64,fdatasync,fsync,read,recvfrom,recvmsg",
        "-o",
        &trace_text,
    ];
    let running = Server::spawn(folder.path(), &through).unwrap();
    running.wait_ready().unwrap();
    let url = running.url();
    peer.sign_in(&url).unwrap();
    let rounds = 20;
    for round in 0..rounds {
        peer.seal_changes(unit, 1, round).unwrap();
        let (response, _) = peer.exchange(&url).unwrap();
        assert_eq!(response.answers.len(), 1);
    }
    running.stop_under().unwrap();
    let trace = std::fs::read_to_string(&trace).unwrap();
    let calls = calls(&trace);
    let requests: Vec<&Call> = calls
        .iter()
        .filter(|call| call.text.contains("\"POST /v1/sync"))
        .collect();
    assert_eq!(
        requests.len(),
        rounds as usize,
        "every exchange is in the trace"
    );
    for (index, request) in requests.iter().enumerate() {
        let until = requests.get(index + 1).map_or(f64::MAX, |next| next.began);
        let answer = calls
            .iter()
            .find(|call| {
                call.began > request.began
                    && call.began < until
                    && call.text.contains("\"HTTP/1.1 200")
            })
            .unwrap_or_else(|| panic!("no answer to exchange {index}"));
        let synced = calls.iter().any(|call| {
            call.text.contains("fdatasync(")
                && call.text.contains("/journal/")
                && call.began > request.began
                && call.ended < answer.began
        });
        assert!(
            synced,
            "answer {index} left before an fdatasync of the journal returned"
        );
    }
}
