//! What the page draws, as JSON: forms, rows, values, findings. Codes and values only; the page has the
//! words.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sync_core::catalogue::Catalogue;
use sync_core::cell::{CellValue, Rival};
use sync_core::document::margin::words;
use sync_core::document::{Comment, Margin, Thread};
use sync_core::form::formula::Outcome;
use sync_core::form::{Indicator, OutlinePart, Section, Template};
use sync_core::identity::{ActorId, ChangeHash, KeyId, UnitId};
use sync_core::number::{Number, Range};
use sync_core::report::review::{self, Beside, Checks};
use sync_core::report::{self, Finding, Rule, sentence, signing};

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

/// A printed form, with the rows that units added to it: `mark` stands for those, `name` tells the name of a unit.
pub(crate) fn form(template: &Template, mark: &str, name: &dyn Fn(UnitId) -> String) -> Value {
    let sections: Vec<Value> = template
        .sections()
        .iter()
        .map(|section| section_json(template, section, name))
        .collect();
    json!({
        "id": template.id(), "version": template.version(), "title": template.title(),
        "local": mark, "sections": sections, "outline": outline(template),
    })
}

fn outline(template: &Template) -> Vec<Value> {
    let part = |part: &OutlinePart| json!({"id": part.id, "title": part.title, "level": part.level, "help": part.help});
    template.outline().iter().map(part).collect()
}

fn section_json(template: &Template, section: &Section, name: &dyn Fn(UnitId) -> String) -> Value {
    let rows: Vec<Value> = template
        .rows_of(section)
        .iter()
        .map(|row| row_json(template, row, name))
        .collect();
    json!({
        "id": section.id, "printed": section.printed, "title": section.title,
        "owner": section.owner, "form_label": section.form_label, "rows": rows,
    })
}

fn row_json(template: &Template, row: &Indicator, name: &dyn Fn(UnitId) -> String) -> Value {
    let local = template.local_row(&row.code);
    let under = local.and_then(|local| local.under.as_deref());
    let mut depth = 0;
    let mut above = under.or(row.parent.as_deref());
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
    let mut value = json!({
        "code": row.code, "stt": row.stt, "label": row.label, "unit": row.unit,
        "kind": row.kind.name(), "depth": depth, "choices": choices, "note": row.note,
        "computed_only": row.computed_only,
        "formula": row.formula.as_ref().map(ToString::to_string),
    });
    if let (Some(value), Some(local)) = (value.as_object_mut(), local) {
        let local = json!({
            "unit": local.unit, "name": name(local.unit), "displaced": local.displaced,
            "label_en": local.label_en,
        });
        value.insert("local".to_owned(), local);
    }
    value
}

/// What a report is looked through with while it is filled.
pub(crate) struct Looking<'a> {
    pub(crate) template: &'a Template,
    pub(crate) checks: &'a Checks,
    /// The words of the report, by part.
    pub(crate) narrative: &'a BTreeMap<String, String>,
    /// The figures of the period before, if they are here.
    pub(crate) earlier: Option<&'a BTreeMap<String, Number>>,
}

impl Looking<'_> {
    /// Everything that speaks against it so far.
    fn findings(
        &self,
        cells: &BTreeMap<String, Vec<Rival>>,
        margins: &BTreeMap<String, Margin>,
    ) -> Vec<Finding> {
        let text = |(code, margin): (&String, &Margin)| match margin.notes.as_slice() {
            [
                Rival {
                    value: CellValue::Text(note),
                    ..
                },
            ] => Some((code.clone(), note.clone())),
            _ => None,
        };
        let notes = margins.iter().filter_map(text).collect();
        let beside = Beside {
            notes: Some(&notes),
            narrative: Some(self.narrative),
            earlier: self.earlier,
            peers: None,
        };
        review::review(self.template, self.checks, cells, &beside)
    }
}

/// What stands around the cells of a report.
pub(crate) struct Around<'a> {
    pub(crate) margins: BTreeMap<String, Margin>,
    /// Cells in which what was carried forward stands.
    pub(crate) carried: BTreeSet<&'a str>,
}

/// The rows of a report, and how many things stand in the way of signing it.
pub(crate) struct Rows {
    pub(crate) rows: BTreeMap<String, Value>,
    pub(crate) blocking: Value,
}

/// The rows of a report that have anything to show, by code.
pub(crate) fn rows(
    looking: &Looking<'_>,
    cells: &BTreeMap<String, Vec<Rival>>,
    around: &Around<'_>,
    origins: &Origins<'_>,
) -> Rows {
    let template = looking.template;
    let proposals = report::proposals(template, cells);
    let mut findings: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let found = looking.findings(cells, &around.margins);
    let blocking = blocking(&found, &around.margins);
    // While a report is filled, what is still empty is no finding yet.
    let shown = |finding: &&Finding| !matches!(finding.rule, Rule::LeftEmpty | Rule::RequiredEmpty);
    for finding in found.iter().filter(shown) {
        let of = findings.entry(finding.code.as_str()).or_default();
        of.push(finding_json(template, cells, finding));
    }
    let codes: BTreeSet<&str> = cells
        .keys()
        .chain(around.margins.keys())
        .chain(proposals.keys())
        .map(String::as_str)
        .chain(findings.keys().copied())
        .collect();
    let none = Margin::default();
    let row = |code: &str| {
        let all = |rivals: &[Rival]| -> Vec<Value> {
            let json = |rival| rival_json(rival, origins);
            rivals.iter().map(json).collect()
        };
        let margin = around.margins.get(code).unwrap_or(&none);
        let mut row = json!({
            "values": all(cells.get(code).map(Vec::as_slice).unwrap_or_default()),
            "notes": all(&margin.notes),
            "formula": proposals.get(code).map(outcome_json),
            "findings": findings.get(code).cloned().unwrap_or_default(),
        });
        // Few rows have any of these: the others are as short as they were.
        if let Some(row) = row.as_object_mut() {
            if around.carried.contains(code) {
                row.insert("carried".to_owned(), json!(true));
            }
            if !margin.source.is_empty() {
                row.insert("source".to_owned(), json!(all(&margin.source)));
            }
            if !margin.reasons.is_empty() {
                let reasons = margin.reasons.iter();
                let reasons: BTreeMap<_, _> = reasons.map(|(rule, of)| (rule, all(of))).collect();
                row.insert("reasons".to_owned(), json!(reasons));
            }
            if !margin.thread.comments.is_empty() {
                row.insert("thread".to_owned(), thread_json(&margin.thread, origins));
            }
        }
        row
    };
    let rows = codes.into_iter().map(|code| (code.to_owned(), row(code)));
    Rows {
        rows: rows.collect(),
        blocking,
    }
}

fn blocking(found: &[Finding], margins: &BTreeMap<String, Margin>) -> Value {
    let blockers = signing::blockers(found, &|code, rule| {
        let margin = margins.get(code)?;
        words(margin.reasons.get(rule)?).map(str::to_owned)
    });
    let count = |wanted: signing::Why| blockers.iter().filter(|one| one.why == wanted).count();
    json!({
        "errors": count(signing::Why::Error),
        "without_reason": count(signing::Why::WithoutReason),
    })
}

pub(crate) fn thread_json(thread: &Thread, origins: &Origins<'_>) -> Value {
    let comments: Vec<Value> = thread
        .comments
        .iter()
        .map(|one| {
            let (author, device) = who(&one.actor, origins);
            let (kind, text) = match &one.comment {
                Comment::Said(text) => ("said", Some(text)),
                Comment::Resolved(_) => ("resolved", None),
                Comment::Reopened => ("reopened", None),
            };
            json!({
                "kind": kind, "text": text, "author": author, "device": device,
                "claimed_at": one.claimed_at, "key": format!("{}/{}", one.key, one.number),
            })
        })
        .collect();
    json!({"open": thread.is_open(), "comments": comments})
}

/// The person and the device of a chain, as far as they are known here.
fn who<'a>(actor: &ActorId, origins: &Origins<'a>) -> (Option<&'a str>, Option<&'a str>) {
    let catalogue = origins.catalogue;
    let device = origins.keys.get(actor).and_then(|key| catalogue.key(*key));
    let author = device.and_then(|device| catalogue.person(device.person));
    (
        author.map(|person| person.display_name.as_str()),
        device.map(|device| device.label.as_str()),
    )
}

/// A value with where it came from and how far it has got.
pub(crate) fn rival_json(rival: &Rival, origins: &Origins<'_>) -> Value {
    let (author, device) = who(&rival.actor, origins);
    let state = state_of(rival, origins);
    // What is not sealed has no name yet: that of the change it would be is another one with every key.
    let change = match state {
        "saved" => json!("draft"),
        _ => json!(rival.change),
    };
    json!({
        "value": value_json(&rival.value),
        "author": author, "device": device,
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
        "rule": sentence.rule, "answers": finding.rule.code(), "severity": finding.rule.severity().name(),
        "detail": detail,
    })
}
