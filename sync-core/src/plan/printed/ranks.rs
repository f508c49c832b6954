//! Where a row stands among the others by its ordinal: sections, rows above, lists.

use crate::form::printed::ordinal::{self, Ordinal, Piece, Scheme};
use crate::form::printed::wording::folded;

/// How far in a row stands; smaller ones hold larger ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Letter,
    Roman,
    Heading,
    Number,
    BracketNumber,
    LowerLetter,
    LowerRoman,
    Bullet,
}

/// An ordinal as a plan uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) rank: Rank,
    /// `3.1.1` in its pieces; nothing for bullets and blanks.
    pub(super) path: Vec<String>,
    pub(super) piece: Option<Piece>,
}

/// Reads the ordinal of a row. `before` is the last letter or numeral of a section.
pub(super) fn standing(stt: &str, before: Option<&Piece>) -> Option<Standing> {
    let stripped = strip_words(stt);
    match ordinal::read(stripped) {
        Ordinal::Path(pieces) => {
            let mut pieces = pieces;
            if let [only] = pieces.as_mut_slice() {
                *only = ordinal::settle(only, before);
            }
            let first = pieces.first()?;
            let rank = match first.scheme {
                Scheme::UpperLetter => Rank::Letter,
                Scheme::UpperRoman => Rank::Roman,
                Scheme::Number => Rank::Number,
                Scheme::BracketNumber => Rank::BracketNumber,
                Scheme::LowerLetter => Rank::LowerLetter,
                Scheme::LowerRoman => Rank::LowerRoman,
            };
            // "I.1" is a row of numbers inside a section.
            let rank = if pieces.len() > 1 {
                rank.max(Rank::Number)
            } else {
                rank
            };
            Some(Standing {
                rank,
                path: pieces.iter().map(|piece| piece.text.clone()).collect(),
                piece: pieces.first().cloned(),
            })
        }
        Ordinal::Bullet(_) => Some(Standing {
            rank: Rank::Bullet,
            path: Vec::new(),
            piece: None,
        }),
        Ordinal::Blank | Ordinal::OfWhich | Ordinal::Other => None,
    }
}

/// `Phần I`, `Mục 2`: the ordinal behind the word.
fn strip_words(stt: &str) -> &str {
    let text = stt.trim();
    match text.split_once(char::is_whitespace) {
        Some((word, rest))
            if ["phan", "muc", "chuong", "nhom"].contains(&folded(word).as_str()) =>
        {
            rest.trim()
        }
        _ => text,
    }
}

/// True if the ordinal opens sections: a capital letter, a numeral.
pub(super) fn opens_section(standing: &Standing) -> bool {
    standing.path.len() == 1 && matches!(standing.rank, Rank::Letter | Rank::Roman)
}

/// An ordinal in front of a title in the same cell, and the title.
pub(super) fn split(text: &str, whole_line: bool) -> Option<(String, String)> {
    let words = text.trim();
    if let Some((word, rest)) = words.split_once(char::is_whitespace)
        && ["phan", "muc", "linh"].contains(&folded(word).as_str())
    {
        let rest = rest.trim();
        let rest = rest.strip_prefix("vực").map_or(rest, str::trim);
        if let Some((stt, title)) = rest
            .split_once([':', '.', '-'])
            .filter(|(stt, _)| stt.len() <= 4)
            && standing(stt, None).is_some()
        {
            return Some((stt.trim().to_owned(), title.trim().to_owned()));
        }
    }
    ordinal::before_label(words, whole_line)
}

/// Mostly capitals: how sections are set.
pub(super) fn is_capitals(text: &str) -> bool {
    let letters: Vec<char> = text.chars().filter(|one| one.is_alphabetic()).collect();
    let upper = letters.iter().filter(|one| one.is_uppercase()).count();
    letters.len() > 4 && upper * 10 >= letters.len() * 9
}
