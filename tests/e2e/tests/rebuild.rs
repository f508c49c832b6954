//! The index can be deleted: the journal alone gives the same fingerprints, totals and sign-ins.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what is wrong by panicking"
)]

use e2e::peer::{agent, post};
use e2e::{Administrator, Peer, Server, server};
use serde_json::{Value, json};

fn total(admin: &mut Administrator) -> Value {
    let answer = admin
        .get("/v1/roll-ups?template=bao-cao-cchc-2022&period=2025")
        .unwrap();
    let figures = answer.get("figures").cloned().unwrap_or_default();
    assert!(
        figures.to_string().contains("\"III.1.1\""),
        "the total has rows: {answer}"
    );
    figures
}

#[test]
fn the_journal_alone_gives_fingerprints_totals_and_sign_ins() {
    let folder = tempfile::tempdir().unwrap();
    let code = server::init(folder.path()).unwrap();
    let running = Server::start(folder.path()).unwrap();
    let url = running.url();
    let mut admin = Administrator::enrol(&url, &code).unwrap();
    admin.found(6).unwrap();
    let mut peers: Vec<Peer> = (0..6)
        .map(|commune| {
            let unit = format!("{commune:05}");
            admin
                .person(&format!("p{commune}"), "officer", &unit, false)
                .unwrap()
        })
        .collect();
    // Not beside the first: what is derived of one report only must not be hidden by a second one.
    let rival = admin.person("rival", "officer", "00003", false).unwrap();
    let stranger = admin.person("stranger", "officer", "00001", false).unwrap();
    peers.extend([rival, stranger]);
    for (index, peer) in peers.iter_mut().enumerate() {
        let commune = if index == 6 { 3 } else { index.min(5) };
        let unit = admin.units[&format!("{commune:05}")];
        let value = 100 + index as i64;
        peer.fill(
            unit,
            &[
                ("III.1.1", value),
                ("III.3.1.1", 2_000),
                ("III.3.1.2", 1_990),
            ],
        )
        .unwrap();
        peer.sync(&url).unwrap();
    }
    let fingerprints = admin.get("/v1/fingerprints").unwrap();
    let before = total(&mut admin);
    running.kill().unwrap();
    std::fs::remove_dir_all(folder.path().join("store").join("index")).unwrap();
    let running = Server::start(folder.path()).unwrap();
    let url = running.url();
    admin.moved(&url);
    admin.peer.sign_in(&url).unwrap();
    assert_eq!(admin.get("/v1/fingerprints").unwrap(), fingerprints);
    assert_eq!(total(&mut admin), before);
    assert!(fingerprints.pointer("/all/parts").and_then(Value::as_u64) >= Some(7));
    // The password and every device key still sign in.
    let body = json!({ "name": "admin", "password": "mật khẩu quản trị 2025" });
    let (status, _) = post(&agent(), &format!("{url}/v1/session"), None, &body).unwrap();
    assert_eq!(status, 200);
    for peer in &mut peers {
        peer.sign_in(&url).unwrap();
        assert!(
            peer.sync(&url)
                .unwrap()
                .iter()
                .all(|received| received.notices.is_empty())
        );
    }
    running.stop().unwrap();
}
