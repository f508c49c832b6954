//! What the desks read: a total opened into its parts, how far each report is filled, and the live line.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};
use sync_core::cell::CellValue;
use sync_core::sync::Frame;
use tungstenite::client::IntoClientRequest;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, connect};

use crate::field::{Field, PERIOD, patient};

fn parts(field: &Field, unit: &str, rest: &str, token: &str) -> (u16, Value) {
    let (template, code) = (field.template.id(), field.sum_code());
    let path = format!(
        "/v1/roll-ups/parts?template={template}&period={PERIOD}&unit_code={unit}&code={code}{rest}"
    );
    field.served.get(&path, Some(token))
}

#[test]
fn a_total_opens_into_its_parts_down_to_a_report() {
    let field = Field::new(3);
    let code = field.sum_code();
    let mut first = field.tablet(1, "officer", "c1", false);
    let mut rival = field.tablet(2, "officer", "c1", false);
    let mut second = field.tablet(3, "officer", "c2", false);
    field.fill(&mut first, &code, 10);
    field.fill(&mut rival, &code, 14);
    field.fill(&mut second, &code, 5);
    for tablet in [&mut first, &mut rival, &mut second] {
        field.sync(tablet);
    }
    field.figure_at(&code, "15", "19");
    let (_, top) = parts(&field, "19", "", &field.admin);
    assert_eq!(top["figure"]["low"], "15");
    let area = &top["items"][0];
    assert_eq!(area["unit"]["code"], "kv");
    assert_eq!(
        (&area["figure"]["low"], &area["figure"]["high"]),
        (&json!("15"), &json!("19"))
    );
    assert_eq!(area["coverage"]["in_conflict"], 1);
    assert!(area["document"].is_null(), "an area owes no report");
    // Page by page, the whole once.
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let (_, page) = parts(&field, "kv", &format!("&limit=2{after}"), &field.admin);
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|part| {
            let figure = &part["figure"];
            (
                part["unit"]["code"].clone(),
                figure["low"].clone(),
                figure["high"].clone(),
            )
        }));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let line = |unit: &str, low: Value, high: Value| (json!(unit), low, high);
    assert_eq!(
        seen,
        [
            line("c1", json!("10"), json!("14")),
            line("c2", json!("5"), json!("5")),
            line("c3", Value::Null, Value::Null),
        ]
    );
    // The last step is the report itself.
    let (_, commune) = parts(&field, "c1", "", &field.admin);
    assert_eq!(commune["items"], json!([]));
    let document = commune["own"]["document"].as_str().unwrap();
    let (_, report) = field
        .served
        .get(&format!("/v1/reports/{document}"), Some(&field.admin));
    assert_eq!(report["cells"][0]["rivals"].as_array().unwrap().len(), 2);
    assert_eq!(
        commune["own"]["amount"],
        json!({ "low": "10", "high": "14" })
    );
}

#[test]
fn parts_are_for_those_who_may_read_the_unit() {
    let field = Field::new(2);
    let aggregator = field.tablet(1, "aggregator", "kv", true);
    let officer = field.tablet(2, "officer", "c1", false);
    assert_eq!(parts(&field, "kv", "", &aggregator.token).0, 200);
    assert_eq!(parts(&field, "c1", "", &officer.token).0, 200);
    for (unit, token) in [
        ("19", &aggregator.token),
        ("kv", &officer.token),
        ("c2", &officer.token),
    ] {
        let (status, answer) = parts(&field, unit, "", token);
        assert_eq!(
            (status, answer["code"].as_str()),
            (403, Some("rights-missing")),
            "{unit}"
        );
    }
    let bad = |path: &str| field.served.get(path, Some(&field.admin)).1["code"].clone();
    let (template, code) = (field.template.id(), field.sum_code());
    let path = format!("/v1/roll-ups/parts?template={template}&period={PERIOD}&code=");
    assert_eq!(bad(&format!("{path}none")), "cell-unknown");
    assert_eq!(bad(&format!("{path}{code}&limit=x")), "request-malformed");
    assert_eq!(bad(&format!("{path}{code}&after=00")), "cursor-bad");
}

#[test]
fn coverage_says_how_far_each_section_is_filled() {
    let field = Field::new(2);
    let code = field.sum_code();
    let mut first = field.tablet(1, "officer", "c1", false);
    let mut rival = field.tablet(2, "officer", "c1", false);
    field.fill(&mut first, &code, 10);
    field.fill(&mut rival, &code, 14);
    field.sync(&mut first);
    field.sync(&mut rival);
    field.figure_at(&code, "10", "14");
    let path = format!(
        "/v1/coverage?template={}&period={PERIOD}",
        field.template.id()
    );
    let (_, answer) = field.served.get(&path, Some(&field.admin));
    let sections = field.template.sections();
    assert_eq!(answer["sections"].as_array().unwrap().len(), sections.len());
    let at = sections.iter().position(|section| {
        field
            .template
            .rows_of(section)
            .iter()
            .any(|row| row.code == code)
    });
    let at = at.unwrap();
    let (filled, untouched) = (&answer["items"][0], &answer["items"][1]);
    assert_eq!(filled["part"], json!(field.unit("kv")));
    assert_eq!(
        filled["filling"][at],
        json!({ "filled": 1, "conflicts": 1 })
    );
    let other = (at + 1) % sections.len();
    assert_eq!(
        filled["filling"][other],
        json!({ "filled": 0, "conflicts": 0 })
    );
    assert_eq!(untouched["filling"], json!([]), "nothing has come");
    // A heading and a row that a formula gives are asked of nobody.
    let rows = answer["sections"][at]["rows"].as_u64().unwrap() as usize;
    assert!(
        rows < sections[at].row_count,
        "{rows} of {}",
        sections[at].row_count
    );
}

#[test]
fn the_live_line_says_which_units_changed() {
    let field = Field::new(3);
    let code = field.sum_code();
    let mut tablet = field.tablet(1, "officer", "c2", false);
    let reader = field.tablet(2, "aggregator", "kv", true);
    let id = field.template.id();
    let path = format!("/v1/roll-ups/live?template={id}&period={PERIOD}&unit_code=kv");
    // A stream that says nothing must not hang the test.
    let mut answer = ureq::get(format!("{}{path}", field.served.url))
        .header("authorization", format!("Bearer {}", reader.token))
        .config()
        .timeout_global(Some(std::time::Duration::from_secs(30)))
        .build()
        .call()
        .unwrap();
    let lines = BufReader::new(answer.body_mut().as_reader()).lines();
    let mut events = lines
        .map(Result::unwrap)
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    let table = events.next().unwrap();
    let states: Vec<&Value> = table["units"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unit| &unit["state"])
        .collect();
    assert_eq!(states, ["missing", "missing", "missing"]);
    assert_eq!(table["parts"][1]["code"], "c2");
    field.fill(&mut tablet, &code, 10);
    field.sync(&mut tablet);
    let change = events.next().unwrap();
    let units = change["units"].as_array().unwrap();
    assert_eq!(units.len(), 1, "only the unit that changed: {units:?}");
    assert_eq!(
        (&units[0]["code"], &units[0]["state"]),
        (&json!("c2"), &json!("reported"))
    );
}

/// A page cannot set a header on a WebSocket: its token stands among the protocols it offers.
#[test]
fn a_page_opens_a_live_connection_with_its_token_among_the_protocols() {
    let field = Field::new(1);
    let code = field.sum_code();
    let mut watcher = field.tablet(1, "officer", "c1", false);
    let mut writer = field.tablet(2, "officer", "c1", false);
    let url = format!("{}/v1/live", field.served.url.replace("http", "ws"));
    let opened = |protocols: &str| {
        let mut request = url.as_str().into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", protocols.parse().unwrap());
        connect(request)
    };
    for bad in ["dongbo", "dongbo, bearer.", "dongbo, bearer.not-a-token"] {
        let Err(tungstenite::Error::Http(refused)) = opened(bad) else {
            panic!("{bad} opened a connection")
        };
        assert_eq!(refused.status(), 401, "{bad}");
    }
    let (mut socket, answer) = opened(&format!("dongbo, bearer.{}", watcher.token)).unwrap();
    patient(&socket);
    // The token is never said back.
    assert_eq!(answer.headers()["sec-websocket-protocol"], "dongbo");
    let ask = Frame::Request(Box::new(watcher.device.request().unwrap())).encode();
    socket.send(Message::Binary(ask.into())).unwrap();
    field.fill(&mut writer, &code, 7);
    assert_eq!(field.sync(&mut writer), []);
    let subject = field.subject(watcher.unit);
    loop {
        if let Message::Binary(bytes) = socket.read().unwrap() {
            let Ok(Frame::Response(response)) = Frame::decode(&bytes) else {
                panic!("no response")
            };
            Field::take(&mut watcher, &response);
            let cells = watcher.device.with_draft(&subject).unwrap().cells();
            if let Some(rivals) = cells.get(&code) {
                assert_eq!(rivals[0].value, CellValue::Number(7.into()));
                return;
            }
        }
    }
}

/// Woken for what others write where this person reads, and for nothing else.
#[test]
fn a_page_is_woken_for_what_concerns_it() {
    let field = Field::new(2);
    let code = field.sum_code();
    let mut own = field.tablet(1, "officer", "c1", false);
    let mut colleague = field.tablet(2, "officer", "c1", false);
    let mut stranger = field.tablet(3, "officer", "c2", false);
    let url = format!("{}/v1/live", field.served.url.replace("http", "ws"));
    let mut request = url.into_client_request().unwrap();
    let protocols = format!("dongbo.wake, bearer.{}", own.token);
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", protocols.parse().unwrap());
    let (mut socket, answer) = connect(request).unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "dongbo.wake");
    let MaybeTlsStream::Plain(stream) = socket.get_ref() else {
        panic!("a plain connection")
    };
    let patience = std::time::Duration::from_millis(400);
    stream.set_read_timeout(Some(patience)).unwrap();
    let mut woken = || match socket.read() {
        Ok(Message::Text(text)) => text.as_str() == "news",
        Ok(other) => panic!("{other:?}"),
        Err(_) => false,
    };
    field.fill(&mut own, &code, 1);
    field.sync(&mut own);
    assert!(!woken(), "by the own device");
    field.fill(&mut stranger, &code, 2);
    field.sync(&mut stranger);
    assert!(!woken(), "by a commune that is not followed");
    field.fill(&mut colleague, &code, 3);
    field.sync(&mut colleague);
    assert!(woken(), "by a colleague");
    field.tablet(4, "officer", "c2", false);
    assert!(woken(), "by the catalogue");
}
