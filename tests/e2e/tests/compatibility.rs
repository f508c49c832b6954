//! A folder written by this version of the formats, kept for later versions to open.
//!
//! `fixtures/province-v1` is a whole province without its index: made once by `make_fixture`, never
//! made again. A version that cannot open it, or reads other fingerprints from it, breaks every
//! province in service.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what is wrong by panicking"
)]

use std::path::Path;

use e2e::peer::{agent, get, post, text};
use e2e::{Server, folder};
use serde_json::{Value, json};

#[test]
fn a_folder_of_format_1_opens_and_reads_the_same() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/province-v1");
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(fixture.join("expected.json")).unwrap())
            .unwrap();
    let folder = tempfile::tempdir().unwrap();
    folder::copy(&fixture.join("province"), folder.path()).unwrap();
    let running = Server::start(folder.path()).unwrap();
    let url = running.url();
    let body = json!({ "name": "admin", "password": "mật khẩu quản trị 2025" });
    let (status, session) = post(&agent(), &format!("{url}/v1/session"), None, &body).unwrap();
    assert_eq!(status, 200, "{session}");
    let token = text(&session, "access_token").unwrap();
    let (_, fingerprints) = get(&agent(), &format!("{url}/v1/fingerprints"), Some(&token)).unwrap();
    assert_eq!(fingerprints, expected["fingerprints"]);
    let path = format!("{url}/v1/roll-ups?template=bao-cao-cchc-2022&period=2025");
    let (_, totals) = get(&agent(), &path, Some(&token)).unwrap();
    assert_eq!(totals["figures"], expected["figures"]);
    running.stop().unwrap();
}
