//! One-time codes: made by administrators, used once, repeatable by who used them.

use serde_json::json;

use crate::served::{Device, Served};

#[test]
fn a_code_gives_a_device_what_it_needs_and_the_same_again() {
    let served = Served::new();
    let code = served.founded.code.to_string();
    let device = Device::new(1);
    let first = served.redeem(&code, &device, None);
    assert_eq!(first["province"], served.founded.province.to_string());
    assert_eq!(first["node"], served.founded.node.to_string());
    assert_eq!(first["key_id"], device.key_id.to_string());
    assert_eq!(first["province_name"], "Tỉnh Thái Nguyên");
    assert_eq!(first["rehearsal"], "Diễn tập");
    assert_eq!(first["has_password"], false);
    let records = served.app.registry.current().last_number();
    // The answer was lost; people type codes as they like.
    let again = served.redeem(&code.to_lowercase().replace('-', " "), &device, None);
    assert_eq!(first, again);
    assert_eq!(served.app.registry.current().last_number(), records);
    let other = json!({ "code": code, "public_key": Device::new(2).public_key() });
    assert_eq!(
        served.refused("/v1/enrolments/redeem", None, &other),
        (409, "code-used".to_owned())
    );
}

#[test]
fn codes_end_and_wrong_ones_are_refused() {
    let served = Served::new();
    let redeem = |code: &str| {
        let body = json!({ "code": code, "public_key": Device::new(2).public_key() });
        served.refused("/v1/enrolments/redeem", None, &body).1
    };
    assert_eq!(redeem("AAAA-AAAA-AAAA"), "code-unknown");
    assert_eq!(redeem("hm"), "code-unknown");
    let admin = served.administrator();
    let code = served.done(
        "/v1/enrolments",
        Some(&admin),
        &json!({ "name": "admin", "label": "máy thứ hai" }),
    );
    served.advance(10 * 60);
    assert_eq!(redeem(code["code"].as_str().unwrap()), "code-expired");
    let unknown = json!({ "name": "ai-do", "label": "x" });
    assert_eq!(
        served.refused(
            "/v1/enrolments",
            Some(&served.device_session(&Device::new(200))),
            &unknown
        ),
        (404, "person-unknown".to_owned())
    );
}

#[test]
fn of_racing_devices_one_gets_the_code() {
    let served = Served::new();
    let code = served.founded.code.to_string();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let racers: Vec<_> = (1..=8)
            .map(|seed| {
                let (served, code) = (&served, &code);
                scope.spawn(move || {
                    let public_key = Device::new(seed).public_key();
                    let body = json!({ "code": code, "public_key": public_key });
                    served.post("/v1/enrolments/redeem", None, &body).0
                })
            })
            .collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert!(statuses.iter().all(|status| [200, 409].contains(status)));
    assert_eq!(served.app.registry.current().keys().count(), 1);
}

#[test]
fn a_key_is_enrolled_once() {
    let served = Served::new();
    let admin = served.administrator();
    let code = served.done(
        "/v1/enrolments",
        Some(&admin),
        &json!({ "name": "admin", "label": "máy thứ hai" }),
    );
    let body = json!({ "code": code["code"], "public_key": Device::new(200).public_key() });
    assert_eq!(
        served.refused("/v1/enrolments/redeem", None, &body).1,
        "public-key-taken"
    );
    let weak = json!({ "code": code["code"], "public_key": "0".repeat(64) });
    assert_eq!(
        served.refused("/v1/enrolments/redeem", None, &weak).1,
        "request-malformed"
    );
}
