//! How figures, cells and units are written for readers: numbers as exact decimal text.

use std::collections::BTreeMap;

use crate::schema::Hex;
use schemars::JsonSchema;
use serde::Serialize;
use sync_core::catalogue::UnitRecord;
use sync_core::cell::CellValue;
use sync_core::form::formula::Unresolved;
use sync_core::form::{Indicator, Kind};
use sync_core::identity::UnitId;
use sync_core::number::Range;
use sync_core::roll_up::{Coverage, Figure, FigureValue, TotalFinding, TotalRule};

/// A unit by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct UnitLine {
    #[schemars(with = "Hex<8>")]
    pub(crate) unit: UnitId,
    pub(crate) code: String,
    pub(crate) name: String,
}

impl From<&UnitRecord> for UnitLine {
    fn from(record: &UnitRecord) -> Self {
        Self {
            unit: record.unit,
            code: record.code.clone(),
            name: record.name.clone(),
        }
    }
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "CellValue")]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Value {
    Empty,
    NoOccurrence,
    Number { number: String },
    Text { text: String },
}

impl From<&CellValue> for Value {
    fn from(value: &CellValue) -> Self {
        match value {
            CellValue::Empty => Self::Empty,
            CellValue::NoOccurrence => Self::NoOccurrence,
            CellValue::Number(number) => Self::Number {
                number: number.canonical(),
            },
            CellValue::Text(text) => Self::Text { text: text.clone() },
        }
    }
}

/// How many reports figures stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct CoverageLine {
    due: u32,
    reported: u32,
    missing: u32,
    late: u32,
    in_conflict: u32,
    other_version: u32,
    complete: bool,
}

impl From<Coverage> for CoverageLine {
    fn from(coverage: Coverage) -> Self {
        Self {
            due: coverage.due,
            reported: coverage.reported,
            missing: coverage.missing(),
            late: coverage.late,
            in_conflict: coverage.in_conflict,
            other_version: coverage.other_version,
            complete: coverage.is_complete(),
        }
    }
}

/// Lowest and highest; equal unless a conflict is open or percentages are spread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct RangeText {
    low: String,
    high: String,
}

impl From<Range> for RangeText {
    fn from(range: Range) -> Self {
        Self {
            low: range.low().canonical(),
            high: range.high().canonical(),
        }
    }
}

/// What a row comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Amount {
    Nothing,
    Sum(RangeText),
    Recomputed(RangeText),
    Spread(RangeText),
    Unresolved {
        reason: &'static str,
    },
    Choices {
        /// Reports by the number of the choice.
        choices: BTreeMap<String, u32>,
    },
    Texts {
        texts: Vec<TextLine>,
        more: u32,
    },
}

/// Words of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct TextLine {
    #[schemars(with = "Hex<8>")]
    unit: UnitId,
    text: String,
}

fn reason(unresolved: Unresolved) -> &'static str {
    match unresolved {
        Unresolved::MissingInput => "missing_input",
        Unresolved::DivisionByZero => "division_by_zero",
        Unresolved::Unbounded => "unbounded",
        Unresolved::TooManyDigits => "too_many_digits",
    }
}

impl From<&FigureValue> for Amount {
    fn from(value: &FigureValue) -> Self {
        match value {
            FigureValue::Nothing => Self::Nothing,
            FigureValue::Sum(range) => Self::Sum((*range).into()),
            FigureValue::Recomputed(range) => Self::Recomputed((*range).into()),
            FigureValue::Spread(range) => Self::Spread((*range).into()),
            FigureValue::Unresolved(unresolved) => Self::Unresolved {
                reason: reason(*unresolved),
            },
            FigureValue::Choices(choices) => Self::Choices {
                choices: choices
                    .iter()
                    .map(|(choice, count)| (choice.canonical(), *count))
                    .collect(),
            },
            FigureValue::Texts { listed, more } => Self::Texts {
                texts: listed
                    .iter()
                    .map(|(unit, text)| TextLine {
                        unit: *unit,
                        text: text.clone(),
                    })
                    .collect(),
                more: *more,
            },
        }
    }
}

/// One row with its figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct FigureLine {
    code: String,
    stt: String,
    label: String,
    unit: String,
    row_kind: &'static str,
    #[serde(flatten)]
    amount: Amount,
    counted: u32,
    no_occurrence: u32,
    in_conflict: u32,
    unusable: u32,
    provisional: bool,
}

impl FigureLine {
    /// The line of a row.
    pub(crate) fn new(row: &Indicator, figure: &Figure) -> Self {
        let kind: Kind = row.kind;
        Self {
            code: row.code.clone(),
            stt: row.stt.clone(),
            label: row.label.clone(),
            unit: row.unit.clone(),
            row_kind: kind.name(),
            amount: (&figure.value).into(),
            counted: figure.counted,
            no_occurrence: figure.no_occurrence,
            in_conflict: figure.in_conflict,
            unusable: figure.unusable,
            provisional: figure.is_provisional(),
        }
    }
}

/// A figure that somebody stated and the reports do not bear out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct FindingLine {
    code: String,
    rule: &'static str,
    stated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<RangeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    provisional: bool,
}

impl From<&TotalFinding> for FindingLine {
    fn from(finding: &TotalFinding) -> Self {
        let (found, why) = match &finding.rule {
            TotalRule::RecomputedDiffers(range)
            | TotalRule::SumDiffers(range)
            | TotalRule::OutsideSpread(range) => (Some((*range).into()), None),
            TotalRule::Unresolved(unresolved) => (None, Some(reason(*unresolved))),
            TotalRule::NothingReported | TotalRule::UnknownCode => (None, None),
        };
        Self {
            code: finding.code.clone(),
            rule: finding.rule.code(),
            stated: finding.stated.canonical(),
            found,
            reason: why,
            provisional: finding.provisional,
        }
    }
}
