//! Figures quoted in words: a figure, and behind it the code of its row in brackets.
//!
//! `Tỉnh có 1.893 [2.1] thủ tục, đạt 99,65 % [3.2].` Whoever types it needs no more than the keyboard, it merges
//! like every other word, and it says in the text itself where the figure is from. A quote is live: it is held
//! against its cell whenever either changes, a difference is a finding of that cell, and [`renewals`] says what
//! to write instead. Nothing is rewritten by itself: the words are their author's.
//!
//! Brackets count as a quote if the form has a row of that code, or if a figure stands before them; all other
//! brackets are words. A figure may be rounded as its author likes.

use super::Standing;
use crate::cell::Rival;
use crate::document::Replacement;
use crate::form::{Kind, Template};
use crate::limits;
use crate::number::{self, Number, Range, Reading};
use crate::roll_up::RowCell;
use std::collections::BTreeMap;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Words, as they were written.
    Words(&'a str),
    /// A quote.
    Quote(Quote<'a>),
}

/// A figure that was quoted. Its three texts, with the brackets around the code, are what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote<'a> {
    /// The figure as written; empty where none was written yet.
    pub figure: &'a str,
    /// What stands between figure and bracket: a percent sign, spaces.
    pub between: &'a str,
    /// The code in the brackets.
    pub code: &'a str,
    /// How it stands to its cell.
    pub agreement: Agreement,
    /// What the row comes to now, if it comes to anything.
    pub now: Option<Range>,
}

/// How a quote stands to its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// It is what stands there, as far as it is rounded.
    Same,
    /// It is another figure than the one that stands there.
    Differs,
    /// No figure was written yet.
    Unwritten,
    /// What was written is no clear number.
    Unclear,
    /// Nothing stands in the cell.
    Nothing,
    /// Different values stand in the cell.
    Contested,
    /// The row holds words or choices.
    NoAmount,
    /// The form has no such row.
    NoRow,
}

impl Agreement {
    /// True if the figure that stands in the cell can be written in its place.
    pub fn is_old(self) -> bool {
        match self {
            Self::Differs | Self::Unwritten | Self::Unclear => true,
            Self::Same | Self::Nothing | Self::Contested | Self::NoAmount | Self::NoRow => false,
        }
    }

    /// The machine code; the words are `quote-` and this.
    pub fn code(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs => "differs",
            Self::Unwritten => "unwritten",
            Self::Unclear => "unclear",
            Self::Nothing => "nothing",
            Self::Contested => "contested",
            Self::NoAmount => "no-amount",
            Self::NoRow => "no-row",
        }
    }
}

/// A quote that says something else than its cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Other {
    pub(super) row: usize,
    pub(super) part: String,
    pub(super) written: Number,
    pub(super) now: Range,
}

/// The pieces of a text, in order: together they are the text.
pub fn pieces<'a>(
    template: &Template,
    cells: &BTreeMap<String, Vec<Rival>>,
    text: &'a str,
) -> Vec<Piece<'a>> {
    if !text.contains('[') {
        return words(text).into_iter().collect();
    }
    pieces_of(&Standing::new(template, cells), text)
}

/// What is to be replaced in a text so that the figure of every quote is as it stands now, the last one first: one
/// after the other they hit nothing but figures. Quotes of cells that come to no single amount stay as they are.
pub fn renewals(
    template: &Template,
    cells: &BTreeMap<String, Vec<Rival>>,
    text: &str,
) -> Vec<Replacement> {
    let mut renewals = Vec::new();
    let mut position = 0;
    let mut before = None;
    for piece in pieces(template, cells, text) {
        match piece {
            Piece::Words(words) => {
                position += words.chars().count();
                before = words.chars().next_back();
            }
            Piece::Quote(quote) => {
                let figure = quote.figure.chars().count();
                if let Some(insert) = renewal(template, &quote, before) {
                    renewals.push(Replacement {
                        position,
                        delete: figure,
                        insert,
                    });
                }
                let rest = quote.between.chars().count() + quote.code.chars().count();
                position += figure + rest + "[]".len();
                before = Some(']');
            }
        }
    }
    renewals.reverse();
    renewals
}

/// What is written in place of the figure of a quote, if another one stands in its cell.
fn renewal(template: &Template, quote: &Quote<'_>, before: Option<char>) -> Option<String> {
    if !quote.agreement.is_old() {
        return None;
    }
    let now = quote.now?.single()?;
    let figure = now.rounded(limits::PLACES_QUOTED).to_vietnamese();
    if !quote.figure.is_empty() {
        return Some(figure);
    }
    // Behind a mark or a word it would be another figure.
    let stands_free = |one: char| one.is_whitespace() || "([“‘\"'".contains(one);
    let ahead = if before.is_none_or(stands_free) {
        ""
    } else {
        " "
    };
    let percent = template
        .row(quote.code)
        .is_some_and(|row| row.kind == Kind::Percent);
    let behind = if percent { " % " } else { " " };
    Some(format!("{ahead}{figure}{behind}"))
}

/// Every quote of these texts, by part, that says something else than its cell: each once.
pub(super) fn others(standing: &Standing<'_>, narrative: &BTreeMap<String, String>) -> Vec<Other> {
    let mut others: Vec<Other> = Vec::new();
    for (part, text) in narrative.iter().filter(|(_, text)| text.contains('[')) {
        for piece in pieces_of(standing, text) {
            let Piece::Quote(quote) = piece else {
                continue;
            };
            let row = standing.template.row_index(quote.code);
            if quote.agreement == Agreement::Differs
                && let (Some(row), Some(written), Some(now)) =
                    (row, figure_of(quote.figure), quote.now)
            {
                let other = Other {
                    row,
                    part: part.clone(),
                    written,
                    now,
                };
                if !others.contains(&other) {
                    others.push(other);
                }
            }
        }
    }
    others
}

fn pieces_of<'a>(standing: &Standing<'_>, text: &'a str) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(open) = rest.get(from..).and_then(|rest| rest.find('[')) {
        let open = from + open;
        from = open + 1;
        let Some((code, _)) = rest.get(from..).and_then(|rest| rest.split_once(']')) else {
            break;
        };
        let before = rest.get(..open).unwrap_or_default();
        let Some(quote) = quote(standing, before, code) else {
            continue;
        };
        let length = quote.figure.len() + quote.between.len();
        let words_end = open - length;
        pieces.extend(rest.get(..words_end).and_then(words));
        rest = rest.get(open + code.len() + 2..).unwrap_or_default();
        from = 0;
        pieces.push(Piece::Quote(quote));
    }
    pieces.extend(words(rest));
    pieces
}

fn words(text: &str) -> Option<Piece<'_>> {
    (!text.is_empty()).then_some(Piece::Words(text))
}

/// The quote of a code in brackets behind a text, if it is one.
fn quote<'a>(standing: &Standing<'_>, before: &'a str, code: &'a str) -> Option<Quote<'a>> {
    let is_code = !code.is_empty()
        && code.len() <= limits::CODE_BYTES_MAX
        && !code.contains(|one: char| one.is_control() || one == '[');
    let (figure, between) = figure_before(before);
    let row = standing.template.row_index(code).filter(|_| is_code);
    if !is_code || (row.is_none() && figure.is_empty()) {
        return None;
    }
    let now = row.and_then(|row| standing.amounts.get(row)?.as_ref().ok().copied());
    Some(Quote {
        figure,
        between,
        code,
        agreement: agreement(standing, row, figure, now),
        now,
    })
}

fn agreement(
    standing: &Standing<'_>,
    row: Option<usize>,
    figure: &str,
    now: Option<Range>,
) -> Agreement {
    let Some(row) = row else {
        return Agreement::NoRow;
    };
    let kind = standing.template.rows().get(row).map(|row| row.kind);
    if !kind.is_some_and(Kind::is_numeric) {
        return Agreement::NoAmount;
    }
    if matches!(standing.typed.get(row), Some(RowCell::Conflict(_))) {
        return Agreement::Contested;
    }
    match (now, figure_of(figure)) {
        (None, _) => Agreement::Nothing,
        (Some(_), None) if figure.is_empty() => Agreement::Unwritten,
        (Some(_), None) => Agreement::Unclear,
        (Some(now), Some(written)) if now.may_round_to(written) => Agreement::Same,
        (Some(_), Some(_)) => Agreement::Differs,
    }
}

/// What a figure says, if it is clear.
fn figure_of(figure: &str) -> Option<Number> {
    match number::read(figure) {
        Reading::Clear(typed) => Some(typed.number),
        Reading::Unsure { .. } | Reading::Refused(_) => None,
    }
}

/// The figure at the end of a text, and the percent sign and spaces behind it; without a figure nothing.
fn figure_before(text: &str) -> (&str, &str) {
    let space = |one: char| matches!(one, ' ' | '\u{a0}' | '\u{202f}');
    let percent = text.trim_end_matches(space);
    let number = percent
        .strip_suffix('%')
        .unwrap_or(percent)
        .trim_end_matches(space);
    let mark = |one: char| one.is_ascii_digit() || one == '.' || one == ',';
    let start = number.trim_end_matches(mark).len();
    // A full stop or a comma before it ends the sentence before.
    let figure = number.get(start..).unwrap_or_default();
    let figure = figure.trim_start_matches(|one: char| !one.is_ascii_digit());
    if !figure.ends_with(|one: char| one.is_ascii_digit()) {
        return ("", "");
    }
    let mut start = number.len() - figure.len();
    // A minus, unless it joins two figures or words.
    let ahead = number.get(..start).unwrap_or_default();
    if let Some(ahead) = ahead.strip_suffix(['-', '−'])
        && !ahead.ends_with(|one: char| one.is_alphanumeric())
    {
        start = ahead.len();
    }
    let figure = number.get(start..).unwrap_or_default();
    (figure, text.get(number.len()..).unwrap_or_default())
}

#[cfg(test)]
mod tests;
