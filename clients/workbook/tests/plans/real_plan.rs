//! The plan as it was transcribed.

use serde_json::Value;

pub(crate) struct Plan {
    pub(crate) title: String,
    pub(crate) sections: Vec<(String, String)>,
    pub(crate) rows: Vec<Expected>,
}

pub(crate) struct Expected {
    pub(crate) code: String,
    pub(crate) stt: String,
    pub(crate) title: String,
    pub(crate) requirement: Option<String>,
    /// The requirement is that of the row before, in one merged cell.
    pub(crate) shared: bool,
    pub(crate) deadline_text: Option<String>,
    pub(crate) deadline: Option<String>,
    pub(crate) recurring: bool,
    pub(crate) lead: Vec<String>,
    pub(crate) coordinating: Vec<String>,
    pub(crate) lead_text: String,
    pub(crate) coordinating_text: String,
    pub(crate) parent: Option<String>,
    pub(crate) is_group: bool,
    pub(crate) section: String,
}

pub(crate) fn read() -> Plan {
    let text =
        include_str!("../../../../sync-core/catalogue/plans/ke-hoach-103-2022-thai-nguyen.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let of = |value: &Value| value.as_str().map(str::to_owned);
    let list = |value: &Value| {
        value
            .as_array()
            .unwrap()
            .iter()
            .filter_map(of)
            .collect::<Vec<_>>()
    };
    let mut plan = Plan {
        title: of(&file["title_vi"]).unwrap(),
        sections: Vec::new(),
        rows: Vec::new(),
    };
    for section in file["sections"].as_array().unwrap() {
        let id = of(&section["id"]).unwrap();
        plan.sections
            .push((id.clone(), of(&section["title_vi"]).unwrap()));
        for task in section["tasks"].as_array().unwrap() {
            plan.rows.push(Expected {
                code: of(&task["code"]).unwrap(),
                stt: of(&task["stt"]).unwrap(),
                title: of(&task["title_vi"]).unwrap(),
                requirement: of(&task["requirement_vi"]),
                shared: task["requirement_inherited"] == true,
                deadline_text: of(&task["deadline_text_vi"]),
                deadline: of(&task["deadline"]),
                recurring: task["recurring"] == true,
                lead: list(&task["lead_vi"]),
                coordinating: list(&task["coordinating_vi"]),
                lead_text: of(&task["lead_text_vi"]).unwrap_or_default(),
                coordinating_text: of(&task["coordinating_text_vi"]).unwrap_or_default(),
                parent: of(&task["parent"]),
                is_group: task["is_group"] == true,
                section: id.clone(),
            });
        }
    }
    assert_eq!(plan.rows.len(), 85);
    plan
}

/// A text in two, at the space nearest to its middle; short ones stay whole.
pub(crate) fn cut(text: &str) -> (String, String) {
    let middle = text.floor_char_boundary(text.len() / 2);
    let at = text[middle..].find([' ', '\n']).map(|at| middle + at);
    match at.filter(|_| text.len() > 24) {
        Some(at) => (text[..at].to_owned(), text[at + 1..].to_owned()),
        None => (text.to_owned(), String::new()),
    }
}
