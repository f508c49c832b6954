//! Why the tables of a document make no plan. Each names where to look.

use crate::form::printed::{Place, PrintedError};
use crate::limits;

/// Why there is no proposal. Nothing was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nothing that could be a table.
    #[error("the file holds no table")]
    NoTable,
    /// No line of any table is a header.
    #[error("{0}: no header with a column of tasks and one of agencies or deadlines")]
    NoHeader(Place),
    /// A header, and no row under it.
    #[error("{0}: no row under this header")]
    NoRows(Place),
    /// More rows than a plan has.
    #[error("{0}: more than {max} rows", max = limits::PLAN_ROWS_MAX)]
    TooManyRows(Place),
    /// A cell that names more agencies than there are.
    #[error("{0}: more than {max} agencies in one cell", max = limits::PLAN_AGENCIES_MAX)]
    TooManyAgencies(Place),
    /// A table cannot be taken.
    #[error(transparent)]
    Table(#[from] PrintedError),
}

impl PlanError {
    /// Every machine code that is not one of the tables'.
    pub const CODES: [&'static str; 5] = [
        "plan-no-table",
        "plan-no-header",
        "plan-no-rows",
        "plan-too-many-rows",
        "plan-too-many-agencies",
    ];

    /// The machine code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoTable => "plan-no-table",
            Self::NoHeader(_) => "plan-no-header",
            Self::NoRows(_) => "plan-no-rows",
            Self::TooManyRows(_) => "plan-too-many-rows",
            Self::TooManyAgencies(_) => "plan-too-many-agencies",
            Self::Table(error) => error.code(),
        }
    }

    /// Where to look.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::NoTable => None,
            Self::NoHeader(place)
            | Self::NoRows(place)
            | Self::TooManyRows(place)
            | Self::TooManyAgencies(place) => Some(place),
            Self::Table(error) => error.place(),
        }
    }
}
