//! Percentages and what they are a percentage of, proposed from units, places and words.

use super::wording::{begins_any, folded, has_any, meaning};
use super::{Confidence, Draft, Reason, Topic};
use crate::form::Kind;
use crate::form::formula::{Factor, Formula, Term};
use crate::number::Number;

/// Words of the whole that something is a share of.
const WHOLE_WORDS: [&str; 14] = [
    "duoc giao",
    "de ra",
    "ke hoach",
    "can phai",
    "phai",
    "du dieu kien",
    "co yeu cau",
    "tiep nhan",
    "toan bo",
    "hien co",
    "du toan",
    "chi tieu giao",
    "dang ky",
    "trong do tuoi",
];

/// Words of the share itself.
const SHARE_WORDS: [&str; 12] = [
    "da",
    "hoan thanh",
    "dung han",
    "dat",
    "dang",
    "duoc cap",
    "giai quyet",
    "thuc hien",
    "duoc",
    "truc tuyen",
    "co mat",
    "giai ngan",
];

/// How much a label speaks of a whole rather than of a share.
fn wholeness(label: &str) -> i32 {
    let words = folded(label);
    let mut score = 0;
    if begins_any(&words, &["tong so", "tong", "so luong tong", "tong cong"]) {
        score += 3;
    }
    if has_any(&words, &WHOLE_WORDS) {
        score += 2;
    }
    if has_any(&words, &SHARE_WORDS) {
        score -= 1;
    }
    score
}

/// The formula of a percentage, if its form shows what it is made of.
pub(super) fn of(draft: &Draft<'_>, row: usize) -> Option<(Formula, Reason)> {
    if draft.kind(row)? != Kind::Percent {
        return None;
    }
    let label = draft.label(row)?;
    let words = folded(label);
    let parts: Vec<usize> = draft.counts_under(row);
    if has_any(&words, &["so voi"]) {
        return change(draft, row, &words, &parts);
    }
    match parts.as_slice() {
        [] | [_] => beside(draft, row, label),
        [first, second] => of_two(draft, row, *first, *second),
        _ => of_several(draft, row, label, &parts),
    }
}

fn proposal(
    draft: &Draft<'_>,
    part: usize,
    whole: usize,
    code: &'static str,
    confidence: Confidence,
) -> Option<(Formula, Reason)> {
    let reason = Reason::new(Topic::Formula, code, confidence)
        .with("part", draft.label(part)?)
        .with("whole", draft.label(whole)?);
    let formula = Formula::Product(vec![
        (Factor::Multiply, Formula::Number(Number::HUNDRED)),
        (Factor::Multiply, Formula::Cell(draft.code(part)?)),
        (Factor::Divide, Formula::Cell(draft.code(whole)?)),
    ]);
    Some((formula, reason))
}

fn of_two(
    draft: &Draft<'_>,
    _row: usize,
    first: usize,
    second: usize,
) -> Option<(Formula, Reason)> {
    if !draft.same_unit(first, second) {
        return None;
    }
    let (a, b) = (
        wholeness(draft.label(first)?),
        wholeness(draft.label(second)?),
    );
    let (whole, part) = if b > a {
        (second, first)
    } else {
        (first, second)
    };
    let confidence = match (a - b).abs() {
        0 => Confidence::Low,
        1 => Confidence::Medium,
        _ => Confidence::High,
    };
    proposal(draft, part, whole, "ratio-of-parts", confidence)
}

/// Three counts or more under a percentage: the total, and the one that says what the percentage says.
fn of_several(
    draft: &Draft<'_>,
    row: usize,
    label: &str,
    parts: &[usize],
) -> Option<(Formula, Reason)> {
    let wanted = meaning(label);
    let whole = parts
        .iter()
        .copied()
        .rev()
        .max_by_key(|part| draft.label(*part).map_or(i32::MIN, wholeness))?;
    if wholeness(draft.label(whole)?) <= 0 {
        return None;
    }
    let _ = row;
    let closeness = |part: &usize| -> usize {
        let words = draft.label(*part).map(meaning).unwrap_or_default();
        let shared = words.iter().filter(|word| wanted.contains(word)).count();
        // Twice the shared words over all words, in thousandths.
        2_000 * shared / (words.len() + wanted.len()).max(1)
    };
    let others = parts
        .iter()
        .copied()
        .filter(|part| *part != whole && draft.same_unit(*part, whole));
    let part = others.rev().max_by_key(closeness)?;
    (closeness(&part) >= 400)
        .then(|| proposal(draft, part, whole, "ratio-by-words", Confidence::Medium))?
}

/// `Tỷ lệ … cắt giảm so với năm 2015`: with both figures printed below, what changed of the first.
fn change(
    draft: &Draft<'_>,
    row: usize,
    words: &str,
    parts: &[usize],
) -> Option<(Formula, Reason)> {
    let [first, second] = parts else { return None };
    if !draft.same_unit(*first, *second) {
        return None;
    }
    let falls = has_any(words, &["giam", "cat giam", "tinh giam"]);
    let rises = has_any(words, &["tang"]);
    if falls == rises {
        return None;
    }
    let is_now = |part: usize| {
        draft.label(part).is_some_and(|label| {
            has_any(
                &folded(label),
                &[
                    "tai thoi diem",
                    "hien tai",
                    "hien co",
                    "nam bao cao",
                    "nam nay",
                    "ky nay",
                ],
            )
        })
    };
    let (before, now) = match (is_now(*first), is_now(*second)) {
        (true, false) => (*second, *first),
        (false, true | false) | (true, true) => (*first, *second),
    };
    let cell = |row: usize| draft.code(row).map(Formula::Cell);
    let (more, less) = if falls { (before, now) } else { (now, before) };
    let difference = Formula::Sum(vec![
        (Term::Add, cell(more)?),
        (Term::Subtract, cell(less)?),
    ]);
    let reason = Reason::new(Topic::Formula, "change-against-base", Confidence::Medium)
        .with("part", draft.label(now)?)
        .with("whole", draft.label(before)?);
    let _ = row;
    Some((
        Formula::Product(vec![
            (Factor::Multiply, Formula::Number(Number::HUNDRED)),
            (Factor::Multiply, difference),
            (Factor::Divide, cell(before)?),
        ]),
        reason,
    ))
}

/// Rows further away are parts of something else.
const REACH: usize = 12;

/// A percentage that stands beside its counts: the words of the share, without those of the whole, are
/// the words of the percentage.
fn beside(draft: &Draft<'_>, row: usize, label: &str) -> Option<(Formula, Reason)> {
    let wanted = meaning(label);
    if wanted.is_empty() {
        return None;
    }
    let parent = draft.parent(row);
    let siblings: Vec<usize> = draft
        .siblings(row)
        .into_iter()
        .filter(|other| other.abs_diff(row) <= REACH && draft.is_count(*other))
        .collect();
    let wholes = siblings
        .iter()
        .copied()
        .chain(parent.filter(|parent| draft.is_count(*parent)));
    let mut best: Option<(usize, usize, usize)> = None;
    for whole in wholes {
        let of_whole = meaning(draft.label(whole)?);
        let weight = wholeness(draft.label(whole)?);
        for part in siblings.iter().copied().filter(|part| *part != whole) {
            if !draft.same_unit(part, whole)
                || (wholeness(draft.label(part)?) >= weight && Some(whole) != parent)
            {
                continue;
            }
            let of_part = meaning(draft.label(part)?);
            let own: Vec<&String> = of_part
                .iter()
                .filter(|word| !of_whole.contains(word))
                .collect();
            let said = own.iter().filter(|word| wanted.contains(word)).count();
            let unsaid = own.len() - said;
            let strange = wanted
                .iter()
                .filter(|word| !of_part.contains(word) && !of_whole.contains(word))
                .count();
            let fits = said > 0 && unsaid * 4 <= own.len() && strange * 5 <= wanted.len();
            // The best has most words of its own said, then stands nearest.
            let score = said * 1_000
                + (REACH + 1 - part.abs_diff(row).min(REACH)) * 10
                + (REACH + 1 - whole.abs_diff(row).min(REACH));
            if fits && best.is_none_or(|(known, ..)| score > known) {
                best = Some((score, part, whole));
            }
        }
    }
    let (_, part, whole) = best?;
    proposal(draft, part, whole, "ratio-beside", Confidence::Medium)
}
