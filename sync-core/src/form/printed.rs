//! A printed form, read from the cells of its sheets: what template it proposes, and why.
//!
//! ```text
//! sheets ─▶ rows (columns found by their header) ─▶ outline (sections, parents, codes)
//!        ─▶ kinds and code lists ─▶ formulas (printed, then guessed) ─▶ Proposal
//! ```
//!
//! Nothing that was printed is dropped silently: each row of a sheet is a row of the proposal or a
//! [`SkippedLine`] with its reason. Each thing that was concluded has a [`Reason`] with how sure it is; a
//! person confirms or corrects. A proposal is whole or there is none: what cannot be a template is a
//! [`PrintedError`] that names sheet, row and column. How a workbook's bytes become sheets is another
//! crate's business.

mod code_list;
mod columns;
mod draft;
mod error;
mod expression;
mod kinds;
pub(crate) mod ordinal;
mod outline;
mod ratios;
mod reason;
mod rows;
mod said;
pub(crate) mod sheet;
mod title;
mod totals;
pub(crate) mod wording;

use super::formula::Formula;
use super::validate::Parts;
use super::{Indicator, Kind, Section, Template};
use crate::limits;
use crate::org_unit::search_key::code_from_name;
use crate::period::PeriodKind;
use draft::Draft;
use outline::{Outline, OutlineRow};
use std::collections::{BTreeMap, BTreeSet};

pub use columns::{Column, Role};
pub use error::PrintedError;
pub use reason::{Confidence, REASON_CODES, Reason, Topic};
pub use sheet::{Cell, Merge, Place, Sheet};

/// What a person says beforehand; everything else is read from the form.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The template id; else made of the title or the file's name.
    pub id: Option<String>,
    /// The version, from 1.
    pub version: Option<u32>,
    /// The title; else the form's own.
    pub title: Option<String>,
    /// The kind of period; else what the title says.
    pub period: Option<PeriodKind>,
    /// The name of the file, without its ending.
    pub file_name: String,
}

/// A template as a form proposes it.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The template, whole and valid.
    pub template: Template,
    /// One for each of its rows, in the same order.
    pub rows: Vec<ProposedRow>,
    /// Every line of every sheet that is no row, in the order of the workbook.
    pub skipped: Vec<SkippedLine>,
    /// The headers that were found.
    pub tables: Vec<TableHead>,
    /// Why the period is what it is.
    pub period_reason: Reason,
}

/// Where a row was printed and how it was understood.
#[derive(Debug, Clone)]
pub struct ProposedRow {
    /// Where its label stands.
    pub place: Place,
    /// What was typed into its figure already, as it is shown.
    pub figure: Option<String>,
    /// How sure the least sure of its reasons is.
    pub confidence: Confidence,
    /// Why it is what it is.
    pub reasons: Vec<Reason>,
}

/// A line of a sheet that is no row of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedLine {
    /// The sheet.
    pub sheet: String,
    /// From 1.
    pub row: u32,
    /// The last row it speaks of; the same one but for long runs of empty rows.
    pub through: u32,
    /// What stands there.
    pub text: String,
    /// Why it is no row.
    pub why: Skip,
}

/// Why a line is no row of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// Nothing stands there.
    Blank,
    /// The sheet is hidden.
    HiddenSheet,
    /// No header on this sheet.
    NoTable,
    /// A title or another line above a table.
    Title,
    /// A header.
    Header,
    /// The header again, after a page break.
    RepeatedHeader,
    /// `(1) (2) (3)` under a header.
    ColumnNumbers,
    /// The unit of measure of the whole table.
    UnitCaption,
    /// It opens a section.
    Section,
    /// "Trong đó" alone: it says what the next rows are.
    OfWhichLine,
    /// More of the row that begins at this row of the sheet, from 1.
    JoinedTo(u32),
    /// The number of a page.
    PageNumber,
    /// A remark below the table.
    Footnote,
    /// Signatures, places, dates.
    Closing,
    /// Nothing in the column of labels.
    NoLabel,
    /// Nothing in any column of the table.
    OutsideColumns,
}

impl Skip {
    /// Every machine code, for whoever has the sentences.
    pub const CODES: [&'static str; 16] = [
        "blank",
        "hidden-sheet",
        "no-table",
        "title",
        "header",
        "repeated-header",
        "column-numbers",
        "unit-caption",
        "section",
        "of-which",
        "joined",
        "page-number",
        "footnote",
        "closing",
        "no-label",
        "outside-columns",
    ];

    /// The machine code; the sentence is `skipped-` and this.
    pub fn code(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::HiddenSheet => "hidden-sheet",
            Self::NoTable => "no-table",
            Self::Title => "title",
            Self::Header => "header",
            Self::RepeatedHeader => "repeated-header",
            Self::ColumnNumbers => "column-numbers",
            Self::UnitCaption => "unit-caption",
            Self::Section => "section",
            Self::OfWhichLine => "of-which",
            Self::JoinedTo(_) => "joined",
            Self::PageNumber => "page-number",
            Self::Footnote => "footnote",
            Self::Closing => "closing",
            Self::NoLabel => "no-label",
            Self::OutsideColumns => "outside-columns",
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

/// What the sheets of a workbook propose. The same sheets give the same proposal.
pub fn propose(sheets: &[Sheet], asked: &Asked) -> Result<Proposal, PrintedError> {
    let mut readings = Vec::with_capacity(sheets.len());
    for (index, sheet) in sheets.iter().enumerate() {
        readings.push(rows::read(sheet, index)?);
    }
    let tables: Vec<TableHead> = readings
        .iter()
        .flat_map(|reading| reading.heads.clone())
        .collect();
    if tables.is_empty() {
        return Err(PrintedError::no_header(sheets));
    }
    let titles = title::titles(&readings);
    let mut skipped: Vec<(usize, SkippedLine)> = Vec::new();
    for (index, reading) in readings.iter_mut().enumerate() {
        let no_table = reading.heads.is_empty();
        for mut line in std::mem::take(&mut reading.skipped) {
            if no_table && line.why == Skip::Title {
                line.why = Skip::NoTable;
            }
            skipped.push((index, line));
        }
    }
    let Outline {
        sections,
        rows,
        section_lines,
    } = outline::build(sheets, readings)?;
    let sheet_index = |name: &str| {
        sheets
            .iter()
            .position(|sheet| sheet.name() == name)
            .unwrap_or(0)
    };
    skipped.extend(
        section_lines
            .into_iter()
            .map(|line| (sheet_index(&line.sheet), line)),
    );
    skipped.sort_by_key(|(sheet, line)| (*sheet, line.row));
    if rows.is_empty() {
        let head = tables.first().map(|table| table.place.clone());
        return Err(head.map_or(PrintedError::NoSheets, PrintedError::NoRows));
    }
    let has_parts: BTreeSet<usize> = rows.iter().filter_map(|row| row.parent).collect();
    let mut meant: Vec<kinds::Meant> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| kinds::of(row, has_parts.contains(&index)))
        .collect();
    let formulas = formulas(sheets, &rows, &mut meant)?;
    let (period, period_reason) = title::period(&titles, asked);
    let template = assemble(
        sheets, &sections, &rows, &meant, formulas, &titles, period, asked,
    )?;
    let proposed = rows
        .iter()
        .zip(&meant)
        .map(|(row, meant)| proposed_row(sheets, row, meant));
    Ok(Proposal {
        rows: proposed.collect(),
        template,
        skipped: skipped.into_iter().map(|(_, line)| line).collect(),
        tables,
        period_reason,
    })
}

fn proposed_row(sheets: &[Sheet], row: &OutlineRow, meant: &kinds::Meant) -> ProposedRow {
    let sheet = sheets.get(row.row.sheet);
    let place = sheet.map(|sheet| sheet.place(row.row.line, row.row.places.label));
    let mut reasons = row.reasons.clone();
    reasons.extend(meant.reasons.clone());
    reasons.sort_by_key(|reason| reason.topic);
    let least = reasons.iter().map(|reason| reason.confidence).min();
    ProposedRow {
        place: place.unwrap_or(Place {
            sheet: String::new(),
            row: 0,
            column: 0,
        }),
        figure: row
            .row
            .figure
            .as_ref()
            .map(|cell| cell.text.trim().to_owned()),
        confidence: least.unwrap_or(Confidence::Low),
        reasons,
    }
}

/// Formulas by row: those the form says, then those it suggests where they make no circle.
fn formulas(
    sheets: &[Sheet],
    rows: &[OutlineRow],
    meant: &mut [kinds::Meant],
) -> Result<BTreeMap<usize, Formula>, PrintedError> {
    let known = meant.to_vec();
    let draft = Draft::new(sheets, rows, &known);
    let by_code: BTreeMap<&str, usize> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| (row.code.as_str(), index))
        .collect();
    let mut found: BTreeMap<usize, Formula> = BTreeMap::new();
    for row in 0..rows.len() {
        let Some(said) = said::of(&draft, row)? else {
            continue;
        };
        let numeric = |code: &&String| {
            let row = by_code.get(code.as_str());
            row.and_then(|row| draft.kind(*row))
                .is_some_and(Kind::is_numeric)
        };
        if let Some(other) = said
            .formula
            .references()
            .into_iter()
            .find(|code| !numeric(code))
        {
            return Err(draft.missing(&said.place, row, other));
        }
        let Some(kind) = draft.kind(row).filter(|kind| kind.is_numeric()) else {
            continue;
        };
        let formula = if kind == Kind::Percent {
            expression::as_percentage(said.formula)
        } else {
            said.formula
        };
        let code = draft.code(row).unwrap_or_default();
        if reaches(&found, &by_code, &formula, row) {
            return Err(PrintedError::CircularFormula {
                place: said.place,
                code,
            });
        }
        found.insert(row, formula);
        if let Some(meant) = meant.get_mut(row) {
            meant.reasons.push(said.reason);
        }
    }
    for row in 0..rows.len() {
        if found.contains_key(&row) {
            continue;
        }
        let guessed = ratios::of(&draft, row).or_else(|| totals::of(&draft, row));
        let Some((formula, reason)) = guessed else {
            continue;
        };
        let fits = formula.to_string().len() <= limits::FORMULA_BYTES_MAX;
        if fits && !reaches(&found, &by_code, &formula, row) {
            found.insert(row, formula);
            if let Some(meant) = meant.get_mut(row) {
                meant.reasons.push(reason);
            }
        }
    }
    Ok(found)
}

/// True if the formula comes to depend on its own row.
fn reaches(
    found: &BTreeMap<usize, Formula>,
    by_code: &BTreeMap<&str, usize>,
    formula: &Formula,
    row: usize,
) -> bool {
    let rows_of = |formula: &Formula| -> Vec<usize> {
        let codes = formula.references().into_iter();
        codes
            .filter_map(|code| by_code.get(code.as_str()).copied())
            .collect()
    };
    let mut waiting = rows_of(formula);
    let mut seen = BTreeSet::new();
    while let Some(next) = waiting.pop() {
        if next == row {
            return true;
        }
        if seen.insert(next) {
            waiting.extend(found.get(&next).map(rows_of).unwrap_or_default());
        }
    }
    false
}

#[expect(
    clippy::too_many_arguments,
    reason = "everything a template is made of, once"
)]
fn assemble(
    sheets: &[Sheet],
    sections: &[outline::OutlineSection],
    rows: &[OutlineRow],
    meant: &[kinds::Meant],
    mut formulas: BTreeMap<usize, Formula>,
    titles: &[String],
    period: PeriodKind,
    asked: &Asked,
) -> Result<Template, PrintedError> {
    let mut cumulative: Vec<(bool, bool)> = Vec::with_capacity(rows.len());
    let mut indicators = Vec::with_capacity(rows.len());
    for (index, (row, meant)) in rows.iter().zip(meant).enumerate() {
        let own = wording::has_any(&wording::folded(&row.row.label), &["luy ke"]);
        let inherited = row
            .parent
            .and_then(|parent| cumulative.get(parent))
            .is_some_and(|(own, inherited)| *own || *inherited);
        cumulative.push((own, inherited));
        let mut annotations = BTreeMap::new();
        if inherited && !own {
            annotations.insert("cumulative_inherited".to_owned(), "true".to_owned());
        }
        for (heading, text) in &row.row.others {
            annotations.insert(annotation_name(heading, &annotations), text.clone());
        }
        let parent = row
            .parent
            .and_then(|parent| rows.get(parent))
            .map(|parent| parent.code.clone());
        indicators.push(Indicator {
            code: row.code.clone(),
            stt: row.row.stt.clone(),
            label: row.row.label.clone(),
            unit: row.row.unit.clone(),
            kind: meant.kind,
            choices: meant.choices.clone(),
            parent,
            cumulative: own || inherited,
            formula: formulas.remove(&index),
            computed_only: false,
            note: (!row.row.note.is_empty()).then(|| row.row.note.clone()),
            annotations,
        });
    }
    let title = asked.title.clone().or_else(|| title::of(titles));
    let title = title.unwrap_or_else(|| asked.file_name.clone());
    let id = asked
        .id
        .clone()
        .unwrap_or_else(|| template_id(&asked.file_name, &title));
    let parts = Parts {
        id,
        version: asked.version.unwrap_or(1),
        title,
        period,
        respondent: title::respondent(titles),
        sections: template_sections(sections, rows),
        outline: Vec::new(),
        rows: indicators,
        annotations: BTreeMap::new(),
        local: BTreeMap::new(),
    };
    Template::from_parts(parts).map_err(|error| error::of_template(sheets, rows, error))
}

/// A name for what stands in a further column: its header, shortened.
fn annotation_name(heading: &str, taken: &BTreeMap<String, String>) -> String {
    let mut name = code_from_name(heading);
    name.truncate(40);
    if name.is_empty() {
        name = "column".to_owned();
    }
    let mut number = 2;
    let mut free = name.clone();
    while taken.contains_key(&free) {
        free = format!("{name}-{number}");
        number += 1;
    }
    free
}

fn template_id(file_name: &str, title: &str) -> String {
    let named = [file_name, title].into_iter().map(code_from_name);
    let mut id = named
        .into_iter()
        .find(|id| !id.is_empty())
        .unwrap_or_else(|| "bieu-mau".to_owned());
    id.truncate(limits::CODE_BYTES_MAX);
    id.trim_end_matches('-').to_owned()
}

fn template_sections(sections: &[outline::OutlineSection], rows: &[OutlineRow]) -> Vec<Section> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut made = Vec::with_capacity(sections.len());
    for (index, section) in sections.iter().enumerate() {
        let printed = section.printed.clone();
        let wanted = printed
            .as_deref()
            .map(str::to_lowercase)
            .unwrap_or_default();
        let allowed = |one: char| {
            one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-' || one == '.'
        };
        let mut id: String = wanted.chars().filter(|one| allowed(*one)).collect();
        if id.is_empty() {
            id = (index + 1).to_string();
        }
        let base = id.clone();
        let mut number = 2;
        while !taken.insert(id.clone()) {
            id = format!("{base}-{number}");
            number += 1;
        }
        let first_row = rows.iter().position(|row| row.section == index);
        let row_count = rows.iter().filter(|row| row.section == index).count();
        let earlier = rows.iter().filter(|row| row.section < index).count();
        let title = if section.title.is_empty() {
            section.sheet.clone()
        } else {
            section.title.clone()
        };
        made.push(Section {
            printed: printed.filter(|printed| *printed != id),
            id,
            title,
            owner: None,
            form_label: section.form_label.clone(),
            annotations: BTreeMap::new(),
            first_row: first_row.unwrap_or(earlier),
            row_count,
        });
    }
    made
}
