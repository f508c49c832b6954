//! What is typed into a row, by its kind; what is offered instead can be taken.

use super::*;
use crate::catalogue_files;
use crate::form::Template;

fn form() -> Template {
    let text = catalogue_files::text("forms/bao-cao-cchc-2022.json").expect("it ships");
    Template::import(text, 1).expect("it is a form")
}

fn row(form: &Template, kind: Kind) -> &Indicator {
    form.rows()
        .iter()
        .find(|row| row.kind == kind && !row.computed_only)
        .expect("it has one")
}

fn numbers(texts: &[&str]) -> Vec<Number> {
    texts
        .iter()
        .map(|text| Number::from_canonical(text).expect("it is canonical"))
        .collect()
}

#[test]
fn a_row_of_whole_numbers_asks_for_a_whole_number() {
    let form = form();
    let row = row(&form, Kind::Integer);
    for (text, offered) in [
        ("99,65", vec!["100", "9965"]),
        ("1,893", vec!["1893"]),
        ("99.68", vec!["100", "9968"]),
    ] {
        let fault = EntryFault::NotWhole(numbers(&offered));
        assert_eq!(read(row, text), Err(fault), "{text}");
    }
    assert_eq!(read(row, "99,65 %"), Err(EntryFault::NotAPercentage));
    assert_eq!(
        number_of(row, numbers(&["99.65"])[0]),
        Err(EntryFault::NotWhole(numbers(&["100"])))
    );
    assert_eq!(
        read(row, "1.893"),
        Ok(CellValue::Number(Number::from(1_893)))
    );
}

/// An offer that is refused when it is chosen leads round in a circle.
#[test]
fn what_is_offered_can_be_taken() {
    let form = form();
    let mut offers = 0;
    for row in form.rows().iter().filter(|row| !row.computed_only) {
        for text in ["99,65", "99.65", "1,5", "007", "1,893.5", "1.2.3", "0,001"] {
            let Err(fault) = read(row, text) else {
                continue;
            };
            for number in fault.readings() {
                assert!(
                    number_of(row, *number).is_ok(),
                    "{} {text}: {number}",
                    row.code
                );
                offers += 1;
            }
        }
    }
    assert!(offers > 100, "{offers}");
}

#[test]
fn a_code_list_is_asked_about_with_what_it_has() {
    let form = form();
    let row = row(&form, Kind::Choice);
    let first = row.choices.first().expect("it has choices").value;
    assert_eq!(
        read(row, &format!("0{first}")),
        Err(EntryFault::Ambiguous(vec![Number::from(first)]))
    );
    assert_eq!(read(row, "0977"), Err(EntryFault::NotInCodeList));
    assert_eq!(read(row, "977,5"), Err(EntryFault::NotInCodeList));
}
