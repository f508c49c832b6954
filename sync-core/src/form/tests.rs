//! Templates: the printed forms are kept whole, the canonical text is strict, errors have names.

use super::*;
use crate::catalogue_files;

fn yearly_report() -> Template {
    Template::import(
        catalogue_files::text("forms/bao-cao-cchc-2022.json").expect("it ships"),
        1,
    )
    .expect("it is a form")
}

#[test]
fn nothing_printed_is_dropped() {
    for (name, _) in catalogue_files::forms() {
        let text = catalogue_files::text(name).expect("it ships");
        let template = Template::import(text, 1).expect(name);
        let json = String::from_utf8(template.to_json()).expect("JSON is UTF-8");
        let source: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let mut strings = Vec::new();
        collect_strings(&source, &mut strings);
        assert!(strings.len() > 500, "{name}: {} strings", strings.len());
        for string in strings {
            let quoted = serde_json::to_string(string).expect("JSON");
            let period = PeriodKind::from_name(string).is_some();
            assert!(json.contains(&quoted) || period, "{name} lost {string}");
        }
    }
}

fn collect_strings<'a>(value: &'a serde_json::Value, found: &mut Vec<&'a str>) {
    match value {
        serde_json::Value::String(text) if !text.is_empty() => found.push(text),
        serde_json::Value::Array(items) => {
            items.iter().for_each(|item| collect_strings(item, found));
        }
        serde_json::Value::Object(map) => {
            map.values().for_each(|item| collect_strings(item, found));
        }
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

#[test]
fn the_canonical_text_round_trips() {
    let template = yearly_report();
    assert_eq!(template.rows().len(), 146);
    assert_eq!(template.sections().len(), 7);
    assert_eq!(template.evaluation_order().len(), 20);
    let json = template.to_json();
    assert_eq!(Template::from_json(&json), Ok(template));
    assert!(json.len() < crate::limits::CATALOGUE_RECORD_BYTES_MAX / 4);
}

#[test]
fn rows_go_up_as_their_kind_and_formula_say() {
    let template = yearly_report();
    let way = |code| template.aggregation(template.row_index(code).expect(code));
    assert_eq!(way("I.1"), Aggregation::Sum);
    assert_eq!(way("II.1"), Aggregation::Sum);
    assert_eq!(way("V.2"), Aggregation::Sum);
    assert_eq!(way("VII.6.3.1"), Aggregation::Sum);
    assert_eq!(way("VII.6.3"), Aggregation::Recomputed);
    assert_eq!(way("I.4.2"), Aggregation::Spread);
    assert_eq!(way("I.6.2"), Aggregation::Choices);
    assert!(template.row("VI.2.4.1").expect("a row").cumulative);
}

/// A template of rows `(code, kind, formula)`.
fn small(rows: &[(&str, &str, &str)]) -> String {
    let row = |(code, kind, formula): &(&str, &str, &str)| {
        let formula = match *formula {
            "" => String::new(),
            formula => format!(r#","formula":"{formula}""#),
        };
        format!(r#"{{"code":"{code}","label":"x","kind":"{kind}"{formula}}}"#)
    };
    let rows: Vec<String> = rows.iter().map(row).collect();
    format!(
        r#"{{"schema":1,"id":"t","version":1,"title":"T","period":"year","sections":[{{"id":"a","title":"A","indicators":[{}]}}]}}"#,
        rows.join(",")
    )
}

#[test]
fn bad_templates_are_refused_by_name() {
    let read = |rows: &[(&str, &str, &str)]| {
        Template::from_json(small(rows).as_bytes()).expect_err("it is bad")
    };
    assert!(Template::from_json(small(&[("a", "integer", "")]).as_bytes()).is_ok());
    assert_eq!(
        read(&[("a", "integer", ""), ("a", "integer", "")]),
        TemplateError::DuplicateCode("a".into())
    );
    assert_eq!(
        read(&[("a", "integer", "[b]")]),
        TemplateError::UnknownReference {
            code: "a".into(),
            reference: "b".into()
        }
    );
    assert_eq!(
        read(&[
            ("a", "integer", "[b]"),
            ("b", "integer", "[c] + 1"),
            ("c", "integer", "[a]")
        ]),
        TemplateError::CircularFormula("a".into())
    );
    assert_eq!(
        read(&[("a", "integer", "[a]")]),
        TemplateError::CircularFormula("a".into())
    );
    assert_eq!(
        read(&[("a", "integer", "[t]"), ("t", "text", "")]),
        TemplateError::NotNumericReference {
            code: "a".into(),
            reference: "t".into()
        }
    );
    assert_eq!(
        read(&[("a", "choice", "")]),
        TemplateError::Choices("a".into())
    );
    assert!(matches!(
        read(&[("a", "integer", "1 +")]),
        TemplateError::Formula {
            error: formula::FormulaError::Ends,
            ..
        }
    ));
    assert!(matches!(
        read(&[("a", "number", "")]),
        TemplateError::UnknownKind { .. }
    ));
    // Readable, but another text is the canonical one.
    assert_eq!(
        read(&[("a", "integer", "1+2")]),
        TemplateError::NotCanonical
    );
    let spaced = small(&[("a", "integer", "")]).replacen(',', ", ", 1);
    assert_eq!(
        Template::from_json(spaced.as_bytes()),
        Err(TemplateError::NotCanonical)
    );
    let parent = small(&[("a", "integer", "")])
        .replace(r#""kind":"integer""#, r#""kind":"integer","parent":"a""#);
    assert_eq!(
        Template::from_json(parent.as_bytes()),
        Err(TemplateError::ParentCircle("a".into()))
    );
}

#[test]
fn import_errors_name_the_place() {
    let text = catalogue_files::text("forms/bao-cao-cchc-2022.json").expect("it ships");
    let wrong = text.replacen("\"kind\": \"percent\"", "\"kind\": \"ratio\"", 1);
    let error = Template::import(&wrong, 1).expect_err("no such kind");
    assert_eq!(
        error.to_string(),
        "form file: sections[0].indicators[1].kind has the unknown value `ratio`"
    );
    let error = Template::import("{\"id\": \n 3", 1).expect_err("not JSON");
    assert!(
        matches!(error, import::FormImportError::Json { line: 2, .. }),
        "{error}"
    );
}
