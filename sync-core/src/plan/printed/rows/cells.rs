//! The cells of a row: what a line has for each column, and what several rows share.

use std::collections::BTreeMap;

use super::super::columns::{Column, Columns, Role};
use crate::form::printed::sheet::Line;
use crate::form::printed::wording::{folded, single_spaced};

/// A cell of a row: its words, and the row that it shares them with.
#[derive(Debug, Clone, Default)]
pub(in crate::plan::printed) struct Cell {
    pub(in crate::plan::printed) text: String,
    pub(in crate::plan::printed) shared_with: Option<usize>,
    /// It says "-nt-": the same as above.
    pub(in crate::plan::printed) ditto: bool,
}

impl Cell {
    pub(in crate::plan::printed) fn own(&self) -> Option<&str> {
        let own = Some(self.text.as_str()).filter(|text| !text.is_empty());
        own.filter(|_| self.shared_with.is_none() || self.ditto)
    }
}

/// A row before its place among the others is known.
#[derive(Debug, Clone, Default)]
pub(in crate::plan::printed) struct RawRow {
    pub(in crate::plan::printed) part: usize,
    /// From 0.
    pub(in crate::plan::printed) line: u32,
    pub(in crate::plan::printed) column: u32,
    pub(in crate::plan::printed) stt: String,
    pub(in crate::plan::printed) title: Cell,
    pub(in crate::plan::printed) requirement: Cell,
    pub(in crate::plan::printed) deadline: Cell,
    pub(in crate::plan::printed) lead: Cell,
    pub(in crate::plan::printed) coordinating: Cell,
    pub(in crate::plan::printed) others: Vec<(String, String)>,
    /// More of it stood on another line.
    pub(in crate::plan::printed) joined: bool,
}

impl RawRow {
    fn contents(&self) -> [&Cell; 4] {
        [
            &self.requirement,
            &self.deadline,
            &self.lead,
            &self.coordinating,
        ]
    }

    pub(in crate::plan::printed) fn has_own(&self) -> bool {
        self.contents().iter().any(|cell| cell.own().is_some())
    }

    pub(in crate::plan::printed) fn has_any(&self) -> bool {
        self.contents().iter().any(|cell| !cell.text.is_empty())
    }
}

pub(super) fn cell_of(row: &RawRow, role: Role) -> Option<&Cell> {
    match role {
        Role::Title => Some(&row.title),
        Role::Requirement => Some(&row.requirement),
        Role::Deadline => Some(&row.deadline),
        Role::Lead => Some(&row.lead),
        Role::Coordinating => Some(&row.coordinating),
        Role::Ordinal | Role::Field | Role::Tick | Role::Other => None,
    }
}

pub(super) fn cell_mut(row: &mut RawRow, role: Role) -> Option<&mut Cell> {
    match role {
        Role::Title => Some(&mut row.title),
        Role::Requirement => Some(&mut row.requirement),
        Role::Deadline => Some(&mut row.deadline),
        Role::Lead => Some(&mut row.lead),
        Role::Coordinating => Some(&mut row.coordinating),
        Role::Ordinal | Role::Field | Role::Tick | Role::Other => None,
    }
}

/// What a line has for each role, and whether it stands further up. A wide cell belongs to its first
/// column that has a role.
pub(super) fn cells(line: &Line, columns: &Columns) -> BTreeMap<Role, (String, bool)> {
    let mut found: BTreeMap<Role, (String, bool)> = BTreeMap::new();
    let known: Vec<&Column> = columns.columns.iter().collect();
    for field in &line.fields {
        let within =
            |column: &&&Column| (field.first_column..=field.last_column).contains(&column.column);
        let Some(column) = known.iter().find(within) else {
            continue;
        };
        let text = field.cell.text.trim().to_owned();
        if text.is_empty() {
            continue;
        }
        if column.role == Role::Tick {
            let period = single_spaced(&column.heading);
            let period = period
                .rsplit_once(" Quý ")
                .map_or(period.clone(), |(_, last)| format!("Quý {last}"));
            let (ticks, _) = found.entry(Role::Tick).or_default();
            if !ticks.is_empty() {
                ticks.push_str(", ");
            }
            ticks.push_str(&period);
            continue;
        }
        found.entry(column.role).or_insert((text, field.covered));
    }
    found
}

/// "-nt-", "như trên": the same as above.
pub(super) fn is_ditto(text: &str) -> bool {
    matches!(folded(text).as_str(), "nt" | "n t" | "nhu tren")
        || matches!(text.trim(), "\"" | "〃" | "″")
}

/// Words of a cell in single spaces. A line break stays where a list goes on or a sentence has ended.
pub(in crate::plan::printed) fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for line in text.lines() {
        let line = single_spaced(line);
        let Some(first) = line.chars().next() else {
            continue;
        };
        if !tidy.is_empty() {
            let listed = matches!(first, '-' | '+' | '•' | '*' | '–' | '●');
            let ended = tidy.ends_with(['.', ';', ':']) && !first.is_lowercase();
            tidy.push(if listed || ended { '\n' } else { ' ' });
        }
        tidy.push_str(&line);
    }
    tidy
}
