//! Health, readiness, draining, and what is said to requests that fit nothing.

use dongbo_server::app::{App, Stage};
use dongbo_server::clock::Clock;
use dongbo_server::operation::found_province::{FoundError, found};
use dongbo_server::secrets::Secrets;
use serde_json::json;
use store::SharedStore;
use store::memory::MemoryFailure;

use crate::served::Served;

#[test]
fn health_and_readiness_tell_apart_living_and_serving() {
    let served = Served::new();
    assert_eq!(served.get("/health", None).0, 200);
    assert_eq!(served.get("/ready", None).0, 200);
    for (stage, code) in [
        (Stage::Starting, "not-ready"),
        (Stage::Draining, "draining"),
    ] {
        served.app.stage.send_replace(stage);
        assert_eq!(served.get("/health", None).0, 200);
        for path in ["/ready", "/v1/units"] {
            let (status, answer) = served.get(path, None);
            assert_eq!((status, answer["code"].as_str()), (503, Some(code)));
            assert_eq!(answer["retry"], true);
        }
    }
}

#[test]
fn a_stopped_server_has_ended_its_requests() {
    let mut served = Served::new();
    assert_eq!(served.get("/health", None).0, 200);
    served.stop();
    assert_eq!(served.app.stage(), Stage::Draining);
    assert!(ureq::get(format!("{}/health", served.url)).call().is_err());
}

#[test]
fn what_fits_nothing_is_refused_with_a_code() {
    let served = Served::new();
    assert_eq!(served.get("/v1/nothing", None).1["code"], "route-unknown");
    assert_eq!(
        served.get("/v1/session", None).1["code"],
        "method-not-allowed"
    );
    for body in [
        "",
        "{",
        "[]",
        "{\"name\":1}",
        "{\"name\":\"a\",\"password\":\"b\",\"x\":1}",
    ] {
        let (status, answer) = served.post_bytes("/v1/session", None, body.as_bytes());
        assert_eq!(
            (status, answer["code"].as_str()),
            (400, Some("request-malformed")),
            "{body}"
        );
    }
    let large = vec![b' '; 4 * 1024 * 1024 + 1];
    let (status, answer) = served.post_bytes("/v1/session", None, &large);
    assert_eq!(
        (status, answer["code"].as_str()),
        (413, Some("body-too-large"))
    );
    let admin = served.administrator();
    let (status, _) = served.post("/v1/grants/xyz/end", Some(&admin), &json!({}));
    assert_eq!(status, 404);
}

#[test]
fn a_full_and_a_failing_store_say_whether_anything_happened() {
    let mut served = Served::new();
    let code = served.founded.code.to_string();
    let body = json!({ "code": code, "public_key": crate::served::Device::new(1).public_key() });
    served.store.fail(Some(MemoryFailure::Full));
    let (status, answer) = served.post("/v1/enrolments/redeem", None, &body);
    assert_eq!((status, answer["code"].as_str()), (507, Some("store-full")));
    assert_eq!(
        (&answer["retry"], &answer["happened"]),
        (&json!(true), &json!("no"))
    );
    served.store.fail(None);
    assert_eq!(served.post("/v1/enrolments/redeem", None, &body).0, 200);
    served
        .store
        .fail(Some(MemoryFailure::Fatal { happens: false }));
    let admin = served.device_session(&crate::served::Device::new(1));
    let duty = json!({ "name": "admin", "label": "x" });
    let (status, answer) = served.post("/v1/enrolments", Some(&admin), &duty);
    assert_eq!(
        (status, answer["code"].as_str()),
        (500, Some("store-uncertain"))
    );
    assert_eq!(answer["happened"], "unknown");
    // Nobody knows what is durable now: the server ends, and the next start reads the disk.
    assert!(served.ended().to_string().contains("sure of a write"));
}

#[test]
fn a_province_is_founded_once_and_opened_with_its_own_keys() {
    let served = Served::new();
    let store: SharedStore = served.store.clone();
    let others = Secrets::random().unwrap();
    assert!(matches!(
        found(&store, &others, &Clock::System, "Tỉnh khác", None),
        Err(FoundError::AlreadyFounded(name)) if name == "Tỉnh Thái Nguyên"
    ));
    let error = App::open(store, others, Clock::System).unwrap_err();
    assert!(
        error.to_string().contains("secrets/catalogue.key"),
        "{error}"
    );
}
