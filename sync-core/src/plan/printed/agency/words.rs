//! Agencies' names as folded words, with what stands between them.

use crate::org_unit::search_key::search_key;

/// What stands before a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Spaces, or marks that names have inside them: `-`, `&`, `.`.
    Inside,
    Comma,
    /// The end of a line, or a bullet.
    Line,
    /// `/`, `+`: between two agencies.
    Slash,
    Colon,
    Open,
    Close,
    Semicolon,
}

/// One word of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) word: String,
    /// Bytes of the text it stands for.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) before: Mark,
    /// It is written in capitals only.
    pub(super) capitals: bool,
    /// It begins with a small letter.
    pub(super) small: bool,
}

/// Short forms that stand for words everywhere.
const LONG: [(&str, &[&str]); 5] = [
    ("tp", &["thanh", "pho"]),
    ("tx", &["thi", "xa"]),
    ("tt", &["thi", "tran"]),
    ("vp", &["van", "phong"]),
    ("bql", &["ban", "quan", "ly"]),
];

/// Words that are written short so often that the short form is taken for both.
const SHORT: [(&str, [&str; 4]); 2] = [
    ("ubnd", ["uy", "ban", "nhan", "dan"]),
    ("hdnd", ["hoi", "dong", "nhan", "dan"]),
];

fn mark_of(text: &str) -> Mark {
    let mut mark = Mark::Inside;
    let spaced = text.starts_with(char::is_whitespace) && text.ends_with(char::is_whitespace);
    for letter in text.chars() {
        let one = match letter {
            ';' => Mark::Semicolon,
            ',' | '،' | '，' => Mark::Comma,
            '\n' | '\r' | '•' | '●' | '▪' => Mark::Line,
            '+' if spaced => Mark::Line,
            '/' | '|' => Mark::Slash,
            ':' => Mark::Colon,
            '(' | '[' => Mark::Open,
            ')' | ']' => Mark::Close,
            _ => Mark::Inside,
        };
        mark = mark.max(one);
    }
    mark
}

/// The words of a text.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut from = 0;
    let mut last_end = 0;
    let mut rest = text;
    while let Some(skip) = rest.find(|one: char| one.is_alphanumeric()) {
        let start = from + skip;
        let tail = text.get(start..).unwrap_or_default();
        let inside = |one: char| one.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&one);
        let length = tail.find(|one: char| !inside(one)).unwrap_or(tail.len());
        let end = start + length;
        let raw = text.get(start..end).unwrap_or_default();
        let before = mark_of(text.get(last_end..start).unwrap_or_default());
        push(&mut words, raw, (start, end), before);
        from = end;
        last_end = end;
        rest = text.get(end..).unwrap_or_default();
    }
    shorten(&mut words);
    words
}

fn push(words: &mut Vec<Word>, raw: &str, (start, end): (usize, usize), before: Mark) {
    let key = search_key(raw);
    let capitals = raw.chars().count() > 1 && raw.chars().all(|one| !one.is_lowercase());
    // `TT` is a town before its name and something else inside an abbreviation.
    let long = LONG
        .iter()
        .find(|(short, _)| *short == key && (*short != "tt" || before != Mark::Inside));
    let spelt: Vec<String> = match long {
        Some((_, long)) => long.iter().map(|word| (*word).to_owned()).collect(),
        None => vec![key],
    };
    for (index, word) in spelt.into_iter().enumerate() {
        words.push(Word {
            word,
            start,
            end,
            before: if index == 0 { before } else { Mark::Inside },
            capitals,
            small: raw.starts_with(char::is_lowercase),
        });
    }
}

fn shorten(words: &mut Vec<Word>) {
    let mut at = 0;
    while at < words.len() {
        let found = SHORT.iter().find(|(_, long)| {
            let here = words.get(at..at + long.len());
            here.is_some_and(|here| here.iter().map(|one| one.word.as_str()).eq(*long))
        });
        if let Some((short, long)) = found {
            let end = words.get(at + long.len() - 1).map(|last| last.end);
            if let (Some(first), Some(end)) = (words.get_mut(at), end) {
                first.word = (*short).to_owned();
                first.end = end;
            }
            words.drain(at + 1..at + long.len());
        }
        at += 1;
    }
}

/// The words of a name alone.
pub(super) fn name_words(text: &str) -> Vec<String> {
    words(text).into_iter().map(|one| one.word).collect()
}

/// Words that come and go in names.
pub(super) fn is_filler(word: &str) -> bool {
    matches!(word, "va" | "cac" | "cua")
}

/// How far `short` is from `long` at most `limit` single letters; `None` beyond.
pub(super) fn distance(one: &str, other: &str, limit: usize) -> Option<usize> {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    if one.len().abs_diff(other.len()) > limit {
        return None;
    }
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, beside) in other.iter().enumerate() {
            let diagonal = above.get(column).copied().unwrap_or(usize::MAX - 1);
            let up = above.get(column + 1).copied().unwrap_or(usize::MAX - 1);
            let left = line.get(column).copied().unwrap_or(usize::MAX - 1);
            line.push(
                (diagonal + usize::from(letter != beside))
                    .min(up + 1)
                    .min(left + 1),
            );
        }
        if line.iter().min().is_none_or(|least| *least > limit) {
            return None;
        }
        above = line;
    }
    above.last().copied().filter(|distance| *distance <= limit)
}

/// True if words with initials among them, `so`, `nn`, `ptnt`, stand for the words of a name.
pub(super) fn abbreviates(short: &[&Word], name: &[String]) -> bool {
    fn follow(short: &[&Word], name: &[String], shortened: bool) -> bool {
        let Some((first, rest)) = short.split_first() else {
            return shortened && name.iter().all(|word| is_filler(word));
        };
        let Some((word, after)) = name.split_first() else {
            return false;
        };
        if first.word == *word && follow(rest, after, shortened) {
            return true;
        }
        if is_filler(word) && follow(short, after, shortened) {
            return true;
        }
        if is_filler(&first.word) && follow(rest, name, shortened) {
            return true;
        }
        if !first.capitals {
            return false;
        }
        // Its letters, one word after the other.
        let mut letters = first.word.as_str();
        let mut used = 0;
        for (index, word) in name.iter().enumerate() {
            if letters.is_empty() {
                break;
            }
            let initial = word.chars().next().map(|one| one.to_string());
            let piece = if matches!(word.as_str(), "ubnd" | "hdnd") {
                Some(word.clone())
            } else {
                initial
            };
            match piece.and_then(|piece| letters.strip_prefix(piece.as_str())) {
                Some(left) => {
                    letters = left;
                    used = index + 1;
                }
                None if is_filler(word) => {}
                None => return false,
            }
        }
        let after = name.get(used..).unwrap_or_default();
        letters.is_empty() && follow(rest, after, true)
    }
    short.len() <= 12 && name.len() <= 24 && follow(short, name, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_stand_for_words() {
        for (short, name, wanted) in [
            ("Sở KH&ĐT", "Sở Kế hoạch và Đầu tư", true),
            ("Sở NN&PTNT", "Sở Nông nghiệp và Phát triển Nông thôn", true),
            ("Sở LĐ-TB&XH", "Sở Lao động - Thương binh và Xã hội", true),
            ("Sở VHTT&DL", "Sở Văn hóa, Thể thao và Du lịch", true),
            ("BHXH tỉnh", "Bảo hiểm xã hội tỉnh", true),
            ("VPUBND tỉnh", "Văn phòng UBND tỉnh", true),
            ("BCHQS tỉnh", "Bộ Chỉ huy Quân sự tỉnh", true),
            ("Sở KHCN", "Sở Kế hoạch và Đầu tư", false),
            ("Sở Nội vụ", "Sở Nội vụ", false),
        ] {
            let short = words(short);
            let short: Vec<&Word> = short.iter().collect();
            assert_eq!(abbreviates(&short, &name_words(name)), wanted, "{name}");
        }
    }

    #[test]
    fn marks_part_words() {
        let words = words("Sở Nội vụ; các sở, ban\nVP. UBND (tỉnh)");
        let told: Vec<(&str, Mark)> = words
            .iter()
            .map(|one| (one.word.as_str(), one.before))
            .collect();
        assert_eq!(told[3], ("cac", Mark::Semicolon));
        assert_eq!(told[5], ("ban", Mark::Comma));
        assert_eq!(told[6], ("van", Mark::Line));
        assert_eq!(told[8], ("ubnd", Mark::Inside));
        assert_eq!(told[9], ("tinh", Mark::Open));
        assert_eq!(name_words("Uỷ ban nhân dân tỉnh"), ["ubnd", "tinh"]);
        assert_eq!(distance("so noi vu", "so noi vuj", 1), Some(1));
        assert_eq!(distance("so noi vu", "so y te", 2), None);
    }
}
