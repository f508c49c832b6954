//! A cell of agencies: cut into names, each matched to a unit or a group, with how sure that is.
//!
//! A name is taken as long as it goes: "Sở Văn hóa, Thể thao và Du lịch" is one agency, not two, because
//! the longest name that is known and ends where one may end wins over any comma. What is left over
//! behind a name limits it ("được kiểm tra năm 2022"): such a group is not expanded, it asks.

pub(crate) mod directory;
pub(crate) mod groups;
mod matching;
mod words;

use std::collections::BTreeMap;

use super::reason::{Confidence, Reason, Topic};
use crate::limits;
use directory::How;
pub use directory::{Directory, Group, Unit};
pub use groups::GroupKind;
use matching::{Hit, has, is_concerned, is_end, is_scope, noun_of, slice, speaker};
use words::{Mark, Word, words};

/// What an agency was matched to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched {
    /// A unit, by its code.
    Unit(String),
    /// A group, by its name.
    Group(String),
    /// Nothing: a person says.
    Nothing,
}

/// One agency of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// The words of the cell.
    pub printed: String,
    /// The name of the unit or group; else the words.
    pub name: String,
    /// What it was matched to.
    pub matched: Matched,
    /// What limits it, as printed: a limited group is not expanded.
    pub scope: Option<String>,
    /// Codes of units that it may be instead, or that a limited group is chosen from.
    pub candidates: Vec<String>,
    /// Why, and how sure.
    pub reason: Reason,
}

impl Agency {
    /// True where a person has to say who is meant.
    pub fn asks(&self) -> bool {
        let limited = matches!(self.matched, Matched::Group(_)) && self.scope.is_some();
        limited || self.matched == Matched::Nothing || self.reason.confidence == Confidence::Low
    }
}

/// The agencies of a cell, and those behind "phối hợp" in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) first: Vec<Agency>,
    pub(super) coordinating: Vec<Agency>,
}

/// Reads cells of agencies; the same text is read once.
pub(super) struct Reader<'a> {
    directory: &'a Directory,
    known: BTreeMap<(String, Topic), Read>,
    groups: BTreeMap<String, Group>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(directory: &'a Directory) -> Self {
        Self {
            directory,
            known: BTreeMap::new(),
            groups: BTreeMap::new(),
        }
    }

    /// Every group that was named, by its name.
    pub(super) fn groups(self) -> Vec<Group> {
        self.groups.into_values().collect()
    }

    pub(super) fn read(&mut self, text: &str, topic: Topic) -> Read {
        let key = (text.to_owned(), topic);
        if let Some(read) = self.known.get(&key) {
            return read.clone();
        }
        let read = self.cell(text, topic);
        self.known.insert(key, read.clone());
        read
    }

    fn cell(&mut self, text: &str, topic: Topic) -> Read {
        let all = words(text);
        let mut read = Read::default();
        let mut second = false;
        let mut carried: Vec<String> = Vec::new();
        let mut at = 0;
        // From the last full stop on, agencies share what limits them.
        let mut chain = 0;
        while at < all.len()
            && read.first.len() + read.coordinating.len() <= limits::PLAN_AGENCIES_MAX
        {
            if has(&all, at, &["phoi", "hop"]) {
                second = topic == Topic::Lead || second;
                carried.clear();
                at += 2;
                continue;
            }
            if let Some(length) = speaker(&all, at) {
                at += length;
                continue;
            }
            let into = if second {
                &mut read.coordinating
            } else {
                &mut read.first
            };
            if all.get(at).is_some_and(|one| one.before == Mark::Semicolon) {
                chain = into.len();
            }
            let mut into = std::mem::take(into);
            chain = chain.min(into.len());
            let topic = if second { Topic::Coordinating } else { topic };
            let end = self.one(text, &all, at, topic, &mut carried, &mut into, &mut chain);
            if second {
                read.coordinating = into;
            } else {
                read.first = into;
            }
            at = end.max(at + 1);
        }
        read
    }

    /// Reads the agency that begins at a word; where it ends.
    #[expect(
        clippy::too_many_arguments,
        reason = "where a list stands, in one place"
    )]
    fn one(
        &mut self,
        text: &str,
        all: &[Word],
        at: usize,
        topic: Topic,
        carried: &mut Vec<String>,
        into: &mut Vec<Agency>,
        chain: &mut usize,
    ) -> usize {
        let unit = self.best(all, &[], at);
        let group = groups::find(all, at, |end| is_end(all, end) || is_scope(all, end));
        // "UBND các huyện: Đại Từ, Phú Bình" names them.
        let named = |end: usize| all.get(end).is_some_and(|word| word.before == Mark::Colon);
        if let Some(group) = group.filter(|group| {
            !named(group.end) && unit.as_ref().is_none_or(|unit| unit.end < group.end)
        }) {
            carried.clear();
            return self.group(text, all, at, &group, topic, into, *chain);
        }
        if let Some(hit) = unit {
            // A name that needs no noun stands in the list all the same.
            let noun = noun_of(all, at);
            if !noun.is_empty() {
                *carried = noun;
            }
            return self.hit(text, all, at, hit, topic, false, into);
        }
        // "Các Sở Nội vụ; …", "UBND các huyện Đại Từ, …", "Các sở: Nội vụ, …".
        let mut inner = at;
        while matches!(
            all.get(inner).map(|one| one.word.as_str()),
            Some("cac" | "ubnd")
        ) {
            inner += 1;
        }
        let noun = noun_of(all, inner);
        if inner > at && !noun.is_empty() {
            let start = inner + noun.len();
            if let Some(hit) = self.best(all, &noun, start) {
                *carried = noun;
                return self.hit(text, all, start, hit, topic, true, into);
            }
        }
        if !carried.is_empty()
            && let Some(hit) = self.best(all, carried, at)
        {
            return self.hit(text, all, at, hit, topic, true, into);
        }
        let (end, last) = self.unknown_end(all, at);
        let agency = self.unknown(text, all.get(at..last).unwrap_or_default(), topic);
        if matches!(agency.matched, Matched::Unit(_)) {
            *carried = noun_of(all, at);
        }
        into.push(agency);
        end
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a name, where it stands and where it goes"
    )]
    fn hit(
        &self,
        text: &str,
        all: &[Word],
        at: usize,
        hit: Hit,
        topic: Topic,
        listed: bool,
        into: &mut Vec<Agency>,
    ) -> usize {
        let printed = slice(text, all, at, hit.end);
        let (end, scope) = self.scope(text, all, hit.end);
        let unit = hit.units.first().and_then(|at| self.directory.unit(*at));
        let reason = |code, confidence| {
            Reason::new(topic, code, confidence)
                .with("printed", &printed)
                .with(
                    "name",
                    unit.map_or(hit.text.as_str(), |unit| unit.name.as_str()),
                )
        };
        let codes = || {
            let units = hit.units.iter().filter_map(|at| self.directory.unit(*at));
            units.map(|unit| unit.code.clone()).collect::<Vec<_>>()
        };
        let agency = match unit {
            None => Agency {
                name: hit.text.clone(),
                matched: Matched::Nothing,
                candidates: Vec::new(),
                reason: reason("agency-standard", Confidence::Low),
                scope,
                printed,
            },
            Some(_) if hit.units.len() > 1 => Agency {
                name: printed.clone(),
                matched: Matched::Nothing,
                candidates: codes(),
                reason: reason("agency-ambiguous", Confidence::Low),
                scope,
                printed,
            },
            Some(unit) => {
                let reason = match (scope.is_some(), listed, hit.how, hit.exact) {
                    (true, ..) => reason("agency-part", Confidence::Medium),
                    (_, true, ..) => reason("agency-listed", Confidence::Medium),
                    (_, _, How::Old, _) => {
                        reason("agency-old-name", Confidence::Medium).with("old", &hit.text)
                    }
                    (_, _, How::Short, _) | (_, _, _, false) => {
                        reason("agency-short", Confidence::Medium)
                    }
                    (_, _, How::Alias, _) => reason("agency-alias", Confidence::High),
                    (_, _, How::Name | How::Standard, _) => reason("agency-name", Confidence::High),
                };
                Agency {
                    name: unit.name.clone(),
                    matched: Matched::Unit(unit.code.clone()),
                    candidates: Vec::new(),
                    reason,
                    scope,
                    printed,
                }
            }
        };
        into.push(agency);
        end
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a group, where it stands and where it goes"
    )]
    fn group(
        &mut self,
        text: &str,
        all: &[Word],
        at: usize,
        found: &groups::Found,
        topic: Topic,
        into: &mut Vec<Agency>,
        chain: usize,
    ) -> usize {
        let printed = slice(text, all, at, found.end);
        let (end, scope) = self.scope(text, all, found.end);
        let concerned = scope.as_deref().is_some_and(is_concerned);
        for kind in &found.kinds {
            let name = match (concerned, kind) {
                (true, _) | (_, GroupKind::Unnamed) => {
                    let of_kind = found.nouns.iter().filter(|(_, of)| of == kind);
                    let nouns: Vec<&str> = of_kind.map(|(text, _)| *text).collect();
                    let nouns = nouns.join(", ");
                    match concerned {
                        true => format!("Các {nouns} liên quan"),
                        false => format!("Các {nouns}"),
                    }
                }
                (false, kind) => kind.title().unwrap_or_default().to_owned(),
            };
            let mut group = self
                .directory
                .group(*kind, if concerned { "" } else { &name });
            group.name.clone_from(&name);
            let reason = |code, confidence| {
                Reason::new(topic, code, confidence)
                    .with("printed", &printed)
                    .with("name", &name)
                    .with("count", group.units.len())
            };
            let reason = if let Some(scope) = &scope {
                reason("group-limited", Confidence::Low).with("scope", scope)
            } else if *kind == GroupKind::Unnamed {
                reason("group-unnamed", Confidence::Low)
            } else if group.units.is_empty() {
                reason("group-empty", Confidence::Low)
            } else if let Some(official) = group.official_count {
                reason("group-incomplete", Confidence::Medium).with("official", official)
            } else if group.named && found.usual {
                reason("group-named", Confidence::High)
            } else {
                let sure = if found.usual {
                    Confidence::High
                } else {
                    Confidence::Medium
                };
                reason("group-kind", sure)
            };
            let candidates = if scope.is_some() {
                group.units.clone()
            } else {
                Vec::new()
            };
            into.push(Agency {
                printed: printed.clone(),
                name: name.clone(),
                matched: Matched::Group(name.clone()),
                scope: scope.clone(),
                candidates,
                reason,
            });
            self.groups.entry(name).or_insert(group);
        }
        // "các sở, ban, ngành, UBND cấp huyện được kiểm tra": it limits both.
        if let Some(scope) = scope.filter(|scope| !is_concerned(scope) && !scope.starts_with('(')) {
            let last = into.len().saturating_sub(found.kinds.len());
            for before in into.iter_mut().take(last).skip(chain).rev() {
                let Matched::Group(name) = &before.matched else {
                    break;
                };
                if before.scope.is_some() {
                    break;
                }
                before.candidates = self
                    .groups
                    .get(name)
                    .map(|group| group.units.clone())
                    .unwrap_or_default();
                let count = before.candidates.len();
                before.reason = Reason::new(topic, "group-limited", Confidence::Low)
                    .with("printed", &before.printed)
                    .with("name", name)
                    .with("count", count)
                    .with("scope", &scope);
                before.scope = Some(scope.clone());
            }
        }
        end
    }
}

#[cfg(test)]
mod tests;
