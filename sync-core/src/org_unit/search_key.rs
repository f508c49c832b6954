//! The search key of Vietnamese text: lower case, without tones and vowel marks, đ as d.
//!
//! Old and new tone placement (`hoà`, `hòa`) fall together, and so do composed and decomposed text.

/// Each base letter with the composed letters that fold to it, lower case.
const FOLDS: [(char, &str); 7] = [
    ('a', "àáảãạăằắẳẵặâầấẩẫậ"),
    ('e', "èéẻẽẹêềếểễệ"),
    ('i', "ìíỉĩị"),
    ('o', "òóỏõọôồốổỗộơờớởỡợ"),
    ('u', "ùúủũụưừứửữự"),
    ('y', "ỳýỷỹỵ"),
    ('d', "đ"),
];

fn folded(letter: char) -> char {
    let found = FOLDS.iter().find(|(_, letters)| letters.contains(letter));
    found.map_or(letter, |(base, _)| *base)
}

/// True for the combining marks of decomposed Vietnamese text.
fn is_mark(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}

/// Folded text with single spaces.
pub fn search_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        let letters = word.chars().flat_map(char::to_lowercase);
        key.extend(letters.filter(|letter| !is_mark(*letter)).map(folded));
    }
    key
}

/// A code made from a name: folded, letters and digits kept, everything else one hyphen.
pub fn code_from_name(name: &str) -> String {
    let key = search_key(name);
    let words = key.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_marks_and_their_placement_fold() {
        assert_eq!(search_key("Xã Điềm Thụy"), "xa diem thuy");
        assert_eq!(search_key("hoà"), search_key("hòa"));
        assert_eq!(search_key("Hùng\u{a0} Sơn"), "hung son");
        assert_eq!(search_key("Ba\u{306}\u{301}c Ka\u{323}n"), "bac kan");
        assert_eq!(code_from_name("Khu vực Đồng Hỷ"), "khu-vuc-dong-hy");
    }
}
