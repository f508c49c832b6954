//! A draft: every fault is named where it is, and a draft without faults is a template.

use super::*;
use crate::catalogue_files;
use proptest::prelude::*;

fn small() -> Value {
    json!({
        "id": "thu", "title_vi": "Biểu thử", "period_type": "year",
        "sections": [{"id": "i", "title_vi": "Phần một", "indicators": [
            {"code": "1", "stt": "1", "label_vi": "Tổng", "kind": "integer", "formula": "[1.1] + [1.2]"},
            {"code": "1.1", "label_vi": "Nam", "kind": "integer", "parent": "1"},
            {"code": "1.2", "label_vi": "Nữ", "kind": "integer", "parent": "1"},
            {"code": "2", "label_vi": "Hình thức", "kind": "choice",
             "choices": [{"value": 0, "label_vi": "Trực tuyến"}, {"value": 1, "label_vi": "Trực tiếp"}]},
            {"code": "3", "label_vi": "Ghi chú", "kind": "text"},
        ]}],
    })
}

fn codes_of(draft: &Value) -> Vec<(Option<usize>, &'static str)> {
    let found = faults(&draft.to_string());
    found.iter().map(|fault| (fault.row, fault.code)).collect()
}

fn with(pointer: &str, value: Value) -> Vec<(Option<usize>, &'static str)> {
    let mut draft = small();
    let (above, key) = pointer.rsplit_once('/').expect("a pointer");
    let place = draft.pointer_mut(above).expect("a place");
    match (place, key.parse::<usize>()) {
        (Value::Array(items), Ok(at)) => items[at] = value,
        (place, _) => place[key] = value,
    }
    codes_of(&draft)
}

fn row(at: usize, key: &str) -> String {
    format!("/sections/0/indicators/{at}/{key}")
}

#[test]
fn forms_that_ship_have_no_fault_and_come_back_from_their_drafts() {
    for (name, _) in catalogue_files::forms() {
        let text = catalogue_files::text(name).expect("it ships");
        assert_eq!(faults(text), [], "{name}");
        let template = Template::import(text, 1).expect(name);
        let draft = template.to_draft().to_string();
        assert_eq!(faults(&draft), [], "{name}");
        assert_eq!(Template::import(&draft, 1), Ok(template), "{name}");
    }
}

#[test]
fn what_a_section_shows_may_be_no_name() {
    let mut draft = small();
    draft["sections"][0]["printed_vi"] = json!("Phụ lục 1");
    let template = Template::import(&draft.to_string(), 1).expect("a form");
    assert_eq!(template.sections()[0].printed.as_deref(), Some("Phụ lục 1"));
    let again = template.to_draft().to_string();
    assert_eq!(Template::import(&again, 1), Ok(template));
}

#[test]
fn each_fault_is_named_at_its_row() {
    let rows = |at: usize, code| vec![(Some(at), code)];
    let whole = |code| vec![(None, code)];
    let cases = [
        (with("/id", json!("Không được")), whole("id-bad")),
        (with("/title_vi", json!(" ")), whole("title-missing")),
        (with("/period_type", json!("tuần")), whole("period-unknown")),
        (with("/sections/0/id", json!("a b")), whole("section-bad")),
        (
            with("/sections/0/title_vi", json!("")),
            whole("section-title-missing"),
        ),
        (with(&row(4, "code"), json!("")), rows(4, "code-bad")),
        (with(&row(4, "code"), json!("2")), rows(4, "code-repeated")),
        (
            with(&row(4, "label_vi"), json!("")),
            rows(4, "label-missing"),
        ),
        (with(&row(4, "kind"), json!("số")), rows(4, "kind-unknown")),
        (
            with(&row(4, "parent"), json!("9")),
            rows(4, "parent-unknown"),
        ),
        (
            with(&row(3, "choices"), json!([])),
            rows(3, "choices-missing"),
        ),
        (
            with(&row(4, "choices"), json!([{"value": 1, "label_vi": "Có"}])),
            rows(4, "choices-not-allowed"),
        ),
        (
            with(&format!("{}/1/value", row(3, "choices")), json!("một")),
            rows(3, "choice-bad"),
        ),
        (
            with(&format!("{}/1/value", row(3, "choices")), json!(0)),
            rows(3, "choice-repeated"),
        ),
        (
            with(&row(0, "formula"), json!("[1.1] +")),
            rows(0, "formula-unreadable"),
        ),
        (
            with(&row(4, "formula"), json!("[1]")),
            rows(4, "formula-not-allowed"),
        ),
        (
            with(&row(0, "formula"), json!("[1.1] + [1.9]")),
            rows(0, "reference-unknown"),
        ),
        (
            with(&row(0, "formula"), json!("[1.1] + [3]")),
            rows(0, "reference-no-amount"),
        ),
        (
            with(&row(2, "computed_only"), json!(true)),
            rows(2, "computed-without-formula"),
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    // A circle is named at every row that is in it, and at no other.
    assert_eq!(
        with(&row(2, "formula"), json!("[1] - [1.1]")),
        [(Some(0), "formula-circle"), (Some(2), "formula-circle")]
    );
    assert_eq!(
        with(&row(0, "parent"), json!("1.1")),
        [(Some(0), "parent-circle"), (Some(1), "parent-circle")]
    );
    let mut empty = small();
    empty["sections"] = json!([]);
    assert_eq!(codes_of(&empty), whole("no-rows"));
    assert_eq!(
        faults("{").first().map(|fault| fault.code),
        Some("not-a-form")
    );
}

#[test]
fn several_faults_are_all_named() {
    let mut draft = small();
    draft["sections"][0]["indicators"][1]["label_vi"] = json!("");
    draft["sections"][0]["indicators"][3]["choices"] = json!([]);
    draft["sections"][0]["indicators"][4]["code"] = json!("1");
    let expected = [
        (Some(1), "label-missing"),
        (Some(3), "choices-missing"),
        (Some(4), "code-repeated"),
    ];
    assert_eq!(codes_of(&draft), expected);
}

proptest! {
    /// Import never refuses what has no fault, whatever the fields hold.
    #[test]
    fn a_draft_without_faults_is_a_template(
        at in 0usize..5,
        key in prop::sample::select(vec!["code", "label_vi", "kind", "parent", "formula", "note_vi"]),
        text in prop::sample::select(vec![
            "", "1", "1.1", "2", "integer", "percent", "choice", "heading", "[1]", "[1.2] * 2", "[2]", "((",
        ]),
        id in "[a-z.A-Z ]{0,3}",
    ) {
        let mut draft = small();
        draft["sections"][0]["id"] = json!(id);
        draft["sections"][0]["indicators"][at][key] = json!(text);
        let text = draft.to_string();
        let found = faults(&text);
        let imported = Template::import(&text, 1);
        prop_assert!(!found.is_empty() || imported.is_ok(), "{imported:?}");
        if imported.is_err() {
            prop_assert!(found.iter().all(|fault| fault.code != "not-a-form"), "{found:?} {imported:?}");
        }
    }
}
