//! A sheet as it was printed: filled cells, merged regions, and the lines they make.

use super::PrintedError;
use crate::limits;
use std::collections::BTreeMap;
use std::fmt;

/// Where something stands, as a spreadsheet names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The name of the sheet.
    pub sheet: String,
    /// From 1.
    pub row: u32,
    /// From 1; 1 is column A.
    pub column: u32,
}

impl Place {
    /// The column in letters: `A`, `AB`.
    pub fn column_letters(&self) -> String {
        let mut letters = Vec::new();
        let mut left = self.column;
        while left > 0 {
            let digit = u8::try_from((left - 1) % 26).unwrap_or(0);
            letters.push(char::from(b'A' + digit));
            left = (left - 1) / 26;
        }
        letters.iter().rev().collect()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}!{}{}", self.sheet, self.column_letters(), self.row)
    }
}

/// One cell that holds something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// What is shown; a stored number in its plain form, `99.65`.
    pub text: String,
    /// Stored as a number, not as text.
    pub number: bool,
    /// The formula behind it, without `=`.
    pub formula: Option<String>,
}

impl Cell {
    /// A cell of words, or of a number that was stored as text.
    pub fn of_text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// A stored number.
    pub fn of_number(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            number: true,
            formula: None,
        }
    }
}

/// A merged region. Rows and columns from 0, the last ones included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// The topmost row.
    pub first_row: u32,
    /// The lowest row.
    pub last_row: u32,
    /// The leftmost column.
    pub first_column: u32,
    /// The rightmost column.
    pub last_column: u32,
}

/// One sheet. Rows and columns from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    name: String,
    hidden: bool,
    rows: BTreeMap<u32, BTreeMap<u32, Cell>>,
    merges: Vec<Merge>,
    cells: usize,
}

impl Sheet {
    /// An empty sheet.
    pub fn new(name: impl Into<String>, hidden: bool) -> Self {
        Self {
            name: name.into(),
            hidden,
            rows: BTreeMap::new(),
            merges: Vec::new(),
            cells: 0,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True when a person does not see it.
    pub fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// Puts a cell in; one without text and formula is left out.
    pub fn put(&mut self, row: u32, column: u32, cell: Cell) -> Result<(), PrintedError> {
        if cell.text.trim().is_empty() && cell.formula.is_none() {
            return Ok(());
        }
        let place = || self.place(row, column);
        if cell.text.len() > limits::TEMPLATE_TEXT_BYTES_MAX {
            return Err(PrintedError::TextTooLong(place()));
        }
        if !self.rows.contains_key(&row) && self.rows.len() >= limits::SHEET_ROWS_MAX {
            return Err(PrintedError::TooManyRows(place()));
        }
        if self.cells >= limits::SHEET_CELLS_MAX {
            return Err(PrintedError::TooManyCells(place()));
        }
        let replaced = self.rows.entry(row).or_default().insert(column, cell);
        self.cells += usize::from(replaced.is_none());
        Ok(())
    }

    /// Tells of a merged region.
    pub fn merge(&mut self, merge: Merge) -> Result<(), PrintedError> {
        if self.merges.len() >= limits::SHEET_MERGES_MAX {
            return Err(PrintedError::TooManyCells(
                self.place(merge.first_row, merge.first_column),
            ));
        }
        self.merges.push(merge);
        Ok(())
    }

    /// The place of a row and column from 0.
    pub fn place(&self, row: u32, column: u32) -> Place {
        Place {
            sheet: self.name.clone(),
            row: row.saturating_add(1),
            column: column.saturating_add(1),
        }
    }

    /// The first cell that holds anything.
    pub(crate) fn first_place(&self) -> Option<Place> {
        let (row, cells) = self.rows.first_key_value()?;
        Some(self.place(*row, cells.keys().next().copied()?))
    }

    /// The last row that holds anything, from 0.
    pub fn last_row(&self) -> Option<u32> {
        self.rows.keys().next_back().copied()
    }

    /// True if anything stands on these rows.
    pub(crate) fn holds_between(&self, first: u32, last: u32) -> bool {
        first <= last && self.rows.range(first..=last).next().is_some()
    }

    /// The lines that hold anything of their own, from the top.
    pub(crate) fn lines(&self) -> Result<Vec<Line>, PrintedError> {
        let mut lines: BTreeMap<u32, Line> = BTreeMap::new();
        for (row, cells) in &self.rows {
            let fields = cells.iter().map(|(column, cell)| Field {
                first_column: *column,
                last_column: *column,
                cell: cell.clone(),
                covered: false,
            });
            lines.insert(
                *row,
                Line {
                    row: *row,
                    fields: fields.collect(),
                },
            );
        }
        let mut covered = 0;
        for merge in &self.merges {
            let of_rows = self.rows.get(&merge.first_row);
            let Some(anchor) = of_rows.and_then(|cells| cells.get(&merge.first_column)) else {
                continue;
            };
            if merge.last_row < merge.first_row || merge.last_column < merge.first_column {
                continue;
            }
            for (row, line) in lines.range_mut(merge.first_row..=merge.last_row) {
                covered += 1;
                if covered > limits::SHEET_CELLS_MAX {
                    return Err(PrintedError::TooManyCells(
                        self.place(*row, merge.first_column),
                    ));
                }
                line.cover(merge, anchor, *row == merge.first_row);
            }
        }
        Ok(lines.into_values().collect())
    }
}

/// One field of a line: a cell, or the part of a merged region that this line shows.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) first_column: u32,
    pub(crate) last_column: u32,
    pub(crate) cell: Cell,
    /// It stands in a line further up and reaches down to this one.
    pub(crate) covered: bool,
}

/// What one row of a sheet shows, from left to right.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// From 0.
    pub(crate) row: u32,
    pub(crate) fields: Vec<Field>,
}

impl Line {
    fn cover(&mut self, merge: &Merge, anchor: &Cell, is_first: bool) {
        let within = |field: &Field| {
            (merge.first_column..=merge.last_column).contains(&field.first_column) && !field.covered
        };
        if is_first {
            for field in &mut self.fields {
                if field.first_column == merge.first_column && !field.covered {
                    field.last_column = merge.last_column;
                }
            }
            return;
        }
        // A value below the first row of a merged region is not shown, but it is there: it stays.
        if self.fields.iter().any(within) {
            return;
        }
        let at = self
            .fields
            .partition_point(|field| field.first_column < merge.first_column);
        self.fields.insert(
            at,
            Field {
                first_column: merge.first_column,
                last_column: merge.last_column,
                cell: Cell {
                    formula: None,
                    ..anchor.clone()
                },
                covered: true,
            },
        );
    }

    /// The field over a column.
    pub(crate) fn at(&self, column: u32) -> Option<&Field> {
        self.fields
            .iter()
            .find(|field| (field.first_column..=field.last_column).contains(&column))
    }

    /// Fields that stand in this very line.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.covered)
    }

    /// Everything of its own, as one text.
    pub(crate) fn text(&self) -> String {
        let texts: Vec<&str> = self.own().map(|field| field.cell.text.trim()).collect();
        texts.join(" | ")
    }
}
