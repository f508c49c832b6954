//! What the sentence of a finding is made of: its id, and values as people read them.

use super::{Finding, Rule};
use crate::cell::{CellValue, Rival};
use crate::form::Template;
use crate::form::formula::{Formula, Unresolved};
use crate::number::{Number, Range};
use crate::roll_up::RowCell;
use std::collections::BTreeMap;

/// The sentence of a finding, for whoever has the words: `check-` and `rule`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// The rule, with a division by zero told apart.
    pub rule: &'static str,
    /// Values by name.
    pub arguments: Vec<(&'static str, String)>,
    /// Codes of the rows it was concluded from, besides its own.
    pub inputs: Vec<String>,
}

/// Every rule there is a sentence for.
pub const RULES: [&str; 24] = [
    "unknown_code",
    "conflict",
    "words_for_amount",
    "not_whole",
    "negative",
    "not_in_code_list",
    "percent_out_of_range",
    "percent_repeats_count",
    "formula_differs",
    "sum_differs",
    "total_over_empty_parts",
    "formula_unresolved",
    "zero_denominator",
    "computed_only",
    "parts_differ",
    "part_exceeds",
    "parts_left_empty",
    "reported_elsewhere",
    "note_contradicts",
    "quote_differs",
    "changed_much",
    "outlier",
    "required_empty",
    "left_empty",
];

fn shown(number: Number) -> String {
    number.rounded(2).to_vietnamese()
}

fn shown_range(range: Range) -> String {
    match range.single() {
        Some(number) => shown(number),
        None => format!("{}–{}", shown(range.low()), shown(range.high())),
    }
}

/// How a row is called in a sentence: its printed ordinal, else its code.
fn name(template: &Template, code: &str) -> String {
    let stt = template
        .row(code)
        .map(|row| row.stt.trim_end_matches('.'))
        .unwrap_or_default();
    let numbered = stt.contains('.') && stt.chars().all(|one| one.is_ascii_digit() || one == '.');
    if numbered {
        stt.to_owned()
    } else {
        code.to_owned()
    }
}

/// The sentence of one finding.
pub fn of(
    template: &Template,
    cells: &BTreeMap<String, Vec<Rival>>,
    finding: &Finding,
) -> Sentence {
    let mut inputs: Vec<String> = Vec::new();
    let mut rule = finding.rule.code();
    let label = template
        .row(&finding.code)
        .map(|row| row.label.clone())
        .unwrap_or_default();
    let mut arguments = vec![("code", finding.code.clone()), ("label", label)];
    let mut put = |name: &'static str, value: String| arguments.push((name, value));
    let joined = |codes: &[String], mark: &str| -> String {
        let names: Vec<String> = codes.iter().map(|code| name(template, code)).collect();
        names.join(mark)
    };
    let formula = template
        .row(&finding.code)
        .and_then(|row| row.formula.as_ref());
    if let Some(formula) = formula {
        inputs = formula.references().into_iter().cloned().collect();
    }
    match &finding.rule {
        Rule::UnknownCode | Rule::RequiredEmpty | Rule::LeftEmpty => {}
        Rule::WordsForAmount => put("written", words(cells, &finding.code)),
        Rule::Conflict(count) => put("count", count.to_string()),
        Rule::NotWhole(typed)
        | Rule::Negative(typed)
        | Rule::NotInCodeList(typed)
        | Rule::PercentOutOfRange(typed)
        | Rule::TotalOverEmptyParts(typed)
        | Rule::ComputedOnly(typed) => put("typed", typed.to_vietnamese()),
        Rule::PercentRepeatsCount { typed, count } => {
            put("typed", typed.to_vietnamese());
            put("other", count.clone());
            inputs.push(count.clone());
        }
        Rule::FormulaDiffers { typed, computed } => {
            if formula.is_some_and(Formula::is_additive) {
                rule = "sum_differs";
            }
            put("typed", typed.to_vietnamese());
            put("computed", shown_range(*computed));
            let difference = computed
                .single()
                .and_then(|single| single.checked_sub(*typed).ok());
            put(
                "difference",
                difference
                    .map(|number| shown(number.abs()))
                    .unwrap_or_default(),
            );
            put(
                "expression",
                formula
                    .map(|formula| expression(template, cells, formula))
                    .unwrap_or_default(),
            );
        }
        Rule::FormulaUnresolved { typed, reason } => {
            if *reason == Unresolved::DivisionByZero {
                rule = "zero_denominator";
            }
            put("typed", typed.to_vietnamese());
            put(
                "expression",
                formula
                    .map(|formula| expression(template, cells, formula))
                    .unwrap_or_default(),
            );
        }
        Rule::PartsDiffer { typed, sum, parts } => {
            put("typed", typed.to_vietnamese());
            put("computed", sum.to_vietnamese());
            let difference = sum.checked_sub(*typed).map(Number::abs);
            put("difference", difference.map(shown).unwrap_or_default());
            put("expression", joined(parts, " + "));
            inputs.clone_from(parts);
        }
        Rule::PartExceeds { typed, part, value } => {
            put("typed", typed.to_vietnamese());
            put("other", part.clone());
            put("value", value.to_vietnamese());
            inputs.push(part.clone());
        }
        Rule::PartsLeftEmpty { typed, sum, empty } => {
            put("typed", typed.to_vietnamese());
            put("computed", sum.to_vietnamese());
            put("empty", empty.join(", "));
        }
        Rule::ReportedElsewhere {
            typed,
            other,
            value,
        } => {
            put("typed", typed.to_vietnamese());
            put("other", other.clone());
            put("value", value.to_vietnamese());
            inputs.push(other.clone());
        }
        Rule::NoteContradicts { typed, note } => {
            put("typed", typed.to_vietnamese());
            put("note", note.clone());
        }
        Rule::QuoteDiffers { part, written, now } => {
            let title = template.outline_part(part).map(|part| part.title.clone());
            put("part", title.unwrap_or_else(|| part.clone()));
            put("typed", written.to_vietnamese());
            put("computed", shown_range(*now));
        }
        Rule::ChangedMuch { typed, before } => {
            put("typed", typed.to_vietnamese());
            put("before", before.to_vietnamese());
        }
        Rule::Outlier { typed, median } => {
            put("typed", typed.to_vietnamese());
            put("median", median.to_vietnamese());
        }
    }
    Sentence {
        rule,
        arguments,
        inputs,
    }
}

/// The words that stand in a cell.
fn words(cells: &BTreeMap<String, Vec<Rival>>, code: &str) -> String {
    let rivals = cells.get(code).map(Vec::as_slice).unwrap_or_default();
    let text = rivals.iter().find_map(|rival| match &rival.value {
        CellValue::Text(text) => Some(text.clone()),
        CellValue::Empty | CellValue::NoOccurrence | CellValue::Number(_) => None,
    });
    text.unwrap_or_default()
}

/// A sum by the names of its rows, anything else with the figures in it: `100 × 564 / 1.931`.
fn expression(
    template: &Template,
    cells: &BTreeMap<String, Vec<Rival>>,
    formula: &Formula,
) -> String {
    let figure = |code: &String| -> String {
        let rivals = cells.get(code).map(Vec::as_slice).unwrap_or_default();
        match RowCell::of(rivals) {
            RowCell::Number(number) => number.to_vietnamese(),
            RowCell::NoOccurrence => "0".to_owned(),
            RowCell::Untyped
            | RowCell::Empty
            | RowCell::Text(_)
            | RowCell::Computed(_)
            | RowCell::Conflict(_) => name(template, code),
        }
    };
    let additive = formula.is_additive();
    let mut worded = |code: &String| -> Result<String, std::convert::Infallible> {
        Ok(if additive {
            name(template, code)
        } else {
            figure(code)
        })
    };
    let Ok(worded) = formula.resolved(&mut worded);
    worded
        .to_string()
        .replace(['[', ']'], "")
        .replace(" * ", " × ")
}
