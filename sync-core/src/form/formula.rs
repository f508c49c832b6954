//! Formulas: what they say, how they are written, and what they come to.
//!
//! `100 * [I.2.2] / [I.2.1]`: numbers, codes in brackets, `+ - * /`, parentheses. Parsing and
//! writing are inverse. Reading is bounded by named limits, so the recursions here are too.

mod evaluate;
mod parse;

use crate::number::Number;
use std::fmt;

pub use evaluate::{Outcome, Unresolved};
pub use parse::FormulaError;

/// A formula over references of type `R`: codes as it was read, row indexes once it is part of a
/// template. Sums and products are flat, so depth grows only with parentheses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Formula<R = String> {
    /// A number, not negative.
    Number(Number),
    /// The figure of a row.
    Cell(R),
    /// The negated operand.
    Negate(Box<Self>),
    /// Two or more terms; the first one is added.
    Sum(Vec<(Term, Self)>),
    /// Two or more factors; the first one multiplies.
    Product(Vec<(Factor, Self)>),
}

/// How a term of a sum counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// Added.
    Add,
    /// Taken away.
    Subtract,
}

/// How a factor of a product counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// Multiplied by.
    Multiply,
    /// Divided by.
    Divide,
}

impl<R> Formula<R> {
    /// Every reference, in the order written, with repetitions.
    pub fn references(&self) -> Vec<&R> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a R>) {
        match self {
            Self::Number(_) => {}
            Self::Cell(reference) => found.push(reference),
            Self::Negate(inner) => inner.collect(found),
            Self::Sum(terms) => terms.iter().for_each(|(_, term)| term.collect(found)),
            Self::Product(factors) => factors.iter().for_each(|(_, factor)| factor.collect(found)),
        }
    }

    /// True when the formula of sums is the sum of the formulas: figures of units may be added.
    /// A ratio is not, nor is a formula with a constant term.
    pub fn is_additive(&self) -> bool {
        match self {
            Self::Number(_) => false,
            Self::Cell(_) => true,
            Self::Negate(inner) => inner.is_additive(),
            Self::Sum(terms) => terms.iter().all(|(_, term)| term.is_additive()),
            Self::Product(factors) => {
                let mut scaled = 0;
                factors.iter().all(|(kind, factor)| {
                    let constant = factor.references().is_empty();
                    scaled += usize::from(!constant);
                    constant || (*kind == Factor::Multiply && factor.is_additive())
                }) && scaled == 1
            }
        }
    }

    /// Numerator and denominator when the formula is `a / b` or `100 * a / b` of two cells.
    pub fn ratio(&self) -> Option<(&R, &R)> {
        let Self::Product(factors) = self else {
            return None;
        };
        let mut numerator = None;
        let mut denominator = None;
        for (kind, factor) in factors {
            match (kind, factor) {
                (Factor::Multiply, Self::Number(_)) => {}
                (Factor::Multiply, Self::Cell(cell)) if numerator.is_none() => {
                    numerator = Some(cell);
                }
                (Factor::Divide, Self::Cell(cell)) if denominator.is_none() => {
                    denominator = Some(cell);
                }
                (
                    Factor::Multiply | Factor::Divide,
                    Self::Number(_)
                    | Self::Cell(_)
                    | Self::Negate(_)
                    | Self::Sum(_)
                    | Self::Product(_),
                ) => return None,
            }
        }
        numerator.zip(denominator)
    }

    /// The same formula with every reference looked up; fails on the first that `resolve` refuses.
    pub fn resolved<S, E>(
        &self,
        resolve: &mut impl FnMut(&R) -> Result<S, E>,
    ) -> Result<Formula<S>, E> {
        Ok(match self {
            Self::Number(number) => Formula::Number(*number),
            Self::Cell(reference) => Formula::Cell(resolve(reference)?),
            Self::Negate(inner) => Formula::Negate(Box::new(inner.resolved(resolve)?)),
            Self::Sum(terms) => Formula::Sum(
                terms
                    .iter()
                    .map(|(kind, term)| Ok((*kind, term.resolved(resolve)?)))
                    .collect::<Result<_, E>>()?,
            ),
            Self::Product(factors) => Formula::Product(
                factors
                    .iter()
                    .map(|(kind, factor)| Ok((*kind, factor.resolved(resolve)?)))
                    .collect::<Result<_, E>>()?,
            ),
        })
    }
}

impl<R: fmt::Display> fmt::Display for Formula<R> {
    /// The text that parses to this formula.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Cell(reference) => write!(f, "[{reference}]"),
            Self::Negate(inner) => {
                f.write_str("-")?;
                match inner.as_ref() {
                    Self::Negate(_) => write!(f, "{inner}"),
                    Self::Number(_) | Self::Cell(_) | Self::Sum(_) | Self::Product(_) => {
                        inner.write_operand(f)
                    }
                }
            }
            Self::Sum(terms) => {
                for (index, (kind, term)) in terms.iter().enumerate() {
                    if index > 0 {
                        f.write_str(match kind {
                            Term::Add => " + ",
                            Term::Subtract => " - ",
                        })?;
                    }
                    match term {
                        Self::Sum(_) => write!(f, "({term})")?,
                        Self::Number(_) | Self::Cell(_) | Self::Negate(_) | Self::Product(_) => {
                            write!(f, "{term}")?
                        }
                    }
                }
                Ok(())
            }
            Self::Product(factors) => {
                for (index, (kind, factor)) in factors.iter().enumerate() {
                    if index > 0 {
                        f.write_str(match kind {
                            Factor::Multiply => " * ",
                            Factor::Divide => " / ",
                        })?;
                    }
                    match factor {
                        Self::Negate(_) => write!(f, "{factor}")?,
                        Self::Number(_) | Self::Cell(_) | Self::Sum(_) | Self::Product(_) => {
                            factor.write_operand(f)?;
                        }
                    }
                }
                Ok(())
            }
        }
    }
}

impl<R: fmt::Display> Formula<R> {
    /// A number or cell as it is, anything else in parentheses.
    fn write_operand(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(_) | Self::Cell(_) => write!(f, "{self}"),
            Self::Negate(_) | Self::Sum(_) | Self::Product(_) => write!(f, "({self})"),
        }
    }
}

#[cfg(test)]
mod tests;
