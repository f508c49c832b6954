//! A finished report looked through: each rule fires where it should, and in no order of typing another.

use super::*;
use crate::cell::CellValue;
use crate::document::{Document, Edit, Entry, Subject, SubjectKind};
use crate::identity::{ActorId, ChangeHash, UnitId};
use crate::report::sentence;
use proptest::prelude::*;

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

type Cells = BTreeMap<String, Vec<Rival>>;

fn cells(typed: &[(&str, &str)]) -> Cells {
    let cell = |(code, text): &(&str, &str)| {
        let value = CellValue::Number(number(text));
        ((*code).to_owned(), vec![rival(value)])
    };
    typed.iter().map(cell).collect()
}

/// Two sections; `Sáu` adds up, `Nhóm` is a heading with a figure of its own.
fn template() -> Template {
    let row = |code: &str, label: &str, kind: &str, more: &str| {
        format!(r#"{{"code":"{code}","label_vi":"{label}","kind":"{kind}","unit_vi":"x"{more}}}"#)
    };
    let under = |parent: &str| format!(r#","parent":"{parent}""#);
    let first = [
        row(
            "t",
            "Tổng số hồ sơ",
            "integer",
            r#","formula":"[t1] + [t2]""#,
        ),
        row("t1", "Qua mạng", "integer", &under("t")),
        row("t2", "Trực tiếp", "integer", &under("t")),
        row("g", "Nhóm", "heading", ""),
        row("g1", "Nhóm một", "integer", &under("g")),
        row("g2", "Nhóm hai", "integer", &under("g")),
        row("w", "Cả xã, bao gồm ngành dọc", "integer", ""),
        row("w1", "Ngành dọc", "integer", &under("w")),
        row("w2", "Ngành ngang", "integer", &under("w")),
        row("p", "Tỷ lệ đúng hạn", "percent", ""),
        row("need", "Bắt buộc", "integer", r#","required":true"#),
        row("u", "Số đơn vị sự nghiệp (ĐVSN) công lập", "integer", ""),
    ];
    let second = [row("again", "Số ĐVSN công lập", "integer", "")];
    let section = |id: &str, rows: &[String]| {
        format!(
            r#"{{"id":"{id}","title_vi":"{id}","indicators":[{}]}}"#,
            rows.join(",")
        )
    };
    let text = format!(
        r#"{{"id":"t","title_vi":"T","period_type":"year","sections":[{},{}]}}"#,
        section("I", &first),
        section("II", &second)
    );
    Template::import(&text, 1).expect("a form")
}

fn whole() -> Cells {
    cells(&[
        ("t", "50"),
        ("t1", "20"),
        ("t2", "30"),
        ("g", "5"),
        ("g1", "2"),
        ("g2", "3"),
        ("w", "9"),
        ("w1", "4"),
        ("w2", "1"),
        ("p", "62"),
        ("need", "1"),
        ("u", "7"),
        ("again", "7"),
    ])
}

fn reviewed(cells: &Cells, beside: &Beside<'_>) -> Vec<(String, &'static str)> {
    let template = template();
    let found = review(&template, &Checks::of(&template), cells, beside);
    found
        .into_iter()
        .map(|finding| (finding.code, finding.rule.code()))
        .collect()
}

/// The whole report with some cells changed; an empty text leaves the cell out.
fn with(changes: &[(&str, &str)]) -> Vec<(String, &'static str)> {
    let mut all = whole();
    for (code, text) in changes {
        if text.is_empty() {
            all.remove(*code);
        } else {
            all.extend(cells(&[(code, text)]));
        }
    }
    reviewed(&all, &Beside::default())
}

fn expected(codes: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    codes
        .iter()
        .map(|(code, rule)| ((*code).to_owned(), *rule))
        .collect()
}

#[test]
fn a_whole_report_has_no_findings() {
    assert_eq!(with(&[]), []);
}

#[test]
fn parts_speak_against_their_total() {
    assert_eq!(with(&[("t", "51")]), expected(&[("t", "formula_differs")]));
    assert_eq!(with(&[("g", "6")]), expected(&[("g", "parts_differ")]));
    // A part of a whole that need not add up may only not be more than it.
    assert_eq!(with(&[("w1", "10")]), expected(&[("w", "part_exceeds")]));
    assert_eq!(
        with(&[("t2", "")]),
        expected(&[("t", "parts_left_empty")]),
        "the total says which part is missing, the part need not"
    );
    // What is filled comes to the total: nobody missed anything, but the cell is empty.
    assert_eq!(
        with(&[("t2", ""), ("t1", "50")]),
        expected(&[("t2", "left_empty")])
    );
    assert_eq!(
        with(&[("w1", ""), ("w2", "")]),
        expected(&[("w", "total_over_empty_parts")])
    );
}

#[test]
fn what_is_empty_is_told_once() {
    assert_eq!(
        with(&[("need", "")]),
        expected(&[("need", "required_empty")])
    );
    assert_eq!(with(&[("p", "")]), expected(&[("p", "left_empty")]));
    let mut all = whole();
    all.insert("p".into(), vec![rival(CellValue::NoOccurrence)]);
    assert_eq!(reviewed(&all, &Beside::default()), []);
    all.insert("p".into(), vec![rival(CellValue::Empty)]);
    let notes = BTreeMap::from([("p".to_owned(), "Chưa có số liệu".to_owned())]);
    let beside = Beside {
        notes: Some(&notes),
        ..Beside::default()
    };
    assert_eq!(reviewed(&all, &beside), [], "the note says why");
}

#[test]
fn the_same_asked_twice_has_one_answer() {
    assert_eq!(
        with(&[("again", "8")]),
        expected(&[("again", "reported_elsewhere")])
    );
}

#[test]
fn a_note_that_says_otherwise_is_a_finding() {
    let noted = |code: &str, note: &str| {
        let notes = BTreeMap::from([(code.to_owned(), note.to_owned())]);
        let beside = Beside {
            notes: Some(&notes),
            ..Beside::default()
        };
        reviewed(&whole(), &beside)
    };
    let against = |code: &str| expected(&[(code, "note_contradicts")]);
    assert_eq!(noted("t1", "Không phát sinh"), against("t1"));
    assert_eq!(noted("w", "Chưa bao gồm cả ngành dọc."), against("w"));
    assert_eq!(noted("p", "đạt 29%"), against("p"));
    for fair in [
        "đạt 62%",
        "19 sở, ngành",
        "Nợ 5 hồ sơ",
        "tăng 3% so với 59%",
    ] {
        assert_eq!(noted("p", fair), [], "{fair}");
    }
}

#[test]
fn figures_are_compared_with_last_period_and_with_others() {
    let figures = |text: &str| BTreeMap::from([("u".to_owned(), number(text))]);
    let before = |text: &str| {
        let earlier = figures(text);
        let beside = Beside {
            earlier: Some(&earlier),
            ..Beside::default()
        };
        reviewed(&whole(), &beside)
    };
    assert_eq!(before("700"), expected(&[("u", "changed_much")]));
    assert_eq!(before("8"), []);
    assert_eq!(before("0"), [], "seven things more are few");
    let among = |others: &[&str]| {
        let others: Vec<BTreeMap<String, Number>> = others.iter().map(|one| figures(one)).collect();
        let peers = Peers::of(&others);
        let beside = Beside {
            peers: Some(&peers),
            ..Beside::default()
        };
        reviewed(&whole(), &beside)
    };
    let far = ["90", "95", "100", "100", "101", "104", "107", "110"];
    assert_eq!(among(&far), expected(&[("u", "outlier")]));
    assert_eq!(among(&far[1..]), [], "too few to have a middle");
    assert_eq!(among(&["1", "5", "7", "8", "9", "11", "14", "20"]), []);
    // Four from a middle that others are one from: unusual, not far off.
    assert_eq!(among(&["0", "1", "2", "3", "3", "4", "5", "6"]), []);
    // Where all have one value, less than half of it is not far.
    assert_eq!(among(&["10"; 8]), []);
}

#[test]
fn every_finding_has_its_sentence() {
    let template = template();
    let mut all = whole();
    all.extend(cells(&[
        ("t", "51"),
        ("g", "6"),
        ("x", "1"),
        ("again", "8"),
    ]));
    all.insert("p".into(), vec![rival(CellValue::Text("nhiều".into()))]);
    let found = review(&template, &Checks::of(&template), &all, &Beside::default());
    let said: Vec<sentence::Sentence> = found
        .iter()
        .map(|finding| sentence::of(&template, &all, finding))
        .collect();
    let rules: Vec<&str> = said.iter().map(|sentence| sentence.rule).collect();
    let expected = [
        "sum_differs",
        "parts_differ",
        "words_for_amount",
        "reported_elsewhere",
        "unknown_code",
    ];
    assert_eq!(rules, expected);
    assert!(rules.iter().all(|rule| sentence::RULES.contains(rule)));
    let sum = said.first().expect("the first");
    let of = |name: &str| {
        let mut arguments = sum.arguments.iter();
        arguments
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(of("expression"), Some("t1 + t2"));
    assert_eq!((of("computed"), of("difference")), (Some("50"), Some("1")));
    assert_eq!(sum.inputs, ["t1", "t2"]);
}

/// What Thái Nguyên published for 2022, with what a reader of the print finds in it.
#[test]
fn the_published_report_of_a_province_has_these_findings_and_no_others() {
    let text = |name: &str| crate::catalogue_files::text(name).expect("it ships");
    let template = Template::import(text("forms/bao-cao-cchc-2022.json"), 1).expect("a form");
    let published = text("figures/bao-cao-cchc-2022-thai-nguyen.json");
    let figures = crate::form::published::read_figures(published).expect("figures");
    let cell = |value: Option<Number>| value.map_or(CellValue::Empty, CellValue::Number);
    let cells: Cells = figures
        .iter()
        .map(|(code, figure)| (code.clone(), vec![rival(cell(figure.value))]))
        .collect();
    let notes = figures
        .into_iter()
        .map(|(code, figure)| (code, figure.note))
        .collect();
    let beside = Beside {
        notes: Some(&notes),
        ..Beside::default()
    };
    let found = review(&template, &Checks::of(&template), &cells, &beside);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|finding| (finding.code.as_str(), finding.rule.code()))
        .collect();
    let expected = [
        // Seven inspected, 7 %.
        ("I.4.2", "percent_repeats_count"),
        // 0 of 0.
        ("II.2.2", "formula_unresolved"),
        // "Bao gồm cả" in the row, "chưa bao gồm" in its note.
        ("III.1.4.1", "note_contradicts"),
        ("III.1.4.2", "note_contradicts"),
        ("III.1.4.3", "note_contradicts"),
        // 99,642 %, printed 99,65.
        ("III.3.1", "formula_differs"),
        // 24 + 24 + 227 + 2 = 277, not 48.
        ("V.2", "parts_differ"),
        // 806 units here, 792 in IV.1.5.
        ("VI.2.1", "reported_elsewhere"),
        // 175 with none of its three bands.
        ("VI.2.4", "total_over_empty_parts"),
        ("VI.2.6", "left_empty"),
        ("VII.3", "left_empty"),
        ("VII.5.2", "left_empty"),
        // 564 of 564 is not 29 %, and so on.
        ("VII.6.1", "formula_differs"),
        ("VII.6.2", "formula_differs"),
        ("VII.6.3", "formula_differs"),
        ("VII.6.4", "formula_differs"),
        ("VII.6.5", "formula_differs"),
    ];
    assert_eq!(found, expected);
}

fn value() -> impl Strategy<Value = CellValue> {
    prop_oneof![
        5 => (0_i64..60).prop_map(|number| CellValue::Number(number.into())),
        1 => Just(CellValue::Empty),
        1 => Just(CellValue::NoOccurrence),
        1 => Just(CellValue::Text("nhiều".into())),
    ]
}

fn typed_cells() -> impl Strategy<Value = Vec<(usize, CellValue)>> {
    prop::collection::vec((0_usize..14, value()), 0..30)
}

/// Everything that is said of a report, with its sentences.
fn said(cells: &Cells) -> Vec<(Finding, sentence::Sentence)> {
    let template = template();
    let found = review(&template, &Checks::of(&template), cells, &Beside::default());
    let worded = |finding: Finding| {
        let sentence = sentence::of(&template, cells, &finding);
        (finding, sentence)
    };
    found.into_iter().map(worded).collect()
}

fn code(row: usize) -> String {
    let template = template();
    template
        .rows()
        .get(row)
        .map_or_else(|| "unknown".to_owned(), |row| row.code.clone())
}

/// A report typed cell by cell, each cell a change of its own.
fn typed_one_by_one(values: &[(usize, CellValue)]) -> Cells {
    let subject = Subject {
        kind: SubjectKind::Report,
        template: "t".to_owned(),
        unit: UnitId([1; 8]),
        period: "2025".to_owned(),
    };
    let mut document = Document::new(subject).expect("a document");
    for (row, value) in values {
        let edit = Edit {
            entry: Entry::Cell {
                code: code(*row),
                value: value.clone(),
            },
            typed_at: 1_760_000_000,
        };
        document.write(ActorId([1; 16]), &[edit]).expect("writes");
    }
    document.cells()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn findings_do_not_depend_on_the_order_of_typing(
        values in prop::collection::btree_map(0_usize..14, value(), 0..14),
        shuffle in any::<u64>(),
    ) {
        let forward: Vec<(usize, CellValue)> = values.into_iter().collect();
        let mut other = forward.clone();
        other.sort_by_key(|(row, _)| {
            let row = u64::try_from(*row).unwrap_or_default();
            (row + 1).wrapping_mul(shuffle | 1)
        });
        prop_assert_eq!(said(&typed_one_by_one(&forward)), said(&typed_one_by_one(&other)));
    }

    #[test]
    fn findings_do_not_depend_on_which_rival_came_first(typed in typed_cells()) {
        let mut cells = Cells::new();
        for (row, value) in typed {
            cells.entry(code(row)).or_default().push(rival(value));
        }
        let mut turned = cells.clone();
        for rivals in turned.values_mut() {
            rivals.reverse();
        }
        prop_assert_eq!(said(&cells), said(&turned));
    }
}
