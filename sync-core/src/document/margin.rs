//! What stands beside a cell in the map of notes: the note, where the figure comes from, the reasons that answer
//! findings, and the comments. The keys are flat; a unit separator, which no code holds, sets their pieces apart.

use std::collections::BTreeMap;

use crate::cell::{CellValue, Rival};
use crate::gate::Value;
use crate::identity::{ChangeHash, KeyId};

use super::Document;
use super::comment::{Comment, PlacedComment, Thread};
use super::root::Table;
use super::standing::{rivals, standing_at};
use super::value::is_carried;

const SEPARATOR: char = '\u{1f}';
const SOURCE: &str = "source";
const REASON: &str = "reason";
const COMMENT: &str = "comment";

/// Begins the code under which comments at a part of the report's words stand; no row's code begins with it.
pub const WORDS_MARK: char = '§';

/// The code under which comments at a part of the report's words stand.
pub fn words_code(part: &str) -> String {
    format!("{WORDS_MARK}{part}")
}

/// What a key of the notes is for, at the cell of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarginKey<'a> {
    /// The note.
    Note,
    /// Where the figure comes from.
    Source,
    /// Why it stands though a rule of this code speaks against it.
    Reason(&'a str),
    /// A comment of a key by its number.
    Comment(KeyId, u64),
}

impl<'a> MarginKey<'a> {
    /// The code and what stands there; none for a key that nothing has. Codes are looked at by the gate.
    pub fn of(key: &'a str) -> Option<(&'a str, MarginKey<'a>)> {
        let mut pieces = key.split(SEPARATOR);
        let code = pieces.next()?;
        let beside = match (pieces.next(), pieces.next(), pieces.next()) {
            (None, ..) => Self::Note,
            (Some(SOURCE), None, _) => Self::Source,
            (Some(REASON), Some(rule), None) if is_rule(rule) => Self::Reason(rule),
            (Some(COMMENT), Some(at), None) => {
                let (key, number) = crate::gate::sign_off_key(at)?;
                Self::Comment(key, number)
            }
            _ => return None,
        };
        Some((code, beside))
    }

    /// The key of this at the cell of a code.
    pub fn key(&self, code: &str) -> String {
        match self {
            Self::Note => code.to_owned(),
            Self::Source => format!("{code}{SEPARATOR}{SOURCE}"),
            Self::Reason(rule) => format!("{code}{SEPARATOR}{REASON}{SEPARATOR}{rule}"),
            Self::Comment(key, number) => {
                format!("{code}{SEPARATOR}{COMMENT}{SEPARATOR}{key}/{number}")
            }
        }
    }
}

/// Bytes of the longest code of a rule.
const RULE_BYTES_MAX: usize = 48;

/// True for what the code of a rule can be.
fn is_rule(rule: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    (1..=RULE_BYTES_MAX).contains(&rule.len()) && rule.bytes().all(letter)
}

/// Everything beside a cell. Rivals as for cells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Margin {
    /// The note.
    pub notes: Vec<Rival>,
    /// Where the figure comes from.
    pub source: Vec<Rival>,
    /// By the code of the rule that each answers.
    pub reasons: BTreeMap<String, Vec<Rival>>,
    /// The comments.
    pub thread: Thread,
}

impl Document {
    /// What stands beside each cell that has anything there, by code.
    pub fn margins(&self) -> BTreeMap<String, Margin> {
        let clock = self.history.clock_at(&self.heads());
        let mut margins: BTreeMap<String, Margin> = BTreeMap::new();
        for (key, puts) in self.puts.keys(Table::Notes) {
            let Some((code, beside)) = MarginKey::of(key) else {
                continue;
            };
            let margin = margins.entry(code.to_owned()).or_default();
            let standing = || {
                let standing = standing_at(puts, &clock).into_iter();
                rivals(standing.map(|put| put.rival(super::read(Table::Notes, &put.value))))
            };
            match beside {
                MarginKey::Note => margin.notes = standing(),
                MarginKey::Source => margin.source = standing(),
                MarginKey::Reason(rule) => {
                    margin.reasons.insert(rule.to_owned(), standing());
                }
                MarginKey::Comment(key, number) => {
                    let comments = puts.iter().filter_map(|put| match &put.value {
                        Value::Bytes(bytes) => Some(PlacedComment {
                            key,
                            number,
                            comment: Comment::decode(bytes).ok()?,
                            actor: put.id.actor,
                            claimed_at: put.typed_at,
                            change: put.change,
                        }),
                        Value::Null | Value::False | Value::Int(_) | Value::Text(_) => None,
                    });
                    margin.thread.comments.extend(comments);
                }
            }
        }
        for margin in margins.values_mut() {
            // Keys come by their names: a thread is read as it was written.
            let order = |one: &PlacedComment| self.written_at(one.change);
            margin
                .thread
                .comments
                .sort_by_key(|one| (order(one), one.key, one.number, one.change));
        }
        margins
    }

    /// The number of a change's last operation: larger than of all that it had seen.
    fn written_at(&self, change: ChangeHash) -> u64 {
        self.history
            .get(&change)
            .map_or(0, |known| known.content.last_op())
    }

    /// The comments at a cell.
    pub fn thread(&self, code: &str) -> Thread {
        let mut margins = self.margins();
        margins.remove(code).unwrap_or_default().thread
    }

    /// The cells in which what was carried forward stands and nobody has confirmed it: a value that somebody typed as
    /// well is theirs.
    pub fn carried(&self) -> Vec<&str> {
        let clock = self.history.clock_at(&self.heads());
        let cells = self.puts.keys(Table::Cells);
        let carried = cells.filter(|(_, puts)| {
            let standing = standing_at(puts, &clock);
            !standing.is_empty() && standing.iter().all(|put| is_carried(&put.value))
        });
        carried.map(|(code, _)| code).collect()
    }

    /// Numbers of a key's comments at a cell.
    pub(super) fn comment_numbers(&self, code: &str, of: KeyId) -> impl Iterator<Item = u64> {
        comment_numbers(self.puts.keys(Table::Notes).map(|(at, _)| at), code, of)
    }
}

/// Numbers of a key's comments at a cell among keys of the notes.
pub(super) fn comment_numbers<'a>(
    keys: impl Iterator<Item = &'a str>,
    code: &str,
    of: KeyId,
) -> impl Iterator<Item = u64> {
    keys.filter_map(move |at| match MarginKey::of(at)? {
        (at, MarginKey::Comment(key, number)) if at == code && key == of => Some(number),
        _ => None,
    })
}

/// True if a key of the notes counts when a document is asked what changed since it was signed: what people say to each
/// other about a cell does not.
pub(super) fn is_content(key: &str) -> bool {
    !matches!(MarginKey::of(key), Some((_, MarginKey::Comment(..))))
}

/// What the value of an emptied note reads as.
pub fn words(rivals: &[Rival]) -> Option<&str> {
    rivals.iter().find_map(|rival| match &rival.value {
        CellValue::Text(text) if !text.trim().is_empty() => Some(text.as_str()),
        CellValue::Text(_) | CellValue::Empty | CellValue::NoOccurrence | CellValue::Number(_) => {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_one_key() {
        let key = KeyId([7; 16]);
        let places = [
            MarginKey::Note,
            MarginKey::Source,
            MarginKey::Reason("formula_differs"),
            MarginKey::Comment(key, 12),
        ];
        for place in places {
            assert_eq!(MarginKey::of(&place.key("III.1")), Some(("III.1", place)));
        }
    }

    #[test]
    fn other_keys_are_no_place() {
        let hex = "07".repeat(16);
        for key in [
            "1\u{1f}".to_owned(),
            "1\u{1f}other".to_owned(),
            "1\u{1f}source\u{1f}".to_owned(),
            "1\u{1f}reason".to_owned(),
            "1\u{1f}reason\u{1f}".to_owned(),
            "1\u{1f}reason\u{1f}Formula".to_owned(),
            format!("1\u{1f}reason\u{1f}{}", "a".repeat(RULE_BYTES_MAX + 1)),
            "1\u{1f}reason\u{1f}a\u{1f}b".to_owned(),
            format!("1\u{1f}comment\u{1f}{hex}"),
            format!("1\u{1f}comment\u{1f}{hex}/0"),
            format!("1\u{1f}comment\u{1f}{hex}/01"),
            format!("1\u{1f}comment\u{1f}{hex}/1\u{1f}"),
        ] {
            assert_eq!(MarginKey::of(&key), None, "{key:?}");
        }
    }
}
