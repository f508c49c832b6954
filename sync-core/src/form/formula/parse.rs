//! Reading a formula, within limits on length and depth.

use super::{Factor, Formula, Term};
use crate::limits;
use crate::number::Number;

/// Why a text is no formula. Positions count bytes from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormulaError {
    /// Longer than a formula may be.
    #[error("formula is longer than {max} bytes", max = limits::FORMULA_BYTES_MAX)]
    TooLong,
    /// Parentheses and signs nested too deeply.
    #[error("formula is nested deeper than {max} levels", max = limits::FORMULA_DEPTH_MAX)]
    TooDeep,
    /// The formula ends where an operand or a closing mark is due.
    #[error("formula ends too early")]
    Ends,
    /// A character that cannot stand there.
    #[error("formula has an unexpected character at byte {0}")]
    Unexpected(usize),
    /// A number that is not in its canonical form.
    #[error("formula has a number at byte {0} that is not canonical")]
    Number(usize),
    /// A code in brackets that is empty or too long.
    #[error("formula has a bad code at byte {0}")]
    Code(usize),
}

impl std::str::FromStr for Formula {
    type Err = FormulaError;
    fn from_str(text: &str) -> Result<Self, FormulaError> {
        if text.len() > limits::FORMULA_BYTES_MAX {
            return Err(FormulaError::TooLong);
        }
        let mut parser = Parser { text, at: 0 };
        let formula = parser.sum(0)?;
        match parser.peek() {
            None => Ok(formula),
            Some(_) => Err(FormulaError::Unexpected(parser.at)),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..)?;
        self.at += rest.len() - rest.trim_start_matches(' ').len();
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn sum(&mut self, depth: usize) -> Result<Formula, FormulaError> {
        let first = self.product(depth)?;
        let mut terms = vec![(Term::Add, first)];
        loop {
            let kind = if self.take(b'+') {
                Term::Add
            } else if self.take(b'-') {
                Term::Subtract
            } else {
                break;
            };
            terms.push((kind, self.product(depth)?));
        }
        Ok(match terms.len() {
            1 => terms.swap_remove(0).1,
            _ => Formula::Sum(terms),
        })
    }

    fn product(&mut self, depth: usize) -> Result<Formula, FormulaError> {
        let first = self.operand(depth)?;
        let mut factors = vec![(Factor::Multiply, first)];
        loop {
            let kind = if self.take(b'*') {
                Factor::Multiply
            } else if self.take(b'/') {
                Factor::Divide
            } else {
                break;
            };
            factors.push((kind, self.operand(depth)?));
        }
        Ok(match factors.len() {
            1 => factors.swap_remove(0).1,
            _ => Formula::Product(factors),
        })
    }

    fn operand(&mut self, depth: usize) -> Result<Formula, FormulaError> {
        if depth >= limits::FORMULA_DEPTH_MAX {
            return Err(FormulaError::TooDeep);
        }
        match self.peek() {
            None => Err(FormulaError::Ends),
            Some(b'-') => {
                self.at += 1;
                Ok(Formula::Negate(Box::new(self.operand(depth + 1)?)))
            }
            Some(b'(') => {
                self.at += 1;
                let inner = self.sum(depth + 1)?;
                if self.take(b')') {
                    Ok(inner)
                } else if self.peek().is_none() {
                    Err(FormulaError::Ends)
                } else {
                    Err(FormulaError::Unexpected(self.at))
                }
            }
            Some(b'[') => self.code(),
            Some(byte) if byte.is_ascii_digit() => self.number(),
            Some(_) => Err(FormulaError::Unexpected(self.at)),
        }
    }

    fn code(&mut self) -> Result<Formula, FormulaError> {
        let start = self.at;
        let rest = self.text.get(start + 1..).unwrap_or_default();
        let (code, _) = rest.split_once(']').ok_or(FormulaError::Ends)?;
        if code.is_empty()
            || code.len() > limits::CODE_BYTES_MAX
            || code.contains(|c: char| c == '[' || c.is_control())
        {
            return Err(FormulaError::Code(start));
        }
        self.at = start + code.len() + 2;
        Ok(Formula::Cell(code.to_owned()))
    }

    fn number(&mut self) -> Result<Formula, FormulaError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let digits = rest.get(..end).unwrap_or_default();
        let number = Number::from_canonical(digits).map_err(|_| FormulaError::Number(self.at))?;
        self.at += end;
        Ok(Formula::Number(number))
    }
}
