//! What a version of a form changes against an earlier one, told so that a person can judge it.
//!
//! Nothing goes untold: two versions without a difference have the same canonical text but for their
//! version, and one that is published with a note about it ([`Template::NOTE`]).

use super::{Indicator, Template};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that is different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The row, or the section; nothing for the form as a whole.
    pub code: String,
    /// Its label in the newer version, or in the older one if it is gone.
    pub label: String,
    /// What is different.
    pub aspect: Aspect,
    /// What it was; nothing if there was none.
    pub before: Option<String>,
    /// What it is; nothing if there is none any more.
    pub after: Option<String>,
}

/// What of a form may be different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// A row is new, or gone.
    Row,
    /// The label of a row.
    Label,
    /// The ordinal that is printed.
    Ordinal,
    /// The unit of measure.
    Unit,
    /// What a cell holds.
    Kind,
    /// The code list.
    Choices,
    /// The row it is a part of.
    Parent,
    /// "Lũy kế".
    Cumulative,
    /// The formula.
    Formula,
    /// Nobody types it.
    ComputedOnly,
    /// The help text.
    Note,
    /// Where it stands: its section, or the row before it.
    Place,
    /// A section is new, gone, or has another title, owner or label.
    Section,
    /// A part of the outline is new, gone, elsewhere, or has another heading, level or help.
    Outline,
    /// Title, respondent or period of the form.
    Form,
    /// What else is said about it.
    Annotations,
}

impl Aspect {
    /// Every aspect with its machine code; the words are `difference-` and this.
    pub const CODES: [(Self, &'static str); 16] = [
        (Self::Row, "row"),
        (Self::Label, "label"),
        (Self::Ordinal, "ordinal"),
        (Self::Unit, "unit"),
        (Self::Kind, "kind"),
        (Self::Choices, "choices"),
        (Self::Parent, "parent"),
        (Self::Cumulative, "cumulative"),
        (Self::Formula, "formula"),
        (Self::ComputedOnly, "computed-only"),
        (Self::Note, "note"),
        (Self::Place, "place"),
        (Self::Section, "section"),
        (Self::Outline, "outline"),
        (Self::Form, "form"),
        (Self::Annotations, "annotations"),
    ];

    /// Its machine code.
    pub fn code(self) -> &'static str {
        let found = Self::CODES.iter().find(|(aspect, _)| *aspect == self);
        found.map_or("row", |(_, code)| code)
    }
}

impl Template {
    /// The annotation that says what a version is published for.
    pub const NOTE: &'static str = "published_note";

    /// What the person who published this version said about it.
    pub fn published_note(&self) -> Option<&str> {
        self.annotations.get(Self::NOTE).map(String::as_str)
    }

    /// What this version changes against an earlier one: the form, its sections, its rows in their
    /// order, and last the rows that are gone.
    pub fn differences_from(&self, earlier: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        self.form_differences(earlier, &mut found);
        self.section_differences(earlier, &mut found);
        self.outline_differences(earlier, &mut found);
        let moved = self.moved_rows(earlier);
        for (index, row) in self.rows.iter().enumerate() {
            match earlier.row(&row.code) {
                None => found.push(difference(row, Aspect::Row, None, Some(said(row)))),
                Some(before) => {
                    row_differences(before, row, &mut found);
                    if moved.contains(&row.code) {
                        let was = earlier.row_index(&row.code).map(|at| earlier.place_of(at));
                        let is = Some(self.place_of(index));
                        found.push(difference(row, Aspect::Place, was, is));
                    }
                }
            }
        }
        let gone = earlier
            .rows
            .iter()
            .filter(|row| self.row(&row.code).is_none());
        found.extend(gone.map(|row| difference(row, Aspect::Row, Some(said(row)), None)));
        found
    }

    fn form_differences(&self, earlier: &Self, found: &mut Vec<Difference>) {
        let form = |aspect, before: Option<String>, after: Option<String>| Difference {
            code: String::new(),
            label: self.title.clone(),
            aspect,
            before,
            after,
        };
        let pairs = [
            (Some(&earlier.title), Some(&self.title)),
            (earlier.respondent.as_ref(), self.respondent.as_ref()),
        ];
        for (before, after) in pairs.into_iter().filter(|(before, after)| before != after) {
            found.push(form(Aspect::Form, before.cloned(), after.cloned()));
        }
        if earlier.period != self.period {
            let name = |template: &Self| Some(template.period.name().to_owned());
            found.push(form(Aspect::Form, name(earlier), name(self)));
        }
        let told = |template: &Self| {
            let mut annotations = template.annotations.clone();
            annotations.remove(Self::NOTE);
            annotations
        };
        let (before, after) = (told(earlier), told(self));
        if before != after {
            found.push(form(Aspect::Annotations, listed(&before), listed(&after)));
        }
    }

    fn section_differences(&self, earlier: &Self, found: &mut Vec<Difference>) {
        let told = |template: &Self| -> BTreeMap<String, (usize, String)> {
            let sections = template.sections.iter().enumerate();
            let one = |(at, section): (usize, &super::Section)| {
                let texts = [
                    section.form_label.as_deref(),
                    section.printed.as_deref(),
                    Some(section.title.as_str()),
                    section.owner.as_deref(),
                ];
                let mut text: Vec<&str> = texts.into_iter().flatten().collect();
                let annotations = listed(&section.annotations);
                text.extend(annotations.as_deref());
                (section.id.clone(), (at, text.join(" · ")))
            };
            sections.map(one).collect()
        };
        placed_differences(Aspect::Section, &told(earlier), &told(self), found);
    }

    fn outline_differences(&self, earlier: &Self, found: &mut Vec<Difference>) {
        let told = |template: &Self| -> BTreeMap<String, (usize, String)> {
            let parts = template.outline.iter().enumerate();
            let one = |(at, part): (usize, &super::OutlinePart)| {
                let level = (part.level > 1).then(|| format!("{}", part.level));
                let texts = [Some(part.title.clone()), level, part.help.clone()];
                let text: Vec<String> = texts.into_iter().flatten().collect();
                (part.id.clone(), (at, text.join(" · ")))
            };
            parts.map(one).collect()
        };
        placed_differences(Aspect::Outline, &told(earlier), &told(self), found);
    }

    /// Rows of both versions that stand in another section, or were put elsewhere among the others:
    /// the fewest that explain the new order.
    fn moved_rows(&self, earlier: &Self) -> BTreeSet<String> {
        let mut moved = BTreeSet::new();
        let mut stay: Vec<(usize, &str)> = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            let Some(was) = earlier.row_index(&row.code) else {
                continue;
            };
            if self.section_of(index) == earlier.section_of(was) {
                stay.push((was, row.code.as_str()));
            } else {
                moved.insert(row.code.clone());
            }
        }
        let kept = longest_ascending(&stay.iter().map(|(was, _)| *was).collect::<Vec<_>>());
        let left = stay.iter().enumerate().filter(|(at, _)| !kept.contains(at));
        moved.extend(left.map(|(_, (_, code))| (*code).to_owned()));
        moved
    }

    /// The id of the section that a row stands in.
    fn section_of(&self, row: usize) -> Option<&str> {
        let within = |section: &&super::Section| {
            (section.first_row..section.first_row + section.row_count).contains(&row)
        };
        let found = self.sections.iter().find(within);
        found.map(|section| section.id.as_str())
    }

    /// The section of a row and the row before it.
    fn place_of(&self, row: usize) -> String {
        let section = self.section_of(row).unwrap_or_default();
        let before = row.checked_sub(1).and_then(|at| self.rows.get(at));
        let before = before.map_or("", |before| before.code.as_str());
        format!("{section} > {before}")
    }
}

/// Positions of the longest run of ascending numbers, not necessarily side by side; the numbers differ.
fn longest_ascending(numbers: &[usize]) -> BTreeSet<usize> {
    // For each length the position of the smallest number that such a run can end with.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (at, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|(end, _)| end < number);
        let before = length.checked_sub(1).and_then(|length| ends.get(length));
        previous.push(before.map(|(_, at)| *at));
        match ends.get_mut(length) {
            Some(end) => *end = (*number, at),
            None => ends.push((*number, at)),
        }
    }
    let mut kept = BTreeSet::new();
    let mut at = ends.last().map(|(_, at)| *at);
    while let Some(here) = at {
        kept.insert(here);
        at = previous.get(here).copied().flatten();
    }
    kept
}

fn row_differences(before: &Indicator, after: &Indicator, found: &mut Vec<Difference>) {
    let choices = |row: &Indicator| {
        let one = |choice: &super::Choice| format!("{} = {}", choice.value, choice.label);
        let all: Vec<String> = row.choices.iter().map(one).collect();
        (!all.is_empty()).then(|| all.join("; "))
    };
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let flag = |set: bool| set.then(|| "1".to_owned());
    let formula = |row: &Indicator| row.formula.as_ref().map(ToString::to_string);
    let pairs = [
        (Aspect::Label, some(&before.label), some(&after.label)),
        (Aspect::Ordinal, some(&before.stt), some(&after.stt)),
        (Aspect::Unit, some(&before.unit), some(&after.unit)),
        (
            Aspect::Kind,
            some(before.kind.name()),
            some(after.kind.name()),
        ),
        (Aspect::Choices, choices(before), choices(after)),
        (Aspect::Parent, before.parent.clone(), after.parent.clone()),
        (
            Aspect::Cumulative,
            flag(before.cumulative),
            flag(after.cumulative),
        ),
        (Aspect::Formula, formula(before), formula(after)),
        (
            Aspect::ComputedOnly,
            flag(before.computed_only),
            flag(after.computed_only),
        ),
        (Aspect::Note, before.note.clone(), after.note.clone()),
        (
            Aspect::Annotations,
            listed(&before.annotations),
            listed(&after.annotations),
        ),
    ];
    for (aspect, was, is) in pairs {
        if was != is {
            found.push(difference(after, aspect, was, is));
        }
    }
}

/// What is different in lists of named things, each with its position and what is said of it.
fn placed_differences(
    aspect: Aspect,
    before: &BTreeMap<String, (usize, String)>,
    after: &BTreeMap<String, (usize, String)>,
    found: &mut Vec<Difference>,
) {
    let named: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut different: Vec<_> = named
        .into_iter()
        .map(|id| (id, before.get(id), after.get(id)))
        .filter(|(_, before, after)| before != after)
        .collect();
    different.sort_by_key(|(_, before, after)| after.or(*before).map(|(at, _)| *at));
    for (id, before, after) in different {
        let text =
            |of: Option<&(usize, String)>| of.map(|(at, text)| format!("{}. {text}", at + 1));
        found.push(Difference {
            code: id.clone(),
            label: after
                .or(before)
                .map_or_else(String::new, |(_, text)| text.clone()),
            aspect,
            before: text(before),
            after: text(after),
        });
    }
}

fn difference(
    row: &Indicator,
    aspect: Aspect,
    before: Option<String>,
    after: Option<String>,
) -> Difference {
    Difference {
        code: row.code.clone(),
        label: row.label.clone(),
        aspect,
        before,
        after,
    }
}

/// A row in a few words.
fn said(row: &Indicator) -> String {
    let unit = if row.unit.is_empty() {
        String::new()
    } else {
        format!(" ({})", row.unit)
    };
    format!("{}{unit}", row.label)
}

fn listed(annotations: &BTreeMap<String, String>) -> Option<String> {
    let one = |(name, text): (&String, &String)| format!("{name}: {text}");
    let all: Vec<String> = annotations.iter().map(one).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

#[cfg(test)]
mod tests;
