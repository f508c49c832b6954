//! Quotes in words: what counts as one, how it stands to its cell, and what renewing it writes.

use super::*;
use crate::cell::CellValue;
use crate::identity::{ActorId, ChangeHash};
use proptest::prelude::*;

fn template() -> Template {
    let row = |code: &str, kind: &str, more: &str| {
        format!(r#"{{"code":"{code}","label_vi":"{code}","kind":"{kind}"{more}}}"#)
    };
    let rows = [
        row("2.1", "integer", ""),
        row("2.2", "integer", ""),
        row("2.3", "percent", r#","formula":"100 * [2.1] / [2.2]""#),
        row("tên", "text", ""),
    ];
    let text = format!(
        r#"{{"id":"mau","title_vi":"Mẫu","period_type":"year","sections":[
            {{"id":"i","title_vi":"Phần","indicators":[{}]}}],
            "outline":[{{"id":"mo-dau","title_vi":"I. Mở đầu"}}]}}"#,
        rows.join(",")
    );
    Template::import(&text, 1).expect("a form")
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

fn cells(typed: &[(&str, i64)]) -> Cells {
    let cell = |(code, number): &(&str, i64)| {
        let value = CellValue::Number(Number::from(*number));
        ((*code).to_owned(), vec![rival(value)])
    };
    typed.iter().map(cell).collect()
}

fn renewed(template: &Template, cells: &Cells, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for one in renewals(template, cells, text) {
        characters.splice(one.position..one.position + one.delete, one.insert.chars());
    }
    characters.into_iter().collect()
}

fn found(text: &str, cells: &Cells) -> Vec<(String, String, Agreement)> {
    let template = template();
    let pieces = pieces(&template, cells, text);
    let quote = |piece: &Piece<'_>| match piece {
        Piece::Words(_) => None,
        Piece::Quote(quote) => Some((
            quote.figure.to_owned(),
            quote.code.to_owned(),
            quote.agreement,
        )),
    };
    pieces.iter().filter_map(quote).collect()
}

fn one(text: &str, cells: &Cells) -> (String, Agreement) {
    let mut found = found(text, cells);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    let (figure, _, agreement) = found.remove(0);
    (figure, agreement)
}

#[test]
fn a_figure_is_held_against_its_cell() {
    let cells = cells(&[("2.1", 1893), ("2.2", 1900)]);
    let cases = [
        ("Có 1.893 [2.1] thủ tục", "1.893", Agreement::Same),
        ("Có 1893[2.1]", "1893", Agreement::Same),
        ("Có 1.839 [2.1] thủ tục", "1.839", Agreement::Differs),
        ("đạt 99,63 % [2.3]", "99,63", Agreement::Same),
        ("đạt 99,6% [2.3]", "99,6", Agreement::Same),
        ("đạt 100 % [2.3]", "100", Agreement::Same),
        ("đạt 99,7 % [2.3]", "99,7", Agreement::Differs),
        ("Tăng.1.893 [2.1]", "1.893", Agreement::Same),
        ("giảm -5 [2.1]", "-5", Agreement::Differs),
        ("năm 2021-2025 [2.1]", "2025", Agreement::Differs),
        ("Có [2.1] thủ tục", "", Agreement::Unwritten),
        ("Có 1,893.5 [2.1] thủ tục", "1,893.5", Agreement::Unclear),
        ("Tên 5 [tên]", "5", Agreement::NoAmount),
        ("Có 5 [9.9]", "5", Agreement::NoRow),
    ];
    for (text, figure, agreement) in cases {
        assert_eq!(one(text, &cells), (figure.to_owned(), agreement), "{text}");
    }
    assert_eq!(one("Có 5 [2.1]", &Cells::new()).1, Agreement::Nothing);
}

#[test]
fn rivals_and_no_occurrence_are_told_apart() {
    let mut cells = cells(&[]);
    let values = [4, 5].map(|one| rival(CellValue::Number(Number::from(one))));
    cells.insert("2.1".to_owned(), values.to_vec());
    assert_eq!(one("Có 5 [2.1]", &cells).1, Agreement::Contested);
    cells.insert("2.1".to_owned(), vec![rival(CellValue::NoOccurrence)]);
    assert_eq!(one("Có 0 [2.1]", &cells).1, Agreement::Same);
    assert_eq!(one("Có 1 [2.1]", &cells).1, Agreement::Differs);
}

#[test]
fn other_brackets_are_words() {
    let cells = cells(&[("2.1", 5)]);
    for text in ["xem [phụ lục]", "mảng [", "a ] b [ c", "[]", "5 [[2.1"] {
        assert_eq!(found(text, &cells), [], "{text}");
    }
    assert_eq!(one("[xem 5 [2.1]", &cells).1, Agreement::Same);
}

#[test]
fn renewing_writes_what_stands_there_now() {
    let template = template();
    let cells = cells(&[("2.1", 277), ("2.2", 1900)]);
    let cases = [
        (
            "Có 48 [2.1] thủ tục, xem [a].",
            "Có 277 [2.1] thủ tục, xem [a].",
        ),
        ("Có [2.1] thủ tục", "Có 277 [2.1] thủ tục"),
        ("Gồm:[2.1]", "Gồm: 277 [2.1]"),
        ("Gồm -[2.1] (xem [2.1])", "Gồm - 277 [2.1] (xem 277 [2.1])"),
        ("đạt [2.3]", "đạt 14,58 % [2.3]"),
        ("đạt 99,65 % [2.3]", "đạt 14,58 % [2.3]"),
        ("đạt 14,6% [2.3]", "đạt 14,6% [2.3]"),
        ("Có 5 [9.9] và 6 [tên]", "Có 5 [9.9] và 6 [tên]"),
    ];
    for (old, new) in cases {
        assert_eq!(renewed(&template, &cells, old), new);
    }
}

#[test]
fn another_figure_in_the_words_is_a_finding_of_its_cell() {
    use crate::report::review::{Beside, Checks, review};
    use crate::report::{Rule, sentence};
    let template = template();
    let cells = cells(&[("2.1", 277), ("2.2", 277)]);
    let text = "Có 48 [2.1] thủ tục. Như đã nói, 48 [2.1]. Và 277 [2.2].";
    let narrative = BTreeMap::from([("mo-dau".to_owned(), text.to_owned())]);
    let beside = Beside {
        narrative: Some(&narrative),
        ..Beside::default()
    };
    let found = review(&template, &Checks::of(&template), &cells, &beside);
    let quoted: Vec<_> = found
        .iter()
        .filter(|one| matches!(one.rule, Rule::QuoteDiffers { .. }))
        .collect();
    assert_eq!(quoted.len(), 1, "each once");
    assert_eq!(quoted[0].code, "2.1");
    let sentence = sentence::of(&template, &cells, quoted[0]);
    for (name, value) in [("part", "I. Mở đầu"), ("typed", "48"), ("computed", "277")] {
        let given = sentence.arguments.iter().find(|(of, _)| *of == name);
        assert_eq!(given.map(|(_, given)| given.as_str()), Some(value));
    }
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[2.1]".to_owned()),
        Just("[2.3]".to_owned()),
        Just("[tên]".to_owned()),
        Just("[x".to_owned()),
        Just("]".to_owned()),
        "[0-9.,%  -]{0,6}",
        "[aế \\[\\].]{0,4}",
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Whatever is written, the pieces together are the text.
    #[test]
    fn nothing_is_left_out(text in text(), a in 0i64..2000, b in 0i64..3) {
        let cells = cells(&[("2.1", a), ("2.2", b)]);
        let again: String = pieces(&template(), &cells, &text)
            .into_iter()
            .map(|piece| match piece {
                Piece::Words(words) => words.to_owned(),
                Piece::Quote(quote) => format!("{}{}[{}]", quote.figure, quote.between, quote.code),
            })
            .collect();
        prop_assert_eq!(again, text);
    }

    /// What was renewed agrees, and renewing it again changes nothing.
    #[test]
    fn what_was_renewed_agrees(text in text(), a in 0i64..2000, b in 1i64..3) {
        let cells = cells(&[("2.1", a), ("2.2", b)]);
        let template = template();
        let once = renewed(&template, &cells, &text);
        for (_, code, agreement) in found(&once, &cells) {
            prop_assert!(!agreement.is_old(), "{code} in {once}: {agreement:?}");
        }
        prop_assert_eq!(renewed(&template, &cells, &once), once);
    }
}
