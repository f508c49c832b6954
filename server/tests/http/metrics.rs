//! What is measured, as Prometheus reads it, on an address of its own.

use std::time::Duration;

use dongbo_server::metrics::Metrics;
use journal::Observer;
use serde_json::json;
use sync_core::log::{Follow, Write, keys};
use sync_core::sync::{Device, Notice};

use crate::field::{Field, PERIOD};

/// The value of a line.
fn value(text: &str, line: &str) -> f64 {
    let found = text.lines().find_map(|one| one.strip_prefix(line));
    let found = found.unwrap_or_else(|| panic!("no {line} in:\n{text}"));
    found.trim().parse().unwrap()
}

#[test]
fn a_day_of_work_is_seen_in_the_metrics() {
    let field = Field::new(2);
    let code = field.sum_code();
    let mut tablet = field.tablet(1, "officer", "c1", false);
    field.fill(&mut tablet, &code, 10);
    field.sync(&mut tablet);
    let wrong = json!({ "name": "admin", "password": "sai rồi, sai rồi" });
    field.served.refused("/v1/session", None, &wrong);
    let path = format!(
        "/v1/roll-ups?template={}&period={PERIOD}",
        field.template.id()
    );
    assert_eq!(field.served.get(&path, None).0, 200);
    let text = field.served.scrape();
    for (line, least) in [
        (
            "dongbo_http_requests_total{method=\"GET\",route=\"/v1/roll-ups\",status=\"200\"}",
            1.0,
        ),
        (
            "dongbo_http_requests_total{method=\"POST\",route=\"/v1/session\",status=\"401\"}",
            1.0,
        ),
        (
            "dongbo_http_request_seconds_count{method=\"POST\",route=\"/v1/sync\"}",
            1.0,
        ),
        (
            "dongbo_sign_in_failures_total{code=\"sign-in-failed\"}",
            1.0,
        ),
        ("dongbo_parts_total{verdict=\"accepted\",code=\"\"}", 1.0),
        ("dongbo_commit_exchanges_count", 1.0),
        ("dongbo_roll_up_seconds_count{kind=\"whole\"}", 1.0),
        ("dongbo_ready", 1.0),
        ("dongbo_repairs_total", 0.0),
        ("dongbo_live_connections", 0.0),
        ("dongbo_held_parts", 0.0),
        ("dongbo_derivation_lag_parts", 0.0),
        ("dongbo_journal_bytes", 0.0),
        ("dongbo_index_bytes", 0.0),
    ] {
        assert!(value(&text, line) >= least, "{line}");
    }
    assert!(text.ends_with("# EOF\n"));
}

/// People, units and reports are in no label, whatever was asked.
#[test]
fn metrics_name_nobody() {
    let field = Field::new(1);
    let tablet = field.tablet(1, "officer", "c1", false);
    let names = [tablet.unit.to_string(), "19".to_owned(), "admin".to_owned()];
    field
        .served
        .get("/v1/units?kind=bi-mat", Some(&field.admin));
    field.served.get(
        "/v1/reports/0123456789abcdef0123456789abcdef",
        Some(&field.admin),
    );
    field.served.get("/khong/co/trang-nay", None);
    let code = field.served.try_method("brew", "/v1/units");
    assert_eq!(code.as_deref(), Some("method-not-allowed"));
    let text = field.served.scrape();
    let labels: Vec<&str> = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect();
    for said in ["bi-mat", "0123456789abcdef", "trang-nay", "BREW"] {
        assert!(!text.contains(said), "{said}");
    }
    for name in names {
        assert!(
            !labels
                .iter()
                .any(|label| label.contains(&format!("\"{name}\""))),
            "{name}"
        );
    }
    assert!(text.contains("method=\"other\",route=\"/v1/units\""));
}

#[test]
fn metrics_are_not_served_to_the_public() {
    let field = Field::new(1);
    let (status, answer) = field.served.get("/metrics", Some(&field.admin));
    assert_eq!(
        (status, answer["code"].as_str()),
        (404, Some("route-unknown"))
    );
}

#[test]
fn syncs_of_the_journal_are_told_by_the_journal() {
    let field = Field::new(1);
    let metrics: &Metrics = &field.served.app.metrics;
    metrics.synced(1, Duration::from_millis(3));
    let text = field.served.scrape();
    assert!(value(&text, "dongbo_journal_sync_seconds_count") >= 1.0);
    assert!(value(&text, "dongbo_journal_sync_seconds_sum") >= 0.003);
}

/// A part is gone from a tablet: fingerprints tell, it is found out which one, and it comes again.
#[test]
fn fingerprints_that_differ_are_repaired_and_counted() {
    let field = Field::new(1);
    let code = field.sum_code();
    let mut writer = field.tablet(1, "officer", "c1", false);
    let mut reader = field.tablet(2, "officer", "c1", false);
    for value in [10, 20, 30] {
        field.fill(&mut writer, &code, value);
        field.sync(&mut writer);
    }
    field.sync(&mut reader);
    let all = reader.device.log().fingerprint(&Follow::All).unwrap();
    let mut kept = reader.device.keyspace().clone();
    let key = keys::log(reader.device.log().end().unwrap());
    kept.apply([Write { key, value: None }]);
    let sealer = reader.device.sealer().clone();
    reader.device = Device::open(sealer, kept).unwrap().0;
    assert_ne!(reader.device.log().fingerprint(&Follow::All).unwrap(), all);
    let notices = field.sync(&mut reader);
    assert_eq!(notices, [Notice::FingerprintMismatch]);
    assert_eq!(reader.device.log().fingerprint(&Follow::All).unwrap(), all);
    let counted = field.served.scrape();
    assert!(counted.contains("dongbo_repairs_total 1\n"), "{counted}");
}
