//! Signing in by password and by key, refreshing, signing out.

use serde_json::json;

use crate::served::{Device, Served};

const PASSWORD: &str = "một mật khẩu đủ dài";

fn with_password() -> Served {
    let served = Served::new();
    let answer = served.redeem(
        &served.founded.code.to_string(),
        &Device::new(1),
        Some(PASSWORD),
    );
    assert_eq!(answer["has_password"], true);
    served
}

fn sign_in(served: &Served) -> serde_json::Value {
    served.done(
        "/v1/session",
        None,
        &json!({ "name": "Admin", "password": PASSWORD }),
    )
}

#[test]
fn a_password_opens_a_session_and_a_wrong_one_does_not_say_what_is_wrong() {
    let served = with_password();
    let session = sign_in(&served);
    let token = session["access_token"].as_str().unwrap();
    assert_eq!(served.get("/v1/units", Some(token)).0, 200);
    let wrong = json!({ "name": "admin", "password": "khác hẳn rồi" });
    let unknown = json!({ "name": "khong-co", "password": PASSWORD });
    let (_, first) = served.post("/v1/session", None, &wrong);
    let (_, second) = served.post("/v1/session", None, &unknown);
    assert_eq!(first["code"], "sign-in-failed");
    assert_eq!(first, second);
    assert_eq!(served.get("/v1/units", None).1["code"], "sign-in-required");
    served.advance(15 * 60);
    assert_eq!(
        served.get("/v1/units", Some(token)).1["code"],
        "token-expired"
    );
}

#[test]
fn many_wrong_passwords_make_a_name_wait_and_time_heals() {
    let served = with_password();
    let wrong = json!({ "name": "admin", "password": "khác hẳn rồi" });
    for _ in 0..5 {
        assert_eq!(
            served.refused("/v1/session", None, &wrong).1,
            "sign-in-failed"
        );
    }
    let right = json!({ "name": "admin", "password": PASSWORD });
    let (status, answer) = served.post("/v1/session", None, &right);
    assert_eq!((status, &answer["retry"]), (429, &json!(true)));
    served.advance(10);
    sign_in(&served);
}

#[test]
fn refreshing_survives_a_lost_answer_and_a_replay_ends_the_family() {
    let served = with_password();
    let first = sign_in(&served)["refresh_token"].clone();
    let refresh = |token: &serde_json::Value| {
        served.post(
            "/v1/session/refresh",
            None,
            &json!({ "refresh_token": token }),
        )
    };
    let (_, second) = refresh(&first);
    // The answer was lost: the same token again gives the same successor.
    let (status, again) = refresh(&first);
    assert_eq!(status, 200);
    assert_eq!(again["refresh_token"], second["refresh_token"]);
    let (status, third) = refresh(&second["refresh_token"]);
    assert_eq!(status, 200);
    // The successor was used: the first is a copy in somebody's hands.
    let (status, replayed) = refresh(&first);
    assert_eq!(status, 401);
    assert_eq!(replayed["code"], "refresh-replayed");
    assert_eq!(replayed["happened"], "yes");
    let (_, ended) = refresh(&third["refresh_token"]);
    assert_eq!(ended["code"], "refresh-invalid");
}

#[test]
fn signing_out_and_thirty_days_end_a_session() {
    let served = with_password();
    let token = sign_in(&served)["refresh_token"].clone();
    let body = json!({ "refresh_token": token });
    served.done("/v1/session/end", None, &body);
    served.done("/v1/session/end", None, &body);
    assert_eq!(
        served.refused("/v1/session/refresh", None, &body).1,
        "refresh-invalid"
    );
    let body = json!({ "refresh_token": sign_in(&served)["refresh_token"] });
    served.advance(30 * 24 * 3_600);
    assert_eq!(
        served.refused("/v1/session/refresh", None, &body).1,
        "refresh-invalid"
    );
}

#[test]
fn a_password_is_changed_by_who_knows_the_old_one() {
    let served = with_password();
    let session = sign_in(&served);
    let token = session["access_token"].as_str();
    let wrong = json!({ "old": "không phải nó", "new": "mật khẩu mới tinh" });
    assert_eq!(
        served.refused("/v1/password", token, &wrong).1,
        "sign-in-failed"
    );
    let short = json!({ "old": PASSWORD, "new": "ngắn" });
    assert_eq!(
        served.refused("/v1/password", token, &short).1,
        "password-too-short"
    );
    let right = json!({ "old": PASSWORD, "new": "mật khẩu mới tinh" });
    served.done("/v1/password", token, &right);
    served.done(
        "/v1/session",
        None,
        &json!({ "name": "admin", "password": "mật khẩu mới tinh" }),
    );
}

#[test]
fn a_device_signs_in_by_its_key_and_by_no_other() {
    let served = with_password();
    let device = Device::new(1);
    let token = served.device_session(&device);
    assert_eq!(served.get("/v1/units", Some(&token)).0, 200);
    let (status, answer) = served.try_device_session(&Device::new(9));
    assert_eq!(
        (status, answer["code"].as_str()),
        (401, Some("device-key-unknown"))
    );
    let forged = Device {
        key: Device::new(9).key,
        key_id: device.key_id,
    };
    let (_, answer) = served.try_device_session(&forged);
    assert_eq!(answer["code"], "signature-wrong");
}

#[test]
fn an_ended_device_key_ends_its_sessions_at_once() {
    let served = with_password();
    let device = Device::new(1);
    let token = served.device_session(&device);
    let path = format!("/v1/device-keys/{}/end", device.key_id);
    let ended = served.done(&path, Some(&token), &json!({ "accepted": [] }));
    assert_eq!(ended["ended"], true);
    let (status, answer) = served.get("/v1/units", Some(&token));
    assert_eq!(
        (status, answer["code"].as_str()),
        (403, Some("device-key-ended"))
    );
    assert_eq!(
        served.try_device_session(&device).1["code"],
        "device-key-ended"
    );
}

#[test]
fn a_link_token_stands_for_its_device_where_frames_go_and_nowhere_else() {
    let served = Served::new();
    let device = Device::new(1);
    served.redeem(&served.founded.code.to_string(), &device, None);
    let (_, session) = served.try_device_session(&device);
    let token = session["link_token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 28);
    let code = |token: &str| {
        let (_, answer) = served.post_bytes("/v1/sync", Some(token), b"no frame");
        answer["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code(&token), "frame-bad", "it was let in");
    let (_, elsewhere) = served.get("/v1/units", Some(&token));
    assert_eq!(elsewhere["code"], "sign-in-required");
    // Another end, another key, another proof: each letter counts.
    for at in [0, 8, 13, 20, 27] {
        let letter = if token.as_bytes()[at] == b'A' {
            "B"
        } else {
            "A"
        };
        let mut forged = token.clone();
        forged.replace_range(at..=at, letter);
        assert_eq!(code(&forged), "sign-in-required", "letter {at}");
    }
    served.advance(15 * 60);
    assert_eq!(code(&token), "token-expired");
    let (_, session) = served.try_device_session(&device);
    let token = session["link_token"].as_str().unwrap();
    let admin = session["access_token"].as_str();
    let path = format!("/v1/device-keys/{}/end", device.key_id);
    served.done(&path, admin, &json!({}));
    assert_eq!(code(token), "device-key-ended");
    // A session by password is nobody's device.
    let served = with_password();
    assert!(sign_in(&served).get("link_token").is_none());
}
