//! What a page sees across the boundary: a day of an officer, offline and back, with a rival.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

#[path = "province/officers.rs"]
mod officers;

use officers::{COMMUNE, NOW, Node, Worker, cell, province, seed, subject};
use serde_json::{Value, json};
use sync_core::catalogue::{Body, DutyException, Terms};
use sync_core::catalogue_files;
use sync_core::form::Template;
use sync_core::identity::DutyId;
use tablet_wasm::TabletState;

#[test]
fn typed_cells_are_read_as_in_vietnam_and_survive_the_end_of_the_worker() {
    let node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let report = hanh.type_in(json!([
        cell("III.3.1.1", "1.893"),
        cell("III.3.1.2", "1.887"),
        {"kind": "no_occurrence", "code": "III.1.1"},
        {"kind": "cell", "code": "III.1.2", "text": null},
        {"kind": "note", "code": "III.3.1.1", "text": "Gồm cả điểm Phúc Chu"},
    ]));
    let value = &report["rows"]["III.3.1.1"]["values"][0];
    assert_eq!(value["value"]["text"], "1.893");
    assert_eq!(value["state"], "saved");
    assert_eq!(value["author"], "Ma Thị Hạnh");
    let ratio = &report["rows"]["III.3.1"]["formula"];
    assert_eq!(ratio["low_text"], "99,68");
    assert_eq!(report["template_version"], 1);
    hanh.restart();
    assert_eq!(hanh.status()["draft_edits"], 6);
    assert_eq!(
        hanh.row("III.3.1.1")["values"][0]["value"]["number"],
        "1893"
    );
    assert_eq!(
        hanh.row("III.1.1")["values"][0]["value"]["kind"],
        "no_occurrence"
    );
    assert_eq!(hanh.row("III.1.2")["values"][0]["value"]["kind"], "empty");
    let note = &hanh.row("III.3.1.1")["notes"][0]["value"];
    assert_eq!(note["text"], "Gồm cả điểm Phúc Chu");
}

/// The yearly form as version 2: a row less, another one more, a unit changed.
fn second_version() -> Template {
    let text = catalogue_files::text("forms/bao-cao-cchc-2022.json").unwrap();
    let mut form: Value = serde_json::from_str(text).unwrap();
    form[Template::NOTE] = json!("Theo công văn 12");
    let rows = form["sections"][4]["indicators"].as_array_mut().unwrap();
    let gone = rows.iter().position(|row| row["code"] == "V.4.4").unwrap();
    rows.remove(gone);
    let rows = form["sections"][0]["indicators"].as_array_mut().unwrap();
    rows.push(
        json!({"code": "I.8", "label_vi": "Chỉ tiêu mới", "unit_vi": "Lượt", "kind": "integer"}),
    );
    Template::import(&form.to_string(), 2).unwrap()
}

/// In the middle of a period the province publishes another version. Whoever began keeps theirs, whoever
/// begins later has the new one, and what both typed is one report. Moving it loses no value.
#[test]
fn two_tablets_on_different_versions_of_a_form_merge() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let report = hanh.type_in(json!([cell("V.4.4", "5"), cell("III.3.1.1", "1.893")]));
    assert_eq!(report["newest_version"], 1);
    assert_eq!(hanh.state.newer_version(&subject()).unwrap(), "null");
    let second = second_version();
    node.record(Body::Template {
        id: second.id().to_owned(),
        version: 2,
        content: second.to_json(),
    });
    let mut toan = Worker::enrolled(&node, 2);
    let report = toan.type_in(json!([cell("I.8", "3"), cell("III.3.1.2", "1.887")]));
    assert_eq!(report["template_version"], 2);
    toan.sync(&mut node);
    // Until they meet, each goes on by their own version: Hạnh's tablet has not heard of the other.
    assert_eq!(
        hanh.type_in(json!([cell("I.1", "1")]))["template_version"],
        1
    );
    hanh.sync(&mut node);
    toan.sync(&mut node);
    let read = |worker: &mut Worker| -> Value {
        serde_json::from_str(&worker.state.report(&subject()).unwrap()).unwrap()
    };
    for worker in [&mut hanh, &mut toan] {
        let report = read(worker);
        assert_eq!(
            report["template_version"], 2,
            "the higher of two that stand side by side"
        );
        for (code, number) in [
            ("I.1", "1"),
            ("V.4.4", "5"),
            ("I.8", "3"),
            ("III.3.1.1", "1893"),
        ] {
            assert_eq!(
                report["rows"][code]["values"][0]["value"]["number"], number,
                "{code}"
            );
        }
        assert_eq!(report["rows"]["III.3.1"]["formula"]["low_text"], "99,68");
        let lost = &report["without_row"];
        assert_eq!(lost[0]["code"], "V.4.4", "{lost}");
        assert!(
            lost[0]["label"]
                .as_str()
                .is_some_and(|label| !label.is_empty())
        );
    }
    assert_eq!(read(&mut hanh)["rows"], {
        hanh.restart();
        read(&mut hanh)["rows"].clone()
    });
}

/// A report that was begun by an older version keeps it until a person moves it, who is told what that changes.
#[test]
fn a_report_is_moved_to_a_newer_version_with_everything_in_it() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    hanh.type_in(json!([cell("V.4.4", "5"), cell("III.3.1.1", "1.893")]));
    hanh.sync(&mut node);
    let second = second_version();
    node.record(Body::Template {
        id: second.id().to_owned(),
        version: 2,
        content: second.to_json(),
    });
    hanh.sync(&mut node);
    let form = |worker: &mut Worker, version| -> Value {
        let form = worker
            .state
            .form("bao-cao-cchc-2022", version, None)
            .unwrap();
        serde_json::from_str(&form).unwrap()
    };
    assert_eq!(form(&mut hanh, Some(1))["version"], 1);
    assert_eq!(form(&mut hanh, None)["version"], 2);
    let report = hanh.type_in(json!([cell("V.4.4", "6")]));
    assert_eq!(
        (&report["template_version"], &report["newest_version"]),
        (&json!(1), &json!(2))
    );
    let told: Value = serde_json::from_str(&hanh.state.newer_version(&subject()).unwrap()).unwrap();
    assert_eq!(told["note"], "Theo công văn 12");
    let codes = |list: &Value| -> Vec<String> {
        let codes = list.as_array().unwrap().iter();
        codes
            .map(|one| one["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(codes(&told["differences"]), ["I.8", "V.4.4"]);
    assert_eq!(codes(&told["losing"]), ["V.4.4"]);
    let unknown = json!([{"kind": "version", "version": 3}]).to_string();
    assert!(
        hanh.state.edit(&subject(), &unknown, NOW).is_err(),
        "no such version"
    );
    let moved = hanh.type_in(json!([{"kind": "version", "version": 2}]));
    assert_eq!(moved["template_version"], 2);
    assert_eq!(moved["without_row"][0]["code"], "V.4.4");
    assert_eq!(moved["rows"]["V.4.4"]["values"][0]["value"]["number"], "6");
    assert_eq!(hanh.state.newer_version(&subject()).unwrap(), "null");
    hanh.sync(&mut node);
    let mut toan = Worker::enrolled(&node, 2);
    toan.sync(&mut node);
    let report: Value = serde_json::from_str(&toan.state.report(&subject()).unwrap()).unwrap();
    assert_eq!(report["template_version"], 2);
    assert_eq!(report["rows"]["V.4.4"]["values"][0]["value"]["number"], "6");
}

/// A retired form is offered to nobody who has not begun it, and taken from nobody who has.
#[test]
fn a_retired_form_is_begun_by_nobody_and_finished_by_whoever_began() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let mut toan = Worker::enrolled(&node, 2);
    hanh.type_in(json!([cell("V.4.4", "5")]));
    node.record(Body::TemplateRetired {
        id: "bao-cao-cchc-2022".into(),
        reason: "Theo thông tư mới".into(),
    });
    let work = |worker: &mut Worker| -> usize {
        let work: Value = serde_json::from_str(&worker.state.work(NOW, "app").unwrap()).unwrap();
        work.as_array().unwrap().len()
    };
    assert_eq!((work(&mut hanh), work(&mut toan)), (1, 1));
    toan.sync(&mut node);
    assert_eq!(work(&mut toan), 0, "nothing was begun");
    hanh.sync(&mut node);
    assert_eq!(work(&mut hanh), 1, "it was begun before");
    toan.sync(&mut node);
    assert_eq!(work(&mut toan), 1, "a colleague began it");
}

/// A page is given what became different: what was typed before and is not sealed must not seem to be.
#[test]
fn a_key_changes_nothing_of_what_was_typed_before_it() {
    let node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let before = hanh.type_in(json!([cell("III.3.1.1", "1.893")]));
    let after = hanh.type_in(json!([cell("III.1.1", "7")]));
    assert_eq!(after["rows"]["III.1.1"]["values"][0]["change"], "draft");
    assert_eq!(before["rows"]["III.3.1.1"], after["rows"]["III.3.1.1"]);
}

/// A figure is worked out while it is typed: what is shown when it is entered is what the edit comes to.
#[test]
fn a_preview_is_what_the_edit_comes_to_and_keeps_nothing() {
    let node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    hanh.type_in(json!([cell("III.3.1.1", "1.893")]));
    let edits = json!([cell("III.3.1.2", "1.700")]);
    let nothing = hanh.state.take_writes();
    let (before, ratio) = (hanh.status(), hanh.row("III.3.1"));
    let preview = hanh.state.preview(&subject(), &edits.to_string(), NOW);
    let preview: Value = serde_json::from_str(&preview.unwrap()).unwrap();
    assert_ne!(preview["rows"]["III.3.1"], ratio);
    assert_eq!((hanh.status(), hanh.row("III.3.1")), (before, ratio));
    assert_eq!(hanh.state.take_writes(), nothing);
    assert_eq!(preview["rows"], hanh.type_in(edits)["rows"]);
}

#[test]
fn a_question_is_asked_and_nothing_is_written() {
    let node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let read = |worker: &mut Worker, code: &str, text: &str| -> Value {
        let template = "bao-cao-cchc-2022";
        serde_json::from_str(
            &worker
                .state
                .read_typed(template, code, text, None, None)
                .unwrap(),
        )
        .unwrap()
    };
    let asked = read(&mut hanh, "III.3.1.1", "1,234,567");
    assert_eq!(asked["fault"], "ambiguous-number", "{asked}");
    assert!(
        asked["readings"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
    let whole = read(&mut hanh, "III.3.1.1", "99,65");
    assert_eq!(whole["fault"], "not-whole", "{whole}");
    assert_eq!(
        whole["readings"],
        json!([{"number": "100", "text": "100"}, {"number": "9965", "text": "9.965"}])
    );
    assert_eq!(read(&mut hanh, "III.3.1.1", "abc")["fault"], "not-a-number");
    assert_eq!(
        read(&mut hanh, "III.3.1.1", "946.181")["value"]["number"],
        "946181"
    );
    let refused = hanh.state.edit(
        &subject(),
        &json!([cell("III.3.1.1", "abc")]).to_string(),
        NOW,
    );
    assert!(refused.is_err_and(|error| error.code() == "tablet-typed"));
    assert_eq!(hanh.status()["draft_edits"], 0);
}

#[test]
fn two_officers_meet_and_a_person_settles_the_cell() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let mut toan = Worker::enrolled(&node, 2);
    hanh.type_in(json!([cell("III.3.1.1", "7.412")]));
    toan.type_in(json!([cell("III.3.1.1", "7.421"), cell("III.1.1", "0")]));
    hanh.sync(&mut node);
    assert_eq!(hanh.row("III.3.1.1")["values"][0]["state"], "received");
    toan.sync(&mut node);
    hanh.sync(&mut node);
    let row = hanh.row("III.3.1.1");
    let authors: Vec<&Value> = row["values"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|value| &value["author"])
        .collect();
    assert_eq!(authors, ["Ma Thị Hạnh", "Hoàng Văn Toàn"]);
    assert_eq!(row["findings"][0]["rule"], "conflict");
    assert_eq!(hanh.row("III.1.1")["values"][0]["value"]["text"], "0");
    hanh.type_in(json!([{"kind": "number", "code": "III.3.1.1", "number": "7421"}]));
    hanh.sync(&mut node);
    toan.sync(&mut node);
    for worker in [&mut hanh, &mut toan] {
        let row = worker.row("III.3.1.1");
        assert_eq!(row["values"].as_array().map(Vec::len), Some(1), "{row}");
        assert_eq!(row["values"][0]["value"]["number"], "7421");
        assert_eq!(worker.status()["waiting_parts"], 0);
    }
    let history = toan.state.history(&subject(), "III.3.1.1").unwrap();
    let history: Value = serde_json::from_str(&history).unwrap();
    assert_eq!(history.as_array().map(Vec::len), Some(3));
}

#[test]
fn a_report_is_looked_through_while_it_is_filled() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let rules = |worker: &mut Worker, code: &str| -> Vec<Value> {
        let row = worker.row(code);
        let findings = row["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().map(|one| one["rule"].clone()).collect()
    };
    let before = subject().replace("2025", "2024");
    assert_ne!(before, subject());
    let typed = json!([cell("III.3.1.1", "100")]).to_string();
    hanh.state.edit(&before, &typed, NOW).unwrap();
    hanh.type_in(json!([cell("III.3.1.1", "900")]));
    // The draft of a year says nothing about the next: only what was sealed is held against it.
    assert_eq!(rules(&mut hanh, "III.3.1.1"), Vec::<Value>::new());
    hanh.sync(&mut node);
    let row = hanh.row("III.3.1.1");
    let finding = &row["findings"][0];
    assert_eq!(finding["rule"], "changed_much", "{row}");
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["detail"]["before"], "100");
    assert_eq!(finding["detail"]["typed"], "900");
    hanh.type_in(json!([cell("III.3.1.1", "120")]));
    assert_eq!(rules(&mut hanh, "III.3.1.1"), Vec::<Value>::new());
    // A part that is more than the whole, and a note that says otherwise.
    hanh.type_in(json!([cell("III.1.1", "5"), {"kind": "note", "code": "III.1.1", "text": "không phát sinh"}]));
    assert_eq!(rules(&mut hanh, "III.1.1"), ["note_contradicts"]);
    // What is empty is no finding before the report is finished.
    assert_eq!(rules(&mut hanh, "III.1.2"), Vec::<Value>::new());
}

#[test]
fn what_a_choice_would_do_is_told_before_it_is_made() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let mut toan = Worker::enrolled(&node, 2);
    hanh.type_in(json!([
        cell("III.3.1.1", "7.412"),
        cell("III.3.1.2", "7.376")
    ]));
    toan.type_in(json!([cell("III.3.1.1", "7.421")]));
    hanh.sync(&mut node);
    toan.sync(&mut node);
    hanh.sync(&mut node);
    let number = |number: &str| json!({"kind": "number", "code": "III.3.1.1", "number": number});
    let choices = json!([number("7412"), number("7421")]).to_string();
    let total = json!([{"low": "606446", "high": "606455"}]).to_string();
    let effect = hanh.state.effect(&subject(), "III.3.1.1", &choices, &total);
    let effect: Value = serde_json::from_str(&effect.unwrap()).unwrap();
    let ratio = &effect["rows"][0];
    assert_eq!(ratio["code"], "III.3.1");
    let texts: Vec<&Value> = ratio["outcomes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|outcome| &outcome["low_text"])
        .collect();
    assert_eq!(texts, ["99,51", "99,39"]);
    assert_eq!(effect["difference"], "9");
    let settled = &effect["totals"][0];
    assert_eq!(
        (&settled[0]["high"], &settled[1]["low"]),
        (&json!("606446"), &json!("606455"))
    );
    // Nothing was written by asking.
    assert_eq!(hanh.status()["draft_edits"], 0);
    assert_eq!(
        hanh.row("III.3.1.1")["values"].as_array().map(Vec::len),
        Some(2)
    );
    let desks: Value = serde_json::from_str(&hanh.state.desks(NOW).unwrap()).unwrap();
    assert_eq!(
        (&desks["writes"], &desks["places"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(desks["reports"][0]["period"], "2025");
}

#[test]
fn a_unit_that_owes_otherwise_sees_its_own_day_and_why() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let mut told = |terms: Terms, reason: &str| -> Value {
        node.record(Body::DutyException(DutyException {
            duty: DutyId([1; 8]),
            unit: COMMUNE,
            terms,
            reason: reason.into(),
        }));
        hanh.sync(&mut node);
        serde_json::from_str(&hanh.state.work(NOW + 90 * 86_400, "app").unwrap()).unwrap()
    };
    let work = told(Terms::Extended("2099-01-10".into()), "lũ quét");
    assert_eq!(
        (&work[0]["due"], &work[0]["past_due"], &work[0]["put_off"]),
        (&json!("2099-01-10"), &json!(false), &json!("lũ quét"))
    );
    assert_eq!(told(Terms::Exempt, "mới thành lập"), json!([]));
    let work = told(Terms::AsOthers, "");
    assert_eq!(
        (&work[0]["due"], &work[0]["past_due"], &work[0]["put_off"]),
        (&json!("2025-12-15"), &json!(true), &Value::Null)
    );
}

#[test]
fn the_list_names_what_is_due_and_how_far_it_is() {
    let node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    hanh.type_in(json!([cell("III.3.1.1", "7.412")]));
    let work = |worker: &mut Worker, now: i64| -> Value {
        serde_json::from_str(&worker.state.work(now, "app").unwrap()).unwrap()
    };
    let items = work(&mut hanh, NOW);
    let item = &items[0];
    assert_eq!(items.as_array().map(Vec::len), Some(1));
    assert_eq!(item["unit_name"], "Xã Định Hoá");
    assert_eq!(
        (&item["due"], &item["past_due"]),
        (&json!("2025-12-15"), &json!(false))
    );
    assert_eq!(
        (&item["filled"], &item["draft_edits"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(work(&mut hanh, NOW + 90 * 86_400)[0]["past_due"], true);
    let totals = hanh
        .state
        .totals("bao-cao-cchc-2022", "2025", &COMMUNE.to_string(), NOW)
        .unwrap();
    let totals: Value = serde_json::from_str(&totals).unwrap();
    assert_eq!(totals["figures"]["III.3.1.1"]["low"], "7412");
    assert_eq!(
        (&totals["due"], &totals["reported"]),
        (&json!(1), &json!(1))
    );
}

/// The row of counts among what is durable: where its number of cells filled stands, and the list.
fn falsify_kept_count(durable: &mut [u8], filled: u8) {
    let row = [0, 0, 0, 1, 0x27, 1];
    let at = durable.windows(row.len()).rposition(|bytes| bytes == row);
    // After the row's key and length: the app's name, how many, a document, a stamp, the form's version.
    let number = at.unwrap() + row.len() + 4 + (1 + "app".len()) + 1 + 16 + 8 + 1;
    durable[number] = filled;
}

#[test]
fn a_start_counts_no_report_again_unless_it_changed_or_the_app_did() {
    let mut node = Node::new();
    let (mut hanh, mut toan) = (Worker::enrolled(&node, 1), Worker::enrolled(&node, 2));
    let filled = |worker: &mut Worker, app: &str| -> Value {
        let list: Value = serde_json::from_str(&worker.state.work(NOW, app).unwrap()).unwrap();
        worker.state.keep_counts();
        worker.keep();
        list[0]["filled"].clone()
    };
    hanh.type_in(json!([cell("III.3.1.1", "7.412"), cell("III.1.2", "4")]));
    assert_eq!(filled(&mut hanh, "app"), 2, "with a draft");
    hanh.sync(&mut node);
    assert_eq!(filled(&mut hanh, "app"), 2, "counted");
    let before = hanh.durable.len();
    assert_eq!(filled(&mut hanh, "app"), 2, "known");
    assert_eq!(hanh.durable.len(), before, "nothing new, nothing written");
    // A count that is wrong shows that nothing was counted again.
    falsify_kept_count(&mut hanh.durable, 9);
    hanh.restart();
    assert_eq!(filled(&mut hanh, "app"), 9);
    hanh.restart();
    assert_eq!(filled(&mut hanh, "a later app"), 2);
    hanh.restart();
    assert_eq!(filled(&mut hanh, "app"), 2);
    falsify_kept_count(&mut hanh.durable, 9);
    hanh.restart();
    // What a colleague wrote is counted, and what is typed here.
    toan.sync(&mut node);
    toan.type_in(json!([cell("III.1.3", "5")]));
    toan.sync(&mut node);
    hanh.sync(&mut node);
    assert_eq!(filled(&mut hanh, "app"), 3);
    hanh.type_in(json!([cell("III.1.1", "6")]));
    assert_eq!(filled(&mut hanh, "app"), 4);
    hanh.sync(&mut node);
    hanh.restart();
    assert_eq!(filled(&mut hanh, "app"), 4);
}

#[test]
fn what_the_page_gets_wrong_is_an_error_and_no_panic() {
    let node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    for text in [
        "",
        "[]",
        "{}",
        r#"{"template":"x","unit":"zz","period":"2025"}"#,
    ] {
        assert!(hanh.state.report(text).is_err(), "{text}");
    }
    assert!(hanh.state.form("nothing", None, None).is_err());
    assert!(hanh.state.receive(b"no frame", NOW, &[9; 8], "[]").is_err());
    assert!(hanh.state.receive(&[], NOW, &[9; 7], "[]").is_err());
    assert!(TabletState::open("zz", &[1; 8], &seed(1), &[], false).is_err());
    let hex = province().to_string();
    assert!(TabletState::open(&hex, &[1; 8], &seed(1), &[1, 2, 3], false).is_err());
}

/// What was typed can be taken back after the app was closed, after it was sealed and sent; what a colleague typed
/// over it stays.
#[test]
fn a_step_is_taken_back_after_a_restart_and_after_it_was_sent() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let mut toan = Worker::enrolled(&node, 2);
    hanh.type_in(json!([cell("III.1.1", "5")]));
    hanh.type_in(json!([cell("III.1.1", "6"), cell("III.1.2", "7")]));
    hanh.sync(&mut node);
    hanh.restart();
    let turn = |worker: &mut Worker, way: &str| -> Value {
        let report: Value =
            serde_json::from_str(&worker.state.report(&subject()).unwrap()).unwrap();
        let step = report["undo"][way]["step"].as_u64().unwrap();
        let turned = worker.state.turn(&subject(), step, way == "back", NOW + 9);
        worker.keep();
        serde_json::from_str(&turned.unwrap()).unwrap()
    };
    let turned = turn(&mut hanh, "back");
    assert_eq!(turned["said"], json!(["III.1.1", "III.1.2"]));
    assert_eq!(
        turned["rows"]["III.1.1"]["values"][0]["value"]["number"],
        "5"
    );
    assert_eq!(
        turned["rows"]["III.1.2"]["values"][0]["value"]["kind"],
        "empty"
    );
    // It is a change like any other: sent, and seen by a colleague, who writes over one of the two.
    hanh.sync(&mut node);
    toan.sync(&mut node);
    assert_eq!(toan.row("III.1.1")["values"][0]["value"]["number"], "5");
    let nothing = &toan.state.report(&subject()).unwrap();
    assert!(
        nothing.contains(r#""back":null"#),
        "his device typed nothing"
    );
    toan.type_in(json!([cell("III.1.2", "8")]));
    toan.sync(&mut node);
    hanh.sync(&mut node);
    hanh.restart();
    let turned = turn(&mut hanh, "forth");
    assert_eq!(
        (&turned["said"], &turned["kept"]),
        (&json!(["III.1.1"]), &json!(["III.1.2"]))
    );
    assert_eq!(hanh.row("III.1.1")["values"][0]["value"]["number"], "6");
    assert_eq!(hanh.row("III.1.2")["values"][0]["value"]["number"], "8");
}

fn for_period(period: &str) -> String {
    json!({"template": "bao-cao-cchc-2022", "unit": COMMUNE, "period": period}).to_string()
}

/// Last period's figure is carried with its mark, which travels and ends with whoever confirms it.
#[test]
fn a_figure_is_carried_forward_with_its_mark_until_somebody_confirms_it() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let mut toan = Worker::enrolled(&node, 2);
    let edits = json!([cell("III.3.1.1", "1.893"), cell("III.3.1.2", "1.887"),
        {"kind": "no_occurrence", "code": "III.1.1"}]);
    let last = hanh
        .state
        .edit(&for_period("2024"), &edits.to_string(), NOW);
    last.unwrap();
    hanh.keep();
    let earlier: Value = serde_json::from_str(&hanh.state.earlier(&subject()).unwrap()).unwrap();
    assert_eq!(earlier[0]["period"], "2024");
    assert_eq!(earlier[0]["here"], true);
    let figures = &earlier[0]["figures"];
    assert_eq!(figures["III.3.1.1"]["values"][0]["text"], "1.893");
    assert_eq!(figures["III.3.1"]["computed"]["low_text"], "99,68");
    assert_eq!(
        figures["III.1.1"]["carries"], false,
        "what did not occur says nothing of this period"
    );
    assert_eq!(
        earlier[1],
        json!({"period": "2023", "here": false, "figures": null})
    );

    let carry = |code: &str| json!([{"kind": "carry", "code": code}]).to_string();
    for code in ["III.1.1", "III.1.2"] {
        let refused = hanh.state.edit(&subject(), &carry(code), NOW);
        assert_eq!(refused.unwrap_err().code(), "tablet-nothing-earlier");
    }
    let report = hanh.type_in(json!([{"kind": "carry", "code": "III.3.1.1"}]));
    assert_eq!(report["rows"]["III.3.1.1"]["carried"], true);
    hanh.sync(&mut node);
    toan.sync(&mut node);
    assert_eq!(toan.row("III.3.1.1")["carried"], true);
    toan.type_in(json!([{"kind": "number", "code": "III.3.1.1", "number": "1893"}]));
    toan.sync(&mut node);
    hanh.sync(&mut node);
    assert_eq!(hanh.row("III.3.1.1")["carried"], Value::Null);
    assert_eq!(
        hanh.row("III.3.1.1")["values"][0]["author"],
        "Hoàng Văn Toàn"
    );
}

/// A source, a reason and comments travel with the report; a warning blocks until somebody says why.
#[test]
fn what_stands_beside_a_cell_travels_and_a_reason_answers_its_warning() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let mut toan = Worker::enrolled(&node, 2);
    let report = hanh.type_in(json!([
        cell("III.3.1.1", "100"),
        cell("III.3.1.2", "50"),
        cell("III.3.1", "99,9"),
        {"kind": "source", "code": "III.3.1", "text": "Sổ theo dõi một cửa"},
        {"kind": "comment", "code": "III.3.1", "text": "Sao khác công thức?"},
    ]));
    assert_eq!(report["blocking"]["without_reason"], 1);
    let rule = report["rows"]["III.3.1"]["findings"][0]["rule"]
        .as_str()
        .unwrap();
    assert!(rule.starts_with("formula_differs"), "{rule}");
    hanh.sync(&mut node);
    toan.sync(&mut node);
    let row = toan.row("III.3.1");
    assert_eq!(row["source"][0]["value"]["text"], "Sổ theo dõi một cửa");
    assert_eq!(row["thread"]["open"], true);
    assert_eq!(row["thread"]["comments"][0]["author"], "Ma Thị Hạnh");
    let report = toan.type_in(json!([
        {"kind": "reason", "code": "III.3.1", "rule": "formula_differs", "text": "Gồm cả hồ sơ chuyển kỳ"},
        {"kind": "resolve", "code": "III.3.1"},
    ]));
    assert_eq!(report["blocking"]["without_reason"], 0);
    toan.sync(&mut node);
    // Said beside the resolution, before it was known.
    let report = hanh.type_in(json!([{"kind": "comment", "code": "III.3.1", "text": "Còn thiếu"}]));
    assert_eq!(report["rows"]["III.3.1"]["thread"]["open"], true);
    hanh.sync(&mut node);
    let row = hanh.row("III.3.1");
    assert_eq!(row["thread"]["open"], true, "nobody has read it yet");
    assert_eq!(
        row["reasons"]["formula_differs"][0]["author"],
        "Hoàng Văn Toàn"
    );
    assert_eq!(hanh.status()["held_parts"], 0);
    let report = hanh.type_in(json!([{"kind": "resolve", "code": "III.3.1"}]));
    assert_eq!(report["rows"]["III.3.1"]["thread"]["open"], false);
    let report = hanh.type_in(json!([{"kind": "reopen", "code": "III.3.1"}]));
    assert_eq!(report["rows"]["III.3.1"]["thread"]["open"], true);
}
