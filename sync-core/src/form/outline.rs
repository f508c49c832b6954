//! The outline of a report's words: which parts it has, in which order, and what belongs in each.
//!
//! It belongs to the template and is signed with it. What people write under a part is the narrative of
//! that name in the report's document, where everybody's words merge; a part that a newer version has not
//! any more keeps its words, and they are shown as words without a place.

use super::TemplateError;
use super::validate::{check_name, check_texts, over_limit};
use crate::document::margin::words_code;
use crate::document::subject::is_section;
use crate::limits;
use std::collections::BTreeSet;

/// One part of the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlinePart {
    /// Name of the narrative, 1–64 of `a–z 0–9 - .`; unique in the outline.
    pub id: String,
    /// Its heading as printed, with its number: `II. Kết quả cải cách thủ tục hành chính`.
    pub title: String,
    /// How deep it stands, from 1 to [`limits::OUTLINE_LEVELS_MAX`].
    pub level: u8,
    /// What is to be written here.
    pub help: Option<String>,
}

/// Looks an outline through.
pub(super) fn check(template: &str, outline: &[OutlinePart]) -> Result<(), TemplateError> {
    if outline.len() > limits::TEMPLATE_SECTIONS_MAX {
        return Err(over_limit("number of parts of the outline", template));
    }
    let mut seen = BTreeSet::new();
    for part in outline {
        let allowed = |c: char| is_section(c.encode_utf8(&mut [0; 4]));
        check_name("part of the outline", &part.id, allowed)?;
        // Comments at it stand under a code made of it.
        check_name("part of the outline", &words_code(&part.id), |_| true)?;
        if !seen.insert(&part.id) {
            return Err(TemplateError::DuplicateOutlinePart(part.id.clone()));
        }
        if !(1..=limits::OUTLINE_LEVELS_MAX).contains(&part.level) {
            return Err(over_limit("level", &part.id));
        }
        check_texts(&part.id, [Some(&part.title), part.help.as_ref()])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Aspect, Template, drafted};
    use super::*;
    use serde_json::{Value, json};

    fn form(outline: Value) -> Value {
        json!({
            "id": "mau", "title_vi": "Mẫu", "period_type": "year",
            "sections": [{"id": "i", "title_vi": "Phần",
                "indicators": [{"code": "a", "label_vi": "A", "kind": "integer"}]}],
            "outline": outline,
        })
    }

    fn outline() -> Value {
        json!([
            {"id": "i", "title_vi": "I. Chỉ đạo, điều hành", "help_vi": "Văn bản đã ban hành"},
            {"id": "i.1", "title_vi": "1. Cải cách thể chế", "level": 2},
        ])
    }

    fn template(outline: Value, version: u32) -> Template {
        Template::import(&form(outline).to_string(), version).expect("a form")
    }

    #[test]
    fn it_stands_in_the_canonical_text_and_in_a_draft() {
        let template = template(outline(), 1);
        let levels: Vec<u8> = template.outline().iter().map(|part| part.level).collect();
        assert_eq!(levels, [1, 2]);
        assert_eq!(
            Template::from_json(&template.to_json()),
            Ok(template.clone())
        );
        let again = Template::import(&template.to_draft().to_string(), 1);
        assert_eq!(again, Ok(template.clone()));
        // A form without one has the text it always had.
        let without = self::template(json!([]), 1);
        let text = String::from_utf8(without.to_json()).expect("text");
        assert!(!text.contains("outline"));
    }

    #[test]
    fn what_is_no_outline_is_refused_and_named_in_a_draft() {
        let long = "x".repeat(limits::CODE_BYTES_MAX);
        let cases = [
            (json!([{"id": "I", "title_vi": "I"}]), "outline-bad"),
            (json!([{"id": long, "title_vi": "I"}]), "outline-bad"),
            (
                json!([{"id": "i", "title_vi": "I"}, {"id": "i", "title_vi": "II"}]),
                "outline-repeated",
            ),
            (
                json!([{"id": "i", "title_vi": "I", "level": 4}]),
                "outline-level-bad",
            ),
        ];
        for (outline, code) in cases {
            let text = form(outline).to_string();
            assert!(Template::import(&text, 1).is_err(), "{code}");
            let faults = drafted::faults(&text);
            let [fault] = faults.as_slice() else {
                panic!("{code}: {faults:?}");
            };
            assert_eq!((fault.code, fault.section), (code, None));
            assert!(fault.row.is_some());
        }
        let faults = drafted::faults(&form(json!([{"id": "i", "title_vi": " "}])).to_string());
        assert_eq!(faults[0].code, "outline-title-missing");
        let many: Vec<Value> = (0..=limits::TEMPLATE_SECTIONS_MAX)
            .map(|number| json!({"id": format!("i{number}"), "title_vi": "I"}))
            .collect();
        assert!(Template::import(&form(json!(many)).to_string(), 1).is_err());
    }

    #[test]
    fn no_row_has_the_code_of_words() {
        let mut form = form(json!([]));
        form["sections"][0]["indicators"][0]["code"] = json!(words_code("i"));
        assert!(Template::import(&form.to_string(), 1).is_err());
        assert_eq!(drafted::faults(&form.to_string())[0].code, "code-bad");
    }

    #[test]
    fn what_a_version_changes_of_it_is_told() {
        let before = template(outline(), 1);
        let changes: [fn(&mut Value); 5] = [
            |outline| outline[0]["title_vi"] = json!("I. Khác"),
            |outline| outline[0]["help_vi"] = Value::Null,
            |outline| outline[1]["level"] = json!(3),
            |outline| outline.as_array_mut().expect("a list").swap(0, 1),
            |outline| outline[1]["id"] = json!("i.2"),
        ];
        for change in changes {
            let mut after = outline();
            change(&mut after);
            let differences = template(after, 2).differences_from(&before);
            assert!(!differences.is_empty());
            assert!(differences.iter().all(|one| one.aspect == Aspect::Outline));
        }
    }
}
