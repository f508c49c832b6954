//! The words of a report across the boundary: two officers write, nothing is lost, a quoted figure is held
//! against its cell.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what is wrong by panicking"
)]

#[path = "province/officers.rs"]
mod officers;

use officers::{NOW, Node, Worker, cell, subject};
use serde_json::{Value, json};
use sync_core::limits;

const PART: &str = "ket-qua.2";

fn words(worker: &mut Worker) -> Value {
    serde_json::from_str(&worker.state.narrative(&subject()).unwrap()).unwrap()
}

fn part(narrative: &Value) -> &Value {
    let parts = narrative["parts"].as_array().unwrap();
    parts.iter().find(|one| one["id"] == PART).unwrap()
}

fn text(worker: &mut Worker) -> String {
    part(&words(worker))["text"].as_str().unwrap().to_owned()
}

fn write(worker: &mut Worker, seen: &str, typed: &str) -> Value {
    let written = worker.state.write_words(&subject(), PART, seen, typed, NOW);
    worker.keep();
    serde_json::from_str(&written.unwrap()).unwrap()
}

fn blocking(worker: &mut Worker) -> Value {
    let report: Value = serde_json::from_str(&worker.state.report(&subject()).unwrap()).unwrap();
    report["blocking"]["without_reason"].clone()
}

#[test]
fn the_form_has_its_outline_and_words_survive_the_end_of_the_worker() {
    let node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let form = hanh.state.form("bao-cao-cchc-2022", None, None).unwrap();
    let form: Value = serde_json::from_str(&form).unwrap();
    let outline = form["outline"].as_array().unwrap();
    assert!(
        outline
            .iter()
            .any(|one| one["id"] == PART && one["level"] == 2)
    );
    assert_eq!(words(&mut hanh)["standing"]["empty"], json!(outline.len()));
    let written = write(&mut hanh, "", "Đã rà soát.");
    assert_eq!(part(&written)["text"], "Đã rà soát.");
    // What the page saw is what it was given before; its person has typed on.
    write(&mut hanh, "Đã rà soát.", "Đã rà soát 5 thủ tục.");
    hanh.restart();
    assert_eq!(text(&mut hanh), "Đã rà soát 5 thủ tục.");
    assert_eq!(
        words(&mut hanh)["standing"]["empty"],
        json!(outline.len() - 1)
    );
    let report: Value = serde_json::from_str(&hanh.state.report(&subject()).unwrap()).unwrap();
    assert_eq!(report["template_version"], 1);
    assert_eq!(report["narrative"], words(&mut hanh)["standing"]);
}

#[test]
fn two_officers_write_one_text_and_a_page_that_saw_neither_takes_nothing_away() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let mut toan = Worker::enrolled(&node, 2);
    write(&mut hanh, "", "Đã rà soát thủ tục.");
    hanh.sync(&mut node);
    toan.sync(&mut node);
    let seen = text(&mut toan);
    write(&mut hanh, &seen, "Năm 2025 đã rà soát thủ tục.");
    write(&mut toan, &seen, "Đã rà soát thủ tục của xã.");
    hanh.sync(&mut node);
    toan.sync(&mut node);
    hanh.sync(&mut node);
    // Toàn's page was given the text before Hạnh's words came, and types on.
    write(&mut toan, &seen, "Đã rà soát, cắt giảm thủ tục.");
    toan.sync(&mut node);
    hanh.sync(&mut node);
    let both = text(&mut hanh);
    assert_eq!(both, text(&mut toan));
    for words in ["Năm 2025", "cắt giảm", "của xã"] {
        assert!(both.contains(words), "{both}");
    }
}

#[test]
fn a_quote_is_held_against_its_cell_and_renewed() {
    let node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    hanh.type_in(json!([cell("III.3.1.1", "1.893")]));
    let before = blocking(&mut hanh);
    let written = write(
        &mut hanh,
        "",
        "Nhận 1.839 [III.3.1.1] hồ sơ, xem [phụ lục].",
    );
    let quote = &part(&written)["pieces"][1];
    assert_eq!(quote["agreement"], "differs");
    assert_eq!(quote["now"]["low_text"], "1.893");
    assert_eq!(
        blocking(&mut hanh).as_u64().unwrap(),
        before.as_u64().unwrap() + 1,
        "it needs a reason, or another figure"
    );
    let finding = &hanh.row("III.3.1.1")["findings"][0];
    assert_eq!(finding["rule"], "quote_differs");
    assert_eq!(finding["detail"]["part"], "2. Cải cách thủ tục hành chính");
    let renewed = hanh.state.renew_quotes(&subject(), PART, NOW).unwrap();
    let renewed: Value = serde_json::from_str(&renewed).unwrap();
    assert_eq!(
        part(&renewed)["text"],
        "Nhận 1.893 [III.3.1.1] hồ sơ, xem [phụ lục]."
    );
    assert_eq!(part(&renewed)["pieces"][1]["agreement"], "same");
    assert_eq!(blocking(&mut hanh), before);
    // The cell changes: the words show it.
    hanh.type_in(json!([cell("III.3.1.1", "1.900")]));
    assert_eq!(part(&words(&mut hanh))["pieces"][1]["agreement"], "differs");
}

#[test]
fn as_much_as_a_part_takes_is_written_at_once_and_no_more() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    let long: String = "Đã rà soát. "
        .chars()
        .cycle()
        .take(limits::NARRATIVE_CHARACTERS_MAX)
        .collect();
    write(&mut hanh, "", &long);
    assert_eq!(text(&mut hanh), long);
    hanh.restart();
    assert_eq!(text(&mut hanh), long);
    let more = format!("{long}x");
    let refused = hanh.state.write_words(&subject(), PART, &long, &more, NOW);
    assert_eq!(refused.unwrap_err().code(), "tablet-words-too-many");
    hanh.sync(&mut node);
    let mut toan = Worker::enrolled(&node, 2);
    toan.sync(&mut node);
    assert_eq!(text(&mut toan), long);
    write(&mut toan, &long, "");
    toan.sync(&mut node);
    hanh.sync(&mut node);
    assert_eq!(text(&mut hanh), "");
}

#[test]
fn a_comment_stands_at_a_part_and_nowhere_else() {
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    hanh.type_in(
        json!([{"kind": "comment", "code": format!("§{PART}"), "text": "Bổ sung số hồ sơ"}]),
    );
    hanh.sync(&mut node);
    let mut toan = Worker::enrolled(&node, 2);
    toan.sync(&mut node);
    let words = words(&mut toan);
    let thread = &part(&words)["thread"];
    assert_eq!(thread["comments"][0]["text"], "Bổ sung số hồ sơ");
    assert_eq!(thread["open"], true);
    let nowhere = json!([{"kind": "comment", "code": "§khac", "text": "?"}]).to_string();
    assert!(hanh.state.edit(&subject(), &nowhere, NOW).is_err());
    assert!(
        hanh.state
            .write_words(&subject(), "khac", "", "x", NOW)
            .is_err()
    );
}

#[test]
fn words_of_a_part_that_is_gone_are_kept_and_shown() {
    use sync_core::catalogue::Body;
    use sync_core::form::Template;
    let mut node = Node::new();
    let mut hanh = Worker::enrolled(&node, 1);
    write(&mut hanh, "", "Đã rà soát.");
    let text = sync_core::catalogue_files::text("forms/bao-cao-cchc-2022.json").unwrap();
    let mut form: Value = serde_json::from_str(text).unwrap();
    form["outline"]
        .as_array_mut()
        .unwrap()
        .retain(|one| one["id"] != PART);
    let second = Template::import(&form.to_string(), 2).unwrap();
    node.record(Body::Template {
        id: second.id().to_owned(),
        version: 2,
        content: second.to_json(),
    });
    hanh.sync(&mut node);
    hanh.type_in(json!([{"kind": "version", "version": 2}]));
    let words = words(&mut hanh);
    assert_eq!(words["without_place"][0]["text"], "Đã rà soát.");
    assert_eq!(words["standing"]["without_place"], true);
}
