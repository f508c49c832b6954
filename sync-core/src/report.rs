//! Findings of one report: what its cells say that its template, or they themselves, contradict.
//!
//! Bad input is normal here: nothing is refused and nothing is changed. A typed value stands; a
//! finding says what speaks against it, as a machine code and values, and the front end words it.

pub mod quote;
pub mod review;
pub mod sentence;
pub mod signing;

use crate::cell::{CellValue, Rival};
use crate::form::formula::{Outcome, Unresolved};
use crate::form::{Indicator, Kind, Template, local};
use crate::number::{Number, Range};
use crate::roll_up::RowCell;
use std::collections::BTreeMap;

/// One thing that speaks against a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The code of the cell.
    pub code: String,
    /// What speaks against it.
    pub rule: Rule,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth a look.
    Note,
    /// Needs a reason.
    Warning,
    /// Cannot be counted as it stands.
    Error,
}

impl Severity {
    /// The machine code.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What speaks against a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The template has no such row.
    UnknownCode,
    /// Different values stand side by side; so many.
    Conflict(usize),
    /// Words in a row of amounts or choices.
    WordsForAmount,
    /// Decimal places in a row of whole numbers.
    NotWhole(Number),
    /// Fewer than none in a row of whole numbers.
    Negative(Number),
    /// A choice that is not in the code list.
    NotInCodeList(Number),
    /// A percentage below 0 or above 100. Some may be: it needs a reason, no more.
    PercentOutOfRange(Number),
    /// A percentage without parts that repeats a count of its group: perhaps the count itself.
    PercentRepeatsCount {
        /// What was typed.
        typed: Number,
        /// The row with the same number.
        count: String,
    },
    /// The formula gives another value, beyond the rounding of what was typed.
    FormulaDiffers {
        /// What was typed.
        typed: Number,
        /// What the formula gives.
        computed: Range,
    },
    /// Typed, though every row its formula refers to is empty.
    TotalOverEmptyParts(Number),
    /// Typed, and its formula cannot be computed; the reason.
    FormulaUnresolved {
        /// What was typed.
        typed: Number,
        /// Why the formula gives nothing.
        reason: Unresolved,
    },
    /// Typed in a row that is computed only; the typed value does not count.
    ComputedOnly(Number),
    /// A figure over parts that come to another sum.
    PartsDiffer {
        /// What was typed.
        typed: Number,
        /// What the filled parts come to.
        sum: Number,
        /// Their rows.
        parts: Vec<String>,
    },
    /// A part that is more than the whole.
    PartExceeds {
        /// The whole.
        typed: Number,
        /// The part's row.
        part: String,
        /// The part.
        value: Number,
    },
    /// A sum that was typed, with parts left empty, and the others do not come to it.
    PartsLeftEmpty {
        /// What was typed.
        typed: Number,
        /// What the filled parts come to.
        sum: Number,
        /// The empty rows.
        empty: Vec<String>,
    },
    /// Another row of the form asks for the same and has another figure.
    ReportedElsewhere {
        /// What was typed.
        typed: Number,
        /// The other row.
        other: String,
        /// Its figure.
        value: Number,
    },
    /// The note beside it says something else.
    NoteContradicts {
        /// What was typed.
        typed: Number,
        /// The note.
        note: String,
    },
    /// The words of the report quote it with another figure.
    QuoteDiffers {
        /// The part of the report.
        part: String,
        /// What is written there.
        written: Number,
        /// What the row comes to.
        now: Range,
    },
    /// Far from the figure of the period before.
    ChangedMuch {
        /// What was typed.
        typed: Number,
        /// The figure before.
        before: Number,
    },
    /// Far from what units of its kind report.
    Outlier {
        /// What was typed.
        typed: Number,
        /// The middle of theirs.
        median: Number,
    },
    /// A row that must be filled is not.
    RequiredEmpty,
    /// Left empty in a finished report, without a word why.
    LeftEmpty,
}

impl Rule {
    /// The machine code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown_code",
            Self::Conflict(_) => "conflict",
            Self::WordsForAmount => "words_for_amount",
            Self::NotWhole(_) => "not_whole",
            Self::Negative(_) => "negative",
            Self::NotInCodeList(_) => "not_in_code_list",
            Self::PercentOutOfRange(_) => "percent_out_of_range",
            Self::PercentRepeatsCount { .. } => "percent_repeats_count",
            Self::FormulaDiffers { .. } => "formula_differs",
            Self::TotalOverEmptyParts(_) => "total_over_empty_parts",
            Self::FormulaUnresolved { .. } => "formula_unresolved",
            Self::ComputedOnly(_) => "computed_only",
            Self::PartsDiffer { .. } => "parts_differ",
            Self::PartExceeds { .. } => "part_exceeds",
            Self::PartsLeftEmpty { .. } => "parts_left_empty",
            Self::ReportedElsewhere { .. } => "reported_elsewhere",
            Self::NoteContradicts { .. } => "note_contradicts",
            Self::QuoteDiffers { .. } => "quote_differs",
            Self::ChangedMuch { .. } => "changed_much",
            Self::Outlier { .. } => "outlier",
            Self::RequiredEmpty => "required_empty",
            Self::LeftEmpty => "left_empty",
        }
    }

    /// How much it weighs.
    pub fn severity(&self) -> Severity {
        match self {
            Self::UnknownCode | Self::Conflict(_) | Self::WordsForAmount => Severity::Error,
            Self::NotWhole(_) | Self::NotInCodeList(_) => Severity::Error,
            Self::Negative(_) | Self::PercentOutOfRange(_) => Severity::Warning,
            Self::FormulaDiffers { .. } | Self::TotalOverEmptyParts(_) => Severity::Warning,
            Self::ComputedOnly(_) => Severity::Warning,
            Self::RequiredEmpty => Severity::Error,
            Self::PartsDiffer { .. } | Self::PartExceeds { .. } => Severity::Warning,
            Self::PartsLeftEmpty { .. } | Self::ReportedElsewhere { .. } => Severity::Warning,
            Self::NoteContradicts { .. } | Self::ChangedMuch { .. } => Severity::Warning,
            Self::PercentRepeatsCount { .. } | Self::QuoteDiffers { .. } => Severity::Warning,
            Self::FormulaUnresolved { .. } => Severity::Note,
            Self::Outlier { .. } | Self::LeftEmpty => Severity::Note,
        }
    }
}

/// What stands in a report and what its formulas make of it.
struct Standing<'a> {
    template: &'a Template,
    typed: Vec<RowCell>,
    /// The amount of each row: as typed, else as computed.
    amounts: Vec<Outcome>,
    /// What each formula gives, by row.
    computed: BTreeMap<usize, Outcome>,
}

impl<'a> Standing<'a> {
    fn new(template: &'a Template, cells: &BTreeMap<String, Vec<Rival>>) -> Self {
        let typed = |row: &Indicator| match cells.get(&row.code) {
            Some(rivals) => RowCell::of(rivals),
            None => RowCell::Untyped,
        };
        let typed: Vec<RowCell> = template.rows().iter().map(typed).collect();
        let amount = |cell: &RowCell| cell.amount().ok_or(Unresolved::MissingInput);
        let mut amounts: Vec<Outcome> = typed.iter().map(amount).collect();
        let mut computed = BTreeMap::new();
        for row in template.evaluation_order() {
            let Some(formula) = template.formula(*row) else {
                continue;
            };
            let outcome = formula.evaluate(&|input: &usize| {
                let known = amounts.get(*input).copied();
                known.unwrap_or(Err(Unresolved::MissingInput))
            });
            computed.insert(*row, outcome);
            let computed_only = template
                .rows()
                .get(*row)
                .is_some_and(|row| row.computed_only);
            let untyped = matches!(typed.get(*row), Some(RowCell::Untyped));
            if let Some(amount) = amounts.get_mut(*row)
                && (computed_only || untyped)
            {
                *amount = outcome;
            }
        }
        Self {
            template,
            typed,
            amounts,
            computed,
        }
    }

    fn typed_number(&self, row: usize) -> Option<Number> {
        match self.typed.get(row) {
            Some(RowCell::Number(number)) => Some(*number),
            Some(
                RowCell::Untyped
                | RowCell::Empty
                | RowCell::NoOccurrence
                | RowCell::Text(_)
                | RowCell::Computed(_)
                | RowCell::Conflict(_),
            )
            | None => None,
        }
    }
}

/// What each formula of the template proposes for a report, by code: a value, or why there is none.
pub fn proposals(
    template: &Template,
    cells: &BTreeMap<String, Vec<Rival>>,
) -> BTreeMap<String, Outcome> {
    let standing = Standing::new(template, cells);
    let code = |row: usize| template.rows().get(row).map(|row| row.code.clone());
    let computed = standing.computed.into_iter();
    computed
        .filter_map(|(row, outcome)| Some((code(row)?, outcome)))
        .collect()
}

/// Everything that speaks against a report, in the order of the template's rows, unknown codes last.
pub fn findings(template: &Template, cells: &BTreeMap<String, Vec<Rival>>) -> Vec<Finding> {
    let standing = Standing::new(template, cells);
    let mut findings = Vec::new();
    for (row, indicator) in template.rows().iter().enumerate() {
        findings.extend(standing.rules(row, indicator).into_iter().map(|rule| {
            let code = indicator.code.clone();
            Finding { code, rule }
        }));
    }
    findings.extend(unknown_codes(template, cells));
    findings
}

/// Cells that stand in no row. One of a row that a unit added itself says nothing against a report: where that row
/// was retired, or is not known, the value is kept and counts nowhere.
fn unknown_codes(
    template: &Template,
    cells: &BTreeMap<String, Vec<Rival>>,
) -> impl Iterator<Item = Finding> {
    let is_unknown = |code: &&String| template.row(code).is_none() && !local::is_code(code);
    let unknown = cells.keys().filter(is_unknown);
    unknown.map(|code| Finding {
        code: code.clone(),
        rule: Rule::UnknownCode,
    })
}

/// What the kind of a row says against a number.
fn kind_rules(indicator: &Indicator, typed: Number) -> Vec<Rule> {
    let mut rules = Vec::new();
    match indicator.kind {
        Kind::Integer => {
            if !typed.is_integer() {
                rules.push(Rule::NotWhole(typed));
            }
            if typed.is_negative() {
                rules.push(Rule::Negative(typed));
            }
        }
        Kind::Percent => {
            if typed.is_negative() || typed > Number::HUNDRED {
                rules.push(Rule::PercentOutOfRange(typed));
            }
        }
        Kind::Choice => {
            let mut choices = indicator.choices.iter();
            if !choices.any(|choice| Number::from(choice.value) == typed) {
                rules.push(Rule::NotInCodeList(typed));
            }
        }
        Kind::Decimal | Kind::MoneyMillionVnd | Kind::Text | Kind::Heading => {}
    }
    rules
}

impl Standing<'_> {
    /// What the template alone says against a cell.
    fn rules(&self, row: usize, indicator: &Indicator) -> Vec<Rule> {
        let mut rules = Vec::new();
        match self.typed.get(row) {
            None | Some(RowCell::Untyped | RowCell::Empty | RowCell::NoOccurrence) => {}
            Some(RowCell::Computed(_)) => {}
            Some(RowCell::Text(_)) if indicator.kind == Kind::Text => {}
            Some(RowCell::Text(_)) => rules.push(Rule::WordsForAmount),
            Some(RowCell::Conflict(rivals)) => {
                let values = rivals.iter().map(|rival| &rival.value);
                let different: std::collections::BTreeSet<&CellValue> = values.collect();
                rules.push(Rule::Conflict(different.len()));
            }
            Some(RowCell::Number(number)) => {
                rules.extend(kind_rules(indicator, *number));
                rules.extend(self.formula_rule(row, indicator, *number));
                rules.extend(self.repeated_count(row, indicator, *number));
            }
        }
        rules
    }

    fn formula_rule(&self, row: usize, indicator: &Indicator, typed: Number) -> Option<Rule> {
        if indicator.computed_only {
            return Some(Rule::ComputedOnly(typed));
        }
        match self.computed.get(&row)? {
            Ok(computed) if computed.may_round_to(typed) => None,
            Ok(computed) => Some(Rule::FormulaDiffers {
                typed,
                computed: *computed,
            }),
            Err(Unresolved::MissingInput) => {
                let formula = self.template.formula(row)?;
                let missing = |input: &&usize| !matches!(self.amounts.get(**input), Some(Ok(_)));
                let all_missing = formula.references().iter().all(missing);
                all_missing.then_some(Rule::TotalOverEmptyParts(typed))
            }
            Err(reason) => Some(Rule::FormulaUnresolved {
                typed,
                reason: *reason,
            }),
        }
    }

    /// A percentage without a formula that is the very number of a count beside it.
    fn repeated_count(&self, row: usize, indicator: &Indicator, typed: Number) -> Option<Rule> {
        let usual = typed == Number::ZERO || typed == Number::HUNDRED;
        if indicator.kind != Kind::Percent || indicator.formula.is_some() || usual {
            return None;
        }
        indicator.parent.as_ref()?;
        let mut rows = self.template.rows().iter().enumerate();
        let (_, count) = rows.find(|(other, beside)| {
            *other != row
                && beside.kind == Kind::Integer
                && beside.parent == indicator.parent
                && self.typed_number(*other) == Some(typed)
        })?;
        Some(Rule::PercentRepeatsCount {
            typed,
            count: count.code.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
