//! A backup is made while the server writes, the machine is lost, and a province comes back: proved by its
//! fingerprints, under a new node id, made whole by the tablets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use e2e::{Administrator, Peer, Server, server};
use serde_json::Value;

/// Runs the server's program; what it said, or what it complained of.
fn run(arguments: &[&str]) -> Result<Value, String> {
    let output = Command::new(server::program())
        .arg("--json")
        .args(arguments)
        .env("DONGBO_LOG", "error")
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A province with a tablet, its backup's folder, and the key that opens it.
struct World {
    folder: tempfile::TempDir,
    public: String,
    admin: Administrator,
    tablet: Peer,
    running: Option<Server>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let province = folder.path().join("p");
        let code = server::init(&province).unwrap();
        let running = Server::start(&province).unwrap();
        let mut admin = Administrator::enrol(&running.url(), &code).unwrap();
        admin.found(2).unwrap();
        let tablet = admin.person("tuan", "officer", "00001", false).unwrap();
        let key = folder.path().join("key");
        let made = run(&["backup-key", "--out", text(&key)]).unwrap();
        assert!(
            run(&["backup-key", "--out", text(&key)]).is_err(),
            "never overwritten"
        );
        Self {
            public: made["public_key"].as_str().unwrap().to_owned(),
            folder,
            admin,
            tablet,
            running: Some(running),
        }
    }

    fn at(&self, name: &str) -> String {
        text(&self.folder.path().join(name)).to_owned()
    }

    fn write(&mut self, from: i64, changes: usize) {
        let url = self.running.as_ref().unwrap().url();
        let unit = self.admin.units["00001"];
        self.tablet.seal_changes(unit, changes, from).unwrap();
        self.tablet.sync(&url).unwrap();
    }

    fn back_up(&self, province: &str) -> Value {
        let arguments = ["--folder", &self.at(province), "--to", &self.at("backup")];
        let seal = ["--seal-to", &self.public];
        run(&[&["backup"], &arguments[..], &seal[..]].concat()).unwrap()
    }

    fn restore(&self, folder: &str, more: &[&str]) -> Result<Value, String> {
        let (from, key, folder) = (self.at("backup"), self.at("key"), self.at(folder));
        let arguments = [
            "restore", "--from", &from, "--key", &key, "--folder", &folder,
        ];
        run(&[&arguments[..], more].concat())
    }

    /// Starts the server on a folder.
    fn serve(&mut self, folder: &str) {
        let running = Server::start(Path::new(&self.at(folder))).unwrap();
        self.admin.moved(&running.url());
        self.admin.peer.sign_in(&running.url()).unwrap();
        self.tablet.sign_in(&running.url()).unwrap();
        self.running = Some(running);
    }

    fn kill(&mut self) {
        self.running.take().unwrap().kill().unwrap();
    }

    fn fingerprints(&mut self) -> Value {
        self.admin.get("/v1/fingerprints").unwrap()["all"].clone()
    }
}

#[test]
fn a_lost_province_comes_back_and_the_tablets_bring_what_the_backup_lacks() {
    let mut world = World::new();
    world.write(1, 3);
    let first = world.back_up("p");
    assert_eq!(
        (
            &first["series"],
            &first["piece"]["number"],
            &first["holds"]["parts"]
        ),
        (&1.into(), &1.into(), &3.into())
    );
    assert!(world.back_up("p")["piece"].is_null(), "nothing is new");
    world.write(10, 2);
    let second = world.back_up("p");
    assert_eq!(
        (
            &second["piece"]["number"],
            &second["piece"]["records"],
            &second["holds"]["parts"]
        ),
        (&2.into(), &1.into(), &5.into()),
        "only what came since"
    );
    let backed_up = world.fingerprints();
    world.write(20, 1);
    let lost = world.fingerprints();
    world.kill();
    std::fs::remove_dir_all(world.at("p")).unwrap();

    let restored = world.restore("q", &[]).unwrap();
    assert_eq!(
        (&restored["pieces"], &restored["parts"]),
        (&2.into(), &5.into())
    );
    let again = world.restore("q", &[]).unwrap_err();
    assert!(again.contains("is there already"), "{again}");
    world.serve("q");
    assert_eq!(world.fingerprints(), backed_up);
    let url = world.running.as_ref().unwrap().url();
    world.tablet.sync(&url).unwrap();
    assert_eq!(world.fingerprints(), lost, "the tablet brought the rest");
    world.write(30, 1);

    // Another journal: the next backup begins a series of its own.
    let other = world.back_up("q");
    assert_eq!(
        (&other["series"], &other["begun"]),
        (&2.into(), &true.into())
    );
    world.kill();
    let restored = world.restore("r", &[]).unwrap();
    assert_eq!(
        (&restored["series"], &restored["parts"]),
        (&2.into(), &7.into())
    );
    let older = world
        .restore("s", &["--series", "1", "--through", "1"])
        .unwrap();
    assert_eq!((&older["pieces"], &older["parts"]), (&1.into(), &3.into()));
    assert_ne!(older["node"], restored["node"]);
}

#[test]
fn a_backup_that_was_changed_or_is_not_whole_is_refused_by_name() {
    let mut world = World::new();
    world.write(1, 2);
    world.back_up("p");
    world.write(10, 2);
    world.back_up("p");
    world.kill();
    let backup = world.folder.path().join("backup");
    let checked = run(&["check-backup", "--from", text(&backup)]).unwrap();
    assert_eq!(checked["pieces"].as_array().unwrap().len(), 2);
    let other = world.at("other-key");
    run(&["backup-key", "--out", &other]).unwrap();
    let with_other = [
        "restore",
        "--from",
        text(&backup),
        "--key",
        &other,
        "--folder",
    ];
    let refused = run(&[&with_other[..], &[&world.at("q")]].concat()).unwrap_err();
    assert!(refused.contains("none of the keys"), "{refused}");

    let piece = |number: u8| backup.join(format!("0000000001/000000000{number}.piece"));
    let said = |number: u8| piece(number).with_extension("json");
    let whole = std::fs::read(piece(1)).unwrap();
    for at in [0, 90, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(piece(1), &changed).unwrap();
        let refused = run(&["check-backup", "--from", text(&backup)]).unwrap_err();
        assert!(refused.contains("0000000001.piece"), "{refused}");
        assert!(
            world
                .restore("q", &[])
                .unwrap_err()
                .contains("0000000001.piece")
        );
    }
    std::fs::write(piece(1), &whole).unwrap();

    // Somebody who changed a piece and what is said of it has not the key that signed it.
    let told = std::fs::read_to_string(said(1)).unwrap();
    let second = std::fs::read_to_string(said(2)).unwrap();
    std::fs::write(piece(1), std::fs::read(piece(2)).unwrap()).unwrap();
    std::fs::write(said(1), second.replace("\"number\": 2", "\"number\": 1")).unwrap();
    let refused = world.restore("q", &[]).unwrap_err();
    assert!(refused.contains("follows another piece"), "{refused}");
    std::fs::write(piece(1), &whole).unwrap();
    std::fs::write(said(1), &told).unwrap();

    // A piece without its word was cut off; one before the last may not be missing.
    std::fs::rename(said(1), backup.join("aside")).unwrap();
    let refused = world.restore("q", &[]).unwrap_err();
    assert!(refused.contains("0000000001.json is missing"), "{refused}");
    std::fs::rename(backup.join("aside"), said(1)).unwrap();
    std::fs::remove_file(said(2)).unwrap();
    assert_eq!(world.restore("q", &[]).unwrap()["parts"], 2);
    assert_eq!(world.back_up("p")["piece"]["number"], 2, "written again");
    assert_eq!(world.restore("r", &[]).unwrap()["parts"], 4);
}

/// What comes out is compared with what was backed up, and who signed it with the catalogue.
#[test]
fn a_backup_that_says_what_it_does_not_hold_is_not_restored() {
    let mut world = World::new();
    world.write(1, 2);
    world.back_up("p");
    world.write(10, 1);
    let said = world.at("backup/0000000001/0000000001.json");
    let told = std::fs::read_to_string(&said).unwrap();
    std::fs::write(
        &said,
        told.replace("\"fingerprint\": \"02", "\"fingerprint\": \"03"),
    )
    .unwrap();
    assert_eq!(
        world.back_up("p")["holds"]["parts"],
        4,
        "counted on from what was said"
    );
    world.kill();
    let refused = world.restore("q", &[]).unwrap_err();
    assert!(refused.contains("is not what was backed up"), "{refused}");
    assert!(!Path::new(&world.at("q")).exists());

    std::fs::write(world.at("p/secrets/node.key"), "07".repeat(32)).unwrap();
    let anew = [
        "--to",
        &world.at("backup"),
        "--seal-to",
        &world.public,
        "--anew",
    ];
    run(&[&["backup", "--folder", &world.at("p")], &anew[..]].concat()).unwrap();
    let refused = world.restore("q", &[]).unwrap_err();
    assert!(refused.contains("another signed"), "{refused}");
}

#[test]
fn backups_made_while_the_server_writes_hold_together() {
    let mut world = World::new();
    let done = Arc::new(AtomicBool::new(false));
    let (province, backup) = (world.at("p"), world.at("backup"));
    let (public, until) = (world.public.clone(), Arc::clone(&done));
    let backing_up = std::thread::spawn(move || {
        let mut pieces = 0;
        while !until.load(Ordering::SeqCst) {
            let to = ["--folder", &province, "--to", &backup, "--seal-to", &public];
            let made = run(&[&["backup"], &to[..]].concat()).unwrap();
            assert_eq!(made["series"], 1);
            pieces += u64::from(!made["piece"].is_null());
        }
        pieces
    });
    for round in 0..40 {
        world.write(round, 2);
    }
    done.store(true, Ordering::SeqCst);
    let pieces = backing_up.join().unwrap();
    assert!(pieces > 1, "{pieces} pieces");
    world.back_up("p");
    let expected = world.fingerprints();
    world.kill();
    let restored = world.restore("q", &[]).unwrap();
    assert_eq!(restored["parts"], 80);
    world.serve("q");
    assert_eq!(world.fingerprints(), expected);
}
