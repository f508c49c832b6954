//! What people write, and what is said about it.

use super::*;
use sync_core::catalogue_files;
use sync_core::form::Kind;

fn form() -> Template {
    let text = catalogue_files::text("forms/bao-cao-cchc-2022.json").unwrap();
    Template::import(text, 1).unwrap()
}

/// A code of this kind without further conditions.
fn code_of(form: &Template, kind: Kind) -> String {
    let mut rows = form.rows().iter();
    let row = rows.find(|row| row.kind == kind && !row.computed_only);
    row.unwrap().code.clone()
}

fn value_of(edits: &[Edit], code: &str) -> CellValue {
    let found = edits.iter().find_map(|edit| {
        let Entry::Cell { code: of, value } = &edit.entry else {
            return None;
        };
        (of == code).then(|| value.clone())
    });
    found.unwrap()
}

fn faults(text: &str) -> Vec<(usize, String, &'static str)> {
    match read(&form(), text, 0) {
        Err(TypedError::Faults(faults)) => faults
            .into_iter()
            .map(|fault| (fault.row, fault.code, fault.problem.code()))
            .collect(),
        other => panic!("no faults but {other:?}"),
    }
}

#[test]
fn vietnamese_numbers_are_read_as_people_write_them() {
    let form = form();
    let count = code_of(&form, Kind::Integer);
    let percent = code_of(&form, Kind::Percent);
    let text = format!("{{\"{count}\": \"1.893\", \"{percent}\": \"99,65 %\"}}");
    let edits = read(&form, &text, 5).unwrap();
    let number = |text: &str| CellValue::Number(text.parse().unwrap());
    assert_eq!(value_of(&edits, &count), number("1893"));
    assert_eq!(value_of(&edits, &percent), number("99.65"));
    assert!(edits.iter().all(|edit| edit.typed_at == 5));
    let csv = format!("code;value\n{count};\"1.893\"\n{percent};kps\n");
    let edits = read(&form, &csv, 0).unwrap();
    assert_eq!(value_of(&edits, &count), number("1893"));
    assert_eq!(value_of(&edits, &percent), CellValue::NoOccurrence);
    let edits = read(&form, &format!("{{\"{count}\": null}}"), 0).unwrap();
    assert_eq!(value_of(&edits, &count), CellValue::Empty);
}

#[test]
fn an_ambiguous_number_names_its_cell_and_both_readings() {
    let form = form();
    let percent = code_of(&form, Kind::Percent);
    let text = format!("{{\"{percent}\": \"99.68\"}}");
    let Err(TypedError::Faults(faults)) = read(&form, &text, 0) else {
        panic!("it was taken")
    };
    assert_eq!(
        (faults[0].row, faults[0].code.as_str()),
        (1, percent.as_str())
    );
    assert_eq!(faults[0].problem.readings(), ["99,68", "9.968"]);
}

#[test]
fn every_fault_is_named_at_once_with_its_row() {
    let form = form();
    let count = code_of(&form, Kind::Integer);
    let text = format!("{{\"{count}\": \"nhiều\", \"Z.9\": 1, \"{count}\": 2, \"I.2\": [1]}}");
    assert_eq!(
        faults(&text),
        [
            (1, count.clone(), "not-a-number"),
            (2, "Z.9".to_owned(), "unknown-code"),
            (3, count.clone(), "repeated-code"),
            (4, "I.2".to_owned(), "not-a-value"),
        ]
    );
    assert_eq!(faults(&format!("{count},50%"))[0].2, "not-a-percentage");
    assert_eq!(read(&form, "[1]", 0), Err(TypedError::Csv(1)));
    assert!(matches!(read(&form, "{\"a\"", 0), Err(TypedError::Json(_))));
    assert_eq!(read(&form, "a,\"b", 0), Err(TypedError::Csv(1)));
}

#[test]
fn a_choice_must_be_in_its_code_list() {
    let form = form();
    let choice = code_of(&form, Kind::Choice);
    assert_eq!(
        faults(&format!("{{\"{choice}\": 977}}"))[0].2,
        "not-in-code-list"
    );
}
