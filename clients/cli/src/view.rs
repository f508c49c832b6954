//! What a person sees of a report: every row with its value, rivals, formula and findings.

use serde_json::{Value, json};
use sync_core::catalogue::Catalogue;
use sync_core::cell::{CellValue, Rival};
use sync_core::document::Document;
use sync_core::form::Template;
use sync_core::form::formula::Outcome;
use sync_core::number::Range;
use sync_core::report::{self, Finding, Rule};
use sync_core::roll_up::{Figure, FigureValue};

use crate::lookup::{self, Authors};

/// One row of a report.
#[derive(Debug, Clone)]
pub struct RowView {
    /// The code.
    pub code: String,
    /// The printed ordinal.
    pub stt: String,
    /// The unit that added it, by name; none for a row of the form itself.
    pub of_unit: Option<String>,
    /// The label.
    pub label: String,
    /// The unit of measure.
    pub unit: String,
    /// What stands in it: several are an open conflict.
    pub rivals: Vec<RivalView>,
    /// What the formula gives, if there is one.
    pub formula: Option<Outcome>,
    /// What speaks against it.
    pub findings: Vec<Finding>,
}

/// One value with where it came from.
#[derive(Debug, Clone)]
pub struct RivalView {
    /// The value.
    pub rival: Rival,
    /// Who, if known here.
    pub author: Option<String>,
    /// On which device.
    pub device: Option<String>,
}

/// A value with its author.
pub fn rival_view(rival: &Rival, authors: &Authors, catalogue: &Catalogue) -> RivalView {
    let author = authors.of_actor(catalogue, rival.actor);
    RivalView {
        rival: rival.clone(),
        author: author.map(|(_, person)| person.display_name.clone()),
        device: author.map(|(device, _)| device.label.clone()),
    }
}

/// The rows of a report, in the printed order.
pub fn rows(
    template: &Template,
    document: &Document,
    authors: &Authors,
    catalogue: &Catalogue,
) -> Vec<RowView> {
    let cells = document.cells();
    let mut proposals = report::proposals(template, &cells);
    let findings = report::findings(template, &cells);
    let row = |row: &sync_core::form::Indicator| RowView {
        code: row.code.clone(),
        stt: row.stt.clone(),
        of_unit: template
            .local_row(&row.code)
            .map(|local| lookup::unit_name(catalogue, local.unit)),
        label: row.label.clone(),
        unit: row.unit.clone(),
        rivals: cells
            .get(&row.code)
            .into_iter()
            .flatten()
            .map(|rival| rival_view(rival, authors, catalogue))
            .collect(),
        formula: proposals.remove(&row.code),
        findings: findings
            .iter()
            .filter(|finding| finding.code == row.code)
            .cloned()
            .collect(),
    };
    template.rows().iter().map(row).collect()
}

/// A value as printed in Vietnam; words that are no value are message ids of the caller.
pub fn value_text(value: &CellValue) -> String {
    match value {
        CellValue::Empty => "∅".to_owned(),
        CellValue::NoOccurrence => "kps".to_owned(),
        CellValue::Number(number) => number.to_vietnamese(),
        CellValue::Text(text) => text.clone(),
    }
}

/// A value for machines: null, false, a canonical number as text, or `{"text": …}`.
pub fn value_json(value: &CellValue) -> Value {
    match value {
        CellValue::Empty => Value::Null,
        CellValue::NoOccurrence => Value::Bool(false),
        CellValue::Number(number) => Value::String(number.canonical()),
        CellValue::Text(text) => json!({ "text": text }),
    }
}

/// A range: one number, or low–high.
pub fn range_text(range: Range) -> String {
    match range.single() {
        Some(number) => number.rounded(2).to_vietnamese(),
        None => format!(
            "{}–{}",
            range.low().rounded(2).to_vietnamese(),
            range.high().rounded(2).to_vietnamese()
        ),
    }
}

/// What a formula gives, as text; its reason when it gives nothing.
pub fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Ok(range) => range_text(*range),
        Err(reason) => format!("{reason:?}"),
    }
}

/// A rolled-up figure as text.
pub fn figure_text(figure: &Figure) -> String {
    match &figure.value {
        FigureValue::Nothing => "–".to_owned(),
        FigureValue::Sum(range) | FigureValue::Recomputed(range) => range_text(*range),
        FigureValue::Spread(range) => format!("[{}]", range_text(*range)),
        FigureValue::Unresolved(reason) => format!("? {reason:?}"),
        FigureValue::Choices(counts) => counts
            .iter()
            .map(|(choice, count)| format!("{}×{count}", choice.to_vietnamese()))
            .collect::<Vec<_>>()
            .join(" "),
        FigureValue::Texts { listed, more } => format!("{} …+{more}", listed.len()),
    }
}

fn range_json(range: Range) -> Value {
    json!({"low": range.low().canonical(), "high": range.high().canonical()})
}

/// A rolled-up figure for machines.
pub fn figure_json(figure: &Figure) -> Value {
    let (kind, value) = match &figure.value {
        FigureValue::Nothing => ("nothing", Value::Null),
        FigureValue::Sum(range) => ("sum", range_json(*range)),
        FigureValue::Recomputed(range) => ("recomputed", range_json(*range)),
        FigureValue::Spread(range) => ("spread", range_json(*range)),
        FigureValue::Unresolved(reason) => ("unresolved", json!(format!("{reason:?}"))),
        FigureValue::Choices(counts) => {
            let counts = counts
                .iter()
                .map(|(choice, count)| (choice.canonical(), json!(count)));
            ("choices", Value::Object(counts.collect()))
        }
        FigureValue::Texts { listed, more } => {
            ("texts", json!({"listed": listed.len(), "more": more}))
        }
    };
    json!({
        "kind": kind, "value": value, "counted": figure.counted,
        "no_occurrence": figure.no_occurrence, "in_conflict": figure.in_conflict,
        "unusable": figure.unusable,
    })
}

/// A finding for machines.
pub fn finding_json(finding: &Finding) -> Value {
    json!({
        "code": finding.code, "rule": finding.rule.code(),
        "severity": format!("{:?}", finding.rule.severity()).to_lowercase(),
        "detail": rule_detail(&finding.rule),
    })
}

/// The values of a finding, as text.
pub fn rule_detail(rule: &Rule) -> String {
    match rule {
        Rule::UnknownCode | Rule::WordsForAmount | Rule::RequiredEmpty | Rule::LeftEmpty => {
            String::new()
        }
        Rule::Conflict(count) => count.to_string(),
        Rule::NotWhole(number)
        | Rule::Negative(number)
        | Rule::NotInCodeList(number)
        | Rule::PercentOutOfRange(number)
        | Rule::TotalOverEmptyParts(number)
        | Rule::ComputedOnly(number) => number.to_vietnamese(),
        Rule::PercentRepeatsCount { typed, count } => {
            format!("{} = {count}", typed.to_vietnamese())
        }
        Rule::FormulaDiffers { typed, computed } => {
            format!("{} ≠ {}", typed.to_vietnamese(), range_text(*computed))
        }
        Rule::FormulaUnresolved { typed, reason } => {
            format!("{} ({reason:?})", typed.to_vietnamese())
        }
        Rule::PartsDiffer { typed, sum, .. } | Rule::PartsLeftEmpty { typed, sum, .. } => {
            format!("{} ≠ {}", typed.to_vietnamese(), sum.to_vietnamese())
        }
        Rule::PartExceeds { typed, part, value } => {
            format!(
                "{} < {part} = {}",
                typed.to_vietnamese(),
                value.to_vietnamese()
            )
        }
        Rule::ReportedElsewhere {
            typed,
            other,
            value,
        } => format!(
            "{} ≠ {other} = {}",
            typed.to_vietnamese(),
            value.to_vietnamese()
        ),
        Rule::NoteContradicts { typed, note } => format!("{}: {note}", typed.to_vietnamese()),
        Rule::QuoteDiffers { part, written, now } => {
            format!(
                "§{part}: {} ≠ {}",
                written.to_vietnamese(),
                range_text(*now)
            )
        }
        Rule::ChangedMuch { typed, before } => {
            format!("{} ← {}", typed.to_vietnamese(), before.to_vietnamese())
        }
        Rule::Outlier { typed, median } => {
            format!("{} ~ {}", typed.to_vietnamese(), median.to_vietnamese())
        }
    }
}

/// A row for machines.
pub fn row_json(row: &RowView) -> Value {
    let rivals: Vec<Value> = row.rivals.iter().map(rival_json).collect();
    json!({
        "code": row.code, "label": row.label, "unit": row.unit,
        "of_unit": row.of_unit, "stt": row.stt, "values": rivals,
        "in_conflict": row.rivals.len() > 1,
        "formula": row.formula.as_ref().map(|outcome| match outcome {
            Ok(range) => range_json(*range),
            Err(reason) => json!({"unresolved": format!("{reason:?}")}),
        }),
        "findings": row.findings.iter().map(finding_json).collect::<Vec<_>>(),
    })
}

/// A value with where it came from, for machines.
pub fn rival_json(view: &RivalView) -> Value {
    json!({
        "value": value_json(&view.rival.value),
        "author": view.author, "device": view.device,
        "claimed_at": view.rival.claimed_at,
        "actor": view.rival.actor.to_string(), "change": view.rival.change.to_string(),
    })
}

/// A claimed time as `dd/MM/yyyy HH:MM` in Vietnam.
pub fn time_text(at: i64) -> String {
    let local = at.saturating_add(7 * 3_600);
    let date = sync_core::date::Date::of_timestamp(local);
    let second = local.rem_euclid(86_400);
    format!(
        "{:02}/{:02}/{:04} {:02}:{:02}",
        date.day(),
        date.month(),
        date.year(),
        second / 3_600,
        second / 60 % 60
    )
}
