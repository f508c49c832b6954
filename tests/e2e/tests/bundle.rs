//! Where there is no network: signed work goes to the province on a stick and receipts come back, with
//! the real programs; sticks come twice, in any order, broken and cut.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Administrator, PERIOD, Server, TEMPLATE, server};
use serde_json::{Value, json};

/// Runs `dongbo` and gives its exit code and the one object it printed.
fn dongbo(device: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = Command::new(server::program().with_file_name("dongbo"))
        .args(["--json", "--device"])
        .arg(device)
        .args(arguments)
        .output()
        .unwrap();
    let code = output.status.code().unwrap();
    let said = match output.stdout.is_empty() {
        true => output.stderr,
        false => output.stdout,
    };
    let text = String::from_utf8_lossy(&said).into_owned();
    let value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{arguments:?}: {text}"));
    (code, value)
}

fn done(device: &Path, arguments: &[&str]) -> Value {
    let (code, value) = dongbo(device, arguments);
    assert_eq!(code, 0, "{arguments:?}: {value}");
    value
}

/// A province with one commune, a tablet and a colleague's in it, and a courier over the area.
struct Field {
    folder: tempfile::TempDir,
    province: Server,
    admin: Administrator,
    tablet: PathBuf,
    colleague: PathBuf,
    courier: PathBuf,
}

impl Field {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let code = server::init(&at("p")).unwrap();
        let province = Server::start(&at("p")).unwrap();
        let url = province.url();
        let mut admin = Administrator::enrol(&url, &code).unwrap();
        admin.found(1).unwrap();
        let mut enrol = |name: &str, role: &str, unit: &str, subtree: bool| {
            let code = admin.code(name, role, unit, subtree).unwrap();
            let device = at(name);
            done(&device, &["enrol", "--server", &url, "--code", &code]);
            device
        };
        let tablet = enrol("tuan", "officer", "00000", false);
        let colleague = enrol("hanh", "officer", "00000", false);
        let courier = enrol("lan", "aggregator", "19-a", true);
        for device in [&tablet, &colleague, &courier] {
            done(device, &["sync"]);
        }
        Self {
            folder,
            province,
            admin,
            tablet,
            colleague,
            courier,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    fn fill(&self, device: &Path, cell: &str, value: usize) {
        let file = self.path("cells.json");
        std::fs::write(&file, json!({ cell: value }).to_string()).unwrap();
        let fill = ["fill", "--template", TEMPLATE, "--unit", "00000"];
        let fill = [&fill[..], &["--period", PERIOD, "--file", &file]].concat();
        done(device, &fill);
    }

    fn write(&self, device: &Path, name: &str) -> (String, Value) {
        let file = self.path(name);
        let written = done(device, &["bundle", "write", &file]);
        (file, written)
    }

    fn bring(&self, file: &str, url: &str) -> Value {
        done(&self.courier, &["bundle", "read", file, "--server", url])
    }
}

fn fingerprint(admin: &mut Administrator) -> Value {
    admin.get("/v1/fingerprints").unwrap()["all"].clone()
}

fn waiting(device: &Path) -> Value {
    done(device, &["status"])["waiting_parts"].clone()
}

#[test]
fn work_goes_on_a_stick_and_the_receipt_comes_back() {
    let mut field = Field::new();
    let url = field.province.url();
    field.fill(&field.colleague, "III.1.2", 4);
    done(&field.colleague, &["sync"]);
    field.fill(&field.tablet, "III.1.1", 1893);
    let (stick, written) = field.write(&field.tablet, "stick.dongbo");
    assert_eq!(written["number"], 1);
    let (again, _) = dongbo(&field.tablet, &["bundle", "write", &stick]);
    assert_eq!(again, 5, "nothing is overwritten");
    assert_eq!(waiting(&field.tablet), 1, "on its way is not acknowledged");

    let nobody = field.folder.path().join("nobody");
    let seen = done(&nobody, &["bundle", "inspect", &stick]);
    assert_eq!((&seen["number"], &seen["whole"]), (&json!(1), &json!(true)));
    assert_eq!(seen["holds"]["parts"], 1);
    assert!(!nobody.exists(), "looking at a file needs no device");

    let back = field.path("back.dongbo");
    let read = [
        "bundle", "read", &stick, "--server", &url, "--answer", &back,
    ];
    let carried = done(&field.courier, &read);
    assert_eq!(carried["accepted"], 1);
    assert_eq!(carried["answer"]["holds"]["receipts"], 1);
    let before = fingerprint(&mut field.admin);
    let figures = format!("/v1/roll-ups?template={TEMPLATE}&period={PERIOD}");
    assert!(
        field
            .admin
            .get(&figures)
            .unwrap()
            .to_string()
            .contains("1893")
    );

    let (code, wrong) = dongbo(&field.colleague, &["bundle", "read", &back]);
    assert_eq!((code, &wrong["code"]), (3, &json!("bundle-not-for-here")));
    let taken = done(&field.tablet, &["bundle", "read", &back]);
    assert_eq!(
        (&taken["acknowledged"], &taken["accepted"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(waiting(&field.tablet), 0);
    let taken = done(&field.tablet, &["bundle", "read", &back]);
    assert_eq!(
        (&taken["acknowledged"], &taken["accepted"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(taken["sequence"], "again");
    let (code, nothing) = dongbo(&field.tablet, &["bundle", "write", &field.path("none")]);
    assert_eq!((code, &nothing["code"]), (3, &json!("bundle-nothing")));

    // On a link nobody lacks anything, and nothing is said of a difference.
    let report = done(&field.tablet, &["sync"]);
    assert_eq!(
        (&report["rounds"], &report["notices"]),
        (&json!(1), &json!([]))
    );
    assert_eq!(report["documents_changed"], 0);
    assert_eq!(fingerprint(&mut field.admin), before);
    field.province.stop().unwrap();
}

#[test]
fn three_sticks_twice_in_any_order_make_the_same_province() {
    let mut field = Field::new();
    let url = field.province.url();
    let other = field.folder.path().join("other");
    let made = Command::new(server::program())
        .args(["init", "--json", "--catalogue-of"])
        .arg(field.folder.path().join("p"))
        .arg("--folder")
        .arg(&other)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let second = Server::start(&other).unwrap();
    let mut sticks = Vec::new();
    for number in 1..=3 {
        field.fill(&field.tablet, "III.1.1", 100 * number);
        field.fill(&field.colleague, "III.1.1", 100 * number + 1);
        let name = format!("tuan-{number}");
        sticks.push(field.write(&field.tablet, &name).0);
        let name = format!("hanh-{number}");
        sticks.push(field.write(&field.colleague, &name).0);
    }
    for stick in &sticks {
        field.bring(stick, &url);
    }
    for at in [5, 2, 0, 4, 4, 3, 1, 5, 0] {
        field.bring(&sticks[at], &second.url());
    }
    let first = fingerprint(&mut field.admin);
    assert_eq!(first["parts"], 6, "{first}");
    field.admin.moved(&second.url());
    field.admin.peer.sign_in(&second.url()).unwrap();
    assert_eq!(fingerprint(&mut field.admin), first);

    // A colleague reads them too, and what both have afterwards is what the province has.
    for at in [4, 0, 2, 4] {
        let (code, taken) = dongbo(&field.colleague, &["bundle", "read", &sticks[at]]);
        assert_eq!(code, 0, "{taken}");
    }
    for device in [&field.colleague, &field.tablet, &field.colleague] {
        assert_eq!(done(device, &["sync"])["notices"], json!([]));
    }
    field.admin.moved(&url);
    assert_eq!(fingerprint(&mut field.admin), first);
    second.stop().unwrap();
    field.province.stop().unwrap();
}

#[test]
fn a_stick_that_was_changed_is_refused_and_one_that_broke_off_gives_what_is_whole() {
    let mut field = Field::new();
    let url = field.province.url();
    let before = fingerprint(&mut field.admin);
    for number in 1..=12 {
        field.fill(&field.tablet, "III.1.1", number);
        // Each is sealed by itself, as by a person who locks the tablet in between.
        field.write(&field.tablet, &format!("unused-{number}"));
    }
    let (stick, written) = field.write(&field.tablet, "stick");
    assert_eq!(written["number"], 13);
    let pieces = written["pieces"].as_u64().unwrap();
    assert!(pieces >= 2, "{written}");
    let whole = std::fs::read(&stick).unwrap();
    let (bad, read) = (field.path("bad"), ["bundle", "read"]);
    for at in [0, 8, 40, 200, whole.len() - 3_000, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        std::fs::write(&bad, changed).unwrap();
        for (device, to) in [
            (&field.colleague, &[][..]),
            (&field.courier, &["--server", &url]),
        ] {
            let (code, said) = dongbo(device, &[&read[..], &[&bad], to].concat());
            assert_eq!(code, 5, "byte {at}: {said}");
            let name = said["code"].as_str().unwrap();
            assert!(name.starts_with("bundle-"), "{said}");
        }
    }
    assert_eq!(fingerprint(&mut field.admin), before, "nothing was taken");

    let cut = field.path("cut");
    std::fs::write(&cut, &whole[..whole.len() - 500]).unwrap();
    let (code, said) = dongbo(&field.courier, &["bundle", "read", &cut, "--server", &url]);
    assert_eq!((code, &said["whole"]), (6, &json!(false)), "{said}");
    let missing = said["missing"]["parts"].as_u64().unwrap();
    assert_eq!(said["accepted"].as_u64().unwrap() + missing, 12);
    assert!(missing > 0 && missing < 12);
    let range = &said["missing"]["chains"][0]["batches"][0];
    assert_eq!(range, &json!([13 - missing, 12]));
    field.bring(&stick, &url);
    assert_eq!(fingerprint(&mut field.admin)["parts"], 12);
    field.province.stop().unwrap();
}

/// A file that could not be written has used its number up: two files never have one.
#[test]
fn the_number_is_durable_before_the_file() {
    let field = Field::new();
    field.fill(&field.tablet, "III.1.1", 7);
    let nowhere = field.path("no-such-folder/stick");
    let (code, said) = dongbo(&field.tablet, &["bundle", "write", &nowhere]);
    assert_eq!((code, &said["code"]), (1, &json!("file")));
    let (_, written) = field.write(&field.tablet, "stick");
    assert_eq!(written["number"], 2);
    assert_ne!(written["previous"], "0".repeat(64));
    // A bare name is a file where one stands.
    let bare = Command::new(server::program().with_file_name("dongbo"))
        .args(["bundle", "write", "bare.dongbo", "--device"])
        .arg(&field.tablet)
        .current_dir(field.folder.path())
        .output()
        .unwrap();
    assert!(bare.status.success(), "{bare:?}");
    assert!(field.folder.path().join("bare.dongbo").is_file());
    field.province.stop().unwrap();
}

#[test]
fn a_sealed_stick_is_read_with_its_key_alone() {
    let mut field = Field::new();
    let url = field.province.url();
    let (right, wrong) = (field.path("area.key"), field.path("other.key"));
    let made = done(&field.courier, &["bundle", "key", "--out", &right]);
    done(&field.courier, &["bundle", "key", "--out", &wrong]);
    let public = made["public_key"].as_str().unwrap();
    field.fill(&field.tablet, "III.1.1", 1893);
    let stick = field.path("stick");
    done(
        &field.tablet,
        &["bundle", "write", &stick, "--seal-to", public],
    );
    let bytes = std::fs::read(&stick).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
    let read = ["bundle", "read", &stick, "--server", &url];
    let (code, said) = dongbo(&field.courier, &read);
    assert_eq!((code, &said["code"]), (5, &json!("seal-key-needed")));
    let (code, said) = dongbo(&field.courier, &[&read[..], &["--key", &wrong]].concat());
    assert_eq!((code, &said["code"]), (5, &json!("seal-key-wrong")));
    let carried = done(&field.courier, &[&read[..], &["--key", &right]].concat());
    assert_eq!(carried["accepted"], 1);
    let seen = done(
        &field.courier,
        &["bundle", "inspect", &stick, "--key", &right],
    );
    assert_eq!(seen["whole"], true);
    assert_eq!(fingerprint(&mut field.admin)["parts"], 1);
    field.province.stop().unwrap();
}
