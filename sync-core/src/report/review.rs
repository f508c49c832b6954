//! A finished report looked through: everything [`super::findings`] says of it, and what only the whole
//! says – notes beside figures, the same indicator in another place, last period, units of its kind.
//!
//! What can be known of the template alone is worked out once ([`Checks`]); a report then costs a few
//! looks at each row. Findings come in the order of the rows, whatever order they were typed in.

use super::{Finding, Rule, Standing, quote};
use crate::cell::Rival;
use crate::form::formula::{Formula, Unresolved};
use crate::form::printed::wording::{folded, has_any, meaning};
use crate::form::{Indicator, Kind, Template};
use crate::limits;
use crate::number::{Number, Range};
use crate::roll_up::RowCell;
use std::collections::BTreeMap;

/// What a template says about its rows before anything is typed.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    /// The row that each row belongs to.
    parents: Vec<Option<usize>>,
    /// Amounts of the same unit right under each row.
    parts: Vec<Vec<usize>>,
    /// Rows of other sections that ask for the same.
    twins: Vec<Option<usize>>,
    /// Rows whose label says that something is included.
    includes: Vec<bool>,
    required: Vec<bool>,
}

/// Everything a review looks at besides the cells.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// The note of each cell, by code.
    pub notes: Option<&'a BTreeMap<String, String>>,
    /// The words of the report, by part.
    pub narrative: Option<&'a BTreeMap<String, String>>,
    /// Figures of the period before, by code.
    pub earlier: Option<&'a BTreeMap<String, Number>>,
    /// What units of the same kind report.
    pub peers: Option<&'a Peers>,
}

/// What units of one kind report for each row: worked out once, and held against each of them.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    middles: BTreeMap<String, Middle>,
}

/// The middle of the figures of several units.
#[derive(Debug, Clone, Copy)]
struct Middle {
    median: Number,
    /// How far from it is far: several median distances, and half of the median where most units have
    /// one value.
    far: Number,
}

impl Peers {
    /// Of the figures of each unit, by code. A row that fewer than [`limits::PEERS_MIN`] units filled has
    /// no middle.
    pub fn of<'a>(units: impl IntoIterator<Item = &'a BTreeMap<String, Number>>) -> Self {
        let mut by_code: BTreeMap<&String, Vec<Number>> = BTreeMap::new();
        for figures in units {
            for (code, figure) in figures {
                by_code.entry(code).or_default().push(*figure);
            }
        }
        let middle = |figures: Vec<Number>| {
            if figures.len() < limits::PEERS_MIN {
                return None;
            }
            let median = median(figures.clone())?;
            let distance = |figure: Number| figure.checked_sub(median).ok().map(Number::abs);
            let spread = self::median(figures.into_iter().filter_map(distance).collect())?;
            let spreads = Number::from(limits::OUTLIER_SPREADS);
            let half = median.abs().checked_div(Number::from(2)).ok()?;
            let far = spread.checked_mul(spreads).ok()?.max(half);
            Some(Middle { median, far })
        };
        let middles = by_code
            .into_iter()
            .filter_map(|(code, figures)| Some((code.clone(), middle(figures)?)));
        Self {
            middles: middles.collect(),
        }
    }
}

impl Checks {
    /// Works out what the template says.
    pub fn of(template: &Template) -> Self {
        let rows = template.rows();
        let mut parts: Vec<Vec<usize>> = vec![Vec::new(); rows.len()];
        let parent = |row: &Indicator| template.row_index(row.parent.as_deref()?);
        let parents: Vec<Option<usize>> = rows.iter().map(parent).collect();
        for (index, (row, parent)) in rows.iter().zip(&parents).enumerate() {
            if let Some(of) = parent.and_then(|parent| parts.get_mut(parent))
                && is_amount(row)
            {
                of.push(index);
            }
        }
        for (row, of) in rows.iter().zip(&mut parts) {
            let unit = match row.kind {
                // A heading has no unit: its parts have to agree among themselves.
                Kind::Heading => of
                    .first()
                    .and_then(|first| rows.get(*first))
                    .map(|first| folded(&first.unit)),
                Kind::Integer
                | Kind::Decimal
                | Kind::Percent
                | Kind::MoneyMillionVnd
                | Kind::Choice
                | Kind::Text => Some(folded(&row.unit)),
            };
            let kind = of
                .first()
                .and_then(|first| rows.get(*first))
                .map(|first| first.kind);
            let same = |part: &usize| {
                rows.get(*part)
                    .is_some_and(|part| Some(folded(&part.unit)) == unit && Some(part.kind) == kind)
            };
            if row.kind == Kind::Heading && !of.iter().all(same) {
                of.clear();
            }
            of.retain(same);
        }
        Self {
            twins: twins(template),
            includes: rows
                .iter()
                .map(|row| has_any(&folded(&row.label), &["bao gom"]))
                .collect(),
            required: rows
                .iter()
                .map(|row| {
                    row.annotations
                        .get("required")
                        .is_some_and(|flag| flag == "true")
                })
                .collect(),
            parents,
            parts,
        }
    }

    fn parts(&self, row: usize) -> &[usize] {
        self.parts.get(row).map(Vec::as_slice).unwrap_or_default()
    }
}

fn is_amount(row: &Indicator) -> bool {
    matches!(
        row.kind,
        Kind::Integer | Kind::Decimal | Kind::MoneyMillionVnd
    )
}

/// Rows of different sections that ask for the same thing, abbreviations written out. A row that a unit added is held
/// against the form's own, wherever it stands; what the form's own say of each other does not know of it.
fn twins(template: &Template) -> Vec<Option<usize>> {
    let rows = template.rows();
    let mut sections = vec![0; rows.len()];
    for (number, section) in template.sections().iter().enumerate() {
        for of in sections
            .iter_mut()
            .skip(section.first_row)
            .take(section.row_count)
        {
            *of = number;
        }
    }
    let mut short: BTreeMap<String, String> = BTreeMap::new();
    let is_local = |row: &Indicator| template.local_row(&row.code).is_some();
    for row in rows.iter().filter(|row| !is_local(row)) {
        abbreviations(&row.label, &mut short);
    }
    let mut by_meaning: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    let mut local: Vec<(usize, Vec<String>)> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        // What stands under a percentage counts for that percentage alone.
        let parent = row
            .parent
            .as_deref()
            .and_then(|parent| template.row(parent));
        let alone = parent.is_none_or(|parent| parent.kind != Kind::Percent);
        let words: Vec<&str> = row.label.split_whitespace().collect();
        let long: Vec<&str> = words
            .iter()
            .map(|word| short.get(*word).map_or(*word, String::as_str))
            .collect();
        let key = meaning(&long.join(" "));
        if !is_amount(row) || !alone || key.len() < 4 {
            continue;
        }
        if is_local(row) {
            local.push((index, key));
        } else {
            by_meaning.entry(key).or_default().push(index);
        }
    }
    let mut twins = vec![None; rows.len()];
    for of in by_meaning.values() {
        if let [first, second] = of.as_slice()
            && sections.get(*first) != sections.get(*second)
            && let Some(twin) = twins.get_mut(*second)
        {
            *twin = Some(*first);
        }
    }
    for (index, key) in local {
        if let Some(first) = by_meaning.get(&key).and_then(|of| of.first())
            && let Some(twin) = twins.get_mut(index)
        {
            *twin = Some(*first);
        }
    }
    twins
}

/// `đơn vị sự nghiệp (ĐVSN)`: as many words before the brackets as letters in them, by their initials.
fn abbreviations(label: &str, known: &mut BTreeMap<String, String>) {
    for (at, _) in label.match_indices('(') {
        let inner = label
            .get(at + 1..)
            .and_then(|rest| rest.split_once(')'))
            .map(|(inner, _)| inner);
        let Some(inner) = inner
            .filter(|inner| inner.chars().count() >= 2 && inner.chars().all(char::is_uppercase))
        else {
            continue;
        };
        let before: Vec<&str> = label
            .get(..at)
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let length = inner.chars().count();
        let words = before
            .get(before.len().saturating_sub(length)..)
            .unwrap_or_default();
        let initials = words.iter().filter_map(|word| folded(word).chars().next());
        if words.len() == length && initials.eq(folded(inner).chars()) {
            known.insert(inner.to_owned(), words.join(" "));
        }
    }
}

struct Review<'a> {
    standing: Standing<'a>,
    checks: &'a Checks,
    beside: &'a Beside<'a>,
}

/// Everything that speaks against a finished report, in the order of the template's rows.
pub fn review(
    template: &Template,
    checks: &Checks,
    cells: &BTreeMap<String, Vec<Rival>>,
    beside: &Beside<'_>,
) -> Vec<Finding> {
    let review = Review {
        standing: Standing::new(template, cells),
        checks,
        beside,
    };
    let mut by_row: Vec<Vec<Rule>> = Vec::with_capacity(template.rows().len());
    for (row, indicator) in template.rows().iter().enumerate() {
        let mut known = review.standing.rules(row, indicator);
        for rule in review.of_row(row, indicator) {
            if !known.contains(&rule) {
                known.push(rule);
            }
        }
        by_row.push(known);
    }
    review.quoted(&mut by_row);
    review.left_empty(&mut by_row);
    let mut findings = Vec::new();
    for (indicator, rules) in template.rows().iter().zip(by_row) {
        findings.extend(rules.into_iter().map(|rule| {
            let code = indicator.code.clone();
            Finding { code, rule }
        }));
    }
    findings.extend(super::unknown_codes(template, cells));
    findings
}

impl Review<'_> {
    fn number(&self, row: usize) -> Option<Number> {
        match self.standing.typed.get(row)? {
            RowCell::Number(number) => Some(*number),
            RowCell::NoOccurrence => Some(Number::ZERO),
            RowCell::Untyped
            | RowCell::Empty
            | RowCell::Text(_)
            | RowCell::Computed(_)
            | RowCell::Conflict(_) => None,
        }
    }

    fn is_empty(&self, row: usize) -> bool {
        matches!(
            self.standing.typed.get(row),
            None | Some(RowCell::Untyped | RowCell::Empty)
        )
    }

    fn note(&self, row: usize) -> Option<&str> {
        let code = &self.standing.template.rows().get(row)?.code;
        let note = self.beside.notes?.get(code)?.trim();
        (!note.is_empty()).then_some(note)
    }

    fn code(&self, row: usize) -> String {
        self.standing
            .template
            .rows()
            .get(row)
            .map(|row| row.code.clone())
            .unwrap_or_default()
    }

    fn of_row(&self, row: usize, indicator: &Indicator) -> Vec<Rule> {
        let mut rules = Vec::new();
        let required = self.checks.required.get(row) == Some(&true);
        let Some(typed) = self.number(row) else {
            if required && self.is_empty(row) {
                rules.push(Rule::RequiredEmpty);
            }
            return rules;
        };
        rules.extend(self.parts_rule(row, indicator, typed));
        rules.extend(self.twin_rule(row, typed));
        rules.extend(self.note_rule(row, indicator, typed));
        rules.extend(self.change_rule(indicator, typed));
        rules.extend(self.outlier_rule(indicator, typed));
        rules
    }

    /// A figure against the parts printed under it, or that its formula adds.
    fn parts_rule(&self, row: usize, indicator: &Indicator, typed: Number) -> Option<Rule> {
        if let Some(formula) = self.standing.template.formula(row) {
            return self.missing_part(formula, typed);
        }
        let parts = self.checks.parts(row);
        let filled: Vec<(usize, Number)> = parts
            .iter()
            .filter_map(|part| Some((*part, self.number(*part)?)))
            .collect();
        if parts.len() >= 2
            && filled.is_empty()
            && parts.iter().all(|part| self.is_empty(*part))
            && typed != Number::ZERO
        {
            return Some(Rule::TotalOverEmptyParts(typed));
        }
        if indicator.kind == Kind::Heading {
            if filled.len() < 2 {
                return None;
            }
            let mut sum = Number::ZERO;
            for (_, part) in &filled {
                sum = sum.checked_add(*part).ok()?;
            }
            let parts = filled.iter().map(|(part, _)| self.code(*part)).collect();
            return (sum != typed).then_some(Rule::PartsDiffer { typed, sum, parts });
        }
        if !is_amount(indicator) {
            return None;
        }
        let (part, value) = filled.into_iter().find(|(_, value)| *value > typed)?;
        Some(Rule::PartExceeds {
            typed,
            part: self.code(part),
            value,
        })
    }

    /// A typed sum, some of whose parts are empty, that is not what the others come to.
    fn missing_part(&self, formula: &Formula<usize>, typed: Number) -> Option<Rule> {
        if !formula.is_additive() {
            return None;
        }
        let references = formula.references();
        let empty: Vec<String> = references
            .iter()
            .filter(|row| self.is_empty(***row))
            .map(|row| self.code(**row))
            .collect();
        if empty.is_empty() || empty.len() == references.len() {
            return None;
        }
        let rest = formula.evaluate(&|row: &usize| {
            if self.is_empty(*row) {
                return Ok(Range::from(Number::ZERO));
            }
            self.number(*row)
                .map(Range::from)
                .ok_or(Unresolved::MissingInput)
        });
        let rest = rest.ok()?.single()?;
        (rest != typed).then_some(Rule::PartsLeftEmpty {
            typed,
            sum: rest,
            empty,
        })
    }

    fn twin_rule(&self, row: usize, typed: Number) -> Option<Rule> {
        let twin = (*self.checks.twins.get(row)?)?;
        let value = self.number(twin)?;
        (value != typed).then(|| Rule::ReportedElsewhere {
            typed,
            other: self.code(twin),
            value,
        })
    }

    fn note_rule(&self, row: usize, indicator: &Indicator, typed: Number) -> Option<Rule> {
        let note = self.note(row)?;
        if !may_contradict(note) {
            return None;
        }
        let words = folded(note);
        let none = [
            "khong con",
            "khong phat sinh",
            "khong co",
            "chua phat sinh",
            "chua co",
        ];
        let says_none = none.iter().any(|phrase| {
            let rest = words.strip_prefix(phrase);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        let left_out = has_any(
            &words,
            &["chua bao gom", "khong bao gom", "chua gom", "khong gom"],
        );
        let included = self.checks.includes.get(row) == Some(&true);
        let other_share = indicator.kind == Kind::Percent
            && only_percentage(note).is_some_and(|said| said != typed);
        let speaks_against = (says_none && typed != Number::ZERO && words.len() <= 60)
            || (left_out && included)
            || other_share;
        speaks_against.then(|| Rule::NoteContradicts {
            typed,
            note: note.to_owned(),
        })
    }

    /// Five times as much or a fifth, or thirty points of a percentage: worth a reason.
    fn change_rule(&self, indicator: &Indicator, typed: Number) -> Option<Rule> {
        let before = *self.beside.earlier?.get(&indicator.code)?;
        let difference = typed.checked_sub(before).ok()?.abs();
        let much = match indicator.kind {
            Kind::Percent => difference >= Number::from(limits::CHANGE_POINTS),
            Kind::Integer | Kind::Decimal | Kind::MoneyMillionVnd | Kind::Heading => {
                let times = Number::from(limits::CHANGE_TIMES);
                let larger = typed.abs().max(before.abs());
                let smaller = typed.abs().min(before.abs());
                let far = smaller
                    .checked_mul(times)
                    .is_ok_and(|bound| larger >= bound);
                far && difference >= Number::from(limits::CHANGE_AT_LEAST)
            }
            Kind::Choice | Kind::Text => false,
        };
        much.then_some(Rule::ChangedMuch { typed, before })
    }

    /// Far from the median of units of its kind, by the median distance of theirs.
    fn outlier_rule(&self, indicator: &Indicator, typed: Number) -> Option<Rule> {
        if matches!(indicator.kind, Kind::Choice | Kind::Text) {
            return None;
        }
        let Middle { median, far } = *self.beside.peers?.middles.get(&indicator.code)?;
        let distance = typed.checked_sub(median).ok()?.abs();
        (distance > far).then_some(Rule::Outlier { typed, median })
    }

    /// Figures that the words of the report quote otherwise.
    fn quoted(&self, by_row: &mut [Vec<Rule>]) {
        let Some(narrative) = self.beside.narrative else {
            return;
        };
        for other in quote::others(&self.standing, narrative) {
            if let Some(rules) = by_row.get_mut(other.row) {
                rules.push(Rule::QuoteDiffers {
                    part: other.part,
                    written: other.written,
                    now: other.now,
                });
            }
        }
    }

    /// Cells of a finished report that nobody filled and no note explains, where nothing said so yet.
    fn left_empty(&self, by_row: &mut [Vec<Rule>]) {
        for (row, indicator) in self.standing.template.rows().iter().enumerate() {
            let heading = matches!(indicator.kind, Kind::Heading | Kind::Text);
            if heading || indicator.computed_only || !self.is_empty(row) || self.note(row).is_some()
            {
                continue;
            }
            let told = |of: usize| {
                by_row.get(of).is_some_and(|rules| {
                    rules.iter().any(|rule| {
                        matches!(
                            rule,
                            Rule::TotalOverEmptyParts(_)
                                | Rule::PartsLeftEmpty { .. }
                                | Rule::RequiredEmpty
                        )
                    })
                })
            };
            let parent = self.checks.parents.get(row).copied().flatten();
            let told = told(row) || parent.is_some_and(told);
            if let Some(rules) = by_row.get_mut(row)
                && !told
            {
                rules.push(Rule::LeftEmpty);
            }
        }
    }
}

/// Whether a note can say anything that [`Review::note_rule`] looks for: `không`, `chưa` or a percentage.
/// Most say none of these and need not be folded.
fn may_contradict(note: &str) -> bool {
    let bytes = note.as_bytes();
    let begins = |pair: &[u8]| pair.eq_ignore_ascii_case(b"kh") || pair.eq_ignore_ascii_case(b"ch");
    bytes.contains(&b'%') || bytes.windows(2).any(begins)
}

/// The one percentage that a note names.
fn only_percentage(note: &str) -> Option<Number> {
    let mut found = note.split_whitespace().filter(|word| word.contains('%'));
    let word = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let word = word.trim_matches(|one: char| !one.is_ascii_digit() && one != '%');
    match crate::number::read(word) {
        crate::number::Reading::Clear(typed) if typed.percent => Some(typed.number),
        crate::number::Reading::Clear(_)
        | crate::number::Reading::Unsure { .. }
        | crate::number::Reading::Refused(_) => None,
    }
}

/// The middle of figures; of two, the lower one.
fn median(mut figures: Vec<Number>) -> Option<Number> {
    figures.sort_unstable();
    figures.get(figures.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests;
