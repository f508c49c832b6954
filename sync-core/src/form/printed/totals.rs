//! Totals and their parts, proposed from units, places and words.
//!
//! "Trong đó" names some of what is counted, "chia ra" all of it: after the first a sum is proposed only
//! where the parts are told to make up the whole.

use super::outline::is_grand_total;
use super::wording::{begins_any, folded, has_any, meaning, without_brackets};
use super::{Confidence, Draft, Reason, Topic};
use crate::form::Kind;
use crate::form::formula::{Formula, Term};

/// Marks of some of those that are counted, which overlap with other marks.
const TRAITS: [&str; 22] = [
    "dan toc",
    "khuyet tat",
    "dang vien",
    "ton giao",
    "can ngheo",
    "co cong",
    "chinh sach",
    "tre em",
    "bao tro",
    "tan tat",
    "tren chuan",
    "dat chuan",
    "kien co hoa",
    "ban tru",
    "hoc 2 buoi",
    "2 buoi/ngay",
    "moi",
    "bo sung",
    "phat sinh",
    "qua han",
    "vi pham",
    "bien che",
];

/// Words of what happened to something; such rows leave out what has not happened yet.
const STATES: [&str; 9] = [
    "da",
    "hoan thanh",
    "dung han",
    "qua han",
    "truoc han",
    "xu ly xong",
    "luy ke",
    "phat sinh",
    "duoc cap",
];

/// The formula of a total, if its form shows what it is made of.
pub(super) fn of(draft: &Draft<'_>, row: usize) -> Option<(Formula, Reason)> {
    if !draft.is_count(row) {
        return None;
    }
    let label = draft.label(row)?;
    if is_grand_total(label) {
        return grand_total(draft, row);
    }
    let words = folded(label);
    let is_total = begins_any(&words, &["tong so", "tong", "tong cong", "cong"]);
    let parts = draft.counts_under(row);
    let parts: Vec<usize> = parts
        .into_iter()
        .filter(|part| draft.same_unit(*part, row))
        .collect();
    if parts.len() >= 2 {
        return of_parts(draft, row, is_total, &parts);
    }
    if is_total
        && draft
            .parent(row)
            .is_none_or(|parent| draft.kind(parent) != Some(Kind::Percent))
    {
        return of_named(draft, row, &words).or_else(|| of_following(draft, row, label));
    }
    if is_total {
        return of_named(draft, row, &words);
    }
    None
}

fn sum(
    draft: &Draft<'_>,
    parts: &[usize],
    code: &'static str,
    confidence: Confidence,
) -> Option<(Formula, Reason)> {
    let mut terms = Vec::with_capacity(parts.len());
    for part in parts {
        terms.push((Term::Add, Formula::Cell(draft.code(*part)?)));
    }
    let reason = Reason::new(Topic::Formula, code, confidence).with("count", parts.len());
    (terms.len() >= 2).then_some((Formula::Sum(terms), reason))
}

fn of_parts(
    draft: &Draft<'_>,
    row: usize,
    is_total: bool,
    parts: &[usize],
) -> Option<(Formula, Reason)> {
    if overlaps(draft, parts) {
        return None;
    }
    let bands = parts.iter().filter(|part| is_band(draft, **part)).count() == parts.len();
    let of_which = parts
        .iter()
        .any(|part| draft.rows.get(*part).is_some_and(|row| row.of_which));
    let exhaustive = draft.is_exhaustive(row);
    match (bands, is_total, exhaustive) {
        (true, _, _) => sum(draft, parts, "total-of-bands", Confidence::High),
        (_, true, _) if !of_which => sum(draft, parts, "total-of-parts", Confidence::High),
        (_, true, _) => sum(draft, parts, "total-of-which", Confidence::Medium),
        (_, _, true) => sum(draft, parts, "total-divided", Confidence::Medium),
        (false, false, false)
            if !of_which && !states(draft, parts) && levels_or_kinds(draft, row, parts) =>
        {
            sum(draft, parts, "total-of-kinds", Confidence::Low)
        }
        (false, false, false) => None,
    }
}

/// Parts that do not exclude each other: a woman may belong to a minority.
fn overlaps(draft: &Draft<'_>, parts: &[usize]) -> bool {
    let words = |part: &usize| {
        draft
            .label(*part)
            .map(|label| folded(&without_brackets(label)))
            .unwrap_or_default()
    };
    let all: Vec<String> = parts.iter().map(words).collect();
    let some = |test: &dyn Fn(&str) -> bool| all.iter().any(|words| test(words));
    let women = some(&|words| words.split(' ').any(|word| word == "nu"));
    let men = some(&|words| words.split(' ').any(|word| word == "nam") && !words.contains("nam 2"));
    let traits = all.iter().filter(|words| has_any(words, &TRAITS)).count();
    // Two thirds or more of the parts share the trait: then it is what is counted.
    let odd_trait = traits > 0 && traits < all.len();
    let nested = draft.nested(parts);
    (women && !men) || odd_trait || nested
}

fn states(draft: &Draft<'_>, parts: &[usize]) -> bool {
    let state = |part: &&usize| {
        draft
            .label(**part)
            .is_some_and(|label| has_any(&folded(&without_brackets(label)), &STATES))
    };
    parts.iter().filter(state).count() > 0
}

/// `từ 30% - dưới 70%`, `dưới 5 tuổi`, `trên 60 tuổi`.
fn is_band(draft: &Draft<'_>, part: usize) -> bool {
    draft.label(part).is_some_and(|label| {
        let words = folded(label);
        let digits = words.bytes().any(|byte| byte.is_ascii_digit());
        digits
            && has_any(
                &words,
                &["tu", "duoi", "tren", "den", "tro len", "tro xuong"],
            )
    })
}

/// Parts that all name what their total counts, or only what divides it.
fn levels_or_kinds(draft: &Draft<'_>, row: usize, parts: &[usize]) -> bool {
    let whole = draft.label(row).map(meaning).unwrap_or_default();
    let head: Vec<&String> = whole.iter().take(2).collect();
    let shares = |part: &usize| {
        let words = draft.label(*part).map(meaning).unwrap_or_default();
        let names_whole = head.iter().all(|word| words.contains(word));
        names_whole || words.len() <= 5
    };
    parts.iter().all(shares)
}

/// `Tổng cộng` alone: everything else at its level.
fn grand_total(draft: &Draft<'_>, row: usize) -> Option<(Formula, Reason)> {
    let parts: Vec<usize> = draft
        .siblings(row)
        .into_iter()
        .filter(|other| draft.is_count(*other) && draft.same_unit(*other, row))
        .filter(|other| {
            draft
                .label(*other)
                .is_some_and(|label| !is_grand_total(label))
        })
        .collect();
    let under = draft.counts_under(row);
    let under: Vec<usize> = under
        .into_iter()
        .filter(|part| draft.same_unit(*part, row))
        .collect();
    if under.len() >= 2 && !overlaps(draft, &under) {
        return sum(draft, &under, "total-of-parts", Confidence::High);
    }
    sum(draft, &parts, "total-of-all", Confidence::Medium)
}

/// `Tổng số …` with rows after it that name the same things: the kinds it divides into.
fn of_following(draft: &Draft<'_>, row: usize, label: &str) -> Option<(Formula, Reason)> {
    let whole = meaning(label);
    let head = whole.first()?;
    let mut parts = Vec::new();
    let mut passed = 0;
    for other in draft.siblings(row).into_iter().filter(|other| *other > row) {
        let words = folded(draft.label(other)?);
        if begins_any(&words, &["tong so", "tong", "tong cong"]) {
            break;
        }
        let own = meaning(draft.label(other)?);
        let same_things = draft.is_count(other)
            && draft.same_unit(other, row)
            && own.first() == Some(head)
            && own.len() > 1;
        if same_things && !has_any(&folded(draft.label(other)?), &STATES) {
            parts.push(other);
        } else {
            passed += 1;
        }
    }
    if parts.len() < 3 || passed > parts.len() || overlaps(draft, &parts) {
        return None;
    }
    sum(draft, &parts, "total-of-following", Confidence::Medium)
}

/// `Tổng số … mức độ 3 và 4`: the rows that name the one and the other, wherever they stand.
fn of_named(draft: &Draft<'_>, row: usize, _words: &str) -> Option<(Formula, Reason)> {
    let label = without_brackets(draft.label(row)?);
    let words: Vec<&str> = label.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "và")?;
    let (first, second) = (words.get(at.checked_sub(1)?)?, words.get(at + 1)?);
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(first) || !digits(second) {
        return None;
    }
    let find = |number: &str| -> Option<usize> {
        let head = words.get(..at.checked_sub(1)?)?.join(" ");
        let wanted = meaning(&format!("{head} {number}"));
        let same = |other: &usize| {
            *other != row
                && draft.is_count(*other)
                && draft.same_unit(*other, row)
                && draft.label(*other).map(meaning).as_ref() == Some(&wanted)
        };
        let mut found = (0..draft.rows.len()).filter(same);
        let one = found.next()?;
        found.next().is_none().then_some(one)
    };
    sum(
        draft,
        &[find(first)?, find(second)?],
        "total-of-named",
        Confidence::Medium,
    )
}
