//! Rows that a commune and its area add to a form, as a page sees them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

#[path = "province/officers.rs"]
mod officers;

use ed25519_dalek::SigningKey;
use officers::{COMMUNE, NOW, Node, Worker, cell, seed, subject};
use serde_json::{Value, json};
use sync_core::catalogue::{Body, Grant, Person, Role, UnitRecord};
use sync_core::catalogue_files;
use sync_core::form::Template;
use sync_core::identity::{GrantId, PersonId, UnitId};

const FORM: &str = "bao-cao-cchc-2022";
const AREA: UnitId = UnitId([7; 8]);
const AGGREGATOR: u8 = 3;

/// The node with an area above the commune, and somebody who collects there.
fn node() -> Node {
    let mut node = Node::new();
    let unit = |unit, parent, name: &str| {
        Body::Unit(UnitRecord {
            unit,
            valid_from: "2025-07-02".into(),
            valid_to: None,
            code: name.into(),
            name: name.into(),
            parent,
            kind: if parent.is_some() {
                "commune"
            } else {
                "district"
            }
            .into(),
            groups: Vec::new(),
        })
    };
    node.record(unit(AREA, None, "Huyện Định Hoá"));
    node.record(unit(COMMUNE, Some(AREA), "Xã Định Hoá"));
    let person = PersonId([AGGREGATOR; 8]);
    node.record(Body::Person(Person {
        person,
        sign_in_name: "p3".into(),
        display_name: "Lý Thị Mai".into(),
    }));
    node.record(Body::Grant(Grant {
        grant: GrantId([AGGREGATOR; 8]),
        person,
        role: Role::Aggregator,
        unit: Some(AREA),
        subtree: true,
        until: 0,
    }));
    node.record(Body::DeviceKey {
        public_key: *SigningKey::from_bytes(&seed(AGGREGATOR))
            .verifying_key()
            .as_bytes(),
        person,
        unit: AREA,
        label: "máy 03".into(),
    });
    node
}

fn row(label: &str, under: Option<&str>) -> Value {
    json!({
        "label": label, "label_en": "", "unit": "Hộ", "kind": "integer", "choices": [],
        "section": "iii", "under": under, "help": "",
    })
}

fn add(worker: &mut Worker, unit: UnitId, row: &Value, random: u8) -> String {
    let unit = unit.to_string();
    let added = worker
        .state
        .add_local_row(&subject(), &unit, &row.to_string(), NOW, &[random; 4]);
    worker.keep();
    let added: Value = serde_json::from_str(&added.unwrap()).unwrap();
    added["code"].as_str().unwrap().to_owned()
}

fn read(step: Result<String, tablet_wasm::StepError>) -> Value {
    serde_json::from_str(&step.unwrap()).unwrap()
}

/// Ordinal, label and unit of the rows that units added to the form of the report.
fn local(worker: &mut Worker) -> Vec<(String, String, String)> {
    let form = read(worker.state.form(FORM, None, Some(&subject())));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let sections = form["sections"].as_array().unwrap().iter();
    let rows = sections.flat_map(|section| section["rows"].as_array().unwrap());
    rows.filter(|row| row["local"].is_object())
        .map(|row| {
            (
                text(&row["stt"]),
                text(&row["label"]),
                text(&row["local"]["name"]),
            )
        })
        .collect()
}

#[test]
fn rows_of_the_area_and_of_the_commune_are_filled_in_the_report_and_added_up_over_the_area() {
    let mut node = node();
    let mut mai = Worker::enrolled(&node, AGGREGATOR);
    let mut hanh = Worker::enrolled(&node, 1);
    let of_area = add(&mut mai, AREA, &row("của huyện", Some("III.3.1")), 1);
    let own = add(&mut hanh, COMMUNE, &row("của xã", None), 2);
    let report = hanh.type_in(json!([cell(&own, "1.893"), cell("III.3.1.1", "10")]));
    assert_eq!(report["rows"][&own]["values"][0]["value"]["number"], "1893");
    assert_eq!(
        hanh.status()["draft_edits"],
        7,
        "four fields of the row, and the report"
    );
    mai.sync(&mut node);
    hanh.sync(&mut node);
    let mark = read(hanh.state.report(&subject()))["local"].clone();
    assert_eq!(
        mark,
        read(hanh.state.form(FORM, None, Some(&subject())))["local"]
    );
    assert_ne!(mark, report["local"], "the area's came");
    let [first, second] = local(&mut hanh).try_into().unwrap();
    assert_eq!((&*first.1, &*first.2), ("của huyện", "Huyện Định Hoá"));
    assert!(first.0.ends_with("+1") && first.0.len() > 2, "{first:?}");
    assert_eq!(
        (&*second.0, &*second.1, &*second.2),
        ("+1", "của xã", "Xã Định Hoá")
    );
    hanh.type_in(json!([cell(&of_area, "7")]));
    hanh.sync(&mut node);
    hanh.restart();
    assert_eq!(hanh.row(&of_area)["values"][0]["value"]["number"], "7");
    // The area's total has the area's row; the form as it was published has none of them.
    mai.sync(&mut node);
    let totals = |worker: &mut Worker, unit: UnitId| -> Value {
        read(worker.state.totals(FORM, "2025", &unit.to_string(), NOW))["figures"].clone()
    };
    let of = totals(&mut mai, AREA);
    assert_eq!(of[&of_area]["low"], "7", "{of}");
    assert!(of[&own].is_null());
    assert_eq!(of["III.3.1.1"]["low"], "10");
    let published = read(mai.state.form(FORM, None, None));
    assert_eq!(published["local"], "");
    assert!(!published.to_string().contains("của huyện"));
    // It is no report of its own.
    let work = read(mai.state.work(NOW, "1"));
    assert!(
        work.as_array()
            .unwrap()
            .iter()
            .all(|item| item["period"] == "2025")
    );
    // What is typed into them is read by their kind.
    let typed = |worker: &mut Worker, of: Option<&str>| {
        worker.state.read_typed(FORM, &own, "1.5x", None, of)
    };
    assert_eq!(
        read(typed(&mut hanh, Some(&subject())))["fault"],
        "not-a-number"
    );
    assert!(typed(&mut hanh, None).is_err());
}

#[test]
fn a_row_is_renamed_moved_and_retired_with_its_history_and_its_values_stay() {
    let mut node = node();
    let mut hanh = Worker::enrolled(&node, 1);
    let own = add(&mut hanh, COMMUNE, &row("tên cũ", None), 2);
    hanh.type_in(json!([cell(&own, "5")]));
    // Asked again by a page that had no answer, it is one row.
    assert_eq!(add(&mut hanh, COMMUNE, &row("tên cũ", None), 2), own);
    let change = |worker: &mut Worker, of: Value| {
        let changed = worker
            .state
            .change_local_row(&subject(), &own, &of.to_string(), NOW + 60);
        worker.keep();
        changed
    };
    change(&mut hanh, json!({"label": "tên mới", "place": ["i", null]})).unwrap();
    assert_eq!(local(&mut hanh)[0].1, "tên mới");
    change(&mut hanh, json!({"retired": true})).unwrap();
    hanh.sync(&mut node);
    hanh.restart();
    assert_eq!(local(&mut hanh), []);
    let report = read(hanh.state.report(&subject()));
    assert_eq!(report["without_row"][0]["label"], "tên mới");
    assert_eq!(report["rows"][&own]["values"][0]["value"]["number"], "5");
    assert_eq!(report["blocking"]["errors"], 0);
    let told = read(hanh.state.local_rows(&subject(), NOW));
    let row = &told[0]["rows"][0];
    assert_eq!(
        (&told[0]["own"], &told[0]["may"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(row["retired"], true);
    assert_eq!(row["labels"][0]["value"]["text"], "tên cũ");
    assert_eq!(row["labels"][1]["author"], "Ma Thị Hạnh");
    assert_eq!(row["retirings"][0]["claimed_at"], NOW + 60);
    change(&mut hanh, json!({"retired": false})).unwrap();
    assert_eq!(local(&mut hanh)[0].0, "+1");
}

#[test]
fn who_may_not_add_rows_there_is_told_and_rows_of_the_form_are_locked() {
    let node = node();
    let mut hanh = Worker::enrolled(&node, 1);
    let refused = hanh.state.add_local_row(
        &subject(),
        &AREA.to_string(),
        &row("của huyện", None).to_string(),
        NOW,
        &[1; 4],
    );
    assert_eq!(refused.unwrap_err().code(), "tablet-rows-not-allowed");
    let told = read(hanh.state.local_rows(&subject(), NOW));
    assert_eq!(
        told.as_array().unwrap().len(),
        1,
        "the area has none and she adds none"
    );
    let mut code = |row: &Value, code: &str| {
        let unit = COMMUNE.to_string();
        let refused = hanh
            .state
            .add_local_row(&subject(), &unit, &row.to_string(), NOW, &[1; 4]);
        assert_eq!(refused.unwrap_err().code(), code);
    };
    code(&row(" ", None), "tablet-row-label-missing");
    code(&row("x", Some("nowhere")), "tablet-row-place");
    let mut choice = row("x", None);
    choice["kind"] = json!("choice");
    code(&choice, "tablet-row-choices");
    let locked = hanh
        .state
        .change_local_row(&subject(), "III.3.1.1", r#"{"label":"x"}"#, NOW);
    assert_eq!(locked.unwrap_err().code(), "tablet-row-locked");
    assert_eq!(hanh.status()["draft_edits"], 0, "nothing was written");
}

#[test]
fn a_newer_version_of_the_form_carries_the_rows_along() {
    let mut node = node();
    let mut hanh = Worker::enrolled(&node, 1);
    let own = add(&mut hanh, COMMUNE, &row("của xã", Some("III.3.1")), 2);
    hanh.type_in(json!([cell(&own, "5")]));
    let text = catalogue_files::text("forms/bao-cao-cchc-2022.json").unwrap();
    let mut form: Value = serde_json::from_str(text).unwrap();
    // The section it stood in is gone altogether.
    form["sections"]
        .as_array_mut()
        .unwrap()
        .retain(|section| section["id"] != "III");
    let second = Template::import(&form.to_string(), 2).unwrap();
    node.record(Body::Template {
        id: second.id().to_owned(),
        version: 2,
        content: second.to_json(),
    });
    hanh.sync(&mut node);
    let newer = read(hanh.state.newer_version(&subject()));
    let losing = newer["losing"].as_array().unwrap();
    assert!(
        losing.iter().all(|one| one["code"] != own.as_str()),
        "{losing:?}"
    );
    hanh.type_in(json!([{"kind": "version", "version": 2}]));
    let form = read(hanh.state.form(FORM, Some(2), Some(&subject())));
    let last = form["sections"].as_array().unwrap().last().unwrap();
    let last = last["rows"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["code"], &last["local"]["displaced"]),
        (&json!(own), &json!(true))
    );
    assert_eq!(hanh.row(&own)["values"][0]["value"]["number"], "5");
}
