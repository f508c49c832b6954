//! Sections, codes, rows above: how the rows of a plan hang together.

use std::collections::{BTreeMap, BTreeSet};

use super::ranks::{self, Rank, Standing};
use super::reason::{Confidence, Reason, Topic};
use super::rows::{Event, Heading, RawRow};
use crate::form::printed::ordinal::Piece;

/// A row in its place.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) code: String,
    pub(super) parent: Option<usize>,
    pub(super) section: Option<usize>,
    pub(super) reasons: Vec<Reason>,
}

/// A section.
#[derive(Debug, Clone)]
pub(super) struct OutlineSection {
    pub(super) id: String,
    pub(super) stt: Option<String>,
    pub(super) title: String,
    pub(super) parent: Option<usize>,
    pub(super) heading: Heading,
}

#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) sections: Vec<OutlineSection>,
    pub(super) placed: Vec<Placed>,
}

struct Known {
    standing: Option<Standing>,
    has_content: bool,
    section: Option<usize>,
    parent: Option<usize>,
}

/// Puts rows into their places.
pub(super) fn build(events: &[Event], rows: &[RawRow]) -> Outline {
    let mut outline = Outline::default();
    let mut known: Vec<Known> = Vec::new();
    let mut section: Option<usize> = None;
    let mut before: BTreeMap<bool, Piece> = BTreeMap::new();
    let mut rest = events.iter().peekable();
    let mut parents: Vec<(Option<usize>, Reason)> = Vec::new();
    while let Some(event) = rest.next() {
        match event {
            Event::Section(heading) => {
                // What stands above a table is its section only if it has none of its own.
                if heading.above.is_some() && matches!(rest.peek(), Some(Event::Section(_)) | None)
                {
                    continue;
                }
                section = Some(outline.open(heading, &mut before));
            }
            Event::Row(at) => {
                let Some(row) = rows.get(*at) else {
                    continue;
                };
                let standing = ranks::standing(&row.stt, None);
                let (parent, reason) = parent_of(&known, row, standing.as_ref(), section);
                known.push(Known {
                    standing,
                    has_content: row.has_any(),
                    section,
                    parent,
                });
                parents.push((parent, reason));
            }
        }
    }
    let prefixed = starts_again(&known);
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut letters: BTreeMap<String, usize> = BTreeMap::new();
    let mut numbered: Option<String> = None;
    for (known, (parent, reason)) in known.iter().zip(parents) {
        let above = parent
            .and_then(|at| outline.placed.get(at))
            .map(|placed: &Placed| placed.code.clone());
        let id = known
            .section
            .and_then(|at| outline.sections.get(at))
            .map(|section| section.id.clone());
        let (base, mut code_reason) = match &known.standing {
            Some(standing) if !standing.path.is_empty() => {
                let own = standing.path.join(".");
                let listed = reason.code == "parent-by-list" && standing.rank != Rank::Number;
                match (above.filter(|_| listed), id.filter(|_| prefixed)) {
                    (Some(above), _) => (
                        format!("{above}.{own}"),
                        code_reason("code-by-ordinal", Confidence::High),
                    ),
                    (None, Some(id)) => (
                        format!("{id}.{own}"),
                        code_reason("code-with-section", Confidence::Medium),
                    ),
                    (None, None) => (own, code_reason("code-by-ordinal", Confidence::High)),
                }
            }
            Some(_) | None => {
                let under = above.or_else(|| numbered.clone()).or(id);
                let stem = under.map(|under| format!("{under}.")).unwrap_or_default();
                let count = letters.entry(stem.clone()).or_default();
                *count += 1;
                (
                    format!("{stem}{}", letter(*count)),
                    code_reason("code-lettered", Confidence::Medium),
                )
            }
        };
        let mut code = base.clone();
        let mut number = 2;
        while !taken.insert(code.clone()) {
            code = format!("{base}-{number}");
            code_reason =
                Reason::new(Topic::Code, "code-repeated", Confidence::Medium).with("stt", &base);
            number += 1;
        }
        if known
            .standing
            .as_ref()
            .is_some_and(|standing| !standing.path.is_empty())
        {
            numbered = Some(code.clone());
        }
        outline.placed.push(Placed {
            code,
            parent,
            section: known.section,
            reasons: vec![code_reason, reason],
        });
    }
    outline
}

fn code_reason(code: &'static str, confidence: Confidence) -> Reason {
    Reason::new(Topic::Code, code, confidence)
}

fn letter(count: usize) -> String {
    let letter = u8::try_from(count)
        .ok()
        .filter(|count| (1..=26).contains(count));
    letter.map_or_else(
        || format!("n{count}"),
        |count| char::from(b'a' + count - 1).to_string(),
    )
}

impl Outline {
    fn open(&mut self, heading: &Heading, before: &mut BTreeMap<bool, Piece>) -> usize {
        let lone = ranks::standing(&heading.stt, None);
        let is_letter = |standing: &Standing| standing.rank == Rank::Letter;
        // `C`, `D`, `I` are letters or numerals by what they follow.
        let standing = lone.map(|lone| {
            let last = self.sections.last().and_then(|section| section.stt.clone());
            let letters = last
                .as_deref()
                .and_then(|last| ranks::standing(last, None))
                .as_ref()
                .is_some_and(is_letter);
            let after = before.get(&letters);
            ranks::standing(&heading.stt, after).unwrap_or(lone)
        });
        if let Some(piece) = standing
            .as_ref()
            .and_then(|standing| standing.piece.clone())
        {
            before.insert(standing.as_ref().is_some_and(is_letter), piece);
        }
        let parent = standing
            .as_ref()
            .filter(|standing| standing.rank != Rank::Letter)
            .and_then(|_| {
                self.sections.iter().rposition(|section| {
                    let above = section
                        .stt
                        .as_deref()
                        .and_then(|stt| ranks::standing(stt, None));
                    above.as_ref().is_some_and(is_letter)
                })
            });
        let own = standing.as_ref().map(|standing| standing.path.join("."));
        let above = parent
            .and_then(|at| self.sections.get(at))
            .map(|section| format!("{}.", section.id));
        let base = own.unwrap_or_else(|| format!("{}", self.sections.len() + 1));
        let base = format!("{}{base}", above.unwrap_or_default());
        let mut id = base.clone();
        let mut number = 2;
        while self.sections.iter().any(|section| section.id == id) {
            id = format!("{base}-{number}");
            number += 1;
        }
        self.sections.push(OutlineSection {
            id,
            stt: Some(heading.stt.clone()).filter(|stt| !stt.is_empty()),
            title: heading.title.clone(),
            parent,
            heading: heading.clone(),
        });
        self.sections.len() - 1
    }
}

/// The row above, and why.
fn parent_of(
    known: &[Known],
    row: &RawRow,
    standing: Option<&Standing>,
    section: Option<usize>,
) -> (Option<usize>, Reason) {
    let reason = |code, confidence| Reason::new(Topic::Parent, code, confidence);
    let here = || {
        known
            .iter()
            .enumerate()
            .rev()
            .take_while(|(_, row)| row.section == section)
    };
    let found = |at: usize, code, confidence| (Some(at), reason(code, confidence));
    let rank = standing.map_or(Rank::Heading, |standing| standing.rank);
    if let Some(standing) = standing.filter(|standing| standing.path.len() > 1) {
        for length in (1..standing.path.len()).rev() {
            let wanted = standing.path.get(..length);
            let above = here()
                .find(|(_, row)| row.standing.as_ref().map(|one| one.path.as_slice()) == wanted);
            if let Some((at, _)) = above {
                return found(at, "parent-by-ordinal", Confidence::High);
            }
        }
    }
    if standing.is_none() {
        if !row.has_any() {
            return (None, reason("parent-none", Confidence::Medium));
        }
        // Without an ordinal: under the heading above it, else beside the row above it.
        let last = here().next();
        return match last {
            Some((at, last)) if !last.has_content => {
                found(at, "parent-by-list", Confidence::Medium)
            }
            Some((_, last)) => match last.parent {
                Some(at) => found(at, "parent-by-list", Confidence::Medium),
                None => (None, reason("parent-none", Confidence::Low)),
            },
            None => (None, reason("parent-none", Confidence::Medium)),
        };
    }
    // The nearest row that can hold one of this kind. An unnumbered task holds none.
    let holds = |row: &Known| match &row.standing {
        Some(above) => above.rank < rank,
        None => !row.has_content && Rank::Heading < rank,
    };
    match here().find(|(_, row)| holds(row)) {
        Some((at, _)) if rank > Rank::Roman => found(at, "parent-by-list", Confidence::Medium),
        Some(_) | None => (None, reason("parent-none", Confidence::High)),
    }
}

/// True if sections count their rows from the beginning: the first ordinals are the same.
fn starts_again(known: &[Known]) -> bool {
    let mut first: BTreeMap<usize, &[String]> = BTreeMap::new();
    for row in known {
        if let (Some(section), Some(standing)) = (row.section, &row.standing)
            && standing.rank == Rank::Number
        {
            first.entry(section).or_insert(&standing.path);
        }
    }
    let distinct: BTreeSet<&[String]> = first.values().copied().collect();
    first.len() > distinct.len()
}
