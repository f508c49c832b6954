//! What a workbook proposes, for people and for machines: rows with reasons, lines with why.

use messages::Language;
use serde_json::{Map, Value, json};
use sync_core::form::Indicator;
use sync_core::form::printed::{PrintedError, Proposal, ProposedRow, Reason, Skip, SkippedLine};
use workbook::WorkbookError;

use crate::trouble::{Exit, Trouble};

fn sentence(language: Language, id: &str, arguments: &[(&'static str, String)]) -> String {
    let arguments: Vec<(&str, &str)> = arguments
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    messages::text(language, id, &arguments)
}

/// A reason as a sentence.
pub fn reason_text(language: Language, reason: &Reason) -> String {
    sentence(
        language,
        &format!("proposal-{}", reason.code),
        &reason.arguments,
    )
}

/// Why a line is no row, as a sentence.
pub fn skip_text(language: Language, why: Skip) -> String {
    let row = match why {
        Skip::JoinedTo(row) => row.to_string(),
        Skip::Blank
        | Skip::HiddenSheet
        | Skip::NoTable
        | Skip::Title
        | Skip::Header
        | Skip::RepeatedHeader
        | Skip::ColumnNumbers
        | Skip::UnitCaption
        | Skip::Section
        | Skip::OfWhichLine
        | Skip::PageNumber
        | Skip::Footnote
        | Skip::Closing
        | Skip::NoLabel
        | Skip::OutsideColumns => String::new(),
    };
    sentence(
        language,
        &format!("skipped-{}", why.code()),
        &[("row", row)],
    )
}

/// The whole proposal for machines.
pub fn to_json(proposal: &Proposal) -> Value {
    let template = &proposal.template;
    let mut rows = Vec::with_capacity(proposal.rows.len());
    let mut sections = Vec::new();
    for section in template.sections() {
        sections.push(json!({
            "id": section.printed.as_ref().unwrap_or(&section.id), "title": section.title,
            "form_label": section.form_label, "rows": section.row_count,
        }));
        let range = section.first_row..section.first_row + section.row_count;
        let of_section = proposal.rows.get(range).unwrap_or_default();
        let printed = section.printed.as_ref().unwrap_or(&section.id);
        for (row, proposed) in template.rows_of(section).iter().zip(of_section) {
            rows.push(row_json(printed, row, proposed));
        }
    }
    let lines: Vec<Value> = proposal.skipped.iter().map(line_json).collect();
    let tables: Vec<Value> = proposal
        .tables
        .iter()
        .map(|table| {
            let columns = table.columns.iter().map(|column| {
                let place = sync_core::form::printed::Place {
                    column: column.column.saturating_add(1),
                    ..table.place.clone()
                };
                json!({
                    "column": place.column_letters(), "heading": column.heading,
                    "role": column.role.name(),
                })
            });
            json!({
                "sheet": table.place.sheet, "row": table.place.row,
                "columns": columns.collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "id": template.id(), "version": template.version(), "title": template.title(),
        "period_type": template.period().name(), "period_reason": reason_json(&proposal.period_reason),
        "respondent": template.respondent(), "tables": tables, "sections": sections,
        "rows": rows, "not_rows": lines,
    })
}

fn row_json(section: &str, row: &Indicator, proposed: &ProposedRow) -> Value {
    let choices: Vec<Value> = row
        .choices
        .iter()
        .map(|choice| json!({"value": choice.value, "label": choice.label}))
        .collect();
    let mut value = Map::new();
    let mut put = |name: &str, field: Value| {
        value.insert(name.to_owned(), field);
    };
    put("code", json!(row.code));
    put("stt", json!(row.stt));
    put("label", json!(row.label));
    put("unit", json!(row.unit));
    put("kind", json!(row.kind.name()));
    put("parent", json!(row.parent));
    put(
        "formula",
        json!(row.formula.as_ref().map(ToString::to_string)),
    );
    put("choices", json!(choices));
    put("cumulative", json!(row.cumulative));
    put("note", json!(row.note));
    put("annotations", json!(row.annotations));
    put("section", json!(section));
    put("sheet", json!(proposed.place.sheet));
    put("row", json!(proposed.place.row));
    put("figure", json!(proposed.figure));
    put("confidence", json!(proposed.confidence.name()));
    put(
        "reasons",
        json!(proposed.reasons.iter().map(reason_json).collect::<Vec<_>>()),
    );
    Value::Object(value)
}

fn reason_json(reason: &Reason) -> Value {
    json!({
        "field": reason.topic.name(), "code": reason.code, "confidence": reason.confidence.name(),
        "reason_vi": reason_text(Language::Vietnamese, reason),
        "reason_en": reason_text(Language::English, reason),
    })
}

fn line_json(line: &SkippedLine) -> Value {
    json!({
        "sheet": line.sheet, "row": line.row, "through": line.through, "text": line.text,
        "why": line.why.code(),
        "why_vi": skip_text(Language::Vietnamese, line.why),
        "why_en": skip_text(Language::English, line.why),
    })
}

impl From<PrintedError> for Trouble {
    fn from(error: PrintedError) -> Self {
        let said = error.arguments().into_iter();
        said.fold(
            Self::new(error.code(), Exit::Input),
            |trouble, (name, value)| trouble.with(name, value),
        )
    }
}

impl From<WorkbookError> for Trouble {
    fn from(error: WorkbookError) -> Self {
        let code = error.code();
        let reason = error.to_string();
        match error {
            WorkbookError::Sheet(error) => error.into(),
            WorkbookError::NotAWorkbook(_)
            | WorkbookError::OtherFormat
            | WorkbookError::Encrypted
            | WorkbookError::TooLarge(_)
            | WorkbookError::Damaged(_) => Self::new(code, Exit::Input).with("reason", reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_core::form::printed::REASON_CODES;

    #[test]
    fn every_code_of_an_import_has_a_sentence() {
        let errors = PrintedError::CODES.iter().chain(&WorkbookError::CODES);
        let ids = errors
            .map(|code| format!("cli-error-{code}"))
            .chain(REASON_CODES.iter().map(|code| format!("proposal-{code}")))
            .chain(Skip::CODES.iter().map(|code| format!("skipped-{code}")));
        for id in ids {
            for language in Language::ALL {
                assert!(messages::has(language, &id), "{id}");
            }
        }
    }
}
