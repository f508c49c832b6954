//! Tablets and the server: what is acknowledged is kept, held is told, live peers see at once.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;

use dongbo_server::limits::SYNC_BODY_BYTES_MAX;
use serde_json::json;
use store::memory::MemoryFailure;
use sync_core::cell::CellValue;
use sync_core::identity::InstallationId;
use sync_core::log::HeldReason;
use sync_core::sync::{Frame, Notice, PartAnswer, Received};
use tungstenite::client::IntoClientRequest;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket, connect};

use crate::field::{Field, Tablet, patient};
use crate::served::Device;

fn values(field: &Field, tablet: &mut Tablet, code: &str) -> Vec<CellValue> {
    let subject = field.subject(tablet.unit);
    let cells = tablet.device.load(&subject).unwrap().cells();
    let rivals = cells.get(code).cloned().unwrap_or_default();
    rivals.into_iter().map(|rival| rival.value).collect()
}

fn number(value: i64) -> CellValue {
    CellValue::Number(value.into())
}

#[test]
fn two_tablets_of_a_commune_come_to_hold_both_values() {
    let field = Field::new(2);
    let code = field.sum_code();
    let mut first = field.tablet(1, "officer", "c1", false);
    let mut second = field.tablet(2, "officer", "c1", false);
    field.fill(&mut first, &code, 10);
    field.fill(&mut second, &code, 12);
    assert_eq!(field.sync(&mut first), []);
    assert_eq!(field.sync(&mut second), []);
    assert_eq!(field.sync(&mut first), []);
    for tablet in [&mut first, &mut second] {
        assert_eq!(values(&field, tablet, &code), [number(10), number(12)]);
        assert_eq!(tablet.device.outbox().len(), 0, "all acknowledged");
    }
}

#[test]
fn the_same_request_twice_is_accepted_once() {
    let field = Field::new(1);
    let code = field.sum_code();
    let mut tablet = field.tablet(1, "officer", "c1", false);
    field.fill(&mut tablet, &code, 10);
    let request = tablet.device.request().unwrap();
    let first = field.exchange(&tablet, request.clone());
    let second = field.exchange(&tablet, request);
    assert_eq!(first.answers, [PartAnswer::Accepted]);
    assert_eq!(first.answers, second.answers);
    assert_eq!(first.fingerprint, second.fingerprint);
    assert_eq!(first.fingerprint.unwrap().count(), 1);
    let keys = field.served.app.registry.current();
    assert!(first.receipt.unwrap().is_signed_by(keys.node_keys()));
}

#[test]
fn what_a_person_may_not_write_is_held_and_does_not_count() {
    let field = Field::new(2);
    let code = field.sum_code();
    let mut aggregator = field.tablet(1, "aggregator", "kv", true);
    aggregator.unit = field.unit("c1");
    field.fill(&mut aggregator, &code, 10);
    let notices = field.sync(&mut aggregator);
    assert!(
        notices.iter().any(|notice| matches!(
            notice,
            Notice::Held {
                reason: HeldReason::NotAllowed,
                ..
            }
        )),
        "{notices:?}"
    );
    let (_, status) = field.served.get("/v1/status", Some(&field.admin));
    assert_eq!(status["standing"]["held"], 1);
    assert_eq!(status["standing"]["position"], 0);
}

#[test]
fn a_device_ended_without_a_frontier_keeps_what_it_sent_so_far() {
    let field = Field::new(1);
    let code = field.sum_code();
    let mut tablet = field.tablet(1, "officer", "c1", false);
    for value in [10, 11] {
        field.fill(&mut tablet, &code, value);
        field.sync(&mut tablet);
    }
    let key = Device::new(1).key_id;
    let path = format!("/v1/device-keys/{key}/end");
    let ended = field.served.done(&path, Some(&field.admin), &json!({}));
    assert_eq!(ended["ended"], true);
    let catalogue = field.served.app.registry.current();
    let accepted = catalogue.key(key).unwrap().ended.clone().unwrap();
    assert_eq!(accepted, BTreeMap::from([(InstallationId([1; 8]), 2)]));
}

#[test]
fn a_full_disk_acknowledges_nothing_and_loses_nothing() {
    let field = Field::new(1);
    let code = field.sum_code();
    let mut tablet = field.tablet(1, "officer", "c1", false);
    field.fill(&mut tablet, &code, 10);
    field.served.store.fail(Some(MemoryFailure::Full));
    let request = tablet.device.request().unwrap();
    let frame = Frame::Request(Box::new(request)).encode();
    let (status, answer) = field
        .served
        .post_bytes("/v1/sync", Some(&tablet.token), &frame);
    assert_eq!(
        (status, answer["code"].as_str()),
        (507, Some("store-full")),
        "{answer}"
    );
    field.served.store.fail(None);
    assert_eq!(field.sync(&mut tablet), []);
    assert_eq!(tablet.device.outbox().len(), 0);
    field.figure_at(&code, "10", "10");
}

#[test]
fn bad_frames_are_named_and_change_nothing() {
    let field = Field::new(1);
    let mut tablet = field.tablet(1, "officer", "c1", false);
    let good = Frame::Request(Box::new(tablet.device.request().unwrap())).encode();
    let mut flipped = good.clone();
    flipped[20] ^= 1;
    let cut = &good[..good.len() - 1];
    let problem = Frame::Problem("x".into()).encode();
    for bad in [&b""[..], cut, &flipped, &problem] {
        let (status, answer) = field
            .served
            .post_bytes("/v1/sync", Some(&tablet.token), bad);
        assert_eq!((status, answer["code"].as_str()), (400, Some("frame-bad")));
        assert_eq!(answer["happened"], "no");
    }
    let (status, _) = field.served.post_bytes("/v1/sync", None, &good);
    assert_eq!(status, 401);
}

#[test]
fn nobody_is_listened_to_without_end() {
    let field = Field::new(1);
    let address = field.served.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = "POST /v1/sync HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [&b"10000\r\n"[..], &[0; 0x10000], b"\r\n"].concat();
    // What the sockets of both sides hold comes on top.
    let most = 4 * SYNC_BODY_BYTES_MAX + (16 << 20);
    let mut sent = 0;
    while stream.write_all(&chunk).is_ok() {
        sent += chunk.len();
        assert!(sent < most, "{sent} bytes were taken of nobody's body");
    }
    assert!(
        sent > SYNC_BODY_BYTES_MAX,
        "a frame may have {SYNC_BODY_BYTES_MAX} bytes"
    );
}

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

/// Takes the next response that a live connection brings.
fn receive(socket: &mut Socket, tablet: &mut Tablet) -> Received {
    loop {
        if let Message::Binary(bytes) = socket.read().unwrap() {
            let Ok(Frame::Response(response)) = Frame::decode(&bytes) else {
                panic!("no response")
            };
            return Field::take(tablet, &response);
        }
    }
}

fn live(field: &Field, tablet: &Tablet) -> Socket {
    let url = format!("{}/v1/live", field.served.url.replace("http", "ws"));
    let mut request = url.into_client_request().unwrap();
    let token = format!("Bearer {}", tablet.token);
    request
        .headers_mut()
        .insert("authorization", token.parse().unwrap());
    let (socket, _) = connect(request).unwrap();
    patient(&socket);
    socket
}

#[test]
fn a_live_peer_sees_what_others_write_without_asking() {
    let field = Field::new(1);
    let code = field.sum_code();
    let mut watcher = field.tablet(1, "officer", "c1", false);
    let mut writer = field.tablet(2, "officer", "c1", false);
    let mut socket = live(&field, &watcher);
    let ask = Frame::Request(Box::new(watcher.device.request().unwrap())).encode();
    socket.send(Message::Binary(ask.into())).unwrap();
    receive(&mut socket, &mut watcher);
    assert_eq!(values(&field, &mut watcher, &code), []);
    field.fill(&mut writer, &code, 7);
    assert_eq!(field.sync(&mut writer), []);
    // Records of the second enrolment may come first; nobody asks for anything.
    while values(&field, &mut watcher, &code).is_empty() {
        receive(&mut socket, &mut watcher);
    }
    assert_eq!(values(&field, &mut watcher, &code), [number(7)]);
    socket
        .send(Message::Binary(b"no frame".as_slice().into()))
        .unwrap();
    let answer = socket.read().unwrap().into_data();
    assert_eq!(
        Frame::decode(&answer),
        Ok(Frame::Problem("frame-bad".into()))
    );
}

#[test]
fn a_live_peer_is_told_of_a_place_that_its_person_was_given_later() {
    let field = Field::new(2);
    let code = field.sum_code();
    let mut watcher = field.tablet(1, "officer", "c1", false);
    let mut writer = field.tablet(2, "officer", "c2", false);
    let mut socket = live(&field, &watcher);
    let ask = Frame::Request(Box::new(watcher.device.request().unwrap())).encode();
    socket.send(Message::Binary(ask.into())).unwrap();
    receive(&mut socket, &mut watcher);
    let before = watcher.device.catalogue().last_number();
    let grant = json!({ "role": "officer", "unit": "c2", "subtree": false });
    let person = json!({ "name": "p1", "display": "Người 1", "grants": [grant] });
    field.served.done(
        "/v1/people",
        Some(&field.admin),
        &json!({ "people": [person] }),
    );
    while watcher.device.catalogue().last_number() == before {
        receive(&mut socket, &mut watcher);
    }
    watcher.unit = field.unit("c2");
    field.fill(&mut writer, &code, 7);
    assert_eq!(field.sync(&mut writer), []);
    while values(&field, &mut watcher, &code).is_empty() {
        receive(&mut socket, &mut watcher);
    }
    assert_eq!(values(&field, &mut watcher, &code), [number(7)]);
}

#[test]
fn a_server_that_drains_closes_live_connections() {
    let mut field = Field::new(1);
    let tablet = field.tablet(1, "officer", "c1", false);
    let mut socket = live(&field, &tablet);
    let reading = std::thread::spawn(move || socket.read());
    field.served.stop();
    assert!(matches!(reading.join().unwrap(), Ok(Message::Close(_))));
}
