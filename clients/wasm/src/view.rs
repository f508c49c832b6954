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
use sync_core::report::{self, Finding, Rule, Severity};

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

/// The rows of a report that have anything to show, by code.
pub(crate) fn rows(
    template: &Template,
    cells: &BTreeMap<String, Vec<Rival>>,
    notes: &BTreeMap<String, Vec<Rival>>,
    origins: &Origins<'_>,
) -> BTreeMap<String, Value> {
    let proposals = report::proposals(template, cells);
    let mut findings: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let found = report::findings(template, cells);
    for finding in &found {
        let of = findings.entry(finding.code.as_str()).or_default();
        of.push(finding_json(finding));
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

fn finding_json(finding: &Finding) -> Value {
    let severity = match finding.rule.severity() {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    json!({
        "rule": finding.rule.code(), "severity": severity,
        "detail": detail(&finding.rule),
    })
}

/// The values of a finding's sentence, by the names the message catalogue uses.
fn detail(rule: &Rule) -> Value {
    let text = |number: &Number| number.to_vietnamese();
    match rule {
        Rule::UnknownCode | Rule::WordsForAmount | Rule::RequiredEmpty | Rule::LeftEmpty => {
            json!({})
        }
        Rule::Conflict(count) => json!({"count": count}),
        Rule::NotWhole(typed)
        | Rule::Negative(typed)
        | Rule::NotInCodeList(typed)
        | Rule::PercentOutOfRange(typed)
        | Rule::TotalOverEmptyParts(typed)
        | Rule::ComputedOnly(typed)
        | Rule::FormulaUnresolved { typed, .. } => json!({"typed": text(typed)}),
        Rule::PercentRepeatsCount { typed, count } => {
            json!({"typed": text(typed), "count": count})
        }
        Rule::FormulaDiffers { typed, computed } => {
            json!({"typed": text(typed), "computed": range_json(*computed)})
        }
        Rule::PartsDiffer { typed, sum, parts } => {
            json!({"typed": text(typed), "sum": text(sum), "parts": parts})
        }
        Rule::PartExceeds { typed, part, value } => {
            json!({"typed": text(typed), "part": part, "value": text(value)})
        }
        Rule::PartsLeftEmpty { typed, sum, empty } => {
            json!({"typed": text(typed), "sum": text(sum), "empty": empty})
        }
        Rule::ReportedElsewhere {
            typed,
            other,
            value,
        } => json!({"typed": text(typed), "other": other, "value": text(value)}),
        Rule::NoteContradicts { typed, note } => json!({"typed": text(typed), "note": note}),
        Rule::ChangedMuch { typed, before } => {
            json!({"typed": text(typed), "before": text(before)})
        }
        Rule::Outlier { typed, median } => json!({"typed": text(typed), "median": text(median)}),
    }
}
