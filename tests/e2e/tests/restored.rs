//! The province's folder is restored from yesterday's copy: a tablet enrolled since comes back with a
//! key the copy has never heard of, and brings everything it holds.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

use std::path::Path;
use std::process::Command;

use e2e::{Administrator, PERIOD, Server, TEMPLATE, folder, server};

fn dongbo(device: &Path, arguments: &[&str]) -> String {
    let output = Command::new(server::program().with_file_name("dongbo"))
        .arg("--device")
        .arg(device)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{complained}");
    said
}

#[test]
fn a_tablet_that_a_restored_folder_does_not_know_brings_everything_back() {
    let folder = tempfile::tempdir().unwrap();
    let (province, yesterday) = (folder.path().join("p"), folder.path().join("yesterday"));
    let code = server::init(&province).unwrap();
    let running = Server::start(&province).unwrap();
    let mut admin = Administrator::enrol(&running.url(), &code).unwrap();
    admin.found(2).unwrap();
    running.stop().unwrap();
    folder::copy(&province, &yesterday).unwrap();

    let running = Server::start(&province).unwrap();
    let url = running.url();
    admin.moved(&url);
    admin.peer.sign_in(&url).unwrap();
    let code = admin.code("tuan", "officer", "00001", false).unwrap();
    let tablet = folder.path().join("tablet");
    let cells = folder.path().join("cells.json");
    std::fs::write(&cells, r#"{"III.1.1": "1.893"}"#).unwrap();
    let cells = cells.to_str().unwrap();
    dongbo(&tablet, &["enrol", "--server", &url, "--code", &code]);
    let fill = ["fill", "--template", TEMPLATE, "--unit", "00001"];
    let fill = [&fill[..], &["--period", PERIOD, "--file", cells]].concat();
    dongbo(&tablet, &fill);
    dongbo(&tablet, &["sync"]);
    let before = admin.get("/v1/fingerprints").unwrap();
    running.stop().unwrap();

    std::fs::remove_dir_all(&province).unwrap();
    std::fs::rename(&yesterday, &province).unwrap();
    let running = Server::start(&province).unwrap();
    let url = running.url();
    admin.moved(&url);
    admin.peer.sign_in(&url).unwrap();
    assert_ne!(admin.get("/v1/fingerprints").unwrap(), before);
    dongbo(&tablet, &["sync", "--url", &url]);
    let after = admin.get("/v1/fingerprints").unwrap();
    assert_eq!(after["all"], before["all"]);
    let path = format!("/v1/roll-ups?template={TEMPLATE}&period={PERIOD}");
    let figures = admin.get(&path).unwrap();
    assert!(figures.to_string().contains("1893"), "{figures}");
    running.stop().unwrap();
}
