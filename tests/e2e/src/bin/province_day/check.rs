//! What must be visible after the day: every lone edit, and both values of every conflict.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use e2e::paper::{About, SeenCell, SeenPage};
use e2e::workload::{Cell, CellEdit, Workload, key};

use crate::exchange::tablet;
use crate::field::Field;

/// What a device shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pages: BTreeMap<About, BTreeMap<String, SeenCell>>,
}

/// What of the day can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Visible {
    /// Edits of a cell that the other side did not touch, which stand there alone and whole.
    pub(crate) lone_edits: usize,
    /// Cells that both sides edited and that show both values, each with note, author and time.
    pub(crate) conflicts: usize,
    /// Cells of the base that nobody edited and that read as they were written.
    pub(crate) untouched: usize,
}

impl Shown {
    /// Reads everything on the device in a folder.
    pub(crate) fn by(folder: &Path) -> Result<Self> {
        let bytes = tablet(&["read"], folder, &[])?;
        let pages: Vec<SeenPage> = serde_json::from_slice(&bytes)?;
        let pages = pages.into_iter().map(|page| (page.about, page.cells));
        Ok(Self {
            pages: pages.collect(),
        })
    }

    fn cell(&self, about: &About, code: &str) -> Option<&SeenCell> {
        self.pages.get(about)?.get(code)
    }

    /// True if the cell shows this edit among its values.
    fn shows(&self, field: &Field, edit: &CellEdit) -> Result<bool> {
        let cell = self.cell(field.about(edit.doc)?, &edit.key);
        Ok(cell.is_some_and(|cell| has(cell, &edit.cell)))
    }

    /// Counts what can be read of the whole day.
    pub(crate) fn verify(&self, field: &Field, day: &Workload) -> Result<Visible> {
        let both: BTreeSet<(usize, &str)> = day
            .conflicts
            .iter()
            .map(|place| (place.doc, place.key.as_str()))
            .collect();
        let mut sides: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        let (mut lone_edits, mut edited) = (0, BTreeSet::new());
        for edit in day.tablet_edits.iter().chain(&day.server_edits) {
            let place = (edit.doc, edit.key.as_str());
            edited.insert(place);
            let shown = self.shows(field, edit)?;
            if both.contains(&place) {
                *sides.entry(place).or_default() += usize::from(shown);
            } else {
                let cell = self.cell(field.about(edit.doc)?, &edit.key);
                let alone =
                    cell.is_some_and(|cell| cell.values.len() == 1 && cell.notes.len() <= 1);
                lone_edits += usize::from(shown && alone);
            }
        }
        let mut untouched = 0;
        for (doc, paper) in day.docs.iter().enumerate() {
            let about = field.about(doc)?;
            for (at, cell) in paper.cells.iter().enumerate() {
                let code = key(at);
                let shown = self.cell(about, &code).is_some_and(|seen| has(seen, cell));
                untouched += usize::from(!edited.contains(&(doc, code.as_str())) && shown);
            }
        }
        Ok(Visible {
            lone_edits,
            conflicts: sides.values().filter(|sides| **sides == 2).count(),
            untouched,
        })
    }

    /// How many of these edits can be read, alone or beside others, and with the status of their document.
    pub(crate) fn count(&self, field: &Field, edits: &[CellEdit], status: &str) -> Result<usize> {
        let mut shown = 0;
        for edit in edits {
            let page = self
                .pages
                .get(field.about(edit.doc)?)
                .context("no such page")?;
            let states = page.get("status").map(|cell| &cell.values);
            let stated = states.is_some_and(|values| {
                values
                    .iter()
                    .any(|seen| seen.value == status && seen.by == edit.cell.by)
            });
            shown += usize::from(stated && self.shows(field, edit)?);
        }
        Ok(shown)
    }
}

/// True if value, author, time and note stand in the cell.
fn has(seen: &SeenCell, cell: &Cell) -> bool {
    let value = cell.value.to_string();
    let valued = seen
        .values
        .iter()
        .any(|seen| seen.value == value && seen.by == cell.by && seen.at == cell.at);
    let noted = match (cell.note.as_str(), seen.notes.as_slice()) {
        ("", []) => true,
        (note, notes) => notes.iter().any(|seen| seen.value == note),
    };
    valued && noted
}
