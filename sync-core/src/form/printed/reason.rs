//! Why something was concluded from a printed form, and how sure that is.

use std::fmt;

/// How sure a conclusion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// A guess that a person has to look at.
    Low,
    /// Likely.
    Medium,
    /// The form says so.
    High,
}

impl Confidence {
    /// Its name for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What a reason is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// The code.
    Code,
    /// The parent.
    Parent,
    /// The unit of measure.
    Unit,
    /// The kind.
    Kind,
    /// The code list.
    Choices,
    /// The formula.
    Formula,
    /// The period of the whole form.
    Period,
}

impl Topic {
    /// The field of a row it speaks of.
    pub fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Parent => "parent",
            Self::Unit => "unit",
            Self::Kind => "kind",
            Self::Choices => "choices",
            Self::Formula => "formula",
            Self::Period => "period",
        }
    }
}

/// Why something was concluded: a code, values of its sentence, and how sure it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What it is about.
    pub topic: Topic,
    /// The machine code; the sentence is `proposal-` and this.
    pub code: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
    /// Values of the sentence.
    pub arguments: Vec<(&'static str, String)>,
}

impl Reason {
    pub(super) fn new(topic: Topic, code: &'static str, confidence: Confidence) -> Self {
        Self {
            topic,
            code,
            confidence,
            arguments: Vec::new(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.arguments.push((name, value.to_string()));
        self
    }
}

/// Every code a [`Reason`] can have, for whoever has the sentences.
pub const REASON_CODES: [&str; 53] = [
    "change-against-base",
    "choices-in-label",
    "choices-in-note",
    "choices-in-unit",
    "choices-without-values",
    "code-by-ordinal",
    "code-lettered",
    "code-printed",
    "count-without-unit",
    "figure-decimal",
    "figure-percent",
    "figure-whole",
    "figure-words",
    "formula-in-cell",
    "formula-in-label",
    "formula-in-note",
    "formula-in-ordinal",
    "heading-alone",
    "heading-with-parts",
    "heading-without-unit",
    "label-average",
    "label-rate",
    "label-words",
    "ordinal-restored",
    "parent-by-ordinal",
    "parent-by-scheme",
    "parent-by-shorter-ordinal",
    "parent-none",
    "parent-of-which",
    "parent-unnumbered",
    "period-asked",
    "period-guessed",
    "period-in-title",
    "ratio-beside",
    "ratio-by-words",
    "ratio-of-parts",
    "total-divided",
    "total-of-all",
    "total-of-bands",
    "total-of-following",
    "total-of-kinds",
    "total-of-named",
    "total-of-parts",
    "total-of-which",
    "unit-caption",
    "unit-count",
    "unit-ditto",
    "unit-in-label",
    "unit-measure",
    "unit-merged",
    "unit-million-dong",
    "unit-percent",
    "unit-words",
];
