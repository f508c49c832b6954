//! What a version changes is told: every field, every row, and no more than that.

use super::*;
use crate::catalogue_files;
use serde_json::{Value, json};

fn draft() -> Value {
    let text = catalogue_files::text("forms/bao-cao-cchc-2022.json").expect("it ships");
    serde_json::from_str(text).expect("JSON")
}

fn template(draft: &Value, version: u32) -> Template {
    Template::import(&draft.to_string(), version).expect("a form")
}

fn row(draft: &mut Value, section: usize, at: usize) -> &mut Value {
    &mut draft["sections"][section]["indicators"][at]
}

fn found(change: impl FnOnce(&mut Value)) -> Vec<Difference> {
    let before = draft();
    let mut after = before.clone();
    change(&mut after);
    template(&after, 2).differences_from(&template(&before, 1))
}

#[test]
fn a_version_number_and_a_note_about_it_are_no_difference() {
    let noted = found(|form| form[Template::NOTE] = json!("Theo công văn mới"));
    assert_eq!(noted, []);
    let mut with_note = draft();
    with_note[Template::NOTE] = json!("Theo công văn mới");
    assert_eq!(
        template(&with_note, 2).published_note(),
        Some("Theo công văn mới")
    );
}

#[test]
fn each_field_of_a_row_is_told_with_what_it_was() {
    let cases: [(&str, Value, Aspect); 8] = [
        ("label_vi", json!("Nhãn mới"), Aspect::Label),
        ("stt", json!("99"), Aspect::Ordinal),
        ("unit_vi", json!("Tỷ đồng"), Aspect::Unit),
        ("kind", json!("decimal"), Aspect::Kind),
        ("cumulative", json!(true), Aspect::Cumulative),
        ("note_vi", json!("Tính đến 14/12"), Aspect::Note),
        ("required", json!(true), Aspect::Annotations),
        ("formula", json!("[III.1.1] + [III.1.2]"), Aspect::Formula),
    ];
    let before = template(&draft(), 1);
    for (key, value, aspect) in cases {
        let mut code = String::new();
        let differences = found(|form| {
            let row = row(form, 1, 3);
            code = row["code"].as_str().expect("a code").to_owned();
            assert_ne!(row[key], value, "the case changes something");
            row[key] = value;
        });
        let [one] = differences.as_slice() else {
            panic!("{key}: {differences:?}");
        };
        assert_eq!((one.code.as_str(), one.aspect), (code.as_str(), aspect));
        assert_ne!(one.before, one.after, "{key}");
        let was = before.row(&code).expect("a row");
        if aspect == Aspect::Label {
            assert_eq!(one.before.as_deref(), Some(was.label.as_str()));
        }
    }
}

#[test]
fn a_new_row_and_a_row_that_is_gone_are_told_by_their_labels() {
    let differences = found(|form| {
        let rows = form["sections"][0]["indicators"]
            .as_array_mut()
            .expect("rows");
        let new = json!({"code": "I.moi", "label_vi": "Chỉ tiêu mới", "unit_vi": "Lượt", "kind": "integer"});
        rows.push(new);
    });
    let [new] = differences.as_slice() else {
        panic!("{differences:?}");
    };
    assert_eq!((new.code.as_str(), new.aspect), ("I.moi", Aspect::Row));
    assert_eq!(new.before, None);
    assert_eq!(new.after.as_deref(), Some("Chỉ tiêu mới (Lượt)"));
    let whole = draft();
    let mut less = whole.clone();
    let rows = less["sections"][5]["indicators"]
        .as_array_mut()
        .expect("rows");
    let gone = rows.pop().expect("a row");
    let differences = template(&less, 2).differences_from(&template(&whole, 1));
    let [told] = differences.as_slice() else {
        panic!("{differences:?}");
    };
    assert_eq!(json!(told.code), gone["code"]);
    assert!(told.before.is_some() && told.after.is_none());
}

#[test]
fn a_row_that_was_moved_is_told_alone() {
    let mut code = Value::Null;
    let differences = found(|form| {
        let rows = form["sections"][2]["indicators"]
            .as_array_mut()
            .expect("rows");
        let row = rows.remove(1);
        code = row["code"].clone();
        let end = rows.len();
        rows.insert(end, row);
    });
    let [moved] = differences.as_slice() else {
        panic!("{differences:?}");
    };
    assert_eq!((json!(moved.code), moved.aspect), (code, Aspect::Place));
    assert_ne!(moved.before, moved.after);
}

#[test]
fn sections_and_the_form_itself_are_told() {
    let told = |differences: Vec<Difference>| -> Vec<Aspect> {
        differences.into_iter().map(|one| one.aspect).collect()
    };
    let renamed = found(|form| form["sections"][1]["title_vi"] = json!("Tên khác"));
    assert_eq!(told(renamed), [Aspect::Section]);
    let owned = found(|form| form["sections"][1]["owner_vi"] = json!("Sở Tư pháp và bạn"));
    assert_eq!(told(owned), [Aspect::Section]);
    let titled = found(|form| form["title_vi"] = json!("Tên khác"));
    assert_eq!(told(titled), [Aspect::Form]);
    let moved = found(|form| {
        let sections = form["sections"].as_array_mut().expect("sections");
        sections.swap(0, 1);
    });
    assert!(told(moved).contains(&Aspect::Section));
}

#[test]
fn every_aspect_has_its_own_code() {
    let codes: BTreeSet<&str> = Aspect::CODES.iter().map(|(_, code)| *code).collect();
    assert_eq!(codes.len(), Aspect::CODES.len());
    for (aspect, code) in Aspect::CODES {
        assert_eq!(aspect.code(), code);
    }
}

proptest::proptest! {
    /// Whatever is changed in a draft, two versions without a difference have the same text.
    #[test]
    fn nothing_goes_untold(
        section in 0usize..7, at in 0usize..40, key in 0usize..9, moved in 0usize..40,
    ) {
        let before = draft();
        let mut after = before.clone();
        let rows = after["sections"][section]["indicators"].as_array_mut().expect("rows");
        let at = at % rows.len();
        let moved = moved % rows.len();
        match key {
            0 => rows[at]["label_vi"] = json!("khác"),
            1 => rows[at]["unit_vi"] = json!("khác"),
            2 => rows[at]["stt"] = json!("khác"),
            3 => rows[at]["note_vi"] = json!("khác"),
            4 => rows[at]["parent"] = Value::Null,
            5 => rows[at]["formula"] = Value::Null,
            6 => rows[at]["computed_only"] = json!(rows[at]["formula"].is_string()),
            7 => rows.swap(at, moved),
            _ => rows[at]["khac"] = json!("khác"),
        }
        let (was, is) = (template(&before, 1), template(&after, 1));
        let told = is.differences_from(&was);
        proptest::prop_assert_eq!(told.is_empty(), was.to_json() == is.to_json());
    }
}
