//! What a workbook proposes, for a page: a draft, and for every line of every sheet what became of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sync_core::form::printed::{self, Asked, Proposal, ProposedRow, Reason, Skip, SkippedLine};
use sync_core::form::{Indicator, Template};
use workbook::WorkbookError;

/// What came of a workbook.
#[derive(Debug)]
pub enum WorkbookJson {
    /// `draft`, `lines` and `period_reason`. The lines are those of the sheets in their order: a row of
    /// the draft with `code`, `confidence` and `reasons`, or another line with `why` it is none.
    Proposal(Value),
    /// `refused`, the machine code, and `arguments`, the values of its sentence. Nothing was made.
    Refused(Value),
}

/// Reads a workbook. The page has the sentences: `cli-error-`, `proposal-`, `skipped-` and the codes.
pub fn from_workbook(bytes: &[u8], file_name: &str) -> WorkbookJson {
    let asked = Asked {
        file_name: file_name.to_owned(),
        ..Asked::default()
    };
    let read = workbook::read(bytes).and_then(|sheets| Ok(printed::propose(&sheets, &asked)?));
    match read {
        Ok(proposal) => WorkbookJson::Proposal(proposal_json(&proposal)),
        Err(error) => WorkbookJson::Refused(refused(&error)),
    }
}

fn refused(error: &WorkbookError) -> Value {
    let arguments: BTreeMap<&str, String> = error.arguments().into_iter().collect();
    json!({"refused": error.code(), "arguments": arguments})
}

fn proposal_json(proposal: &Proposal) -> Value {
    let template: &Template = &proposal.template;
    // Lines of a sheet come in its order; sheets come in the order they are first met.
    let mut sheets: Vec<&str> = Vec::new();
    let rows = template.rows().iter().zip(&proposal.rows);
    for sheet in proposal
        .skipped
        .iter()
        .map(|line| line.sheet.as_str())
        .chain(proposal.rows.iter().map(|row| row.place.sheet.as_str()))
    {
        if !sheets.contains(&sheet) {
            sheets.push(sheet);
        }
    }
    let at = |sheet: &str| sheets.iter().position(|known| *known == sheet);
    let mut lines: Vec<((Option<usize>, u32), Value)> = rows
        .map(|(row, proposed)| {
            let place = (at(&proposed.place.sheet), proposed.place.row);
            (place, row_json(row, proposed))
        })
        .collect();
    lines.extend(proposal.skipped.iter().map(|line| {
        let place = (at(&line.sheet), line.row);
        (place, line_json(line))
    }));
    lines.sort_by_key(|(place, _)| *place);
    let lines: Vec<Value> = lines.into_iter().map(|(_, line)| line).collect();
    json!({
        "draft": template.to_draft(), "lines": lines,
        "period_reason": reason_json(&proposal.period_reason),
    })
}

fn row_json(row: &Indicator, proposed: &ProposedRow) -> Value {
    let reasons: Vec<Value> = proposed.reasons.iter().map(reason_json).collect();
    json!({
        "sheet": proposed.place.sheet, "row": proposed.place.row, "through": proposed.place.row,
        "code": row.code, "label": row.label, "figure": proposed.figure,
        "confidence": proposed.confidence.name(), "reasons": reasons,
    })
}

fn reason_json(reason: &Reason) -> Value {
    let arguments: BTreeMap<&str, &String> = reason
        .arguments
        .iter()
        .map(|(name, value)| (*name, value))
        .collect();
    json!({
        "field": reason.topic.name(), "code": reason.code,
        "confidence": reason.confidence.name(), "arguments": arguments,
    })
}

fn line_json(line: &SkippedLine) -> Value {
    let joined = if let Skip::JoinedTo(row) = line.why {
        Some(row)
    } else {
        None
    };
    json!({
        "sheet": line.sheet, "row": line.row, "through": line.through, "text": line.text,
        "why": line.why.code(), "joined": joined,
    })
}
