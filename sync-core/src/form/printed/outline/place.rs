//! Where a row stands among the others: what it is a part of, and its code.

use super::super::ordinal::{Ordinal, Piece, Scheme};
use super::super::rows::Row;
use super::super::{Confidence, PrintedError, Reason, Topic};
use super::{Above, Builder, Level, OutlineRow, is_bare, is_grand_total};
use crate::limits;

impl Builder<'_> {
    pub(super) fn place(&mut self, row: Row) -> Result<(), PrintedError> {
        if self.outline.sections.is_empty() {
            self.open_by_title(&row);
        }
        let mut row = row;
        let mut reasons = Vec::new();
        self.restore_stored_number(&mut row, &mut reasons);
        let index = self.outline.rows.len();
        if index >= limits::TEMPLATE_ROWS_MAX {
            let sheet = self
                .sheets
                .get(row.sheet)
                .map(|sheet| sheet.place(row.line, row.places.label));
            return Err(sheet.map_or(PrintedError::NoSheets, PrintedError::TooManyRows));
        }
        let section = self.outline.sections.len().saturating_sub(1);
        let (parent, of_which) = self.parent_of(&row, index, &mut reasons);
        let code = self.code_of(&row, parent, section, &mut reasons)?;
        if let Some(first) = self.codes.insert(code.clone(), index) {
            return Err(self.repeated(&row, code, first));
        }
        self.outline.rows.push(OutlineRow {
            row,
            section,
            code,
            parent,
            of_which,
            reasons,
        });
        Ok(())
    }

    fn repeated(&self, row: &Row, code: String, first: usize) -> PrintedError {
        let place = |row: &Row| {
            let sheet = self.sheets.get(row.sheet);
            sheet.map(|sheet| sheet.place(row.line, row.places.ordinal))
        };
        let first = self
            .outline
            .rows
            .get(first)
            .and_then(|first| place(&first.row));
        match (place(row), first) {
            (Some(place), Some(first)) => PrintedError::RepeatedCode { place, code, first },
            (Some(place), None) => PrintedError::RepeatedCode {
                first: place.clone(),
                place,
                code,
            },
            (None, _) => PrintedError::NoSheets,
        }
    }

    /// `1.10` that was stored as the number 1.1: what comes before it tells.
    fn restore_stored_number(&self, row: &mut Row, reasons: &mut Vec<Reason>) {
        let Ordinal::Path(pieces) = &mut row.ordinal else {
            return;
        };
        if !row.stored_number || pieces.len() != 2 {
            return;
        }
        let before = self.above.iter().rev().find_map(|above| match above.level {
            Level::Pieces(Scheme::Number, 2) => above.last.as_ref(),
            Level::Pieces(..) | Level::Bullet(_) | Level::Plain(_) => None,
        });
        let (Some(last), Some(piece)) = (before, pieces.last_mut()) else {
            return;
        };
        if last.rank > piece.rank && last.rank + 1 == piece.rank * 10 {
            piece.rank *= 10;
            piece.text.push('0');
            row.stt.push('0');
            reasons.push(
                Reason::new(Topic::Code, "ordinal-restored", Confidence::Medium)
                    .with("stt", &row.stt),
            );
        }
    }

    /// The row this one is a part of, and whether it follows "Trong đó".
    fn parent_of(
        &mut self,
        row: &Row,
        index: usize,
        reasons: &mut Vec<Reason>,
    ) -> (Option<usize>, bool) {
        if row.after_of_which || row.ordinal == Ordinal::OfWhich {
            self.of_which = true;
        }
        let (level, last, parent) = match &row.ordinal {
            Ordinal::Path(pieces) => return self.under_path(pieces, index, row, reasons),
            Ordinal::Bullet(bullet) => {
                let level = Level::Bullet(*bullet);
                self.leave_for(level);
                (level, None, self.above.last().map(|above| above.row))
            }
            Ordinal::OfWhich | Ordinal::Blank | Ordinal::Other => {
                if is_grand_total(&row.label) {
                    self.above.clear();
                    self.of_which = false;
                    return (None, false);
                }
                self.leave_plain(row);
                (
                    Level::Plain(row.indent),
                    None,
                    self.above.last().map(|above| above.row),
                )
            }
        };
        let of_which = self.of_which;
        let code = match parent {
            None => "parent-none",
            Some(_) if of_which => "parent-of-which",
            Some(_) => "parent-unnumbered",
        };
        let confidence = if parent.is_none() || of_which {
            Confidence::High
        } else {
            Confidence::Medium
        };
        reasons.push(Reason::new(Topic::Parent, code, confidence));
        self.above.push(Above {
            level,
            last,
            row: index,
        });
        (parent, of_which)
    }

    /// Rows without an ordinal: parts of the last row with one, or of a bare one among themselves.
    fn leave_plain(&mut self, row: &Row) {
        while let Some(above) = self.above.last() {
            let Level::Plain(indent) = above.level else {
                break;
            };
            let group = self.outline.rows.get(above.row).is_some_and(|above| {
                above.row.ordinal == Ordinal::Blank
                    && is_bare(&above.row)
                    && above.row.places.has_units
            });
            let of_blank = self
                .outline
                .rows
                .get(above.row)
                .is_some_and(|above| above.row.ordinal == Ordinal::Blank);
            let deeper = row.indent > indent && of_blank;
            if deeper || (group && !is_bare(row) && row.indent >= indent) {
                return;
            }
            self.above.pop();
        }
    }

    /// Leaves everything that is at this level or further in.
    fn leave_for(&mut self, level: Level) {
        if let Some(at) = self.above.iter().position(|above| above.level == level) {
            self.above.truncate(at);
            return;
        }
        while self
            .above
            .last()
            .is_some_and(|above| above.level.rank() > level.rank())
        {
            self.above.pop();
        }
    }

    fn under_path(
        &mut self,
        pieces: &[Piece],
        index: usize,
        row: &Row,
        reasons: &mut Vec<Reason>,
    ) -> (Option<usize>, bool) {
        let Some((last, before)) = pieces.split_last() else {
            return (None, false);
        };
        let scheme = pieces.first().map_or(Scheme::Number, |first| first.scheme);
        let level = Level::Pieces(scheme, pieces.len());
        let parts_of_lettered = scheme == Scheme::LowerLetter
            || scheme == Scheme::LowerRoman
            || scheme == Scheme::BracketNumber;
        if !parts_of_lettered {
            self.of_which = row.after_of_which;
        }
        let mut code = "parent-by-ordinal";
        let mut confidence = Confidence::High;
        let parent = if before.is_empty() {
            self.leave_for(level);
            code = "parent-by-scheme";
            confidence = if self.above.is_empty() {
                Confidence::High
            } else {
                Confidence::Medium
            };
            self.above.last().map(|above| above.row)
        } else {
            // The longest beginning of `2.2.1` that has a row.
            let mut found = None;
            for length in (1..pieces.len()).rev() {
                let wanted = pieces.get(..length).unwrap_or_default();
                let at = self
                    .above
                    .iter()
                    .rposition(|above| self.is_path(above.row, wanted));
                if let Some(at) = at {
                    found = Some((at, length));
                    break;
                }
            }
            match found {
                Some((at, length)) => {
                    self.above.truncate(at + 1);
                    if length + 1 < pieces.len() {
                        code = "parent-by-shorter-ordinal";
                        confidence = Confidence::Medium;
                    }
                    self.above.last().map(|above| above.row)
                }
                None => {
                    let outer = |above: &Above| match above.level {
                        Level::Pieces(other, _) => other == scheme,
                        Level::Bullet(_) | Level::Plain(_) => true,
                    };
                    if let Some(at) = self.above.iter().position(outer) {
                        self.above.truncate(at);
                    }
                    self.above.last().map(|above| above.row)
                }
            }
        };
        if parent.is_none() {
            code = "parent-none";
        }
        reasons.push(Reason::new(Topic::Parent, code, confidence));
        self.above.push(Above {
            level,
            last: Some(last.clone()),
            row: index,
        });
        (parent, self.of_which)
    }

    fn is_path(&self, row: usize, wanted: &[Piece]) -> bool {
        self.outline
            .rows
            .get(row)
            .is_some_and(|row| match &row.row.ordinal {
                Ordinal::Path(pieces) => {
                    pieces.len() == wanted.len()
                        && pieces
                            .iter()
                            .zip(wanted)
                            .all(|(a, b)| a.rank == b.rank && a.scheme == b.scheme)
                }
                Ordinal::Blank | Ordinal::Bullet(_) | Ordinal::OfWhich | Ordinal::Other => false,
            })
    }

    /// The code of a row: printed for it, made of its ordinal, or the next letter under its parent.
    fn code_of(
        &mut self,
        row: &Row,
        parent: Option<usize>,
        section: usize,
        reasons: &mut Vec<Reason>,
    ) -> Result<String, PrintedError> {
        let prefix = self
            .outline
            .sections
            .get(section)
            .and_then(|section| section.prefix.clone());
        let under_prefix = |code: &str| match &prefix {
            Some(prefix) if code != prefix && !code.starts_with(&format!("{prefix}.")) => {
                format!("{prefix}.{code}")
            }
            Some(_) | None => code.to_owned(),
        };
        if let Some(code) = &row.code {
            let given = if self.codes.contains_key(code) {
                under_prefix(code)
            } else {
                code.clone()
            };
            reasons.push(Reason::new(Topic::Code, "code-printed", Confidence::High));
            return Ok(given);
        }
        let parent_row = parent.and_then(|parent| self.outline.rows.get(parent));
        if let Ordinal::Path(pieces) = &row.ordinal {
            let local: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
            let local = local.join(".");
            reasons.push(Reason::new(
                Topic::Code,
                "code-by-ordinal",
                Confidence::High,
            ));
            // The row that the ordinal is counted under: none for `2.1` under `2`, `1.2` for `a)`.
            let scheme = pieces.first().map(|piece| piece.scheme);
            let mut base = parent_row;
            while let Some(above) = base {
                let same = matches!(&above.row.ordinal, Ordinal::Path(of) if of.first().map(|piece| piece.scheme) == scheme);
                if !same {
                    break;
                }
                base = above
                    .parent
                    .and_then(|parent| self.outline.rows.get(parent));
            }
            return Ok(match base {
                Some(base) => format!("{}.{local}", base.code),
                None => under_prefix(&local),
            });
        }
        reasons.push(Reason::new(
            Topic::Code,
            "code-lettered",
            Confidence::Medium,
        ));
        let base = parent_row.map(|parent| parent.code.clone()).or(prefix);
        loop {
            let next = self.letters.entry(parent).or_insert(0);
            *next += 1;
            let letters = lettered(*next);
            let code = base
                .as_ref()
                .map_or(letters.clone(), |base| format!("{base}.{letters}"));
            if !self.codes.contains_key(&code) {
                return Ok(code);
            }
        }
    }
}

/// `a` to `z`, then `aa`.
fn lettered(number: u32) -> String {
    let mut letters = Vec::new();
    let mut left = number;
    while left > 0 {
        let digit = u8::try_from((left - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'a' + digit));
        left = (left - 1) / 26;
    }
    letters.iter().rev().collect()
}
