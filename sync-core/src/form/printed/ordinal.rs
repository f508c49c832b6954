//! Ordinals as forms print them: `2.2.1`, `1.4.2.`, `IV`, `a)`, `-`, `Trong đó`.

use super::wording::{begins_any, folded};

/// The letters of Vietnamese lists, in their order; `f`, `j`, `w`, `z` come up in some hands.
const LETTERS: &str = "abcdđefghijklmnopqrstuvwxyz";

/// What one piece of an ordinal counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scheme {
    /// `A`, `B`.
    UpperLetter,
    /// `I`, `II`.
    UpperRoman,
    /// `1`, `2`.
    Number,
    /// `1)`, `(1)`.
    BracketNumber,
    /// `a`, `b`.
    LowerLetter,
    /// `i`, `ii`.
    LowerRoman,
}

/// One piece: how it was written, and which in its row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Piece {
    pub(crate) scheme: Scheme,
    /// From 1; 0 for `0`.
    pub(crate) rank: u32,
    /// As a code has it: `2`, `IV`, `a`.
    pub(crate) text: String,
}

/// What stands in the ordinal column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ordinal {
    /// Nothing.
    Blank,
    /// `2.2.1`: one piece or more.
    Path(Vec<Piece>),
    /// `-`, `+`, `*`.
    Bullet(char),
    /// `Trong đó`, `Chia ra`.
    OfWhich,
    /// Something else.
    Other,
}

/// Words that begin a list of parts.
pub(crate) const OF_WHICH: [&str; 9] = [
    "trong do",
    "chia ra",
    "bao gom",
    "gom",
    "gom co",
    "cu the",
    "trong so do",
    "chia theo",
    "phan theo",
];

const BULLETS: [char; 14] = [
    '-', '–', '—', '+', '*', '•', '·', '●', '○', '▪', '■', '◦', '➢', '\u{2212}',
];

/// Reads what stands in the ordinal column.
pub(crate) fn read(text: &str) -> Ordinal {
    let text = text.trim();
    if text.is_empty() {
        return Ordinal::Blank;
    }
    let mut letters = text.chars();
    if let (Some(first), true) = (letters.next(), letters.all(|one| BULLETS.contains(&one)))
        && BULLETS.contains(&first)
    {
        return Ordinal::Bullet(plain_bullet(first));
    }
    if is_of_which(text) {
        return Ordinal::OfWhich;
    }
    path(text).map_or(Ordinal::Other, Ordinal::Path)
}

/// True for words that begin a list of parts and say nothing else.
pub(crate) fn is_of_which(text: &str) -> bool {
    let words = folded(text);
    OF_WHICH.contains(&words.as_str())
        || (begins_any(&words, &["chia theo", "phan theo", "chia ra"]) && words.len() <= 40)
}

fn plain_bullet(bullet: char) -> char {
    match bullet {
        '–' | '—' | '\u{2212}' => '-',
        '·' | '●' => '•',
        other => other,
    }
}

/// `I.1.2`, `2.2.1.`, `(1)`, `1/`, `2a`; nothing for other texts.
fn path(text: &str) -> Option<Vec<Piece>> {
    if text.len() > 24 {
        return None;
    }
    let bracketed = text.starts_with('(') || text.ends_with(')');
    let core = text
        .trim_start_matches('(')
        .trim_end_matches([')', '.', '/', ':', ' ']);
    // `1.1. -`: a path that goes on with spaces between its pieces.
    let spaceless: String = core
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    if spaceless.is_empty() || (spaceless.len() != core.len() && !core.contains('.')) {
        return None;
    }
    let mut pieces = Vec::new();
    for part in spaceless.split(['.', ',']) {
        pieces.extend(pieces_of(part)?);
    }
    if let ([only], true) = (pieces.as_mut_slice(), bracketed)
        && only.scheme == Scheme::Number
    {
        only.scheme = Scheme::BracketNumber;
    }
    (!pieces.is_empty() && pieces.len() <= 10).then_some(pieces)
}

/// One piece between dots; `2a` is two.
fn pieces_of(part: &str) -> Option<Vec<Piece>> {
    let digits = part.chars().take_while(char::is_ascii_digit).count();
    let (number, rest) = part.split_at(digits);
    let mut pieces = Vec::new();
    if !number.is_empty() {
        if number.len() > 4 {
            return None;
        }
        pieces.push(Piece {
            scheme: Scheme::Number,
            rank: number.parse().ok()?,
            text: number.to_owned(),
        });
    }
    if !rest.is_empty() {
        pieces.push(lettered(rest, !pieces.is_empty())?);
    }
    (!pieces.is_empty()).then_some(pieces)
}

fn lettered(text: &str, after_number: bool) -> Option<Piece> {
    let upper = text.chars().all(char::is_uppercase);
    let lower = text.chars().all(char::is_lowercase);
    if !upper && !lower {
        return None;
    }
    if let Some(rank) = roman(text).filter(|_| !after_number) {
        return Some(Piece {
            scheme: if upper {
                Scheme::UpperRoman
            } else {
                Scheme::LowerRoman
            },
            rank,
            text: text.to_owned(),
        });
    }
    letter(text)
}

/// The same piece as a letter of the alphabet, if it is one letter.
pub(crate) fn letter(text: &str) -> Option<Piece> {
    let mut letters = text.chars();
    let (one, None) = (letters.next()?, letters.next()) else {
        return None;
    };
    let small = one.to_lowercase().next()?;
    let place = LETTERS.chars().position(|known| known == small)?;
    Some(Piece {
        scheme: if one.is_uppercase() {
            Scheme::UpperLetter
        } else {
            Scheme::LowerLetter
        },
        rank: u32::try_from(place).ok()? + 1,
        text: text.to_owned(),
    })
}

/// The value of a roman numeral up to 50, written as it should be.
fn roman(text: &str) -> Option<u32> {
    (1..=50).find(|value| roman_text(*value).eq_ignore_ascii_case(text))
}

/// A roman numeral for 1 to 50 and somewhat beyond.
pub(crate) fn roman_text(value: u32) -> String {
    let mut left = value;
    let mut text = String::new();
    for (worth, letters) in [
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ] {
        while left >= worth {
            text.push_str(letters);
            left -= worth;
        }
    }
    text
}

/// `before`, then this: `C`, `D`, `I`, `V`, `X` are numerals or letters by what they follow.
pub(crate) fn settle(piece: &Piece, before: Option<&Piece>) -> Piece {
    let as_letter = letter(&piece.text);
    let follows = |before: &Piece, now: &Piece| {
        before.scheme == now.scheme && now.rank > before.rank && now.rank <= before.rank + 2
    };
    match (piece.scheme, before, as_letter) {
        (Scheme::UpperRoman | Scheme::LowerRoman, Some(before), Some(letter))
            if follows(before, &letter) && !follows(before, piece) =>
        {
            letter
        }
        // C, D, L, M alone are far up the numerals: a list of letters is meant.
        (Scheme::UpperRoman | Scheme::LowerRoman, _, Some(letter)) if piece.rank >= 50 => letter,
        _ => piece.clone(),
    }
}

/// An ordinal that stands before a label in the same cell, as it is printed, and the rest:
/// `1.2. Số hộ` and `- Nữ`, but not `100 % xã` nor `3 cấp`.
pub(crate) fn before_label(text: &str, whole_line: bool) -> Option<(String, String)> {
    let text = text.trim_start();
    let first = text.chars().next()?;
    if BULLETS.contains(&first) {
        let rest = text.trim_start_matches(|one| BULLETS.contains(&one));
        let marks = text.len() - rest.len();
        let label = rest.trim_start();
        // `-5` is a number, `-nt-` a sign; words follow a bullet.
        let wordy = label.chars().next().is_some_and(char::is_alphabetic);
        return (wordy && marks <= 8).then(|| {
            (
                text.get(..marks).unwrap_or_default().to_owned(),
                label.to_owned(),
            )
        });
    }
    let (head, rest) = text.split_once(char::is_whitespace)?;
    let label = rest.trim_start();
    let Some(pieces) = path(head) else {
        return glued(text);
    };
    let marked = head.ends_with(['.', ')', '/', ':', '-']);
    let several = pieces.len() > 1 && head.contains('.');
    let numeral = whole_line
        && pieces.len() == 1
        && head.chars().all(char::is_uppercase)
        && label.chars().next().is_some_and(char::is_uppercase);
    let wordy = label.chars().any(char::is_alphabetic);
    (wordy && (marked || several || numeral)).then(|| (head.to_owned(), label.to_owned()))
}

/// `1.Số hộ`, `a)Số hộ`: no space after the mark.
fn glued(text: &str) -> Option<(String, String)> {
    let mark = text.find(['.', ')', '/'])?;
    let mut end = mark + 1;
    // As many pieces as there are: `1.2.Số`.
    while let Some(next) = text.get(end..).and_then(|rest| rest.find(['.', ')'])) {
        let piece = text.get(end..end + next)?;
        if piece.is_empty() || !piece.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        end += next + 1;
    }
    let (head, label) = text.split_at_checked(end)?;
    let wordy = label
        .chars()
        .next()
        .is_some_and(|one| one.is_alphabetic() && one.is_uppercase());
    (wordy && path(head).is_some()).then(|| (head.to_owned(), label.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let Ordinal::Path(pieces) = read(text) else {
            return Vec::new();
        };
        pieces.into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn ordinals_are_read_as_printed() {
        assert_eq!(texts("2.2.1."), ["2", "2", "1"]);
        assert_eq!(texts(" 1.4.2 "), ["1", "4", "2"]);
        assert_eq!(texts("IV."), ["IV"]);
        assert_eq!(texts("I.1.a"), ["I", "1", "a"]);
        assert_eq!(texts("2.1a"), ["2", "1", "a"]);
        assert_eq!(texts("(1)"), ["1"]);
        assert_eq!(texts("đ)"), ["đ"]);
        assert_eq!(read("-"), Ordinal::Bullet('-'));
        assert_eq!(read("–"), Ordinal::Bullet('-'));
        assert_eq!(read("Trong đó:"), Ordinal::OfWhich);
        assert_eq!(read(""), Ordinal::Blank);
        assert_eq!(read("Người lập biểu"), Ordinal::Other);
    }

    #[test]
    fn an_ordinal_before_a_label_is_told_from_a_number_in_it() {
        let split = |text: &str| before_label(text, false);
        assert_eq!(split("1.2. Số hộ"), Some(("1.2.".into(), "Số hộ".into())));
        assert_eq!(split("1.2 Số hộ"), Some(("1.2".into(), "Số hộ".into())));
        assert_eq!(split("a) Số hộ"), Some(("a)".into(), "Số hộ".into())));
        assert_eq!(split("- Nữ"), Some(("-".into(), "Nữ".into())));
        assert_eq!(split("1.Số hộ"), Some(("1.".into(), "Số hộ".into())));
        assert_eq!(split("100% xã đạt chuẩn"), None);
        assert_eq!(split("3 cấp chính quyền"), None);
        assert_eq!(split("6 tháng đầu năm"), None);
        assert_eq!(
            before_label("I CÔNG TÁC", true),
            Some(("I".into(), "CÔNG TÁC".into()))
        );
    }

    #[test]
    fn a_numeral_or_a_letter_by_what_it_follows() {
        let piece = |text: &str| {
            let Ordinal::Path(mut pieces) = read(text) else {
                panic!("{text}");
            };
            pieces.remove(0)
        };
        let h = piece("h)");
        assert_eq!(settle(&piece("i)"), Some(&h)).scheme, Scheme::LowerLetter);
        assert_eq!(settle(&piece("I"), None).scheme, Scheme::UpperRoman);
        assert_eq!(
            settle(&piece("II"), Some(&piece("I"))).scheme,
            Scheme::UpperRoman
        );
        let c = settle(&piece("C"), Some(&piece("B")));
        assert_eq!((c.scheme, c.rank), (Scheme::UpperLetter, 3));
    }
}
