//! Code lists as they are written into a cell: `Trực tuyến = 0 Phát phiếu = 1`, `1: Có; 2: Không`.

use super::wording::{folded, single_spaced};
use crate::form::Choice;

/// A code list, and whether its values were printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CodeList {
    pub(super) choices: Vec<Choice>,
    /// `Có/Không` names choices without saying their values.
    pub(super) values_printed: bool,
}

/// The code list that a cell spells out, if it does: two choices or more.
pub(super) fn read(text: &str) -> Option<CodeList> {
    let text = single_spaced(text);
    if text.len() > 2_000 {
        return None;
    }
    let found = value_after(&text).or_else(|| value_before(&text));
    let choices = found.filter(|choices| sound(choices));
    if let Some(choices) = choices {
        return Some(CodeList {
            choices,
            values_printed: true,
        });
    }
    yes_or_no(&text)
}

/// Two or more labels, no label and no value twice.
fn sound(choices: &[Choice]) -> bool {
    let distinct = |index: usize, choice: &Choice| {
        let mut others = choices.iter().take(index);
        !others.any(|other| other.value == choice.value || other.label == choice.label)
    };
    let mut each = choices.iter().enumerate();
    choices.len() >= 2
        && each.all(|(index, choice)| distinct(index, choice) && is_label(&choice.label))
}

fn is_label(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric) && text.chars().count() <= 120
}

fn tidy(label: &str) -> String {
    let marks = [
        ';', ',', '.', ':', '-', '–', '/', '(', ')', '|', '+', '*', '"', '“', '”', ' ',
    ];
    let label = label.trim_matches(marks);
    let words = folded(label);
    for word in ["hoac", "va", "ghi", "chon"] {
        if words.starts_with(&format!("{word} ")) {
            let rest = label.split_once(' ').map(|(_, rest)| rest);
            return rest.unwrap_or(label).trim_matches(marks).to_owned();
        }
    }
    label.to_owned()
}

/// `Có = 1; Không = 0`: a mark, then the value.
fn value_after(text: &str) -> Option<Vec<Choice>> {
    let mut choices = Vec::new();
    let mut rest = text;
    while let Some((label, value, after)) = next_after(rest) {
        choices.push(Choice {
            value,
            label: tidy(label),
        });
        rest = after;
    }
    let left_over = rest.chars().any(char::is_alphabetic) && !choices.is_empty();
    (!choices.is_empty() && !left_over).then_some(choices)
}

/// The text up to `= 12`, the 12, and what follows.
fn next_after(text: &str) -> Option<(&str, i64, &str)> {
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find(['=', ':', '(']) {
        let mark = from + found;
        let bracket = text.get(mark..)?.starts_with('(');
        let behind = text.get(mark + 1..)?.trim_start();
        let behind = strip_ghi(behind);
        if let Some((value, after)) = number_at(behind) {
            let after = if bracket {
                after.trim_start().strip_prefix(')')
            } else {
                Some(after)
            };
            let ends = after.is_some_and(|after| {
                after.is_empty() || after.starts_with([' ', ';', ',', '.', '/', ')', '|'])
            });
            if let (Some(after), true) = (after, ends) {
                return Some((text.get(..mark)?, value, after));
            }
        }
        from = mark + 1;
    }
    None
}

fn strip_ghi(text: &str) -> &str {
    for word in ["ghi ", "Ghi ", "chọn ", "Chọn ", "nhập ", "mã "] {
        if let Some(rest) = text.strip_prefix(word) {
            return rest.trim_start();
        }
    }
    text
}

/// `1 = Có, 2 = Không` and `0 - Không`: the value, then a mark.
fn value_before(text: &str) -> Option<Vec<Choice>> {
    let mut starts: Vec<(usize, i64, usize)> = Vec::new();
    for (at, _) in text.char_indices() {
        let before = text.get(..at)?;
        let fresh = before.is_empty() || before.ends_with([' ', ';', ',', '(', '/', '|', '.']);
        if !fresh {
            continue;
        }
        let Some((value, after)) = number_at(text.get(at..)?) else {
            continue;
        };
        let trimmed = after.trim_start();
        let Some(mark) = trimmed
            .chars()
            .next()
            .filter(|mark| matches!(mark, '=' | ':' | '-' | '–' | '.' | ')'))
        else {
            continue;
        };
        let label = text.len() - trimmed.len() + mark.len_utf8();
        starts.push((at, value, label));
    }
    let mut choices = Vec::new();
    for (index, (_, value, label)) in starts.iter().enumerate() {
        let end = starts.get(index + 1).map_or(text.len(), |(next, ..)| *next);
        choices.push(Choice {
            value: *value,
            label: tidy(text.get(*label..end)?),
        });
    }
    let begins = starts.first().is_some_and(|(at, ..)| {
        *at == 0
            || text
                .get(..*at)
                .is_some_and(|head| head.trim_end().ends_with([':', '(']))
    });
    begins.then_some(choices)
}

/// A whole number of up to six digits at the beginning, and what follows it.
fn number_at(text: &str) -> Option<(i64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, after) = text.split_at_checked(digits)?;
    if number.is_empty() || number.len() > 6 {
        return None;
    }
    Some((number.parse().ok()?, after))
}

/// `Có/Không`, `Đạt/Chưa đạt`: two answers whose values nobody printed.
fn yes_or_no(text: &str) -> Option<CodeList> {
    let (first, second) = text
        .split_once(['/', ';'])
        .or_else(|| text.split_once(" hoặc "))?;
    let (first, second) = (tidy(first), tidy(second));
    let (a, b) = (folded(&first), folded(&second));
    let opposite =
        |yes: &str, no: &str| no == format!("khong {yes}") || no == format!("chua {yes}");
    let pair = match (a.as_str(), b.as_str()) {
        ("co", "khong" | "chua" | "chua co" | "khong co") => Some((1, 0)),
        ("khong" | "chua" | "chua co" | "khong co", "co") => Some((0, 1)),
        ("dung", "sai") | ("yes", "no") => Some((1, 0)),
        ("x", _) | (_, "x") => None,
        (yes, no) if opposite(yes, no) => Some((1, 0)),
        (no, yes) if opposite(yes, no) => Some((0, 1)),
        _ => None,
    }?;
    Some(CodeList {
        choices: vec![
            Choice {
                value: pair.0,
                label: first,
            },
            Choice {
                value: pair.1,
                label: second,
            },
        ],
        values_printed: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<(i64, String)> {
        let found = read(text).map(|list| list.choices).unwrap_or_default();
        found
            .into_iter()
            .map(|choice| (choice.value, choice.label))
            .collect()
    }

    fn expected(of: &[(i64, &str)]) -> Vec<(i64, String)> {
        of.iter()
            .map(|(value, label)| (*value, (*label).to_owned()))
            .collect()
    }

    #[test]
    fn code_lists_as_they_are_printed() {
        let survey = expected(&[(0, "Trực tuyến"), (1, "Phát phiếu"), (2, "Kết hợp")]);
        assert_eq!(list("Trực tuyến = 0 Phát phiếu = 1 Kết hợp = 2"), survey);
        assert_eq!(list("Trực tuyến=0;\nPhát phiếu=1;\nKết hợp=2"), survey);
        assert_eq!(list("0 = Trực tuyến, 1 = Phát phiếu, 2 = Kết hợp"), survey);
        assert_eq!(list("0: Trực tuyến; 1: Phát phiếu; 2: Kết hợp"), survey);
        assert_eq!(list("Trực tuyến (0), Phát phiếu (1), Kết hợp (2)"), survey);
        assert_eq!(list("0 - Trực tuyến 1 - Phát phiếu 2 - Kết hợp"), survey);
        assert_eq!(
            list("Có = 1; Không = 0"),
            expected(&[(1, "Có"), (0, "Không")])
        );
        assert_eq!(
            list("Có: ghi 1, Không: ghi 0"),
            expected(&[(1, "Có"), (0, "Không")])
        );
        let tiers = expected(&[(0, "Chưa có"), (1, "2 cấp"), (2, "3 cấp")]);
        assert_eq!(list("Chưa có = 0 2 cấp = 1 3 cấp = 2"), tiers);
        assert_eq!(list("Có/Không"), expected(&[(1, "Có"), (0, "Không")]));
        assert_eq!(
            list("Đạt/Chưa đạt"),
            expected(&[(1, "Đạt"), (0, "Chưa đạt")])
        );
    }

    #[test]
    fn units_are_no_code_lists() {
        for unit in [
            "%",
            "Người",
            "Cơ quan, đơn vị",
            "1.000 đồng",
            "Km2",
            "Người/km2",
            "Văn bản",
            "1 = Có",
            "Cơ quan/đơn vị",
            "(1)=(2)+(3)",
            "",
        ] {
            assert_eq!(list(unit), [], "{unit}");
        }
    }
}
