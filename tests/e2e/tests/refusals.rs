//! Bad input at the door of the real server: a named answer each time, and nothing accepted is lost.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what is wrong by panicking"
)]

use e2e::peer::{agent, post};
use e2e::{Administrator, Peer, Server, server};
use serde_json::Value;
use sync_core::log::HeldReason;
use sync_core::sync::{Frame, Notice};

struct Field {
    _folder: tempfile::TempDir,
    running: Server,
    admin: Administrator,
    url: String,
}

fn field() -> Field {
    let folder = tempfile::tempdir().unwrap();
    let code = server::init(folder.path()).unwrap();
    let running = Server::start(folder.path()).unwrap();
    let url = running.url();
    let mut admin = Administrator::enrol(&url, &code).unwrap();
    admin.found(3).unwrap();
    Field {
        _folder: folder,
        running,
        admin,
        url,
    }
}

/// A problem says what happened: code, both languages, retry, whether anything happened.
fn is_problem(body: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap();
    for key in ["message_vi", "message_en"] {
        let message = problem[key].as_str().unwrap();
        assert!(message.len() > 10, "{problem}");
    }
    assert!(
        problem["retry"].is_boolean() || problem["retry"].is_string(),
        "{problem}"
    );
    assert!(!problem["happened"].is_null(), "{problem}");
    problem["code"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_no_frame_is_named_and_changes_nothing() {
    let mut field = field();
    let mut peer = field.admin.person("p", "officer", "00000", false).unwrap();
    let unit = field.admin.units["00000"];
    peer.fill(unit, &[("I.1", 5)]).unwrap();
    peer.device.seal(e2e::now_s()).unwrap();
    let good = Frame::Request(Box::new(peer.device.request().unwrap())).encode();
    let before = field.admin.get("/v1/fingerprints").unwrap();
    let mut codes = std::collections::BTreeSet::new();
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        for bytes in [&bad[..], &good[..at]] {
            let (status, body) = peer.post_frame(&field.url, bytes).unwrap();
            assert!((400..500).contains(&status), "{status}");
            codes.insert(is_problem(&body));
        }
    }
    println!("{codes:?}");
    assert_eq!(field.admin.get("/v1/fingerprints").unwrap(), before);
    peer.sync(&field.url).unwrap();
    assert_ne!(
        field.admin.get("/v1/fingerprints").unwrap(),
        before,
        "the good one still counts"
    );
    field.running.stop().unwrap();
}

#[test]
fn a_batch_for_another_unit_is_held_and_its_author_is_told() {
    let mut field = field();
    let mut stranger = field
        .admin
        .person("stranger", "officer", "00001", false)
        .unwrap();
    let unit = field.admin.units["00000"];
    stranger.fill(unit, &[("I.1", 5)]).unwrap();
    let received = stranger.sync(&field.url).unwrap();
    let told = received
        .iter()
        .flat_map(|received| &received.notices)
        .any(|notice| {
            matches!(
                notice,
                Notice::Held {
                    reason: HeldReason::NotAllowed,
                    ..
                }
            )
        });
    assert!(told, "{received:?}");
    assert_eq!(
        stranger.device.status().unwrap().held_parts,
        1,
        "its author keeps it"
    );
    assert_eq!(
        field.admin.get("/v1/fingerprints").unwrap()["all"]["parts"],
        0
    );
}

#[test]
fn a_clock_wrong_by_ten_years_decides_nothing() {
    let mut field = field();
    let mut peer = field.admin.person("p", "officer", "00000", false).unwrap();
    let unit = field.admin.units["00000"];
    for years in [-10, 10] {
        let claimed = e2e::now_s() + years * 365 * 86_400;
        peer.fill(unit, &[("I.1", 70 + years)]).unwrap();
        peer.device.seal(claimed).unwrap();
        let received = peer.sync(&field.url).unwrap();
        assert!(
            received.iter().all(|received| received.notices.is_empty()),
            "{received:?}"
        );
    }
    let cells = peer.device.load(&Peer::report(unit)).unwrap().cells();
    assert_eq!(
        cells["I.1"].len(),
        1,
        "the later edit stands, whatever the clocks said"
    );
}

#[test]
fn no_token_and_a_wrong_password_are_named() {
    let field = field();
    let agent = agent();
    let wrong = serde_json::json!({ "name": "admin", "password": "sai mật khẩu rồi" });
    let (status, answer) =
        post(&agent, &format!("{}/v1/session", field.url), None, &wrong).unwrap();
    assert_eq!(status, 401);
    is_problem(answer.to_string().as_bytes());
    let (status, answer) =
        e2e::peer::get(&agent, &format!("{}/v1/fingerprints", field.url), None).unwrap();
    assert_eq!(status, 401);
    is_problem(answer.to_string().as_bytes());
}

#[test]
fn a_second_server_on_the_folder_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    server::init(folder.path()).unwrap();
    let running = Server::start(folder.path()).unwrap();
    let second = Server::spawn(folder.path(), &[]);
    let said = format!("{:#}", second.err().unwrap());
    assert!(said.contains("lock") || said.contains("another"), "{said}");
    running.stop().unwrap();
}
