//! What the page draws, as JSON: forms, rows, values, findings. Codes and values only; the page has the
//! words.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sync_core::catalogue::Catalogue;
use sync_core::cell::{CellValue, Rival};
use sync_core::form::formula::Outcome;
use sync_core::form::{Indicator, Section, Template};
use sync_core::identity::{ActorId, ChangeHash, KeyId};
use sync_core::number::{Number, Range};
use sync_core::report::review::{self, Beside, Checks};
use sync_core::report::{self, Finding, Rule, sentence};

/// Where the values of a report come from.
pub(crate) struct Origins<'a> {
    pub(crate) catalogue: &'a Catalogue,
    /// The key of each chain known here.
    pub(crate) keys: &'a BTreeMap<ActorId, KeyId>,
    pub(crate) own: ActorId,
    /// Changes that are sealed and that no node has acknowledged.
    pub(crate) waiting: &'a BTreeSet<ChangeHash>,
    /// Changes that a node keeps and does not apply.
    pub(crate) held: &'a BTreeSet<ChangeHash>,
    /// Changes that an edge has, and that the province may lack.
    pub(crate) at_edge: &'a BTreeSet<ChangeHash>,
    /// Changes in the log; what is in none of these is the draft.
    pub(crate) sealed: &'a BTreeSet<ChangeHash>,
}

/// A printed form.
pub(crate) fn form(template: &Template) -> Value {
    let sections: Vec<Value> = template
        .sections()
        .iter()
        .map(|section| section_json(template, section))
        .collect();
    json!({
        "id": template.id(), "version": template.version(), "title": template.title(),
        "sections": sections,
    })
}

fn section_json(template: &Template, section: &Section) -> Value {
    let rows: Vec<Value> = template
        .rows_of(section)
        .iter()
        .map(|row| row_json(template, row))
        .collect();
    json!({
        "id": section.id, "printed": section.printed, "title": section.title,
        "owner": section.owner, "form_label": section.form_label, "rows": rows,
    })
}

fn row_json(template: &Template, row: &Indicator) -> Value {
    let mut depth = 0;
    let mut above = row.parent.as_deref();
    // Parents were checked to make no circle when the template was read.
    while let Some(parent) = above.and_then(|code| template.row(code)) {
        depth += 1;
        above = parent.parent.as_deref();
    }
    let choices: Vec<Value> = row
        .choices
        .iter()
        .map(|choice| json!({"value": choice.value, "label": choice.label}))
        .collect();
    json!({
        "code": row.code, "stt": row.stt, "label": row.label, "unit": row.unit,
        "kind": row.kind.name(), "depth": depth, "choices": choices, "note": row.note,
        "computed_only": row.computed_only,
        "formula": row.formula.as_ref().map(ToString::to_string),
    })
}

/// What a report is looked through with while it is filled.
pub(crate) struct Looking<'a> {
    pub(crate) template: &'a Template,
    pub(crate) checks: &'a Checks,
    /// The figures of the period before, if they are here.
    pub(crate) earlier: Option<&'a BTreeMap<String, Number>>,
}

impl Looking<'_> {
    /// Everything that speaks against it so far. What is still empty is no finding yet.
    fn findings(
        &self,
        cells: &BTreeMap<String, Vec<Rival>>,
        notes: &BTreeMap<String, Vec<Rival>>,
    ) -> Vec<Finding> {
        let text = |(code, rivals): (&String, &Vec<Rival>)| match rivals.as_slice() {
            [
                Rival {
                    value: CellValue::Text(note),
                    ..
                },
            ] => Some((code.clone(), note.clone())),
            _ => None,
        };
        let notes = notes.iter().filter_map(text).collect();
        let beside = Beside {
            notes: Some(&notes),
            earlier: self.earlier,
            peers: None,
        };
        let mut findings = review::review(self.template, self.checks, cells, &beside);
        findings.retain(|finding| !matches!(finding.rule, Rule::LeftEmpty | Rule::RequiredEmpty));
        findings
    }
}

/// The rows of a report that have anything to show, by code.
pub(crate) fn rows(
    looking: &Looking<'_>,
    cells: &BTreeMap<String, Vec<Rival>>,
    notes: &BTreeMap<String, Vec<Rival>>,
    origins: &Origins<'_>,
) -> BTreeMap<String, Value> {
    let template = looking.template;
    let proposals = report::proposals(template, cells);
    let mut findings: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let found = looking.findings(cells, notes);
    for finding in &found {
        let of = findings.entry(finding.code.as_str()).or_default();
        of.push(finding_json(template, cells, finding));
    }
    let codes: BTreeSet<&str> = cells
        .keys()
        .chain(notes.keys())
        .chain(proposals.keys())
        .map(String::as_str)
        .chain(findings.keys().copied())
        .collect();
    let row = |code: &str| {
        let rivals = |of: &BTreeMap<String, Vec<Rival>>| -> Vec<Value> {
            let all = of.get(code).into_iter().flatten();
            all.map(|rival| rival_json(rival, origins)).collect()
        };
        json!({
            "values": rivals(cells), "notes": rivals(notes),
            "formula": proposals.get(code).map(outcome_json),
            "findings": findings.get(code).cloned().unwrap_or_default(),
        })
    };
    codes
        .into_iter()
        .map(|code| (code.to_owned(), row(code)))
        .collect()
}

/// A value with where it came from and how far it has got.
pub(crate) fn rival_json(rival: &Rival, origins: &Origins<'_>) -> Value {
    let device = origins
        .keys
        .get(&rival.actor)
        .and_then(|key| origins.catalogue.key(*key));
    let author = device.and_then(|device| origins.catalogue.person(device.person));
    let state = state_of(rival, origins);
    // What is not sealed has no name yet: that of the change it would be is another one with every key.
    let change = match state {
        "saved" => json!("draft"),
        _ => json!(rival.change),
    };
    json!({
        "value": value_json(&rival.value),
        "author": author.map(|person| &person.display_name),
        "device": device.map(|device| &device.label),
        "own": rival.actor == origins.own,
        "claimed_at": rival.claimed_at,
        "change": change,
        "state": state,
    })
}

fn state_of(rival: &Rival, origins: &Origins<'_>) -> &'static str {
    if origins.held.contains(&rival.change) {
        "held"
    } else if origins.waiting.contains(&rival.change) {
        "waiting"
    } else if origins.at_edge.contains(&rival.change) {
        "at_edge"
    } else if origins.sealed.contains(&rival.change) {
        "received"
    } else {
        "saved"
    }
}

/// A value: its kind, its canonical form for machines, its printed form for people.
pub(crate) fn value_json(value: &CellValue) -> Value {
    match value {
        CellValue::Empty => json!({"kind": "empty"}),
        CellValue::NoOccurrence => json!({"kind": "no_occurrence"}),
        CellValue::Number(number) => number_json(*number),
        CellValue::Text(text) => json!({"kind": "text", "text": text}),
    }
}

fn number_json(number: Number) -> Value {
    json!({"kind": "number", "number": number.canonical(), "text": number.to_vietnamese()})
}

/// Decimal places that a computed figure is shown with.
const PLACES_SHOWN: u32 = 2;

pub(crate) fn range_json(range: Range) -> Value {
    let text = |number: Number| number.rounded(PLACES_SHOWN).to_vietnamese();
    json!({
        "low": range.low().canonical(), "high": range.high().canonical(),
        "low_text": text(range.low()), "high_text": text(range.high()),
    })
}

pub(crate) fn outcome_json(outcome: &Outcome) -> Value {
    match outcome {
        Ok(range) => range_json(*range),
        Err(reason) => json!({"unresolved": format!("{reason:?}")}),
    }
}

fn finding_json(
    template: &Template,
    cells: &BTreeMap<String, Vec<Rival>>,
    finding: &Finding,
) -> Value {
    let sentence = sentence::of(template, cells, finding);
    let detail: BTreeMap<&str, String> = sentence.arguments.into_iter().collect();
    json!({
        "rule": sentence.rule, "severity": finding.rule.severity().name(),
        "detail": detail,
    })
}
