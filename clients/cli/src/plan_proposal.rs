//! What a printed plan proposes, for people and for machines: rows, agencies with whom they were matched
//! to, and what became of every printed line.

use messages::Language;
use serde_json::{Value, json};
use sync_core::org_unit::import::UnitImportError;
use sync_core::plan::printed::{
    Agency, Became, Group, Matched, PlanError, PlanRow, PrintedLine, Proposal, Reason,
};
use workbook::document::DocumentError;

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
        &format!("plan-{}", reason.code),
        &reason.arguments,
    )
}

/// What became of a line, as a sentence.
pub fn became_text(language: Language, became: Became, code: Option<&str>) -> String {
    let id = format!("plan-line-{}", became.code());
    sentence(
        language,
        &id,
        &[("code", code.unwrap_or_default().to_owned())],
    )
}

/// The code of the row or section that a line became.
pub fn code_of(proposal: &Proposal, became: Became) -> Option<&str> {
    match became {
        Became::Row(at) | Became::Joined(at) => proposal.rows.get(at).map(|row| row.code.as_str()),
        Became::Section(at) => proposal.sections.get(at).map(|section| section.id.as_str()),
        Became::Blank
        | Became::HiddenSheet
        | Became::NoTable
        | Became::Title
        | Became::Header
        | Became::RepeatedHeader
        | Became::ColumnNumbers
        | Became::PageNumber
        | Became::Footnote
        | Became::Closing
        | Became::NoTitle
        | Became::Outside => None,
    }
}

/// The whole proposal for machines. A row has the fields of a plan and no others; where it stands and why it
/// is what it is are beside the rows, by code.
pub fn to_json(proposal: &Proposal) -> Value {
    let sections = proposal.sections.iter().map(|section| {
        json!({
            "id": section.id, "stt": section.stt, "title": section.title, "parent": section.parent,
            "sheet": section.place.sheet, "row": section.place.row,
        })
    });
    let tables = proposal.tables.iter().map(|table| {
        let columns = table.columns.iter().map(|column| {
            let place = sync_core::form::printed::Place {
                column: column.column.saturating_add(1),
                ..table.place.clone()
            };
            json!({
                "column": place.column_letters(), "heading": column.heading, "role": column.role.name(),
            })
        });
        json!({
            "sheet": table.place.sheet, "row": table.place.row,
            "columns": columns.collect::<Vec<_>>(),
        })
    });
    let lines = proposal.lines.iter().map(|line| line_json(proposal, line));
    json!({
        "title": proposal.title, "number": proposal.number,
        "date": proposal.date.map(|day| day.to_string()),
        "year": proposal.year, "year_reason": proposal.year_reason.as_ref().map(reason_json),
        "sections": sections.collect::<Vec<_>>(),
        "rows": proposal.rows.iter().map(row_json).collect::<Vec<_>>(),
        "groups": proposal.groups.iter().map(group_json).collect::<Vec<_>>(),
        "reasons": proposal.rows.iter().map(reasons_json).collect::<Vec<_>>(),
        "printed_rows": lines.collect::<Vec<_>>(),
        "tables": tables.collect::<Vec<_>>(),
    })
}

fn row_json(row: &PlanRow) -> Value {
    json!({
        "code": row.code, "stt": row.stt, "title": row.title, "requirement": row.requirement,
        "deadline_text": row.deadline_text, "deadline": row.deadline.map(|day| day.to_string()),
        "recurring": row.recurring,
        "lead": row.lead.iter().map(agency_json).collect::<Vec<_>>(),
        "coordinating": row.coordinating.iter().map(agency_json).collect::<Vec<_>>(),
        "parent": row.parent, "is_group": row.is_group,
    })
}

fn agency_json(agency: &Agency) -> Value {
    let (kind, unit, group) = match &agency.matched {
        Matched::Unit(code) => ("unit", Some(code), None),
        Matched::Group(name) => ("group", None, Some(name)),
        Matched::Nothing => ("unknown", None, None),
    };
    json!({
        "name": agency.name, "printed": agency.printed, "type": kind, "unit": unit, "group": group,
        "scope": agency.scope, "candidates": agency.candidates, "asks": agency.asks(),
        "confidence": agency.reason.confidence.name(), "why": agency.reason.code,
        "why_vi": reason_text(Language::Vietnamese, &agency.reason),
        "why_en": reason_text(Language::English, &agency.reason),
    })
}

fn group_json(group: &Group) -> Value {
    json!({
        "name": group.name, "kind": group.kind.name(), "units": group.units,
        "official_count": group.official_count,
    })
}

fn reasons_json(row: &PlanRow) -> Value {
    let others = row
        .others
        .iter()
        .map(|(heading, text)| json!({"heading": heading, "text": text}));
    json!({
        "code": row.code, "section": row.section, "sheet": row.place.sheet, "row": row.place.row,
        "confidence": row.confidence.name(),
        "reasons": row.reasons.iter().map(reason_json).collect::<Vec<_>>(),
        "other_columns": others.collect::<Vec<_>>(),
    })
}

fn reason_json(reason: &Reason) -> Value {
    json!({
        "field": reason.topic.name(), "code": reason.code, "confidence": reason.confidence.name(),
        "reason_vi": reason_text(Language::Vietnamese, reason),
        "reason_en": reason_text(Language::English, reason),
    })
}

fn line_json(proposal: &Proposal, line: &PrintedLine) -> Value {
    let code = code_of(proposal, line.became);
    json!({
        "sheet": line.sheet, "row": line.row, "through": line.through, "text": line.text,
        "became": line.became.code(), "code": code,
        "why_vi": became_text(Language::Vietnamese, line.became, code),
        "why_en": became_text(Language::English, line.became, code),
    })
}

impl From<PlanError> for Trouble {
    fn from(error: PlanError) -> Self {
        if let PlanError::Table(error) = error {
            return error.into();
        }
        let mut trouble = Self::new(error.code(), Exit::Input);
        if let Some(place) = error.place() {
            trouble = trouble
                .with("sheet", &place.sheet)
                .with("row", place.row)
                .with("column", place.column_letters())
                .with("place", place);
        }
        trouble
    }
}

impl From<DocumentError> for Trouble {
    fn from(error: DocumentError) -> Self {
        let code = error.code();
        let reason = error.to_string();
        match error {
            DocumentError::Table(error) => error.into(),
            DocumentError::NotADocument(_)
            | DocumentError::OtherFormat
            | DocumentError::Encrypted
            | DocumentError::TooLarge(_)
            | DocumentError::Damaged(_) => Self::new(code, Exit::Input).with("reason", reason),
        }
    }
}

/// An org file that cannot be read, as the import of units says it.
pub fn units_trouble(error: UnitImportError) -> Trouble {
    crate::administration::ImportError::from(error).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_core::plan::printed::REASON_CODES;

    #[test]
    fn every_code_of_a_plan_import_has_a_sentence() {
        let errors = PlanError::CODES.iter().chain(&DocumentError::CODES);
        let ids = errors
            .map(|code| format!("cli-error-{code}"))
            .chain(REASON_CODES.iter().map(|code| format!("plan-{code}")))
            .chain(Became::CODES.iter().map(|code| format!("plan-line-{code}")));
        for id in ids {
            for language in Language::ALL {
                assert!(messages::has(language, &id), "{id}");
            }
        }
    }
}
