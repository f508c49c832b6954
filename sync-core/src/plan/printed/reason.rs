//! Why something was concluded from a printed plan, and how sure that is.

use std::fmt;

pub use crate::form::printed::Confidence;

/// What a reason is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// The code.
    Code,
    /// The title.
    Title,
    /// The row above.
    Parent,
    /// Heading or task.
    IsGroup,
    /// The requirement.
    Requirement,
    /// The latest day.
    Deadline,
    /// Who leads.
    Lead,
    /// Who takes part.
    Coordinating,
    /// The year of the whole plan.
    Year,
}

impl Topic {
    /// The field of a row it speaks of.
    pub fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Title => "title",
            Self::Parent => "parent",
            Self::IsGroup => "is_group",
            Self::Requirement => "requirement",
            Self::Deadline => "deadline",
            Self::Lead => "lead",
            Self::Coordinating => "coordinating",
            Self::Year => "year",
        }
    }
}

/// Why something was concluded: a code, values of its sentence, and how sure it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What it is about.
    pub topic: Topic,
    /// The machine code; the sentence is `plan-` and this.
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
pub const REASON_CODES: [&str; 43] = [
    "agency-abbreviation",
    "agency-alias",
    "agency-ambiguous",
    "agency-listed",
    "agency-name",
    "agency-old-name",
    "agency-part",
    "agency-short",
    "agency-similar",
    "agency-standard",
    "agency-unknown",
    "code-by-ordinal",
    "code-lettered",
    "code-repeated",
    "code-with-section",
    "deadline-before",
    "deadline-day",
    "deadline-no-such-day",
    "deadline-no-year",
    "deadline-period",
    "deadline-recurring",
    "deadline-relative",
    "deadline-roughly",
    "deadline-several",
    "deadline-unread",
    "deadline-year-of-plan",
    "ditto",
    "group-empty",
    "group-incomplete",
    "group-kind",
    "group-limited",
    "group-named",
    "group-unnamed",
    "heading",
    "heading-without-tasks",
    "joined",
    "merged",
    "parent-by-list",
    "parent-by-ordinal",
    "parent-none",
    "year-asked",
    "year-by-date",
    "year-in-title",
];
