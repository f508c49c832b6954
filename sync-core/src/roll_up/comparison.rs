//! Figures somebody else states for a unit – published, or typed in its own report – held against
//! the roll-up.

use super::RollUp;
use super::figure::{Figure, FigureValue};
use crate::form::formula::Unresolved;
use crate::identity::UnitId;
use crate::number::{Number, Range};
use std::collections::BTreeMap;

/// A stated figure that the roll-up does not bear out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotalFinding {
    /// The row.
    pub code: String,
    /// What was stated.
    pub stated: Number,
    /// What contradicts it.
    pub rule: TotalRule,
    /// A report is missing or in conflict: settling that may remove the finding.
    pub provisional: bool,
}

/// How a stated figure fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalRule {
    /// Computed again from its parts it is another, beyond the rounding of what was stated.
    RecomputedDiffers(Range),
    /// The reports add up to another total.
    SumDiffers(Range),
    /// No report below has a percentage this high or low.
    OutsideSpread(Range),
    /// It cannot be computed; the reason.
    Unresolved(Unresolved),
    /// No report has anything to count in the row.
    NothingReported,
    /// The template has no such row.
    UnknownCode,
}

impl TotalRule {
    /// The machine code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RecomputedDiffers(_) => "recomputed_differs",
            Self::SumDiffers(_) => "sum_differs",
            Self::OutsideSpread(_) => "outside_spread",
            Self::Unresolved(_) => "unresolved",
            Self::NothingReported => "nothing_reported",
            Self::UnknownCode => "unknown_code",
        }
    }
}

impl RollUp {
    /// What is wrong with figures stated for a unit, by row of the template, unknown codes last.
    /// `None` for a unit outside the tree.
    pub fn findings_against(
        &self,
        unit: UnitId,
        stated: &BTreeMap<String, Number>,
    ) -> Option<Vec<TotalFinding>> {
        let table = self.table(unit)?;
        let incomplete = !table.coverage.is_complete();
        let mut findings = Vec::new();
        for (row, figure) in self.template.rows().iter().zip(&table.figures) {
            let Some(value) = stated.get(&row.code) else {
                continue;
            };
            if let Some(rule) = compare(*value, figure) {
                findings.push(TotalFinding {
                    code: row.code.clone(),
                    stated: *value,
                    rule,
                    provisional: incomplete || figure.is_provisional(),
                });
            }
        }
        let unknown = stated
            .iter()
            .filter(|(code, _)| self.template.row(code).is_none());
        findings.extend(unknown.map(|(code, value)| TotalFinding {
            code: code.clone(),
            stated: *value,
            rule: TotalRule::UnknownCode,
            provisional: false,
        }));
        Some(findings)
    }
}

fn compare(stated: Number, figure: &Figure) -> Option<TotalRule> {
    match &figure.value {
        FigureValue::Sum(range) => {
            (!range.may_round_to(stated)).then_some(TotalRule::SumDiffers(*range))
        }
        FigureValue::Recomputed(range) => {
            (!range.may_round_to(stated)).then_some(TotalRule::RecomputedDiffers(*range))
        }
        FigureValue::Spread(range) => {
            (!range.contains(stated)).then_some(TotalRule::OutsideSpread(*range))
        }
        FigureValue::Unresolved(reason) => Some(TotalRule::Unresolved(*reason)),
        FigureValue::Nothing => Some(TotalRule::NothingReported),
        // What a code list or words come to has no one right value.
        FigureValue::Choices(_) | FigureValue::Texts { .. } => None,
    }
}
