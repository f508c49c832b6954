//! A printed plan, read from the cells of its tables: the rows it proposes, and why.
//!
//! ```text
//! parts ─▶ rows (columns found by their header; cut and shared cells made whole)
//!       ─▶ outline (sections, codes, rows above) ─▶ deadlines, agencies ─▶ Proposal
//! ```
//!
//! Nothing that was printed is dropped silently: each line of each part is in [`Proposal::lines`] with what
//! became of it. Nothing is guessed silently: each conclusion has a [`Reason`] with how sure it is, and what
//! a text leaves open stays open. How the bytes of a workbook or a document become parts is another crate's
//! business.

mod agency;
mod columns;
mod deadline;
mod error;
mod head;
mod outline;
mod ranks;
mod reason;
mod rows;

use crate::date::Date;
use crate::form::printed::{Place, Sheet};
use crate::limits;
use rows::{RawRow, tidy};
use std::collections::BTreeSet;

pub use agency::{Agency, Directory, Group, GroupKind, Matched, Unit};
pub use columns::{Column, Role};
pub use error::PlanError;
pub use reason::{Confidence, REASON_CODES, Reason, Topic};

/// What a part of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A sheet of a workbook: tables with lines around them.
    Sheet,
    /// One table of a text document.
    Table,
    /// Paragraphs between the tables of a text document, one a row.
    Text,
}

/// A part of a document, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its cells.
    pub sheet: Sheet,
}

/// What a person says beforehand; everything else is read from the plan.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The year of the plan; else what its title or its day says.
    pub year: Option<u16>,
    /// The name of the file, without its ending.
    pub file_name: String,
}

/// A plan as a document proposes it.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Its title.
    pub title: Option<String>,
    /// `103/KH-UBND`.
    pub number: Option<String>,
    /// The day it was issued.
    pub date: Option<Date>,
    /// The year that deadlines without one are in.
    pub year: Option<u16>,
    /// Why that year.
    pub year_reason: Option<Reason>,
    /// Its sections, in order.
    pub sections: Vec<Section>,
    /// Its rows, in order.
    pub rows: Vec<PlanRow>,
    /// Every line of every part, and what became of it.
    pub lines: Vec<PrintedLine>,
    /// The headers that were found.
    pub tables: Vec<TableHead>,
    /// The groups that are named, with their units.
    pub groups: Vec<Group>,
}

/// A section of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Unique in the plan: `III`, `A.I`.
    pub id: String,
    /// As printed.
    pub stt: Option<String>,
    /// Its heading.
    pub title: String,
    /// The id of the section it is in.
    pub parent: Option<String>,
    /// Where its heading stands.
    pub place: Place,
}

/// A row of a plan: a task, or a heading over tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRow {
    /// Unique in the plan.
    pub code: String,
    /// As printed; nothing for a row without an ordinal.
    pub stt: Option<String>,
    /// What is to be done.
    pub title: String,
    /// What is required.
    pub requirement: Option<String>,
    /// The latest day as printed.
    pub deadline_text: Option<String>,
    /// The latest day, where the text fixes one.
    pub deadline: Option<Date>,
    /// Again and again, without an end.
    pub recurring: bool,
    /// Who leads.
    pub lead: Vec<Agency>,
    /// Who takes part.
    pub coordinating: Vec<Agency>,
    /// The code of the row above.
    pub parent: Option<String>,
    /// A heading over tasks.
    pub is_group: bool,
    /// The id of its section.
    pub section: Option<String>,
    /// Where its title stands.
    pub place: Place,
    /// What stands in columns that a plan has no field for: heading, text.
    pub others: Vec<(String, String)>,
    /// How sure the least sure of its reasons is.
    pub confidence: Confidence,
    /// Why it is what it is, agencies apart.
    pub reasons: Vec<Reason>,
}

/// A line of a part, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintedLine {
    /// The part.
    pub sheet: String,
    /// From 1.
    pub row: u32,
    /// The last row it speaks of; the same one but for runs of empty rows.
    pub through: u32,
    /// What stands there.
    pub text: String,
    /// What became of it.
    pub became: Became,
}

/// What became of a printed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// A row, by its place in the plan.
    Row(usize),
    /// More of a row that began further up, by its place in the plan.
    Joined(usize),
    /// A section, by its place in the plan.
    Section(usize),
    /// Nothing stands there.
    Blank,
    /// The sheet is hidden.
    HiddenSheet,
    /// No header in this part.
    NoTable,
    /// A title or other words around a table.
    Title,
    /// A header.
    Header,
    /// The header again, after a page break.
    RepeatedHeader,
    /// `(1) (2) (3)` under a header.
    ColumnNumbers,
    /// The number of a page.
    PageNumber,
    /// A remark below the table.
    Footnote,
    /// Signatures, places, dates.
    Closing,
    /// Nothing in the column of tasks, and no row above that it belongs to.
    NoTitle,
    /// Nothing in any column of the table.
    Outside,
}

impl Became {
    /// Every machine code, for whoever has the sentences.
    pub const CODES: [&'static str; 15] = [
        "row",
        "joined",
        "section",
        "blank",
        "hidden-sheet",
        "no-table",
        "title",
        "header",
        "repeated-header",
        "column-numbers",
        "page-number",
        "footnote",
        "closing",
        "no-title",
        "outside",
    ];

    /// The machine code; the sentence is `plan-line-` and this.
    pub fn code(self) -> &'static str {
        match self {
            Self::Row(_) => "row",
            Self::Joined(_) => "joined",
            Self::Section(_) => "section",
            Self::Blank => "blank",
            Self::HiddenSheet => "hidden-sheet",
            Self::NoTable => "no-table",
            Self::Title => "title",
            Self::Header => "header",
            Self::RepeatedHeader => "repeated-header",
            Self::ColumnNumbers => "column-numbers",
            Self::PageNumber => "page-number",
            Self::Footnote => "footnote",
            Self::Closing => "closing",
            Self::NoTitle => "no-title",
            Self::Outside => "outside",
        }
    }
}

/// A header and its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableHead {
    /// Its first row.
    pub place: Place,
    /// Its columns, from left to right.
    pub columns: Vec<Column>,
}

/// What the parts of a document propose. The same parts give the same proposal.
pub fn propose(
    parts: &[Part],
    directory: &Directory,
    asked: &Asked,
) -> Result<Proposal, PlanError> {
    let mut reading = rows::read(parts)?;
    let Some(first_head) = reading.heads.first() else {
        let seen = parts.iter().filter(|part| part.kind != PartKind::Text);
        let first = seen
            .filter(|part| !part.sheet.is_hidden())
            .find_map(|part| part.sheet.first_place());
        return Err(first.map_or(PlanError::NoTable, PlanError::NoHeader));
    };
    if reading.rows.is_empty() {
        return Err(PlanError::NoRows(first_head.place.clone()));
    }
    share(&mut reading.rows);
    let head = head::read(&reading.outside, asked);
    let outline = outline::build(&reading.events, &reading.rows);
    let place = |part: usize, line: u32, column: u32| {
        let sheet = parts.get(part).map(|part| &part.sheet);
        sheet.map_or(
            Place {
                sheet: String::new(),
                row: line + 1,
                column: column + 1,
            },
            |sheet| sheet.place(line, column),
        )
    };
    let sections: Vec<Section> = outline
        .sections
        .iter()
        .map(|section| Section {
            id: section.id.clone(),
            stt: section.stt.clone(),
            title: section.title.clone(),
            parent: section
                .parent
                .and_then(|at| outline.sections.get(at))
                .map(|above| above.id.clone()),
            place: place(section.heading.part, section.heading.line, 0),
        })
        .collect();
    settle_lines(&mut reading.lines, &outline, parts);
    let has_below: BTreeSet<usize> = outline
        .placed
        .iter()
        .filter_map(|placed| placed.parent)
        .collect();
    let mut agencies = agency::Reader::new(directory);
    let mut rows = Vec::with_capacity(reading.rows.len());
    for (at, (raw, placed)) in reading.rows.iter().zip(&outline.placed).enumerate() {
        let place = place(raw.part, raw.line, raw.column);
        let heads = has_below.contains(&at) && !raw.has_own() || !raw.has_any();
        let mut reasons = placed.reasons.clone();
        let mut row = PlanRow {
            code: placed.code.clone(),
            stt: Some(raw.stt.clone()).filter(|stt| !stt.is_empty()),
            title: tidy(&raw.title.text),
            requirement: None,
            deadline_text: None,
            deadline: None,
            recurring: false,
            lead: Vec::new(),
            coordinating: Vec::new(),
            parent: placed
                .parent
                .and_then(|at| outline.placed.get(at))
                .map(|above| above.code.clone()),
            is_group: heads,
            section: placed
                .section
                .and_then(|at| sections.get(at))
                .map(|section| section.id.clone()),
            place,
            others: raw.others.clone(),
            confidence: Confidence::High,
            reasons: Vec::new(),
        };
        if heads {
            let (code, confidence) = match has_below.contains(&at) {
                true => ("heading", Confidence::High),
                false => ("heading-without-tasks", Confidence::Low),
            };
            reasons.push(Reason::new(Topic::IsGroup, code, confidence));
        } else {
            fill(
                &mut row,
                raw,
                &reading.rows,
                &outline,
                head.year,
                &mut agencies,
                &mut reasons,
            )?;
        }
        if raw.joined {
            reasons.push(Reason::new(Topic::Title, "joined", Confidence::Medium));
        }
        let agencies = row
            .lead
            .iter()
            .chain(&row.coordinating)
            .map(|agency| &agency.reason);
        let least = reasons
            .iter()
            .chain(agencies)
            .map(|reason| reason.confidence)
            .min();
        row.confidence = least.unwrap_or(Confidence::Low);
        reasons.sort_by_key(|reason| reason.topic);
        row.reasons = reasons;
        rows.push(row);
    }
    Ok(Proposal {
        title: head.title,
        number: head.number,
        date: head.date,
        year: head.year,
        year_reason: head.year_reason,
        sections,
        rows,
        lines: reading.lines,
        tables: reading.heads,
        groups: agencies.groups(),
    })
}

/// Requirement, deadline and agencies of a task.
fn fill(
    row: &mut PlanRow,
    raw: &RawRow,
    all: &[RawRow],
    outline: &outline::Outline,
    year: Option<u16>,
    agencies: &mut agency::Reader<'_>,
    reasons: &mut Vec<Reason>,
) -> Result<(), PlanError> {
    row.requirement = Some(tidy(&raw.requirement.text)).filter(|text| !text.is_empty());
    let when = crate::form::printed::wording::single_spaced(&raw.deadline.text);
    let deadline = deadline::read(&when, year);
    row.deadline_text = Some(when).filter(|text| !text.is_empty());
    row.deadline = deadline.day;
    row.recurring = deadline.recurring;
    reasons.extend(deadline.reasons);
    let lead = agencies.read(&raw.lead.text, Topic::Lead);
    let coordinating = agencies.read(&raw.coordinating.text, Topic::Coordinating);
    row.lead = lead.first;
    row.coordinating = lead.coordinating;
    row.coordinating.extend(coordinating.first);
    if row.lead.len().max(row.coordinating.len()) > limits::PLAN_AGENCIES_MAX {
        return Err(PlanError::TooManyAgencies(row.place.clone()));
    }
    let shared = [
        (&raw.title, Topic::Title),
        (&raw.requirement, Topic::Requirement),
        (&raw.deadline, Topic::Deadline),
        (&raw.lead, Topic::Lead),
        (&raw.coordinating, Topic::Coordinating),
    ];
    for (cell, topic) in shared {
        let with = cell.shared_with.filter(|at| all.get(*at).is_some());
        if let Some(with) = with.and_then(|at| outline.placed.get(at)) {
            let (code, confidence) = match cell.ditto {
                true => ("ditto", Confidence::Medium),
                false => ("merged", Confidence::High),
            };
            reasons.push(Reason::new(topic, code, confidence).with("code", &with.code));
        }
    }
    Ok(())
}

/// Shared cells say what the first of their rows says, as it came out whole.
fn share(rows: &mut [RawRow]) {
    for at in 0..rows.len() {
        let Some((before, rest)) = rows.split_at_mut_checked(at) else {
            continue;
        };
        let Some(row) = rest.first_mut() else {
            continue;
        };
        let of = |with: Option<usize>| with.and_then(|with| before.get(with));
        for (cell, from) in [
            (
                &mut row.title,
                &(|row: &RawRow| row.title.text.clone()) as &dyn Fn(&RawRow) -> String,
            ),
            (&mut row.requirement, &|row| row.requirement.text.clone()),
            (&mut row.deadline, &|row| row.deadline.text.clone()),
            (&mut row.lead, &|row| row.lead.text.clone()),
            (&mut row.coordinating, &|row| row.coordinating.text.clone()),
        ] {
            if let Some(with) = of(cell.shared_with) {
                cell.text = from(with);
            }
        }
    }
}

/// Lines that became sections learn which.
fn settle_lines(lines: &mut [PrintedLine], outline: &outline::Outline, parts: &[Part]) {
    for (index, section) in outline.sections.iter().enumerate() {
        let heading = &section.heading;
        if let Some(line) = heading.above.and_then(|at| lines.get_mut(at)) {
            line.became = Became::Section(index);
            continue;
        }
        let name = parts.get(heading.part).map(|part| part.sheet.name());
        let found = lines.iter_mut().find(|line| {
            Some(line.sheet.as_str()) == name
                && line.row == heading.line + 1
                && matches!(line.became, Became::Section(_))
        });
        if let Some(line) = found {
            line.became = Became::Section(index);
        }
    }
}
