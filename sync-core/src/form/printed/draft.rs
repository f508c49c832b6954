//! The rows of a form while formulas are looked for: kinds are known, neighbours can be asked for.

use super::PrintedError;
use super::kinds::Meant;
use super::outline::OutlineRow;
use super::sheet::{Place, Sheet};
use super::wording::{folded, has_any, meaning};
use crate::form::Kind;
use std::collections::BTreeMap;

/// Rows, what they mean, and who is part of whom.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) sheets: &'a [Sheet],
    pub(super) rows: &'a [OutlineRow],
    pub(super) meant: &'a [Meant],
    parts: BTreeMap<Option<usize>, Vec<usize>>,
    by_code: BTreeMap<&'a str, usize>,
    by_stt: BTreeMap<String, Vec<usize>>,
    units: Vec<String>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(sheets: &'a [Sheet], rows: &'a [OutlineRow], meant: &'a [Meant]) -> Self {
        let mut parts: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        let mut by_code = BTreeMap::new();
        let mut by_stt: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            parts.entry(row.parent).or_default().push(index);
            by_code.insert(row.code.as_str(), index);
            let stt = plain_stt(&row.row.stt);
            if !stt.is_empty() {
                by_stt.entry(stt).or_default().push(index);
            }
        }
        let units = rows.iter().map(|row| folded(&row.row.unit)).collect();
        Self {
            sheets,
            rows,
            meant,
            parts,
            by_code,
            by_stt,
            units,
        }
    }

    pub(super) fn label(&self, row: usize) -> Option<&'a str> {
        self.rows.get(row).map(|row| row.row.label.as_str())
    }

    pub(super) fn code(&self, row: usize) -> Option<String> {
        self.rows.get(row).map(|row| row.code.clone())
    }

    pub(super) fn kind(&self, row: usize) -> Option<Kind> {
        self.meant.get(row).map(|meant| meant.kind)
    }

    pub(super) fn parent(&self, row: usize) -> Option<usize> {
        self.rows.get(row)?.parent
    }

    /// True for a row of amounts: no percentage, no heading.
    pub(super) fn is_count(&self, row: usize) -> bool {
        matches!(
            self.kind(row),
            Some(Kind::Integer | Kind::Decimal | Kind::MoneyMillionVnd)
        )
    }

    /// Rows right under one.
    fn under(&self, row: usize) -> &[usize] {
        self.parts
            .get(&Some(row))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Amounts right under a row.
    pub(super) fn counts_under(&self, row: usize) -> Vec<usize> {
        let under = self.under(row).iter().copied();
        under.filter(|part| self.is_count(*part)).collect()
    }

    /// Rows beside one: with its parent, else at the top of its section.
    pub(super) fn siblings(&self, row: usize) -> Vec<usize> {
        let Some(own) = self.rows.get(row) else {
            return Vec::new();
        };
        let beside = self
            .parts
            .get(&own.parent)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let same_section = |other: &usize| {
            self.rows
                .get(*other)
                .is_some_and(|other| other.section == own.section)
        };
        beside
            .iter()
            .copied()
            .filter(|other| *other != row && same_section(other))
            .collect()
    }

    /// Same unit of measure and same kind.
    pub(super) fn same_unit(&self, one: usize, other: usize) -> bool {
        self.units.get(one) == self.units.get(other) && self.kind(one) == self.kind(other)
    }

    /// True if the label says that its parts are all there is.
    pub(super) fn is_exhaustive(&self, row: usize) -> bool {
        let says = |text: &str| {
            has_any(
                &folded(text),
                &["chia ra", "gom", "bao gom", "chia theo", "phan theo"],
            )
        };
        let under = self
            .under(row)
            .first()
            .and_then(|first| self.rows.get(*first));
        under.is_some_and(|first| says(&first.row.stt) || first.row.chia_ra)
    }

    /// True if one of the parts is a part of another one by its words: all of them and more.
    pub(super) fn nested(&self, parts: &[usize]) -> bool {
        let words: Vec<Vec<String>> = parts
            .iter()
            .map(|part| self.label(*part).map(meaning).unwrap_or_default())
            .collect();
        words.iter().enumerate().any(|(index, one)| {
            words.iter().enumerate().any(|(other, more)| {
                index != other
                    && one.len() >= 3
                    && more.len() > one.len()
                    && more.starts_with(one)
                    && more.get(one.len()).is_some_and(|next| {
                        ["phát", "đúng", "quá", "trước"].contains(&next.as_str())
                    })
            })
        })
    }

    /// The code of the row that a text names as seen from `row`: its parts, its parent's, its section's.
    pub(super) fn named(&self, row: usize, text: &str) -> Option<String> {
        let wanted = plain_stt(text);
        if wanted.is_empty() {
            return None;
        }
        let own = self.rows.get(row)?;
        let mut base = Some(own);
        while let Some(above) = base {
            if let Some(found) = self
                .by_code
                .get(format!("{}.{wanted}", above.code).as_str())
            {
                return self.code(*found);
            }
            base = above.parent.and_then(|parent| self.rows.get(parent));
        }
        let found = self
            .by_stt
            .get(&wanted)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let here: Vec<usize> = found
            .iter()
            .copied()
            .filter(|other| {
                self.rows
                    .get(*other)
                    .is_some_and(|other| other.section == own.section)
            })
            .collect();
        match (here.as_slice(), found) {
            ([one], _) | ([], [one]) => self.code(*one),
            _ => self
                .by_code
                .get(wanted.as_str())
                .and_then(|found| self.code(*found)),
        }
    }

    /// Codes of rows with amounts on lines of a sheet, both from 0 and included.
    pub(super) fn codes_between(&self, sheet: usize, first: u32, last: u32) -> Vec<String> {
        let within = |(_, row): &(usize, &OutlineRow)| {
            row.row.sheet == sheet && (first..=last).contains(&row.row.line)
        };
        let rows = self.rows.iter().enumerate().filter(within);
        let amounts = rows.filter(|(index, _)| self.kind(*index).is_some_and(Kind::is_numeric));
        amounts.map(|(_, row)| row.code.clone()).collect()
    }

    /// True if anything stands on these lines of a sheet.
    pub(super) fn has_line(&self, sheet: &Sheet, first: u32, last: u32) -> bool {
        sheet.holds_between(first, last)
    }

    pub(super) fn missing(&self, place: &Place, row: usize, reference: &str) -> PrintedError {
        PrintedError::MissingReference {
            place: place.clone(),
            code: self.code(row).unwrap_or_default(),
            reference: reference.to_owned(),
        }
    }
}

/// An ordinal without brackets and trailing marks.
fn plain_stt(text: &str) -> String {
    let text = text.split('=').next().unwrap_or_default().trim();
    text.trim_start_matches(['(', '['])
        .trim_end_matches(['.', ')', ']', '/', ':', ' '])
        .to_owned()
}
