//! An area's edge: tablets work through it while the province is away, one goes home with a file, and in
//! the end every machine holds the same.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Administrator, PERIOD, Server, TEMPLATE, folder, server};
use serde_json::{Value, json};

/// Bytes of memory that an edge may take.
const EDGE_BYTES_MAX: u64 = 256 * 1024 * 1024;

fn run(device: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = Command::new(server::program().with_file_name("dongbo"))
        .args(["--json", "--device"])
        .arg(device)
        .args(arguments)
        .output()
        .unwrap();
    let said = match output.stdout.is_empty() {
        true => output.stderr,
        false => output.stdout,
    };
    let text = String::from_utf8_lossy(&said).into_owned();
    let value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{arguments:?}: {text}"));
    (output.status.code().unwrap(), value)
}

fn done(device: &Path, arguments: &[&str]) -> Value {
    let (code, value) = run(device, arguments);
    assert_eq!(code, 0, "{arguments:?}: {value}");
    value
}

/// A free port that a server can come back to.
fn address() -> String {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().to_string()
}

struct Area {
    folder: tempfile::TempDir,
    listen: [String; 2],
    admin: Administrator,
}

impl Area {
    /// A province with an edge below it, and tablets that know the catalogue.
    fn new(tablets: &[(&str, &str, &str, bool)]) -> (Self, Server, Server) {
        let folder = tempfile::tempdir().unwrap();
        let code = server::init(&folder.path().join("province")).unwrap();
        let listen = [address(), address()];
        let start = ["--listen", &listen[0]];
        let province = Server::start_with(&folder.path().join("province"), &start).unwrap();
        let admin = Administrator::enrol(&province.url(), &code).unwrap();
        let mut area = Self {
            folder,
            listen,
            admin,
        };
        area.admin.found(2).unwrap();
        for (name, role, unit, subtree) in tablets {
            let code = area.admin.code(name, role, unit, *subtree).unwrap();
            let enrol = ["enrol", "--server", &province.url(), "--code", &code];
            done(&area.at(name), &enrol);
        }
        let node = json!({
            "unit_code": "19-a", "label": "Khu vực A",
            "address": format!("http://{}", area.listen[1]),
        });
        let code = area.admin.post("/v1/nodes", &node).unwrap()["code"].clone();
        let joined = Command::new(server::program())
            .args(["init", "--json", "--upstream", &province.url(), "--code"])
            .args([code.as_str().unwrap(), "--folder"])
            .arg(area.at("edge"))
            .output()
            .unwrap();
        let complained = String::from_utf8_lossy(&joined.stderr);
        assert!(joined.status.success(), "{complained}");
        let edge = area.start_edge();
        (area, province, edge)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start_province(&self) -> Server {
        Server::start_with(&self.at("province"), &["--listen", &self.listen[0]]).unwrap()
    }

    fn start_edge(&self) -> Server {
        let listen = ["--listen", &self.listen[1], "--upstream-every", "3600"];
        Server::start_with(&self.at("edge"), &listen).unwrap()
    }

    fn fill(&self, name: &str, cell: &str, value: usize) {
        let file = self.at("cells.json");
        std::fs::write(&file, json!({ cell: value }).to_string()).unwrap();
        let file = file.to_string_lossy().into_owned();
        let fill = ["fill", "--template", TEMPLATE, "--unit", "00000"];
        let fill = [&fill[..], &["--period", PERIOD, "--file", &file]].concat();
        done(&self.at(name), &fill);
    }

    fn sync(&self, name: &str, url: &str) -> Value {
        let said = done(&self.at(name), &["sync", "--url", url]);
        assert_eq!(said["complete"], true, "{said}");
        said
    }

    /// Lets the edge exchange with the province now.
    fn round(&self, edge: &Server) -> Value {
        done(&self.at("tuan"), &["node", "sync", "--url", &edge.url()])
    }

    /// What a server says it holds.
    fn fingerprint(&mut self, url: &str) -> Value {
        self.admin.moved(url);
        self.admin.peer.sign_in(url).unwrap();
        self.admin.get("/v1/fingerprints").unwrap()["all"].clone()
    }
}

#[test]
fn two_tablets_work_through_the_edge_while_the_province_is_away() {
    let (mut area, province, edge) = Area::new(&[
        ("tuan", "officer", "00000", false),
        ("hanh", "officer", "00000", false),
        ("lan", "aggregator", "19-a", true),
    ]);
    let (up, down) = (province.url(), edge.url());
    area.fill("hanh", "III.1.3", 3);
    area.sync("hanh", &up);
    assert_eq!(area.round(&edge)["in_step"], true);
    province.kill().unwrap();

    // Weeks without the province: acknowledged by the edge, seen by the colleague.
    area.fill("tuan", "III.1.1", 1893);
    assert_eq!(area.sync("tuan", &down)["waiting_parts"], 0);
    area.fill("hanh", "III.1.2", 4);
    assert_eq!(area.sync("hanh", &down)["waiting_parts"], 0);
    assert_eq!(area.sync("tuan", &down)["documents_changed"], 1);
    let before = area.fingerprint(&down);
    let state = area.round(&edge);
    assert_eq!(state["in_step"], false, "{state}");
    assert!(state["last_error"].is_string(), "{state}");

    // What the province alone can do is refused with words that say where to go.
    let sign_in = [
        "sign-in",
        "--server",
        &down,
        "--name",
        "admin",
        "--password",
        "x",
    ];
    let (exit, said) = run(&area.at("tuan"), &sign_in);
    assert_eq!(
        (exit, said["code"].as_str()),
        (3, Some("ask-the-province")),
        "{said}"
    );
    let refused = area.admin.post(
        "/v1/people",
        &json!({ "people": [
        { "name": "ai", "display": "Ai", "grants": [] }
    ] }),
    );
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("ask-the-province")
    );

    // Killed: what was acknowledged is there.
    edge.kill().unwrap();
    let edge = area.start_edge();
    assert_eq!(area.fingerprint(&down), before);

    // One goes home with a file, which reaches the province before the edge does.
    area.fill("hanh", "III.1.4", 5);
    let file = area.at("home.dongbo").to_string_lossy().into_owned();
    done(&area.at("hanh"), &["bundle", "write", &file]);
    let province = area.start_province();
    done(&area.at("lan"), &["bundle", "read", &file, "--server", &up]);

    // Killed while it exchanges, three times at whatever it was doing.
    let mut edge = edge;
    for _ in 0..3 {
        let (device, url) = (area.at("tuan"), down.clone());
        let asking = std::thread::spawn(move || run(&device, &["node", "sync", "--url", &url]));
        edge.kill().unwrap();
        asking.join().unwrap();
        edge = area.start_edge();
    }
    let state = area.round(&edge);
    assert_eq!(state["in_step"], true, "{state}");
    assert_eq!(state["differences"], 0, "{state}");
    let all = area.fingerprint(&up);
    assert_eq!(area.fingerprint(&down), all);
    assert_eq!(all["parts"], 4, "{all}");

    // One day here, one day there: nothing is read again, nobody has anything to say.
    for name in ["tuan", "hanh"] {
        area.sync(name, &up);
        area.sync(name, &down);
        for url in [&up, &down, &up, &down] {
            let said = area.sync(name, url);
            assert_eq!(said["notices"], json!([]), "{said}");
            assert_eq!(said["acknowledged"], 0, "{said}");
            assert_eq!(said["waiting_parts"], 0, "{said}");
        }
    }
    area.fill("tuan", "III.1.1", 1894);
    area.sync("tuan", &up);
    area.round(&edge);
    assert_eq!(area.sync("hanh", &down)["documents_changed"], 1);
    assert_eq!(area.fingerprint(&up), area.fingerprint(&down));
    for name in ["tuan", "hanh"] {
        area.sync(name, &down);
        let held = done(&area.at(name), &["fingerprints"]);
        let there = area.fingerprint(&down);
        let there = format!("{}:{}", there["parts"], there["sum"].as_str().unwrap());
        assert_eq!(held["fingerprint"], there, "{held}");
    }
    assert!(edge.resident_peak_bytes().unwrap() < EDGE_BYTES_MAX);
    edge.stop().unwrap();
    province.stop().unwrap();
}

/// What a command of the server's own program says.
fn said_by_server(arguments: &[&str]) -> Value {
    let mut program = Command::new(server::program());
    let ran = program.arg("--json").args(arguments).output().unwrap();
    let complained = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{complained}");
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// An edge that was lost goes on from its backup; what it had sent up since is neither lost nor doubled.
#[test]
fn an_edge_comes_back_from_its_backup() {
    let (mut area, province, edge) = Area::new(&[("tuan", "officer", "00000", false)]);
    let (up, down) = (province.url(), edge.url());
    let path = |name: &str| area.at(name).to_string_lossy().into_owned();
    let (key, backup, folder) = (path("key"), path("backup"), path("edge"));
    let public = said_by_server(&["backup-key", "--out", &key])["public_key"].clone();
    let public = public.as_str().unwrap();
    area.fill("tuan", "III.1.1", 1893);
    area.sync("tuan", &down);
    assert_eq!(area.round(&edge)["in_step"], true);
    said_by_server(&[
        "backup",
        "--folder",
        &folder,
        "--to",
        &backup,
        "--seal-to",
        public,
    ]);
    area.fill("tuan", "III.1.2", 4);
    area.sync("tuan", &down);
    assert_eq!(area.round(&edge)["in_step"], true);
    area.fill("tuan", "III.1.3", 5);
    area.sync("tuan", &down);
    edge.kill().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();

    said_by_server(&[
        "restore", "--from", &backup, "--key", &key, "--folder", &folder,
    ]);
    let edge = area.start_edge();
    // The province gives back what it was sent, the tablet what only the edge had acknowledged.
    assert_eq!(area.round(&edge)["in_step"], true);
    area.sync("tuan", &down);
    let state = area.round(&edge);
    assert_eq!(
        (&state["in_step"], &state["differences"]),
        (&json!(true), &json!(0))
    );
    let all = area.fingerprint(&up);
    assert_eq!((&all["parts"], &area.fingerprint(&down)), (&json!(3), &all));
    edge.stop().unwrap();
    province.stop().unwrap();
}

/// A tablet's folder was copied. What was typed with the one copy came to the province, what was typed with
/// the other to the edge, where a colleague has built on it. The edge lets the province's stand and starts
/// itself again; nothing typed is lost, and backups from before and after say what was held then.
#[test]
fn an_edge_gives_way_to_the_branch_that_the_province_has() {
    let officer = |name| (name, "officer", "00000", false);
    let (mut area, province, edge) = Area::new(&[officer("tuan"), officer("hanh")]);
    let (up, down) = (province.url(), edge.url());
    let path = |name: &str| area.at(name).to_string_lossy().into_owned();
    let (key, backup, folder) = (path("key"), path("backup"), path("edge"));
    let restored = path("restored");
    let public = said_by_server(&["backup-key", "--out", &key])["public_key"].clone();
    let public = public.as_str().unwrap();
    let save = [
        "backup",
        "--folder",
        &folder,
        "--to",
        &backup,
        "--seal-to",
        public,
    ];
    let (hanh, yesterday) = (area.at("hanh"), area.at("yesterday"));

    area.fill("hanh", "III.1.1", 5);
    area.sync("hanh", &up);
    assert_eq!(area.round(&edge)["in_step"], true);
    area.sync("tuan", &down);
    folder::copy(&hanh, &yesterday).unwrap();
    area.fill("hanh", "III.1.2", 6);
    area.sync("hanh", &up);
    std::fs::remove_dir_all(&hanh).unwrap();
    std::fs::rename(&yesterday, &hanh).unwrap();
    area.fill("hanh", "III.1.2", 7);
    area.sync("hanh", &down);
    area.sync("tuan", &down);
    area.fill("tuan", "III.1.3", 9);
    area.sync("tuan", &down);
    let before = area.fingerprint(&down);
    said_by_server(&save);

    // Whoever asked may be cut off by the start; the process is the same one.
    let mut state = Value::Null;
    for _ in 0..20 {
        let (_, said) = run(&area.at("tuan"), &["node", "sync", "--url", &down]);
        edge.wait_ready().unwrap();
        for name in ["tuan", "hanh"] {
            run(&area.at(name), &["sync", "--url", &down]);
        }
        state = said;
        if state["in_step"] == true && area.fingerprint(&down) == area.fingerprint(&up) {
            break;
        }
    }
    assert_eq!(state["in_step"], true, "{state}\n{}", edge.log());
    assert!(edge.log().contains("starting again"), "{}", edge.log());
    let all = area.fingerprint(&up);
    assert_eq!(area.fingerprint(&down), all, "{}", edge.log());
    assert_ne!(all, before);
    for name in ["tuan", "hanh"] {
        let said = area.sync(name, &down);
        assert_eq!(said["waiting_parts"], 0, "{said}");
        let show = ["show", "--template", TEMPLATE, "--unit", "00000"];
        let show = [&show[..], &["--period", PERIOD, "--filled"]].concat();
        let shown = done(&area.at(name), &show).to_string();
        for typed in ["5", "6", "7", "9"] {
            assert!(shown.contains(&format!("\"{typed}\"")), "{typed}: {shown}");
        }
    }

    // The same series goes on; restoring proves what it says it holds.
    said_by_server(&save);
    edge.stop().unwrap();
    let proved = said_by_server(&[
        "restore", "--from", &backup, "--key", &key, "--folder", &restored,
    ]);
    assert_eq!(proved["parts"], all["parts"], "{proved}");
    province.stop().unwrap();
}

/// There is never a line between the two: a stick goes up and another comes down, and both hold the same.
#[test]
fn an_edge_and_the_province_exchange_by_sticks_alone() {
    let (mut area, province, edge) = Area::new(&[
        ("tuan", "officer", "00000", false),
        ("hanh", "officer", "00000", false),
        ("lan", "aggregator", "19-a", true),
        ("minh", "aggregator", "19-a", true),
    ]);
    let (up, down) = (province.url(), edge.url());
    let path = |name: &str| area.at(name).to_string_lossy().into_owned();
    let (stick, back) = (path("up.dongbo"), path("down.dongbo"));
    province.stop().unwrap();

    // At the area: a tablet works, and a laptop takes along what the province has not seen.
    area.fill("tuan", "III.1.1", 1893);
    area.sync("tuan", &down);
    area.sync("lan", &down);
    let written = done(&area.at("lan"), &["bundle", "write", &stick]);
    edge.stop().unwrap();

    // In town: a colleague brings it to the province, where others have worked, too.
    let province = area.start_province();
    area.fill("hanh", "III.1.3", 3);
    area.sync("hanh", &up);
    let read = ["bundle", "read", &stick, "--server", &up, "--answer", &back];
    let carried = done(&area.at("minh"), &read);
    let all = area.fingerprint(&up);
    assert_eq!(all["parts"], 2, "{written} {carried} {all}");
    province.stop().unwrap();

    // At the area again: the laptop has read the answer, and the edge learns from it.
    let edge = area.start_edge();
    done(&area.at("lan"), &["bundle", "read", &back]);
    area.sync("lan", &down);
    assert_eq!(area.fingerprint(&down), all);
    assert_eq!(area.sync("tuan", &down)["documents_changed"], 1);

    // The same sticks once more, and a line at last: there is nothing left to say.
    done(&area.at("lan"), &["bundle", "read", &back]);
    let said = area.sync("lan", &down);
    assert_eq!(said["notices"], json!([]), "{said}");
    let province = area.start_province();
    done(
        &area.at("minh"),
        &["bundle", "read", &stick, "--server", &up],
    );
    let state = area.round(&edge);
    assert_eq!(state["in_step"], true, "{state}");
    assert_eq!(state["differences"], 0, "{state}");
    assert_eq!(area.fingerprint(&up), all);
    assert_eq!(area.fingerprint(&down), all);
    edge.stop().unwrap();
    province.stop().unwrap();
}

/// The app comes from the province and may ask the edge, by what synchronising needs alone.
#[test]
fn the_provinces_page_may_ask_the_edge_and_no_other_page_may() {
    let (area, province, edge) = Area::new(&[]);
    let page = ureq::get(format!("{}/", province.url())).call().unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    let sources = format!("connect-src 'self' http://{0} ws://{0};", area.listen[1]);
    assert!(policy.contains(&sources), "{policy}");

    let preflight = |path: &str, origin: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let asked = agent
            .options(format!("{}{path}", edge.url()))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-private-network", "true")
            .call()
            .unwrap();
        let header = |name: &str| asked.headers().get(name).cloned();
        (
            asked.status().as_u16(),
            header("access-control-allow-origin"),
            header("access-control-allow-private-network"),
        )
    };
    let (status, origin, private) = preflight("/v1/sync", &province.url());
    assert_eq!(status, 204);
    assert_eq!(origin.unwrap(), province.url().as_str());
    assert_eq!(private.unwrap(), "true");
    assert_eq!(preflight("/v1/sync", "https://elsewhere.example").1, None);
    assert_eq!(preflight("/v1/people", &province.url()).1, None);
    assert_eq!(preflight("/v1/sync", "null").1, None);
}
