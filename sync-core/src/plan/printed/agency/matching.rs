//! Where names end in the words of a cell: the longest one that is known and may end there, what limits it,
//! and what to make of words that are no name.

use super::directory::{How, Name, Unit};
use super::words::{Mark, Word, abbreviates, distance, is_filler};
use super::{Agency, Matched, Reader, groups};
use crate::form::printed::wording::single_spaced;
use crate::plan::printed::reason::{Confidence, Reason, Topic};

/// Words before an agency that name who speaks for it.
const SPEAKERS: [&[&str]; 14] = [
    &["thu", "truong"],
    &["lanh", "dao"],
    &["giam", "doc"],
    &["nguoi", "dung", "dau"],
    &["chu", "tich"],
    &["de", "nghi"],
    &["giao"],
    &["chu", "tri"],
    &["co", "quan", "chu", "tri"],
    &["don", "vi", "chu", "tri"],
    &["voi"],
    &["cung"],
    &["va"],
    &["la"],
];

/// Words that begin what limits a name.
const SCOPES: [&str; 20] = [
    "duoc", "co", "lien", "thuoc", "tren", "theo", "noi", "da", "chua", "dang", "khong", "tru",
    "ngoai", "truc", "con", "trong", "o", "tai", "quan", "phu",
];

/// Nouns that a list goes on under: "Các Sở Nội vụ; Xây dựng; Y tế".
const CARRIED: [&[&str]; 10] = [
    &["so"],
    &["phong"],
    &["ban"],
    &["chi", "cuc"],
    &["trung", "tam"],
    &["huyen"],
    &["thi", "xa"],
    &["thanh", "pho"],
    &["xa"],
    &["phuong"],
];

/// Words that agencies begin with: a line that begins with one is another agency.
const BEGINNINGS: [&str; 30] = [
    "so", "ubnd", "hdnd", "cac", "cong", "van", "ban", "bo", "truong", "trung", "hoi", "chi",
    "cuc", "thanh", "bao", "kho", "ngan", "doan", "toa", "vien", "buu", "dai", "dien", "phong",
    "huyen", "thi", "xa", "phuong", "uy", "lien",
];

/// A name that was found.
pub(super) struct Hit {
    pub(super) end: usize,
    pub(super) units: Vec<usize>,
    pub(super) how: How,
    pub(super) exact: bool,
    pub(super) text: String,
}

impl Reader<'_> {
    /// The longest name that begins with `prefix` and goes on at a word.
    pub(super) fn best(&self, all: &[Word], prefix: &[String], at: usize) -> Option<Hit> {
        let first = prefix
            .first()
            .or_else(|| all.get(at).map(|one| &one.word))?;
        let mut best: Option<Hit> = None;
        for name in self.directory.named(first) {
            let Some((end, exact)) = follows(name, prefix, all, at) else {
                continue;
            };
            let end = self.past_top(all, end, name);
            let limited = name.how != How::Short && is_scope(all, end);
            if end <= at && prefix.is_empty() || !(is_end(all, end) || limited) {
                continue;
            }
            let order = |hit: &Hit| (std::cmp::Reverse(hit.end), !hit.exact, hit.how);
            let hit = Hit {
                end,
                units: name.unit.into_iter().collect(),
                how: name.how,
                exact,
                text: name.text.clone(),
            };
            match &mut best {
                Some(known) if order(known) == order(&hit) => {
                    for unit in hit.units {
                        if !known.units.contains(&unit) {
                            known.units.push(unit);
                        }
                    }
                }
                Some(known) if order(known) < order(&hit) => {}
                _ => best = Some(hit),
            }
        }
        best
    }

    /// Steps over `tỉnh`, `tỉnh Thái Nguyên` behind the name of an agency of the province.
    pub(super) fn past_top(&self, all: &[Word], end: usize, name: &Name) -> usize {
        let territory = name.words.first().is_some_and(|first| {
            matches!(
                first.as_str(),
                "huyen" | "xa" | "phuong" | "thi" | "ubnd" | "tinh"
            )
        });
        if territory || is_end(all, end) && !has(all, end, &["tinh"]) {
            return end;
        }
        let start = end + usize::from(has(all, end, &["cua"]));
        let top: Vec<&str> = self
            .directory
            .top_words()
            .iter()
            .map(String::as_str)
            .collect();
        if !top.is_empty() && has(all, start, &top) {
            return start + top.len();
        }
        if has(all, start, &["tinh"]) && is_end(all, start + 1) {
            return start + 1;
        }
        end
    }

    /// What stands behind a name and limits it, and where it ends.
    pub(super) fn scope(&self, text: &str, all: &[Word], at: usize) -> (usize, Option<String>) {
        let Some(first) = all.get(at) else {
            return (at, None);
        };
        let bracketed = first.before == Mark::Open;
        if !bracketed && !is_scope(all, at) {
            return (at, None);
        }
        let mut end = at + 1;
        let mut last = end;
        while let Some(word) = all.get(end) {
            if bracketed {
                if word.before == Mark::Close {
                    break;
                }
            } else {
                let parts = match word.before {
                    Mark::Semicolon => true,
                    Mark::Comma | Mark::Line => self.is_start(all, end),
                    Mark::Inside | Mark::Slash | Mark::Colon | Mark::Open | Mark::Close => {
                        matches!(word.word.as_str(), "va" | "phoi") && self.is_start(all, end + 1)
                            || has(all, end, &["phoi", "hop"])
                    }
                };
                if parts {
                    break;
                }
            }
            end += 1;
            last = end;
        }
        let said = slice(text, all, at, last);
        let said = if bracketed { format!("({said})") } else { said };
        (end, Some(said))
    }

    /// True if an agency that is known begins at a word.
    pub(super) fn is_start(&self, all: &[Word], at: usize) -> bool {
        let after = speaker(all, at).map_or(at, |length| at + length);
        self.best(all, &[], after)
            .is_some_and(|hit| hit.end > after)
            || groups::find(all, after, |end| is_end(all, end) || is_scope(all, end)).is_some()
    }

    /// Where an agency that nothing is known of ends: the next word, and one past its own last.
    pub(super) fn unknown_end(&self, all: &[Word], at: usize) -> (usize, usize) {
        let mut end = at + 1;
        while let Some(word) = all.get(end) {
            let parts = match word.before {
                Mark::Semicolon | Mark::Comma | Mark::Open | Mark::Slash | Mark::Colon => true,
                Mark::Line => BEGINNINGS.contains(&word.word.as_str()),
                Mark::Close | Mark::Inside => {
                    word.word == "va" && self.is_start(all, end + 1)
                        || has(all, end, &["phoi", "hop"])
                }
            };
            if parts {
                break;
            }
            end += 1;
        }
        let last = end;
        // A remark in brackets belongs to it.
        if all.get(end).is_some_and(|word| word.before == Mark::Open) {
            while all.get(end).is_some_and(|word| word.before != Mark::Close) {
                end += 1;
            }
        }
        (end, last)
    }

    /// Words that are no name of the directory: initials, or nearly one, or nothing.
    pub(super) fn unknown(&self, text: &str, item: &[Word], topic: Topic) -> Agency {
        let printed = slice(text, item, 0, item.len());
        let mut shortened: Vec<&Name> = Vec::new();
        let mut similar: Vec<(usize, &Name)> = Vec::new();
        let short: Vec<&Word> = item.iter().collect();
        let joined = |words: &mut dyn Iterator<Item = &str>| {
            words
                .filter(|word| !is_filler(word))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let mine = joined(&mut item.iter().map(|one| one.word.as_str()));
        let limit = (mine.len() / 10).min(2);
        let initials = item.iter().any(|word| word.capitals);
        for name in self.directory.all_names() {
            if initials && abbreviates(&short, &name.words) {
                shortened.push(name);
            } else if limit > 0 && name.how < How::Old {
                let other = joined(&mut name.words.iter().map(String::as_str));
                similar.extend(distance(&mine, &other, limit).map(|by| (by, name)));
            }
        }
        let least = similar.iter().map(|(by, _)| *by).min();
        let (found, code, confidence) = if shortened.is_empty() {
            let nearest = similar.into_iter().filter(|(by, _)| Some(*by) == least);
            let nearest: Vec<&Name> = nearest.map(|(_, name)| name).collect();
            (nearest, "agency-similar", Confidence::Low)
        } else {
            (shortened, "agency-abbreviation", Confidence::Medium)
        };
        let mut units: Vec<usize> = Vec::new();
        for unit in found.iter().filter_map(|name| name.unit) {
            if !units.contains(&unit) {
                units.push(unit);
            }
        }
        let standard = found.first().filter(|_| units.is_empty());
        let all: Vec<&Unit> = units
            .iter()
            .filter_map(|at| self.directory.unit(*at))
            .collect();
        let reason = |code, confidence, name: &str| {
            Reason::new(topic, code, confidence)
                .with("printed", &printed)
                .with("name", name)
        };
        let (name, matched, candidates, reason) = match (all.as_slice(), standard) {
            ([unit], _) => (
                unit.name.clone(),
                Matched::Unit(unit.code.clone()),
                Vec::new(),
                reason(code, confidence, &unit.name),
            ),
            ([], Some(name)) => (
                name.text.clone(),
                Matched::Nothing,
                Vec::new(),
                reason("agency-standard", Confidence::Low, &name.text),
            ),
            ([], None) => (
                printed.clone(),
                Matched::Nothing,
                Vec::new(),
                reason("agency-unknown", Confidence::Low, &printed),
            ),
            (several, _) => (
                printed.clone(),
                Matched::Nothing,
                several.iter().map(|unit| unit.code.clone()).collect(),
                reason("agency-ambiguous", Confidence::Low, &printed),
            ),
        };
        Agency {
            printed,
            name,
            matched,
            scope: None,
            candidates,
            reason,
        }
    }
}

pub(super) fn is_concerned(scope: &str) -> bool {
    let key = crate::form::printed::wording::folded(scope);
    matches!(key.as_str(), "lien quan" | "co lien quan")
}

pub(super) fn has(all: &[Word], at: usize, wanted: &[&str]) -> bool {
    let here = all.get(at..at + wanted.len()).unwrap_or_default();
    here.len() == wanted.len()
        && here
            .iter()
            .map(|one| one.word.as_str())
            .eq(wanted.iter().copied())
}

pub(super) fn speaker(all: &[Word], at: usize) -> Option<usize> {
    let found = SPEAKERS.iter().filter(|wanted| has(all, at, wanted));
    found.map(|wanted| wanted.len()).max()
}

/// The noun at a word that further names of a list can stand under.
pub(super) fn noun_of(all: &[Word], at: usize) -> Vec<String> {
    let found = CARRIED.iter().find(|wanted| has(all, at, wanted));
    found.map_or_else(Vec::new, |wanted| {
        wanted.iter().map(|word| (*word).to_owned()).collect()
    })
}

/// True where a name may end: what follows is a mark or a word between names.
pub(super) fn is_end(all: &[Word], at: usize) -> bool {
    all.get(at).is_none_or(|word| {
        word.before != Mark::Inside
            || matches!(word.word.as_str(), "va" | "cung" | "voi")
            || has(all, at, &["phoi", "hop"])
            || has(all, at, &["chu", "tri"])
    })
}

/// True where words begin that limit a name.
pub(super) fn is_scope(all: &[Word], at: usize) -> bool {
    let word = all
        .get(at)
        .filter(|word| word.before == Mark::Inside && word.small);
    word.is_some_and(|word| SCOPES.contains(&word.word.as_str()))
}

/// Where a name ends that begins at a word, and whether nothing was left out.
pub(super) fn follows(
    name: &Name,
    prefix: &[String],
    all: &[Word],
    at: usize,
) -> Option<(usize, bool)> {
    let mut wanted = name.words.iter().peekable();
    for word in prefix {
        wanted.next_if(|wanted| *wanted == word)?;
    }
    let mut next = at;
    let mut exact = true;
    while let Some(expected) = wanted.peek() {
        let found = all
            .get(next)
            .filter(|one| next == at || one.before < Mark::Slash);
        match found {
            Some(found) if found.word == **expected => {
                wanted.next();
                next += 1;
            }
            _ if is_filler(expected) => {
                wanted.next();
                exact = false;
            }
            Some(found) if found.word == "va" && next > at => {
                next += 1;
                exact = false;
            }
            Some(_) | None => return None,
        }
    }
    Some((next, exact))
}

/// The printed words from one to another.
pub(super) fn slice(text: &str, all: &[Word], from: usize, to: usize) -> String {
    let start = all.get(from).map_or(0, |word| word.start);
    let last = to.checked_sub(1).and_then(|at| all.get(at));
    let end = last.map_or(start, |word| word.end);
    single_spaced(text.get(start..end.max(start)).unwrap_or_default())
}
