//! A form with the rows that units added, each where it belongs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{LocalRow, LocalRows, code};
use crate::form::validate::Parts;
use crate::form::{Indicator, Section, Template};
use crate::identity::UnitId;

/// How a row that a unit added stands in a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The unit that added it.
    pub unit: UnitId,
    /// The row of the form that it stands below.
    pub under: Option<String>,
    /// The row or the section it was put below is not in this version of the form: it stands at the end instead.
    pub displaced: bool,
    /// Its label in English.
    pub label_en: Option<String>,
}

/// A row on its way into the form.
struct Coming<'a> {
    of: UnitId,
    row: &'a LocalRow,
    /// The position among the rows of the form that it comes before.
    before: usize,
    /// How deep the row is that it stands below; nothing at the end of a section.
    depth: Option<usize>,
    under: Option<&'a str>,
    displaced: bool,
}

impl Template {
    /// This form with the rows that units added, in the order of `all`: those of units further up come first. Rows
    /// of the form keep their order, their codes and everything else.
    pub fn with_local_rows(&self, all: &[LocalRows]) -> Self {
        let mut coming: BTreeMap<usize, Vec<Coming<'_>>> = BTreeMap::new();
        for of in all {
            for row in of.in_use() {
                if let Some((section, one)) = self.place(of.unit, row) {
                    coming.entry(section).or_default().push(one);
                }
            }
        }
        if coming.is_empty() {
            return self.clone();
        }
        let mut parts = Parts {
            id: self.id.clone(),
            version: self.version,
            title: self.title.clone(),
            period: self.period,
            respondent: self.respondent.clone(),
            sections: Vec::with_capacity(self.sections.len()),
            outline: self.outline.clone(),
            rows: Vec::with_capacity(self.rows.len() + 8),
            annotations: self.annotations.clone(),
            local: BTreeMap::new(),
        };
        for (index, section) in self.sections.iter().enumerate() {
            let mut here = coming.remove(&index).unwrap_or_default();
            // At one place the rows of the innermost row come first: those of an outer one stand behind them.
            here.sort_by_key(|one| (one.before, Reverse(one.depth)));
            self.fill(section, &here, &mut parts);
        }
        // Codes, kinds and choices are right by what was read: only a fault of this program could be refused.
        Self::from_parts(parts).unwrap_or_else(|_| self.clone())
    }

    /// How a row that a unit added stands here; `None` for one of the form itself.
    pub fn local_row(&self, code: &str) -> Option<&Standing> {
        self.local.get(code)
    }

    /// True if units added rows to this form.
    pub fn has_local_rows(&self) -> bool {
        !self.local.is_empty()
    }

    fn fill(&self, section: &Section, coming: &[Coming<'_>], parts: &mut Parts) {
        let first_row = parts.rows.len();
        let mut coming = coming.iter().peekable();
        let mut ordinals: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        let end = section.first_row + section.row_count;
        for at in section.first_row..=end {
            while let Some(one) = coming.next_if(|one| one.before <= at) {
                let number = ordinals.entry(one.under).or_default();
                *number += 1;
                let above = one.under.and_then(|code| self.row(code));
                let above = above.map_or("", |row| row.stt.trim().trim_end_matches('.'));
                parts.rows.push(indicator(one, format!("{above}+{number}")));
                let standing = Standing {
                    unit: one.of,
                    under: one.under.map(str::to_owned),
                    displaced: one.displaced,
                    label_en: one.row.label_en.clone(),
                };
                parts.local.insert(code(one.of, one.row.id), standing);
            }
            if at < end {
                parts.rows.extend(self.rows.get(at).cloned());
            }
        }
        parts.sections.push(Section {
            first_row,
            row_count: parts.rows.len() - first_row,
            ..section.clone()
        });
    }

    /// The section that a row comes into, and where; none in a form without sections.
    fn place<'a>(&self, of: UnitId, row: &'a LocalRow) -> Option<(usize, Coming<'a>)> {
        let under = row.place.under.as_deref();
        let index = under.and_then(|code| self.row_index(code));
        if let Some(index) = index {
            let section = self.sections.iter().position(|section| {
                (section.first_row..section.first_row + section.row_count).contains(&index)
            })?;
            let one = Coming {
                of,
                row,
                before: self.end_of_parts(index),
                depth: Some(self.depth(index)),
                under,
                displaced: false,
            };
            return Some((section, one));
        }
        let named = |section: &Section| section.id == row.place.section;
        let found = self.sections.iter().position(named);
        let section = found.or_else(|| self.sections.len().checked_sub(1))?;
        let at = self.sections.get(section)?;
        let one = Coming {
            of,
            row,
            before: at.first_row + at.row_count,
            depth: None,
            under: None,
            displaced: under.is_some() || found.is_none(),
        };
        Some((section, one))
    }

    /// The position behind a row and everything that follows it as a part of it.
    fn end_of_parts(&self, index: usize) -> usize {
        let depth = self.depth(index);
        let behind = self.rows.get(index + 1..).unwrap_or_default();
        let section = self.sections.iter().find(|section| {
            (section.first_row..section.first_row + section.row_count).contains(&index)
        });
        let end = section.map_or(index + 1, |section| section.first_row + section.row_count);
        let is_part = |at: &usize| *at < end && self.is_below(*at, index, depth);
        let parts = (index + 1..=index + behind.len())
            .take_while(is_part)
            .count();
        index + 1 + parts
    }

    fn is_below(&self, row: usize, above: usize, depth: usize) -> bool {
        let mut at = row;
        for _ in depth..self.depth(row) {
            let parent = self.rows.get(at).and_then(|row| row.parent.as_deref());
            match parent.and_then(|parent| self.row_index(parent)) {
                Some(parent) if parent == above => return true,
                Some(parent) => at = parent,
                None => return false,
            }
        }
        false
    }

    /// How many rows a row is a part of, one within the other. Parents were checked to make no circle.
    fn depth(&self, index: usize) -> usize {
        let parent = |row: &&Indicator| self.row(row.parent.as_deref()?);
        let Some(row) = self.rows.get(index) else {
            return 0;
        };
        std::iter::successors(parent(&row), parent).count()
    }
}

fn indicator(one: &Coming<'_>, stt: String) -> Indicator {
    let row = one.row;
    Indicator {
        code: code(one.of, row.id),
        stt,
        label: row.label.clone(),
        unit: row.unit.clone(),
        kind: row.kind,
        choices: row.choices.clone(),
        // Never a part of a row of the form: the parts of that are the province's, and what they come to.
        parent: None,
        cumulative: false,
        formula: None,
        computed_only: false,
        note: row.help.clone(),
        annotations: BTreeMap::new(),
    }
}
