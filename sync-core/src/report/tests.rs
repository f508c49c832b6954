//! Findings of a report: each rule fires where it should and nowhere else.

use super::*;
use crate::identity::{ActorId, ChangeHash};

fn number(text: &str) -> Number {
    Number::from_canonical(text).expect("canonical in the test")
}

fn rival(value: CellValue) -> Rival {
    Rival {
        value,
        actor: ActorId([0; 16]),
        claimed_at: 0,
        change: ChangeHash([0; 32]),
    }
}

fn template() -> Template {
    let json = r#"{"schema":1,"id":"t","version":1,"title":"T","period":"year","sections":[{"id":"s","title":"S","indicators":[{"code":"g","label":"Nhóm","kind":"heading"},{"code":"all","label":"Tổng","kind":"integer","parent":"g","formula":"[done] + [open]"},{"code":"done","label":"Xong","kind":"integer","parent":"g"},{"code":"open","label":"Chưa","kind":"integer","parent":"g"},{"code":"rate","label":"Tỷ lệ","kind":"percent","parent":"g","formula":"100 * [done] / [all]"},{"code":"loose","label":"Rời","kind":"percent","parent":"g"},{"code":"own","label":"Tự tính","kind":"integer","formula":"2 * [done]","computed_only":true},{"code":"way","label":"Cách","kind":"choice","choices":[{"value":0,"label":"a"}]},{"code":"words","label":"Lời","kind":"text"}]}]}"#;
    Template::from_json(json.as_bytes()).expect("a template")
}

fn codes(typed: &[(&str, CellValue)]) -> Vec<(String, &'static str)> {
    let cell = |(code, value): &(&str, CellValue)| ((*code).to_owned(), vec![rival(value.clone())]);
    let found = findings(&template(), &typed.iter().map(cell).collect());
    found
        .into_iter()
        .map(|finding| (finding.code, finding.rule.code()))
        .collect()
}

fn typed(text: &str) -> CellValue {
    CellValue::Number(number(text))
}

#[test]
fn a_consistent_report_has_no_findings() {
    let cells = [
        ("all", typed("3")),
        ("done", typed("1")),
        ("open", typed("2")),
        ("rate", typed("33.3")),
        ("loose", typed("55.5")),
        ("way", typed("0")),
        ("words", CellValue::Text("tốt".into())),
    ];
    assert_eq!(codes(&cells), []);
    assert_eq!(
        codes(&[("all", CellValue::Empty), ("done", CellValue::NoOccurrence)]),
        []
    );
}

#[test]
fn every_rule_has_its_case() {
    let check = |cells: &[(&str, CellValue)], expected: &[(&str, &str)]| {
        let found = codes(cells);
        let found: Vec<_> = found
            .iter()
            .map(|(code, rule)| (code.as_str(), *rule))
            .collect();
        assert_eq!(found, expected);
    };
    check(&[("x", typed("1"))], &[("x", "unknown_code")]);
    check(
        &[("done", CellValue::Text("năm".into()))],
        &[("done", "words_for_amount")],
    );
    check(&[("done", typed("1.5"))], &[("done", "not_whole")]);
    check(&[("done", typed("-1"))], &[("done", "negative")]);
    check(&[("way", typed("7"))], &[("way", "not_in_code_list")]);
    check(
        &[("loose", typed("100.1"))],
        &[("loose", "percent_out_of_range")],
    );
    check(
        &[("loose", typed("7")), ("done", typed("7"))],
        &[("loose", "percent_repeats_count")],
    );
    let parts = [("done", typed("1")), ("open", typed("2"))];
    let with = |code, value| [parts.clone().to_vec(), vec![(code, typed(value))]].concat();
    check(&with("all", "4"), &[("all", "formula_differs")]);
    // Nobody typed the total: the formula's own value is the denominator.
    check(&with("rate", "33.4"), &[("rate", "formula_differs")]);
    check(
        &[("all", typed("175"))],
        &[("all", "total_over_empty_parts")],
    );
    check(
        &[
            ("done", typed("0")),
            ("open", typed("0")),
            ("rate", typed("0")),
        ],
        &[("rate", "formula_unresolved")],
    );
    check(&[("own", typed("2"))], &[("own", "computed_only")]);
}

#[test]
fn rivals_are_a_finding_and_ranges_reach_the_formulas() {
    let rivals = |values: &[&str]| {
        values
            .iter()
            .map(|text| rival(typed(text)))
            .collect::<Vec<_>>()
    };
    let cells = BTreeMap::from([
        ("done".to_owned(), rivals(&["1", "2"])),
        ("open".to_owned(), rivals(&["3", "3"])),
        ("all".to_owned(), rivals(&["5"])),
    ]);
    let found = findings(&template(), &cells);
    let expected = Finding {
        code: "done".into(),
        rule: Rule::Conflict(2),
    };
    assert_eq!(found, [expected]);
    let proposed = proposals(&template(), &cells);
    assert_eq!(
        proposed.get("all"),
        Some(&Ok(Range::between(number("4"), number("5"))))
    );
    assert_eq!(
        proposed.get("rate"),
        Some(&Ok(Range::between(number("20"), number("40"))))
    );
}
