//! A form while a person writes it: everything that is wrong with it, each at its row and field.
//!
//! A draft has the JSON of a transcribed form ([`Template::import`]), so what was printed beside the
//! fields of this product stays with it. Where import stops at the first error, this names all of them;
//! a draft without faults becomes a template.

use super::formula::Formula;
use super::{Kind, Template, local};
use crate::document::margin::{WORDS_MARK, words_code};
use crate::document::subject::{is_section, is_template_id};
use crate::limits;
use crate::period::PeriodKind;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that keeps a draft from being a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Position of the section, from 0; nothing for the form as a whole and its outline.
    pub section: Option<usize>,
    /// Position of the row in its section, from 0; nothing for the section itself. Without a section the
    /// position of a part in the outline.
    pub row: Option<usize>,
    /// The key of the field.
    pub field: &'static str,
    /// The machine code, of [`Fault::CODES`]; the sentence is `draft-` and this.
    pub code: &'static str,
    /// What it is about: a code, a value, the words of the formula reader.
    pub detail: String,
}

impl Fault {
    /// Every machine code.
    pub const CODES: [&'static str; 26] = [
        "id-bad",
        "title-missing",
        "period-unknown",
        "no-rows",
        "section-bad",
        "section-repeated",
        "section-title-missing",
        "code-bad",
        "code-repeated",
        "label-missing",
        "kind-unknown",
        "parent-unknown",
        "parent-circle",
        "choices-missing",
        "choices-not-allowed",
        "choice-bad",
        "choice-repeated",
        "formula-unreadable",
        "formula-not-allowed",
        "reference-unknown",
        "reference-no-amount",
        "formula-circle",
        "outline-bad",
        "outline-repeated",
        "outline-title-missing",
        "outline-level-bad",
    ];
    /// The rest of them, which do not come from one field alone.
    pub const OTHER_CODES: [&'static str; 2] = ["computed-without-formula", "not-a-form"];
}

#[derive(Deserialize)]
struct DraftForm {
    #[serde(default)]
    id: String,
    #[serde(default)]
    title_vi: String,
    #[serde(default)]
    period_type: String,
    #[serde(default)]
    sections: Vec<DraftSection>,
    #[serde(default)]
    outline: Vec<DraftPart>,
}

#[derive(Deserialize)]
struct DraftPart {
    #[serde(default)]
    id: String,
    #[serde(default)]
    title_vi: String,
    #[serde(default)]
    level: Option<i64>,
}

#[derive(Deserialize)]
struct DraftSection {
    #[serde(default)]
    id: String,
    #[serde(default)]
    title_vi: String,
    #[serde(default)]
    indicators: Vec<DraftRow>,
}

#[derive(Deserialize)]
struct DraftRow {
    #[serde(default)]
    code: String,
    #[serde(default)]
    label_vi: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    parent: Option<String>,
    #[serde(default)]
    formula: Option<String>,
    #[serde(default)]
    computed_only: bool,
    #[serde(default)]
    choices: Option<Vec<DraftChoice>>,
}

#[derive(Deserialize)]
struct DraftChoice {
    #[serde(default)]
    value: Value,
    #[serde(default)]
    label_vi: String,
}

/// Everything that keeps a draft from being a template, in the order of the form.
pub fn faults(text: &str) -> Vec<Fault> {
    let draft: DraftForm = match serde_json::from_str(text) {
        Ok(draft) => draft,
        Err(error) => return vec![fault(None, None, "", "not-a-form", error.to_string())],
    };
    let mut found = Checking::new(&draft).faults();
    if found.is_empty()
        && let Err(error) = Template::import(text, 1)
    {
        // A limit, a type: what the page does not let anybody write.
        found.push(fault(None, None, "", "not-a-form", error.to_string()));
    }
    found
}

fn fault(
    section: Option<usize>,
    row: Option<usize>,
    field: &'static str,
    code: &'static str,
    detail: impl Into<String>,
) -> Fault {
    Fault {
        section,
        row,
        field,
        code,
        detail: detail.into(),
    }
}

/// A row with where it stands.
struct Placed<'a> {
    section: usize,
    at: usize,
    row: &'a DraftRow,
    kind: Option<Kind>,
    /// What its formula refers to, if it can be read.
    references: Vec<String>,
}

impl Placed<'_> {
    fn fault(&self, field: &'static str, code: &'static str, detail: impl Into<String>) -> Fault {
        fault(Some(self.section), Some(self.at), field, code, detail)
    }
}

struct Checking<'a> {
    draft: &'a DraftForm,
    rows: Vec<Placed<'a>>,
    /// The first row of each code.
    by_code: BTreeMap<&'a str, usize>,
}

impl<'a> Checking<'a> {
    fn new(draft: &'a DraftForm) -> Self {
        let mut rows = Vec::new();
        for (section, of) in draft.sections.iter().enumerate() {
            rows.extend(of.indicators.iter().enumerate().map(|(at, row)| Placed {
                section,
                at,
                row,
                kind: Kind::from_name(&row.kind),
                references: Vec::new(),
            }));
        }
        let mut by_code = BTreeMap::new();
        for (index, placed) in rows.iter().enumerate() {
            by_code.entry(placed.row.code.as_str()).or_insert(index);
        }
        Self {
            draft,
            rows,
            by_code,
        }
    }

    fn faults(mut self) -> Vec<Fault> {
        let mut found = self.form_faults();
        self.outline_faults(&mut found);
        let mut own = Vec::new();
        for index in 0..self.rows.len() {
            let (faults, references) = self.row_faults(index);
            own.extend(faults);
            if let Some(placed) = self.rows.get_mut(index) {
                placed.references = references;
            }
        }
        own.extend(self.circles());
        // In the order of the form, and of what was looked at first within a row.
        own.sort_by_key(|fault| (fault.section, fault.row));
        found.extend(own);
        found
    }

    fn form_faults(&self) -> Vec<Fault> {
        let mut found = Vec::new();
        let draft = self.draft;
        if !is_template_id(&draft.id) {
            found.push(fault(None, None, "id", "id-bad", &draft.id));
        }
        if draft.title_vi.trim().is_empty() {
            found.push(fault(None, None, "title_vi", "title-missing", ""));
        }
        if PeriodKind::from_name(&draft.period_type).is_none() {
            let detail = &draft.period_type;
            found.push(fault(None, None, "period_type", "period-unknown", detail));
        }
        if self.rows.is_empty() {
            found.push(fault(None, None, "sections", "no-rows", ""));
        }
        let mut seen = BTreeSet::new();
        for (at, section) in draft.sections.iter().enumerate() {
            let id = section.id.to_lowercase();
            if !is_section(&id) {
                found.push(fault(Some(at), None, "id", "section-bad", &section.id));
            } else if !seen.insert(id) {
                let detail = &section.id;
                found.push(fault(Some(at), None, "id", "section-repeated", detail));
            }
            if section.title_vi.trim().is_empty() {
                let detail = &section.id;
                found.push(fault(
                    Some(at),
                    None,
                    "title_vi",
                    "section-title-missing",
                    detail,
                ));
            }
        }
        found
    }

    fn outline_faults(&self, found: &mut Vec<Fault>) {
        let mut seen = BTreeSet::new();
        for (at, part) in self.draft.outline.iter().enumerate() {
            let mut put = |field, code| {
                found.push(fault(None, Some(at), field, code, part.id.clone()));
            };
            let too_long = words_code(&part.id).len() > limits::CODE_BYTES_MAX;
            if !is_section(&part.id) || too_long {
                put("id", "outline-bad");
            } else if !seen.insert(&part.id) {
                put("id", "outline-repeated");
            }
            if part.title_vi.trim().is_empty() {
                put("title_vi", "outline-title-missing");
            }
            let levels = 1..=i64::from(limits::OUTLINE_LEVELS_MAX);
            if part.level.is_some_and(|level| !levels.contains(&level)) {
                put("level", "outline-level-bad");
            }
        }
    }

    /// What is wrong with a row, and what its formula refers to.
    fn row_faults(&self, index: usize) -> (Vec<Fault>, Vec<String>) {
        let mut found = Vec::new();
        let Some(placed) = self.rows.get(index) else {
            return (found, Vec::new());
        };
        let row = placed.row;
        let is_code = !row.code.is_empty()
            && row.code.len() <= limits::CODE_BYTES_MAX
            && !row.code.starts_with(WORDS_MARK)
            && !local::is_code(&row.code)
            && !row.code.chars().any(char::is_control);
        if !is_code {
            found.push(placed.fault("code", "code-bad", &row.code));
        } else if self.by_code.get(row.code.as_str()) != Some(&index) {
            found.push(placed.fault("code", "code-repeated", &row.code));
        }
        if row.label_vi.trim().is_empty() {
            found.push(placed.fault("label_vi", "label-missing", &row.code));
        }
        if placed.kind.is_none() {
            found.push(placed.fault("kind", "kind-unknown", &row.kind));
        }
        if let Some(parent) = &row.parent
            && !self.by_code.contains_key(parent.as_str())
        {
            found.push(placed.fault("parent", "parent-unknown", parent));
        }
        choice_faults(placed, &mut found);
        let references = self.formula_faults(placed, &mut found);
        (found, references)
    }

    fn formula_faults(&self, placed: &Placed<'_>, found: &mut Vec<Fault>) -> Vec<String> {
        let Some(text) = &placed.row.formula else {
            if placed.row.computed_only {
                let code = &placed.row.code;
                found.push(placed.fault("formula", "computed-without-formula", code));
            }
            return Vec::new();
        };
        if placed.kind.is_some_and(|kind| !kind.is_numeric()) {
            found.push(placed.fault("formula", "formula-not-allowed", &placed.row.code));
        }
        let formula: Formula = match text.parse() {
            Ok(formula) => formula,
            Err(error) => {
                let error: super::formula::FormulaError = error;
                found.push(placed.fault("formula", "formula-unreadable", error.to_string()));
                return Vec::new();
            }
        };
        let named: BTreeSet<&String> = formula.references().into_iter().collect();
        for reference in &named {
            let to = self.by_code.get(reference.as_str());
            match to.and_then(|index| self.rows.get(*index)) {
                None => {
                    found.push(placed.fault("formula", "reference-unknown", reference.as_str()));
                }
                Some(to) if to.kind.is_some_and(|kind| !kind.is_numeric()) => {
                    found.push(placed.fault("formula", "reference-no-amount", reference.as_str()));
                }
                Some(_) => {}
            }
        }
        named.into_iter().cloned().collect()
    }

    /// Rows that are parts of themselves, and rows whose formulas come back to them.
    fn circles(&self) -> Vec<Fault> {
        let mut found = Vec::new();
        for (index, placed) in self.rows.iter().enumerate() {
            let parent = |at: usize| -> Vec<usize> {
                let above = self.rows.get(at).and_then(|row| row.row.parent.as_deref());
                let above = above.and_then(|code| self.by_code.get(code));
                above.copied().into_iter().collect()
            };
            if comes_back(index, parent) {
                found.push(placed.fault("parent", "parent-circle", &placed.row.code));
            }
            let inputs = |at: usize| -> Vec<usize> {
                let row = self.rows.get(at);
                let references = row.map_or(&[][..], |row| &row.references);
                let index = |code: &String| self.by_code.get(code.as_str()).copied();
                references.iter().filter_map(index).collect()
            };
            if comes_back(index, inputs) {
                found.push(placed.fault("formula", "formula-circle", &placed.row.code));
            }
        }
        found
    }
}

/// True if following `next` from a row leads to it again.
fn comes_back(row: usize, next: impl Fn(usize) -> Vec<usize>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = next(row);
    while let Some(at) = open.pop() {
        if at == row {
            return true;
        }
        if seen.insert(at) {
            open.extend(next(at));
        }
    }
    false
}

fn choice_faults(placed: &Placed<'_>, found: &mut Vec<Fault>) {
    let choices = placed.row.choices.as_deref().unwrap_or_default();
    match (placed.kind, choices.is_empty()) {
        (Some(Kind::Choice), true) => {
            found.push(placed.fault("choices", "choices-missing", &placed.row.code));
        }
        (Some(Kind::Choice) | None, _) | (Some(_), true) => {}
        (Some(_), false) => {
            found.push(placed.fault("choices", "choices-not-allowed", &placed.row.code));
        }
    }
    let mut seen = BTreeSet::new();
    for choice in choices {
        match choice.value.as_i64() {
            Some(value) if !seen.insert(value) => {
                found.push(placed.fault("choices", "choice-repeated", value.to_string()));
            }
            Some(_) if !choice.label_vi.trim().is_empty() => {}
            Some(_) | None => {
                let detail = format!("{} = {}", plain(&choice.value), choice.label_vi);
                found.push(placed.fault("choices", "choice-bad", detail));
            }
        }
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

impl Template {
    /// The draft that becomes this template: [`Template::import`] of its text gives the same rows.
    pub fn to_draft(&self) -> Value {
        let mut form = annotated(&self.annotations);
        form.remove(Self::NOTE);
        let mut put = |key: &str, value: Value| form.insert(key.to_owned(), value);
        put("id", json!(self.id));
        put("title_vi", json!(self.title));
        put("period_type", json!(self.period.name()));
        if let Some(respondent) = &self.respondent {
            put("respondent_vi", json!(respondent));
        }
        let sections: Vec<Value> = self
            .sections
            .iter()
            .map(|section| {
                let mut to = annotated(&section.annotations);
                let rows = self.rows_of(section).iter().map(draft_row);
                to.insert("id".to_owned(), json!(section.id));
                to.insert("title_vi".to_owned(), json!(section.title));
                let others = [
                    ("printed_vi", &section.printed),
                    ("owner_vi", &section.owner),
                    ("form_label_vi", &section.form_label),
                ];
                for (key, text) in others {
                    if let Some(text) = text {
                        to.insert(key.to_owned(), json!(text));
                    }
                }
                to.insert("indicators".to_owned(), rows.collect());
                Value::Object(to)
            })
            .collect();
        put("sections", Value::Array(sections));
        if !self.outline.is_empty() {
            put("outline", self.outline.iter().map(draft_part).collect());
        }
        Value::Object(form)
    }
}

fn annotated(annotations: &BTreeMap<String, String>) -> Map<String, Value> {
    let one = |(name, text): (&String, &String)| (name.clone(), json!(text));
    annotations.iter().map(one).collect()
}

fn draft_part(part: &super::OutlinePart) -> Value {
    let mut to = json!({"id": part.id, "title_vi": part.title});
    if let Some(to) = to.as_object_mut() {
        if part.level > 1 {
            to.insert("level".to_owned(), json!(part.level));
        }
        if let Some(help) = &part.help {
            to.insert("help_vi".to_owned(), json!(help));
        }
    }
    to
}

fn draft_row(row: &super::Indicator) -> Value {
    let mut to = annotated(&row.annotations);
    let mut put = |key: &str, value: Value| to.insert(key.to_owned(), value);
    put("code", json!(row.code));
    put("stt", json!(row.stt));
    put("label_vi", json!(row.label));
    put("unit_vi", json!(row.unit));
    put("kind", json!(row.kind.name()));
    if row.annotations.contains_key("cumulative_inherited") {
        put("cumulative_inherited", json!(true));
    }
    if row.cumulative {
        put("cumulative", json!(true));
    }
    if row.computed_only {
        put("computed_only", json!(true));
    }
    if !row.choices.is_empty() {
        let one = |choice: &super::Choice| json!({"value": choice.value, "label_vi": choice.label});
        put("choices", row.choices.iter().map(one).collect());
    }
    let formula = row.formula.as_ref().map(ToString::to_string);
    let texts = [
        ("parent", row.parent.clone()),
        ("formula", formula),
        ("note_vi", row.note.clone()),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            put(key, json!(text));
        }
    }
    Value::Object(to)
}

#[cfg(test)]
mod tests;
