//! Formulas that the form says itself: in a cell of the spreadsheet, a note, a label, an ordinal.

use super::expression::{self, Token};
use super::ordinal::Ordinal;
use super::sheet::{Place, Sheet};
use super::wording::{begins_any, folded};
use super::{Confidence, Draft, PrintedError, Reason, Topic};
use crate::form::formula::Formula;
use crate::number::Number;

/// A formula that was printed, with the reason that names where.
pub(super) struct Said {
    pub(super) formula: Formula,
    pub(super) reason: Reason,
    pub(super) place: Place,
}

/// The formula printed for a row, if any. What is clearly a formula and refers to nothing is an error.
pub(super) fn of(draft: &Draft<'_>, row: usize) -> Result<Option<Said>, PrintedError> {
    let Some(outline) = draft.rows.get(row) else {
        return Ok(None);
    };
    let Some(sheet) = draft.sheets.get(outline.row.sheet) else {
        return Ok(None);
    };
    let printed = &outline.row;
    if let (Some(cell), Some(column)) = (&printed.figure, printed.places.figure)
        && let Some(text) = &cell.formula
    {
        let place = sheet.place(printed.line, column);
        let found = in_cell(draft, sheet, row, column, text, &place)?;
        if let Some(formula) = found {
            let reason = Reason::new(Topic::Formula, "formula-in-cell", Confidence::High)
                .with("text", format!("={text}"));
            return Ok(Some(Said {
                formula,
                reason,
                place,
            }));
        }
    }
    let brackets = printed
        .label
        .rfind('(')
        .and_then(|at| printed.label.get(at + 1..));
    let brackets = brackets.map(|text| text.trim_end_matches([')', '.', ' ']).to_owned());
    let places = [
        (
            Some(printed.note.clone()),
            printed.places.note,
            "formula-in-note",
        ),
        (brackets, printed.places.label, "formula-in-label"),
        (
            Some(printed.stt.clone()),
            printed.places.ordinal,
            "formula-in-ordinal",
        ),
    ];
    for (text, column, code) in places {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            continue;
        };
        let place = sheet.place(printed.line, column);
        if let Some(formula) = in_words(draft, row, &text, code == "formula-in-label", &place)? {
            let reason = Reason::new(Topic::Formula, code, Confidence::High).with("text", text);
            return Ok(Some(Said {
                formula,
                reason,
                place,
            }));
        }
    }
    Ok(None)
}

/// `D6/D5*100`, `SUM(D6:D8)` over the column of figures.
fn in_cell(
    draft: &Draft<'_>,
    sheet: &Sheet,
    row: usize,
    column: u32,
    text: &str,
    place: &Place,
) -> Result<Option<Formula>, PrintedError> {
    if text.contains("#REF!") {
        return Err(draft.missing(place, row, "#REF!"));
    }
    let Some(index) = draft.rows.get(row).map(|row| row.row.sheet) else {
        return Ok(None);
    };
    let mut tokens = Vec::new();
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        match first {
            ' ' | '$' | '\n' | '\t' => {}
            '+' => tokens.push(Token::Plus),
            '-' => tokens.push(Token::Minus),
            '*' => tokens.push(Token::Times),
            '/' => tokens.push(Token::Over),
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            ',' | ';' => tokens.push(Token::Comma),
            '%' => tokens.push(Token::Percent),
            '=' | '<' | '>' => tokens.push(Token::Compare),
            '"' => {
                let end = rest.get(1..).and_then(|rest| rest.find('"'));
                let Some(end) = end else { return Ok(None) };
                length = end + 2;
                tokens.push(Token::Text);
            }
            digit if digit.is_ascii_digit() => {
                length = rest
                    .bytes()
                    .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
                    .count();
                let Some(number) = rest.get(..length).and_then(plain_number) else {
                    return Ok(None);
                };
                tokens.push(Token::Number(number));
            }
            letter if letter.is_ascii_alphabetic() => {
                length = rest
                    .bytes()
                    .take_while(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'_' | b'.')
                    })
                    .count();
                let word = rest.get(..length).unwrap_or_default();
                let after = rest.get(length..).unwrap_or_default();
                let Some((at, first_row)) = cell_name(word) else {
                    tokens.push(Token::Function(word.to_ascii_uppercase()));
                    rest = after;
                    continue;
                };
                let mut last_row = first_row;
                if let Some(behind) = after.strip_prefix(':') {
                    let taken = behind
                        .bytes()
                        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'$')
                        .count();
                    let Some((to, row)) = behind.get(..taken).and_then(cell_name) else {
                        return Ok(None);
                    };
                    if to != at {
                        return Ok(None);
                    }
                    last_row = row;
                    length += 1 + taken;
                }
                if at != column {
                    // Another column: this figure is made of something that the template has no row for.
                    return Ok(None);
                }
                let codes = draft.codes_between(index, first_row, last_row);
                if codes.is_empty() || (first_row == last_row && codes.len() != 1) {
                    let nothing_there = !draft.has_line(sheet, first_row, last_row);
                    if nothing_there {
                        return Err(draft.missing(
                            place,
                            row,
                            rest.get(..length).unwrap_or_default(),
                        ));
                    }
                    return Ok(None);
                }
                tokens.push(Token::Cells(codes));
            }
            _ => return Ok(None),
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(expression::parse(&tokens).filter(|formula| !formula.references().is_empty()))
}

/// `D12` or `$D$12` as column and row from 0.
fn cell_name(word: &str) -> Option<(u32, u32)> {
    let plain: String = word.chars().filter(|one| *one != '$').collect();
    let letters = plain.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (column, row) = plain.split_at_checked(letters)?;
    if column.is_empty() || column.len() > 3 || row.is_empty() || row.len() > 7 {
        return None;
    }
    let mut at = 0_u32;
    for byte in column.bytes() {
        at = at * 26 + u32::from(byte.to_ascii_uppercase().checked_sub(b'A')?) + 1;
    }
    let row: u32 = row.parse().ok()?;
    Some((at.checked_sub(1)?, row.checked_sub(1)?))
}

fn plain_number(text: &str) -> Option<Number> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{places}");
    let scale = u32::try_from(places.len()).ok()?;
    Number::from_parts(digits.parse().ok()?, scale)
}

/// `= 2.2 / 2.1 x 100%`, `2.1 = 2.2 + 2.3`, `Công thức: (2)/(1)`.
fn in_words(
    draft: &Draft<'_>,
    row: usize,
    text: &str,
    in_label: bool,
    place: &Place,
) -> Result<Option<Formula>, PrintedError> {
    let Some((expression, certain)) = right_side(draft, row, text) else {
        return Ok(None);
    };
    if in_label && !certain {
        return Ok(None);
    }
    let Some(lexemes) = lexemes(expression) else {
        return Ok(None);
    };
    let operators = lexemes.iter().any(|lexeme| {
        matches!(
            lexeme,
            Lexeme::Token(Token::Plus | Token::Minus | Token::Times | Token::Over)
        )
    });
    if !operators {
        return Ok(None);
    }
    let mut tokens = Vec::new();
    let mut missing = None;
    let mut found = 0;
    for (at, lexeme) in lexemes.iter().enumerate() {
        match lexeme {
            Lexeme::Token(token) => tokens.push(token.clone()),
            Lexeme::Name { text, marked } => match draft.named(row, text) {
                Some(code) if !is_factor(text, *marked) => {
                    found += 1;
                    tokens.push(Token::Cells(vec![code]));
                }
                Some(_) | None => match text.parse::<u32>() {
                    // A row that is said to be others added up adds no number of its own.
                    Ok(number) if !*marked && (!certain || multiplies(&lexemes, at)) => {
                        tokens.push(Token::Number(Number::from(i64::from(number))))
                    }
                    Ok(_) | Err(_) => {
                        missing.get_or_insert_with(|| text.clone());
                    }
                },
            },
        }
    }
    match missing {
        // One name that is known and one that is not: a formula with a hole in it.
        Some(name) if found > 0 || certain => Err(draft.missing(place, row, &name)),
        Some(_) => Ok(None),
        None if found == 0 => Ok(None),
        None => Ok(expression::parse(&tokens)),
    }
}

/// True if what stands there is multiplied, or divided, or divides.
fn multiplies(lexemes: &[Lexeme], at: usize) -> bool {
    let neighbours = [at.checked_sub(1), at.checked_add(1)];
    neighbours
        .into_iter()
        .flatten()
        .filter_map(|beside| lexemes.get(beside))
        .any(|beside| matches!(beside, Lexeme::Token(Token::Times | Token::Over)))
}

/// A bare 100 or 1000 multiplies; it is no row.
fn is_factor(text: &str, marked: bool) -> bool {
    !marked && matches!(text, "100" | "1000")
}

/// What stands right of `=`, if the left side is nothing or this row; and whether that is certain.
fn right_side<'a>(draft: &Draft<'_>, row: usize, text: &'a str) -> Option<(&'a str, bool)> {
    let mut text = text.trim();
    let mut announced = false;
    for head in [
        "công thức tính",
        "công thức",
        "cách tính",
        "ct",
        "tính bằng",
    ] {
        let lower = text.to_lowercase();
        if lower.starts_with(head) && lower.len() == text.len() {
            let rest = text.get(head.len()..)?.trim_start();
            if let Some(rest) = rest.strip_prefix([':', '=']) {
                text = rest.trim_start();
                announced = true;
            }
        }
    }
    let text = text.trim_start_matches('(').trim();
    let Some((left, right)) = text.split_once('=') else {
        return announced.then_some((text, false));
    };
    if right.contains('=') {
        return None;
    }
    let left = left.trim().trim_matches(['(', ')', '[', ']', ' ']);
    let own = draft
        .named(row, left)
        .is_some_and(|code| draft.rows.get(row).is_some_and(|row| row.code == code));
    // `Tỷ lệ = …` and `Tổng số = …` speak of the row, too.
    let wordy = begins_any(&folded(left), &["ty le", "ti le", "tong so", "tong"])
        && folded(left).len() <= 60;
    (left.is_empty() || own || wordy).then_some((right, left.is_empty() || own))
}

enum Lexeme {
    Token(Token),
    /// What names a row, and whether brackets or a word mark it as one.
    Name {
        text: String,
        marked: bool,
    },
}

/// Tokens of a printed formula; nothing if there are words in it.
fn lexemes(text: &str) -> Option<Vec<Lexeme>> {
    let mut lexemes = Vec::new();
    let mut rest = text.trim().trim_end_matches(['.', ';']);
    let mut marked = false;
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        match first {
            one if one.is_whitespace() => {}
            '+' => lexemes.push(Lexeme::Token(Token::Plus)),
            '-' | '–' | '−' => lexemes.push(Lexeme::Token(Token::Minus)),
            '*' | '×' => lexemes.push(Lexeme::Token(Token::Times)),
            '/' | ':' | '÷' => lexemes.push(Lexeme::Token(Token::Over)),
            '%' => lexemes.push(Lexeme::Token(Token::Percent)),
            '(' | '[' => {
                let close = if first == '(' { ')' } else { ']' };
                let inner = rest
                    .get(1..)
                    .and_then(|rest| rest.split_once(close))
                    .map(|(inner, _)| inner);
                let inner = inner.filter(|inner| is_name(inner.trim()));
                match inner {
                    Some(inner) => {
                        length = inner.len() + 2;
                        lexemes.push(Lexeme::Name {
                            text: name(inner.trim()),
                            marked: true,
                        });
                    }
                    None if first == '(' => lexemes.push(Lexeme::Token(Token::Open)),
                    None => return None,
                }
            }
            ')' => lexemes.push(Lexeme::Token(Token::Close)),
            _ => {
                length = rest
                    .find(|one: char| !(one.is_alphanumeric() || one == '.'))
                    .unwrap_or(rest.len());
                let word = rest.get(..length).filter(|word| !word.is_empty())?;
                let lower = word.to_lowercase();
                if lower == "x" {
                    lexemes.push(Lexeme::Token(Token::Times));
                } else if ["dòng", "mục", "chỉ", "tiêu", "số", "tiêuchí", "chí"]
                    .contains(&lower.as_str())
                {
                    marked = true;
                    rest = rest.get(length..)?;
                    continue;
                } else if is_name(word) {
                    lexemes.push(Lexeme::Name {
                        text: name(word),
                        marked: marked || word.contains('.'),
                    });
                } else {
                    return None;
                }
                marked = false;
            }
        }
        rest = rest.get(length..)?;
    }
    Some(lexemes)
}

fn name(text: &str) -> String {
    text.trim_end_matches('.').to_owned()
}

/// `2.2.1`, `II.3`, `a`: what an ordinal could be.
fn is_name(text: &str) -> bool {
    matches!(super::ordinal::read(text), Ordinal::Path(_))
}
