//! The demonstration, with the commands a person would use: 92 communes offline, back over real
//! sockets with cuts, to the province's total; then the index deleted, then the journal replayed
//! into an empty node. Every figure enters as signed batches through the ordinary accept path.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what is wrong by panicking"
)]

use std::path::Path;
use std::process::{Command, Output};

use e2e::peer::{agent, get, post, text};
use e2e::{Server, server};
use serde_json::{Value, json};

fn dongbo(device: &Path, arguments: &[&str]) -> Output {
    let program = server::program().with_file_name("dongbo");
    Command::new(program)
        .arg("--device")
        .arg(device)
        .args(arguments)
        .output()
        .unwrap()
}

fn done(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{complained}");
    said
}

fn sign_in(url: &str, name: &str, password: &str) -> String {
    let body = json!({ "name": name, "password": password });
    let (status, session) = post(&agent(), &format!("{url}/v1/session"), None, &body).unwrap();
    assert_eq!(status, 200, "{session}");
    text(&session, "access_token").unwrap()
}

/// Fingerprints, figures and coverage, as the province's reviewer reads them.
fn figures(url: &str) -> (Value, Value, Value) {
    let token = sign_in(url, "tham-dinh-tinh", "dien-tap-2025");
    let read = |path: &str| {
        let (status, answer) = get(&agent(), &format!("{url}{path}"), Some(&token)).unwrap();
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let fingerprints = read("/v1/fingerprints")["all"].clone();
    let totals = read("/v1/roll-ups?template=bao-cao-cchc-2022&period=2025");
    (
        fingerprints,
        totals["figures"].clone(),
        totals["coverage"].clone(),
    )
}

#[test]
fn the_rehearsed_province_equals_the_print_and_can_be_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let province = folder.path().join("province");
    let admin = folder.path().join("admin");
    let work = folder.path().join("work");
    let code = server::init(&province).unwrap();
    let running = Server::start(&province).unwrap();
    let url = running.url();
    let password = "mật khẩu quản trị 2025";
    done(dongbo(
        &admin,
        &[
            "enrol",
            "--server",
            &url,
            "--code",
            &code,
            "--password",
            password,
        ],
    ));
    let work = work.to_string_lossy().into_owned();
    let rehearse = [
        "rehearse", "--server", &url, "--work", &work, "--period", "2025", "--quiet",
    ];
    done(dongbo(&admin, &rehearse));
    let (_, _, coverage) = figures(&url);
    assert_eq!(coverage["due"], 92);
    assert_eq!(
        coverage["reported"], 89,
        "three communes stay silent: {coverage}"
    );
    assert_eq!(
        coverage["in_conflict"], 2,
        "two have rival values: {coverage}"
    );
    let unsettled = dongbo(
        &admin,
        &[&rehearse[..], &["--check", "--check-only"]].concat(),
    );
    assert_eq!(unsettled.status.code(), Some(6), "the check can fail");

    let said = done(dongbo(
        &admin,
        &[&rehearse[..], &["--settle", "--check"]].concat(),
    ));
    assert!(
        said.contains("VII.6.1"),
        "the print's mistakes are findings: {said}"
    );
    let before = figures(&url);
    assert_eq!(before.2["reported"], 92);
    assert_eq!(before.2["in_conflict"], 0);

    // The index is deleted: the journal alone gives everything, sign-ins included.
    running.kill().unwrap();
    std::fs::remove_dir_all(province.join("store").join("index")).unwrap();
    let running = Server::start(&province).unwrap();
    assert_eq!(figures(&running.url()), before);
    running.stop().unwrap();

    // The journal is replayed into an empty node with the same catalogue.
    let other = folder.path().join("other");
    let init = Command::new(server::program())
        .args(["init", "--folder"])
        .arg(&other)
        .arg("--catalogue-of")
        .arg(&province)
        .output()
        .unwrap();
    done(init);
    let running = Server::start(&other).unwrap();
    let url = running.url();
    let journal = province.join("store").to_string_lossy().into_owned();
    done(dongbo(
        &admin,
        &["replay", "--journal", &journal, "--server", &url],
    ));
    let said = done(dongbo(
        &admin,
        &["--json", "fingerprints", "--journal", &journal],
    ));
    let all = before.0["sum"].as_str().unwrap();
    assert!(
        said.contains(all),
        "the tool reads the same fingerprint from the journal: {said}"
    );
    let other_journal = other.join("store").to_string_lossy().into_owned();
    let said = done(dongbo(
        &admin,
        &["--json", "fingerprints", "--journal", &other_journal],
    ));
    assert!(
        said.contains(all),
        "the replayed node holds the same parts: {said}"
    );
    done(dongbo(&admin, &["verify", "--journal", &other_journal]));
    running.stop().unwrap();
}
