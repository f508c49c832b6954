//! Arithmetic as it is printed, over tokens: what a note, a label or a cell of a spreadsheet says.
//!
//! Bounded in length by the cell it comes from and in depth by the limit of formulas.

use crate::form::formula::{Factor, Formula, Term};
use crate::limits;
use crate::number::Number;

/// One token. References were looked up already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Number(Number),
    /// Codes: one, or all of a range.
    Cells(Vec<String>),
    Plus,
    Minus,
    Times,
    Over,
    Open,
    Close,
    Comma,
    Percent,
    /// A comparison, which only stands in a condition.
    Compare,
    Text,
    Function(String),
}

/// Reads all tokens as one formula; nothing if they are none that a template can hold.
pub(super) fn parse(tokens: &[Token]) -> Option<Formula> {
    let mut parser = Parser { tokens, at: 0 };
    let formula = parser.sum(0)?;
    (parser.at == tokens.len()).then_some(formula)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn sum(&mut self, depth: usize) -> Option<Formula> {
        let negative = self.take(&Token::Minus);
        if !negative {
            self.take(&Token::Plus);
        }
        let first = self.product(depth)?;
        let first = if negative {
            Formula::Negate(Box::new(first))
        } else {
            first
        };
        let mut terms = vec![(Term::Add, first)];
        loop {
            let kind = if self.take(&Token::Plus) {
                Term::Add
            } else if self.take(&Token::Minus) {
                Term::Subtract
            } else {
                break;
            };
            terms.push((kind, self.product(depth)?));
        }
        Some(sum_of(terms))
    }

    fn product(&mut self, depth: usize) -> Option<Formula> {
        let mut factors = vec![(Factor::Multiply, self.operand(depth)?)];
        loop {
            let kind = if self.take(&Token::Times) {
                Factor::Multiply
            } else if self.take(&Token::Over) {
                Factor::Divide
            } else {
                break;
            };
            factors.push((kind, self.operand(depth)?));
        }
        Some(match factors.len() {
            1 => factors.swap_remove(0).1,
            _ => Formula::Product(factors),
        })
    }

    fn operand(&mut self, depth: usize) -> Option<Formula> {
        if depth >= limits::FORMULA_DEPTH_MAX {
            return None;
        }
        let token = self.peek()?.clone();
        self.at += 1;
        let operand = match token {
            Token::Number(number) => Formula::Number(number),
            Token::Cells(mut codes) => match codes.len() {
                1 => Formula::Cell(codes.swap_remove(0)),
                _ => return None,
            },
            Token::Open => {
                let inner = self.sum(depth + 1)?;
                self.take(&Token::Close).then_some(inner)?
            }
            Token::Function(name) => self.function(&name, depth + 1)?,
            Token::Plus
            | Token::Minus
            | Token::Times
            | Token::Over
            | Token::Close
            | Token::Comma
            | Token::Percent
            | Token::Compare
            | Token::Text => return None,
        };
        // `100%` says that the result is a percentage: it is a hundred of it.
        self.take(&Token::Percent);
        Some(operand)
    }

    /// `SUM(…)`, and the wrappings that do not change what a formula means.
    fn function(&mut self, name: &str, depth: usize) -> Option<Formula> {
        self.take(&Token::Open).then_some(())?;
        match name {
            "SUM" => {
                let mut terms = Vec::new();
                loop {
                    if let Some(Token::Cells(codes)) = self.peek()
                        && codes.len() != 1
                    {
                        let cells = codes.iter().cloned().map(Formula::Cell);
                        terms.extend(cells.map(|cell| (Term::Add, cell)));
                        self.at += 1;
                    } else {
                        terms.push((Term::Add, self.sum(depth)?));
                    }
                    if self.take(&Token::Close) {
                        break;
                    }
                    self.take(&Token::Comma).then_some(())?;
                }
                (!terms.is_empty()).then(|| sum_of(terms))
            }
            "IFERROR" | "ROUND" | "ROUNDUP" | "ROUNDDOWN" => {
                let inner = self.sum(depth)?;
                self.rest_of_call()?;
                Some(inner)
            }
            "IF" => {
                self.condition()?;
                let first = self.branch(depth)?;
                let second = if self.take(&Token::Comma) {
                    self.branch(depth)?
                } else {
                    None
                };
                self.take(&Token::Close).then_some(())?;
                let has_cells = |formula: &Formula| !formula.references().is_empty();
                match (first.filter(has_cells), second.filter(has_cells)) {
                    (Some(formula), None) | (None, Some(formula)) => Some(formula),
                    (Some(_), Some(_)) | (None, None) => None,
                }
            }
            _ => None,
        }
    }

    /// One branch of an `IF`: a formula, or words.
    fn branch(&mut self, depth: usize) -> Option<Option<Formula>> {
        if self.take(&Token::Text) {
            return Some(None);
        }
        self.sum(depth).map(Some)
    }

    /// Up to the comma after a condition.
    fn condition(&mut self) -> Option<()> {
        self.skip_past(&Token::Comma)
    }

    /// The other arguments of a wrapping, which do not matter.
    fn rest_of_call(&mut self) -> Option<()> {
        self.skip_past(&Token::Close)
    }

    /// Past the next token of this kind that stands in no inner parentheses.
    fn skip_past(&mut self, end: &Token) -> Option<()> {
        let mut depth = 0_u32;
        loop {
            let token = self.peek()?;
            let is_end = depth == 0 && token == end;
            match token {
                _ if is_end => {}
                Token::Open => depth += 1,
                Token::Close => depth = depth.checked_sub(1)?,
                Token::Number(_)
                | Token::Cells(_)
                | Token::Plus
                | Token::Minus
                | Token::Times
                | Token::Over
                | Token::Comma
                | Token::Percent
                | Token::Compare
                | Token::Text
                | Token::Function(_) => {}
            }
            self.at += 1;
            if is_end {
                return Some(());
            }
        }
    }
}

/// A sum, flat; one plain term is itself.
fn sum_of(terms: Vec<(Term, Formula)>) -> Formula {
    let mut flat = Vec::with_capacity(terms.len());
    for (kind, term) in terms {
        match (kind, term) {
            (Term::Add, Formula::Sum(inner)) => flat.extend(inner),
            (kind, term) => flat.push((kind, term)),
        }
    }
    match flat.as_slice() {
        [(Term::Add, _)] => flat.swap_remove(0).1,
        _ => Formula::Sum(flat),
    }
}

/// A ratio as this product writes it: `100 * [a] / [b]`. What is `[a] / [b] * 100`, or a percentage
/// without its hundred, becomes that.
pub(super) fn as_percentage(formula: Formula) -> Formula {
    let hundred = Formula::Number(Number::HUNDRED);
    let Formula::Product(factors) = formula else {
        return formula;
    };
    let has_hundred = factors
        .iter()
        .any(|(kind, factor)| *kind == Factor::Multiply && *factor == hundred);
    let divides = factors.iter().any(|(kind, _)| *kind == Factor::Divide);
    if !divides {
        return Formula::Product(factors);
    }
    let mut ordered = vec![(Factor::Multiply, hundred.clone())];
    let mut dropped = !has_hundred;
    for (kind, factor) in factors {
        if !dropped && kind == Factor::Multiply && factor == hundred {
            dropped = true;
        } else if let (Factor::Multiply, Formula::Product(inner)) = (kind, &factor) {
            // `([a] / [b]) * 100`
            ordered.extend(inner.iter().cloned());
        } else {
            ordered.push((kind, factor));
        }
    }
    // The numerator first, as people read it.
    ordered.sort_by_key(|(kind, _)| *kind == Factor::Divide);
    Formula::Product(ordered)
}
