//! Words of printed forms, compared without case, tones and marks.

use crate::org_unit::search_key::search_key;

/// Folded words with one space between them; marks other than `%`, `‰`, `=`, `+`, `/` become spaces.
pub(crate) fn folded(text: &str) -> String {
    let key = search_key(text);
    let kept =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '%' | '‰' | '=' | '+' | '/');
    let spaced: String = key
        .chars()
        .map(|letter| if kept(letter) { letter } else { ' ' })
        .collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    words.join(" ")
}

/// Spaces and line breaks of any kind become one space.
pub(crate) fn single_spaced(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// True if `phrase` stands in `text` as whole words. Both folded.
pub(crate) fn has_phrase(text: &str, phrase: &str) -> bool {
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(phrase)) {
        let start = from + found;
        let end = start + phrase.len();
        let before = text
            .get(..start)
            .is_none_or(|head| head.is_empty() || head.ends_with(' '));
        let after = text
            .get(end..)
            .is_none_or(|rest| rest.is_empty() || rest.starts_with(' '));
        if before && after {
            return true;
        }
        from = start + 1;
        while !text.is_char_boundary(from) {
            from += 1;
        }
    }
    false
}

/// True if `text` begins with `phrase` as whole words. Both folded.
pub(crate) fn begins(text: &str, phrase: &str) -> bool {
    text.strip_prefix(phrase)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// True if any of the phrases stands in `text`.
pub(crate) fn has_any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| has_phrase(text, phrase))
}

/// True if `text` begins with any of the phrases.
pub(crate) fn begins_any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| begins(text, phrase))
}

/// Words that say how much, how far or where in the sentence, but not what is counted. With their
/// tones: folded, *số*, *sở* and *sơ* would be one word.
const EMPTY_WORDS: [&str; 38] = [
    "số", "lượng", "tổng", "tỷ", "tỉ", "lệ", "các", "của", "đã", "được", "đang", "tại", "theo",
    "trong", "do", "và", "cho", "ở", "là", "trên", "với", "có", "hiện", "bị", "những", "thuộc",
    "phần", "trăm", "năm", "kỳ", "báo", "cáo", "việc", "so", "gồm", "đó", "trở", "từ",
];

/// The words of a label that say what is counted, without repetition, in their order. Brackets are
/// left out: they explain.
pub(crate) fn meaning(label: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let lower = without_brackets(label).to_lowercase();
    for word in lower.split(|letter: char| !letter.is_alphanumeric()) {
        let empty = word.is_empty() || EMPTY_WORDS.contains(&word);
        if !empty && !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}

/// The text without what stands in round brackets.
pub(crate) fn without_brackets(text: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            other if depth == 0 => kept.push(other),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_as_words() {
        assert_eq!(folded("  Đơn vị\n tính: "), "don vi tinh");
        assert!(has_phrase("so ho ngheo", "ho"));
        assert!(!has_phrase("so ho ngheo", "h"));
        assert!(has_phrase("hoho ho", "ho"));
        assert!(begins("ty le nu", "ty le"));
        assert!(!begins("tyle nu", "ty"));
    }

    #[test]
    fn what_is_counted_is_what_is_left() {
        assert_eq!(
            meaning("Tỷ lệ hồ sơ đã giải quyết (hồ sơ)"),
            ["hồ", "sơ", "giải", "quyết"]
        );
    }
}
