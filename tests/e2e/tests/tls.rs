//! HTTPS by the server itself: a certificate of the province's own authority, renewed while tablets are
//! connected; a pair that does not fit changes nothing.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use dongbo::road::Road;
use dongbo::road::authority::Authority;
use dongbo::road::live::Live;
use dongbo::{DeviceFolder, Tablet};
use e2e::{Server, server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;

/// An authority, and the certificates it gives this machine.
struct Office {
    folder: tempfile::TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Office {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        Self { folder, authority }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate for an address of this machine.
    fn certificate(&self, address: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![address.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn put(&self, (certificate, key): &(String, String)) {
        std::fs::write(self.at("cert.pem"), certificate).unwrap();
        std::fs::write(self.at("key.pem"), key).unwrap();
    }

    fn start(&self) -> Server {
        let files = (self.at("cert.pem"), self.at("key.pem"), self.at("ca.pem"));
        Server::start_tls(&self.at("p"), &files.0, &files.1, &files.2).unwrap()
    }

    fn dongbo(&self, arguments: &[&str]) -> (i32, Value) {
        let output = Command::new(server::program().with_file_name("dongbo"))
            .args(["--json", "--device"])
            .arg(self.at("device"))
            .args(arguments)
            .output()
            .unwrap();
        let said = match output.stdout.is_empty() {
            true => output.stderr,
            false => output.stdout,
        };
        let value = serde_json::from_slice(&said).unwrap_or_default();
        (output.status.code().unwrap(), value)
    }
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ready(road: &Road) -> bool {
    road.get::<Value>("/v1/openapi.json", "none").is_ok()
}

fn trusting(url: &str, ca: &Path) -> Road {
    Road::trusting(url, &Authority::read(Some(ca)).unwrap()).unwrap()
}

#[test]
fn a_tablet_enrols_synchronises_and_stays_live_over_https() {
    let office = Office::new();
    office.put(&office.certificate("127.0.0.1"));
    let code = server::init(&office.at("p")).unwrap();
    let server = office.start();
    let (url, ca) = (server.url(), office.at("ca.pem"));
    let ca = ca.to_string_lossy();
    let enrol = ["enrol", "--server", &url, "--code", &code];
    let (exit, said) = office.dongbo(&enrol);
    assert_eq!(
        (exit, said["code"].as_str()),
        (4, Some("offline")),
        "{said}"
    );
    let (exit, said) = office.dongbo(&[&enrol[..], &["--ca", &ca]].concat());
    assert_eq!(exit, 0, "{said}");
    let (exit, said) = office.dongbo(&["sync", "--ca", &ca]);
    assert_eq!(
        (exit, said["complete"].as_bool()),
        (0, Some(true)),
        "{said}"
    );

    // The live line, too, and it is told when the server stops.
    let mut tablet = Tablet::open(&DeviceFolder::new(office.at("device")), None).unwrap();
    let road = trusting(&url, &office.at("ca.pem"));
    let mut session = dongbo::road::session::DeviceSession::new(road, tablet.card(), tablet.key());
    let mut live = Live::open(&mut session, Duration::from_millis(200)).unwrap();
    live.send(&tablet.packed_request().unwrap()).unwrap();
    let mut answer = None;
    until("an answer comes", || {
        answer = live.wait().unwrap();
        answer.is_some()
    });
    let stopping = std::thread::spawn(move || server.stop().unwrap());
    until("the line is closed", || live.wait().is_err());
    stopping.join().unwrap();
}

#[test]
fn a_renewed_certificate_is_used_and_a_pair_that_does_not_fit_is_not() {
    let office = Office::new();
    office.put(&office.certificate("127.0.0.1"));
    let code = server::init(&office.at("p")).unwrap();
    let server = office.start();
    let old = trusting(&server.url(), &office.at("ca.pem"));
    assert!(ready(&old));
    let (exit, said) = office.dongbo(&[
        "enrol",
        "--server",
        &server.url(),
        "--code",
        &code,
        "--ca",
        &office.at("ca.pem").to_string_lossy(),
    ]);
    assert_eq!(exit, 0, "{said}");
    let tablet = Tablet::open(&DeviceFolder::new(office.at("device")), None).unwrap();
    let mut session =
        dongbo::road::session::DeviceSession::new(old.clone(), tablet.card(), tablet.key());
    let mut live = Live::open(&mut session, Duration::from_millis(50)).unwrap();

    // Certificate and key of two pairs.
    let (one, two) = (
        office.certificate("127.0.0.1"),
        office.certificate("127.0.0.1"),
    );
    office.put(&(one.0, two.1));
    server.signal("HUP").unwrap();
    until("the refusal is said", || {
        server.log().contains("the new certificate is not used")
    });
    assert!(ready(&trusting(&server.url(), &office.at("ca.pem"))));

    // Another authority from now on: who believes the old one alone does not get in any more, but
    // a connection that was open stays.
    let other = Office::new();
    office.put(&other.certificate("127.0.0.1"));
    server.signal("HUP").unwrap();
    let renewed = || trusting(&server.url(), &other.at("ca.pem"));
    until("the new certificate is used", || ready(&renewed()));
    assert!(!ready(&trusting(&server.url(), &office.at("ca.pem"))));
    assert!(ready(&old), "the kept connection is still good");
    assert!(
        live.wait().unwrap().is_none(),
        "the live line is still open"
    );
}
