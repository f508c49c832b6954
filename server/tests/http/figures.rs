//! From cells to the province's total: figures, coverage, reports, and who may see them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use serde_json::{Value, json};
use store::{Store as _, Write};
use sync_core::document::Subject;
use sync_core::form::Kind;
use sync_core::form::local::{self, LocalRowId, LocalRows, RowDraft, RowPlace};
use sync_core::log::keys;

use crate::field::{Field, PERIOD};
use crate::served::START_S;

#[test]
fn figures_follow_reports_and_say_what_they_stand_on() {
    let field = Field::new(3);
    let code = field.sum_code();
    let mut first = field.tablet(1, "officer", "c1", false);
    let mut second = field.tablet(2, "officer", "c2", false);
    field.fill(&mut first, &code, 10);
    field.sync(&mut first);
    let coverage = field.figure_at(&code, "10", "10");
    assert_eq!(
        (&coverage["due"], &coverage["reported"]),
        (&json!(3), &json!(1))
    );
    field.fill(&mut second, &code, 5);
    field.sync(&mut second);
    let coverage = field.figure_at(&code, "15", "15");
    assert_eq!(
        (&coverage["missing"], &coverage["late"]),
        (&json!(1), &json!(0))
    );
    // Another value typed on top replaces; one typed apart is a rival and makes a range.
    field.fill(&mut first, &code, 11);
    field.sync(&mut first);
    field.figure_at(&code, "16", "16");
    let mut third = field.tablet(3, "officer", "c1", false);
    field.fill(&mut first, &code, 20);
    field.fill(&mut third, &code, 30);
    field.sync(&mut first);
    field.sync(&mut third);
    let coverage = field.figure_at(&code, "25", "35");
    assert_eq!(coverage["in_conflict"], 1);

    let path = format!(
        "/v1/coverage?template={}&period={PERIOD}&limit=2",
        field.template.id()
    );
    let (_, page) = field.served.get(&path, Some(&field.admin));
    let states: Vec<&Value> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| &u["state"])
        .collect();
    assert_eq!(states, ["in_conflict", "reported"]);
    let next = page["next"].as_str().unwrap();
    let (_, page) = field
        .served
        .get(&format!("{path}&after={next}"), Some(&field.admin));
    assert_eq!(page["items"][0]["state"], "missing");
    assert_eq!(page["items"][0]["name"], "Xã 3");
    assert!(page["next"].is_null());
}

#[test]
fn a_report_shows_who_typed_what_and_its_history() {
    let field = Field::new(1);
    let code = field.sum_code();
    let mut first = field.tablet(1, "officer", "c1", false);
    let mut second = field.tablet(2, "officer", "c1", false);
    field.fill(&mut first, &code, 1);
    field.fill(&mut first, &code, 2);
    field.fill(&mut second, &code, 9);
    field.sync(&mut first);
    field.sync(&mut second);
    field.figure_at(&code, "2", "9");
    let (_, list) = field.served.get("/v1/reports", Some(&field.admin));
    let line = &list["items"][0];
    assert_eq!(
        (&line["conflicts"], &line["unit_name"]),
        (&json!(1), &json!("Xã 1"))
    );
    let document = line["document"].as_str().unwrap();
    let (_, report) = field
        .served
        .get(&format!("/v1/reports/{document}"), Some(&first.token));
    let cell = &report["cells"][0];
    assert_eq!(
        (&cell["code"], &cell["conflict"]),
        (&json!(code), &json!(true))
    );
    let mut typed: Vec<_> = cell["rivals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rival| {
            (
                rival["value"]["number"].clone(),
                rival["person_name"].clone(),
                rival["device"].clone(),
            )
        })
        .collect();
    typed.sort_by_key(|(number, ..)| number.to_string());
    assert_eq!(
        typed,
        [
            (json!("2"), json!("Người 1"), json!("bảng 1")),
            (json!("9"), json!("Người 2"), json!("bảng 2")),
        ]
    );
    let path = format!("/v1/reports/{document}/cells/{code}/history");
    let (_, history) = field.served.get(&path, Some(&first.token));
    assert_eq!(history["items"].as_array().unwrap().len(), 3);
    let (status, answer) = field.served.get(
        &format!("/v1/reports/{document}/cells/none/history"),
        Some(&first.token),
    );
    assert_eq!(
        (status, answer["code"].as_str()),
        (404, Some("cell-unknown"))
    );
}

#[test]
fn an_officer_sees_the_own_unit_and_nothing_else() {
    let field = Field::new(2);
    let code = field.sum_code();
    let mut first = field.tablet(1, "officer", "c1", false);
    let second = field.tablet(2, "officer", "c2", false);
    field.fill(&mut first, &code, 10);
    field.sync(&mut first);
    field.figure_at(&code, "10", "10");
    let id = field.template.id();
    let (status, _) = field.served.get(
        &format!("/v1/roll-ups?template={id}&period={PERIOD}&unit_code=c1"),
        Some(&first.token),
    );
    assert_eq!(status, 200);
    let (status, answer) = field.served.get(
        &format!("/v1/roll-ups?template={id}&period={PERIOD}"),
        Some(&first.token),
    );
    assert_eq!(
        (status, answer["code"].as_str()),
        (403, Some("rights-missing"))
    );
    let (_, mine) = field.served.get("/v1/reports", Some(&first.token));
    let document = mine["items"][0]["document"].as_str().unwrap();
    let (_, theirs) = field.served.get("/v1/reports", Some(&second.token));
    assert_eq!(theirs["items"], json!([]));
    let (status, answer) = field
        .served
        .get(&format!("/v1/reports/{document}"), Some(&second.token));
    assert_eq!(
        (status, answer["code"].as_str()),
        (404, Some("report-unknown"))
    );
    for (path, code) in [
        (
            format!("/v1/roll-ups?template=none&period={PERIOD}"),
            "template-unknown",
        ),
        (
            format!("/v1/roll-ups?template={id}&period=2025-13"),
            "period-bad",
        ),
        (
            format!("/v1/roll-ups?template={id}&period={PERIOD}&unit_code=x"),
            "unit-unknown",
        ),
    ] {
        assert_eq!(field.served.get(&path, Some(&field.admin)).1["code"], code);
    }
}

#[test]
fn a_listener_is_told_the_new_total() {
    let field = Field::new(2);
    let code = field.sum_code();
    let mut tablet = field.tablet(1, "officer", "c1", false);
    // A rehearsal: figures need no sign-in.
    let path = format!(
        "/v1/roll-ups/live?template={}&period={PERIOD}",
        field.template.id()
    );
    // A stream that says nothing must not hang the test.
    let mut answer = ureq::get(format!("{}{path}", field.served.url))
        .config()
        .timeout_global(Some(std::time::Duration::from_secs(30)))
        .build()
        .call()
        .unwrap();
    let reader = BufReader::new(answer.body_mut().as_reader());
    let mut lines = reader.lines().map(Result::unwrap);
    let mut event = || {
        let mut name = String::new();
        loop {
            let line = lines.next().unwrap();
            if let Some(found) = line.strip_prefix("event: ") {
                name = found.to_owned();
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return (name, serde_json::from_str::<Value>(data).unwrap());
            }
        }
    };
    let (name, table) = event();
    assert_eq!(name, "table");
    assert_eq!(
        table["figures"].as_array().unwrap().len(),
        field.template.rows().len()
    );
    field.fill(&mut tablet, &code, 10);
    field.sync(&mut tablet);
    let (name, change) = event();
    assert_eq!(name, "change");
    assert_eq!(change["coverage"]["reported"], 1);
    let row = change["figures"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["code"] == code)
        .unwrap();
    assert_eq!(row["low"], "10");
    assert!(
        change["figures"].as_array().unwrap().len() < 20,
        "only what changed"
    );
}

#[test]
fn a_restart_and_a_lost_index_give_the_same_figures_and_fingerprints() {
    let mut field = Field::new(3);
    let code = field.sum_code();
    let enrolled = [(1, "c1"), (2, "c2"), (3, "c1")];
    let mut tablets = enrolled.map(|(seed, unit)| field.tablet(seed, "officer", unit, false));
    for (tablet, value) in tablets.iter_mut().zip([10, 20, 30]) {
        field.fill(tablet, &code, value);
        field.sync(tablet);
    }
    field.figure_at(&code, "30", "50");
    let ask = |field: &Field| {
        let path = format!(
            "/v1/roll-ups?template={}&period={PERIOD}",
            field.template.id()
        );
        let (_, mut figures) = field.served.get(&path, Some(&field.admin));
        figures["position"] = Value::Null;
        let (_, fingerprints) = field.served.get("/v1/fingerprints", Some(&field.admin));
        let (_, reports) = field.served.get("/v1/reports", Some(&field.admin));
        (figures, fingerprints, reports)
    };
    let before = ask(&field);
    assert_eq!(before.1["all"]["parts"], 3);
    for lose in [false, true] {
        field.served.restart(lose);
        assert_eq!(ask(&field), before, "derived keys lost: {lose}");
    }
}

/// Derived keys of another shape look like ours. Only their version tells, and then none of them is
/// read: were they taken, the report below would be the one that another version is made to say here.
#[test]
fn what_another_version_derived_is_derived_again() {
    let mut field = Field::new(2);
    let code = field.sum_code();
    let enrolled = [(1, "c1"), (2, "c2")];
    let mut tablets = enrolled.map(|(seed, unit)| field.tablet(seed, "officer", unit, false));
    for (tablet, value) in tablets.iter_mut().zip([10, 20]) {
        field.fill(tablet, &code, value);
        field.sync(tablet);
    }
    field.figure_at(&code, "30", "30");
    let ours = field.served.store.get(&keys::derived_version()).unwrap();
    assert!(ours.is_some(), "a version is written");
    let reports = field.served.derived(keys::EXTRACT);
    let [(one, _), (other, theirs)] = reports.as_slice() else {
        panic!("two reports: {reports:?}");
    };
    for version in [None, Some(vec![99])] {
        let put = |key: &[u8], value: Option<Vec<u8>>| Write {
            key: key.to_vec(),
            value,
        };
        field.served.put_derived(vec![
            put(one, Some(theirs.clone())),
            put(other, Some(b"another shape".to_vec())),
            put(&keys::derived_version(), version),
        ]);
        field.served.restart(false);
        field.figure_at(&code, "30", "30");
        assert_eq!(field.served.derived(keys::EXTRACT), reports);
        let now = field.served.store.get(&keys::derived_version()).unwrap();
        assert_eq!(now, ours, "the version of what was derived again");
    }
}

#[test]
fn findings_name_what_the_unit_itself_stated_wrongly() {
    let field = Field::new(2);
    let code = field.sum_code();
    let mut officer = field.tablet(1, "officer", "c1", false);
    field.fill(&mut officer, &code, 10);
    field.sync(&mut officer);
    let mut province = field.tablet(2, "officer", "19", false);
    field.fill(&mut province, &code, 11);
    field.sync(&mut province);
    field.figure_at(&code, "10", "10");
    let path = format!(
        "/v1/roll-ups?template={}&period={PERIOD}",
        field.template.id()
    );
    let started = std::time::Instant::now();
    let finding = loop {
        let (_, answer) = field.served.get(&path, Some(&field.admin));
        if let Some(finding) = answer["findings"].get(0) {
            break finding.clone();
        }
        assert!(started.elapsed().as_secs() < 10);
        std::thread::yield_now();
    };
    assert_eq!(finding["rule"], "sum_differs");
    assert_eq!(
        (&finding["stated"], &finding["found"]["low"]),
        (&json!("11"), &json!("10"))
    );
    assert_eq!(finding["provisional"], true, "a report is missing");
}

#[test]
fn the_status_page_comes_from_here_alone() {
    let field = Field::new(1);
    for (path, kind) in [
        ("/status", "text/html"),
        ("/status.js", "text/javascript"),
        ("/status.css", "text/css"),
    ] {
        let answer = ureq::get(format!("{}{path}", field.served.url))
            .call()
            .unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(kind));
        assert!(header("content-security-policy").starts_with("default-src 'none'"));
    }
    let (_, status) = field.served.get("/v1/status", None);
    assert_eq!(status["province_name"], "Tỉnh Thái Nguyên");
    assert_eq!(status["rehearsal"], "Diễn tập");
    assert_eq!(status["duties"][0]["period"], PERIOD);
    assert!(status["standing"].is_null(), "only for the signed-in");
}

/// What a unit adds to a form is no report, stands in no total of the province, and leaves every figure as it was.
#[test]
fn rows_of_units_are_no_report_and_stand_in_no_total() {
    let field = Field::new(2);
    let code = field.sum_code();
    let mut officer = field.tablet(1, "officer", "c1", false);
    let rows = Subject::local_rows(field.template.id(), officer.unit);
    let id = LocalRowId::new(START_S, [1; 4]);
    let draft = RowDraft {
        label: "Hàng của xã".to_owned(),
        label_en: String::new(),
        unit: "Hộ".to_owned(),
        kind: Kind::Integer,
        choices: Vec::new(),
        place: RowPlace {
            section: field.template.sections()[0].id.clone(),
            under: Some(code.clone()),
        },
        help: String::new(),
    };
    let none = LocalRows::of(officer.unit, &BTreeMap::new());
    let edits = local::add(&field.template, &none, id, &draft, START_S).unwrap();
    officer.device.edit(&rows, &edits).unwrap();
    field.fill(&mut officer, &code, 10);
    let row = local::code(officer.unit, id);
    field.fill(&mut officer, &row, 5);
    assert_eq!(field.sync(&mut officer), []);
    let coverage = field.figure_at(&code, "10", "10");
    assert_eq!(
        (&coverage["reported"], &coverage["other_version"]),
        (&json!(1), &json!(0))
    );
    let (_, list) = field.served.get("/v1/reports", Some(&field.admin));
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    let path = format!("/v1/reports/{}", rows.document_id());
    let (status, _) = field.served.get(&path, Some(&officer.token));
    assert_eq!(status, 404);
    let total = format!("/v1/roll-ups?template={}&period={PERIOD}", rows.template);
    let (_, total) = field.served.get(&total, Some(&field.admin));
    let codes = total["figures"].as_array().unwrap().iter();
    assert_eq!(codes.count(), field.template.rows().len());
    // Another device of the same unit has the row as the first one wrote it.
    let mut other = field.tablet(2, "head", "c1", false);
    let cells = other.device.load(&rows).unwrap().cells();
    assert_eq!(
        LocalRows::of(officer.unit, &cells).rows[0].label,
        "Hàng của xã"
    );
}
