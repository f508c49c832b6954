//! What a formula comes to over ranges, with every way of not coming to anything named.

use super::{Factor, Formula, Term};
use crate::number::Range;
use crate::number::range::RangeError;

/// What a formula comes to.
pub type Outcome = Result<Range, Unresolved>;

/// Why a formula comes to no figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// A row it refers to has no figure. An empty cell is not zero.
    #[error("a figure it refers to is missing")]
    MissingInput,
    /// It divides by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A conflict leaves open whether it divides by zero, so no bound holds.
    #[error("division by a figure in conflict that may be zero")]
    Unbounded,
    /// The result has more digits than a number keeps.
    #[error("result has more than 28 significant digits")]
    TooManyDigits,
}

impl From<RangeError> for Unresolved {
    fn from(error: RangeError) -> Self {
        match error {
            RangeError::DivisionByZero => Self::DivisionByZero,
            RangeError::Unbounded => Self::Unbounded,
            RangeError::TooManyDigits => Self::TooManyDigits,
        }
    }
}

impl<R> Formula<R> {
    /// The range of results when each reference takes any value of its range.
    ///
    /// With single values in, the result is single. With ranges in, it holds every possible result;
    /// it may be wider when one reference stands in the formula twice.
    pub fn evaluate(&self, figure: &impl Fn(&R) -> Outcome) -> Outcome {
        match self {
            Self::Number(number) => Ok(Range::from(*number)),
            Self::Cell(reference) => figure(reference),
            Self::Negate(inner) => Ok(inner.evaluate(figure)?.negated()),
            Self::Sum(terms) => {
                let mut sum = Range::from(crate::number::Number::ZERO);
                for (kind, term) in terms {
                    let value = term.evaluate(figure)?;
                    sum = match kind {
                        Term::Add => sum.checked_add(value)?,
                        Term::Subtract => sum.checked_add(value.negated())?,
                    };
                }
                Ok(sum)
            }
            Self::Product(factors) => {
                let mut product = Range::from(crate::number::Number::from(1));
                for (kind, factor) in factors {
                    let value = factor.evaluate(figure)?;
                    product = match kind {
                        Factor::Multiply => product.checked_mul(value)?,
                        Factor::Divide => product.checked_div(value)?,
                    };
                }
                Ok(product)
            }
        }
    }
}
