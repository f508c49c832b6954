//! Sharing a published figure out over units so that the shares add up to it exactly.
//!
//! The method is that of largest remainders: each share is its quota cut off, and what is left goes,
//! one step at a time, to the largest remainders, the earlier unit first among equals.

use crate::form::formula::Unresolved;
use crate::form::{Aggregation, Template};
use crate::number::{Number, Range};
use std::collections::{BTreeMap, BTreeSet};

/// Why a figure could not be shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApportionError {
    /// No unit has a weight above zero, but there is something to share.
    #[error("no unit has a weight above zero")]
    NoWeight,
    /// A weight is below zero.
    #[error("a weight is below zero")]
    NegativeWeight,
    /// Figure and weights are too large to be shared exactly.
    #[error("figure and weights are too large to be shared exactly")]
    TooLarge,
}

/// Shares `total` out by weights, in steps of its last decimal place: whole numbers stay whole. A
/// unit of weight zero gets zero.
pub fn apportion(total: Number, weights: &[Number]) -> Result<Vec<Number>, ApportionError> {
    let scale = weights
        .iter()
        .map(|weight| weight.scale())
        .max()
        .unwrap_or(0);
    let weight = |weight: &Number| -> Result<u128, ApportionError> {
        let raise = 10_u128.checked_pow(scale - weight.scale());
        let mantissa =
            u128::try_from(weight.mantissa()).map_err(|_| ApportionError::NegativeWeight)?;
        raise
            .and_then(|raise| mantissa.checked_mul(raise))
            .ok_or(ApportionError::TooLarge)
    };
    let weights: Vec<u128> = weights.iter().map(weight).collect::<Result<_, _>>()?;
    let sum = weights
        .iter()
        .try_fold(0_u128, |sum, weight| sum.checked_add(*weight));
    let sum = sum.ok_or(ApportionError::TooLarge)?;
    let steps = total.mantissa().unsigned_abs();
    if sum == 0 {
        return match steps {
            0 => Ok(vec![Number::ZERO; weights.len()]),
            _ => Err(ApportionError::NoWeight),
        };
    }
    let mut shares = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    for (index, weight) in weights.iter().enumerate() {
        let quota = steps.checked_mul(*weight).ok_or(ApportionError::TooLarge)?;
        shares.push(quota / sum);
        remainders.push((std::cmp::Reverse(quota % sum), index));
    }
    remainders.sort_unstable();
    let left = steps - shares.iter().sum::<u128>();
    for (_, index) in remainders
        .iter()
        .take(usize::try_from(left).unwrap_or(usize::MAX))
    {
        if let Some(share) = shares.get_mut(*index) {
            *share += 1;
        }
    }
    let share = |share: u128| {
        let steps = i128::try_from(share).map_err(|_| ApportionError::TooLarge)?;
        let signed = if total.is_negative() { -steps } else { steps };
        Number::from_parts(signed, total.scale()).ok_or(ApportionError::TooLarge)
    };
    shares.into_iter().map(share).collect()
}

/// Shares every additive figure of a form out over units, one map of cells per weight.
///
/// A total whose parts are published and add up to it is the sum of the parts in each unit too. The
/// numerator of a ratio is shared out by the shares of its denominator, so that no unit has done
/// more than it had to do, as long as the published figures are so. Everything else goes by weight.
/// Rows that do not add up (percentages, choices, words) are left out: they are not shared.
pub fn apportion_form(
    template: &Template,
    published: &BTreeMap<String, Number>,
    weights: &[Number],
) -> Result<Vec<BTreeMap<String, Number>>, ApportionError> {
    let mut sharing = Sharing::new(template, published, weights);
    let mut units = vec![BTreeMap::new(); weights.len()];
    for (row, indicator) in template.rows().iter().enumerate() {
        let Some(shares) = sharing.shares(row)? else {
            continue;
        };
        for (unit, share) in units.iter_mut().zip(shares) {
            unit.insert(indicator.code.clone(), share);
        }
    }
    Ok(units)
}

struct Sharing<'a> {
    template: &'a Template,
    weights: &'a [Number],
    /// Published figures of rows that add up, by row.
    published: BTreeMap<usize, Number>,
    /// The denominator of the ratio a row is the numerator of.
    denominators: BTreeMap<usize, usize>,
    done: BTreeMap<usize, Vec<Number>>,
    under_way: BTreeSet<usize>,
}

impl<'a> Sharing<'a> {
    fn new(
        template: &'a Template,
        published: &BTreeMap<String, Number>,
        weights: &'a [Number],
    ) -> Self {
        let additive = published.iter().filter_map(|(code, value)| {
            let row = template.row_index(code)?;
            (template.aggregation(row) == Aggregation::Sum).then_some((row, *value))
        });
        let mut denominators = BTreeMap::new();
        for row in template.evaluation_order() {
            let ratio = template.formula(*row).and_then(|formula| formula.ratio());
            if let Some((numerator, denominator)) = ratio {
                denominators.entry(*numerator).or_insert(*denominator);
            }
        }
        Self {
            template,
            weights,
            published: additive.collect(),
            denominators,
            done: BTreeMap::new(),
            under_way: BTreeSet::new(),
        }
    }

    /// The shares of a row; nothing for rows without a published figure that adds up.
    fn shares(&mut self, row: usize) -> Result<Option<Vec<Number>>, ApportionError> {
        let Some(total) = self.published.get(&row).copied() else {
            return Ok(None);
        };
        if let Some(done) = self.done.get(&row) {
            return Ok(Some(done.clone()));
        }
        // Ratios may refer to each other in circles; the weights then break the circle.
        self.under_way.insert(row);
        let found = match self.sums_of_parts(row, total)? {
            Some(shares) => Some(shares),
            None => self.within_denominator(row, total)?,
        };
        self.under_way.remove(&row);
        let shares = match found {
            Some(shares) => shares,
            None => apportion(total, self.weights)?,
        };
        self.done.insert(row, shares.clone());
        Ok(Some(shares))
    }

    /// The formula of the row in each unit, when it holds for the published figures.
    fn sums_of_parts(
        &mut self,
        row: usize,
        total: Number,
    ) -> Result<Option<Vec<Number>>, ApportionError> {
        let template = self.template;
        let Some(formula) = template.formula(row) else {
            return Ok(None);
        };
        let whole = formula.evaluate(&|input: &usize| {
            let known = self.published.get(input).copied().map(Range::from);
            known.ok_or(Unresolved::MissingInput)
        });
        if whole != Ok(Range::from(total)) {
            return Ok(None);
        }
        let mut parts: BTreeMap<usize, Vec<Number>> = BTreeMap::new();
        for input in formula.references() {
            if self.under_way.contains(input) {
                return Ok(None);
            }
            if let Some(shares) = self.shares(*input)? {
                parts.insert(*input, shares);
            }
        }
        let in_unit = |unit: usize| {
            let sum = formula.evaluate(&|input: &usize| {
                let share = parts.get(input).and_then(|shares| shares.get(unit));
                share
                    .copied()
                    .map(Range::from)
                    .ok_or(Unresolved::MissingInput)
            });
            sum.ok().and_then(Range::single)
        };
        Ok((0..self.weights.len()).map(in_unit).collect())
    }

    fn within_denominator(
        &mut self,
        row: usize,
        total: Number,
    ) -> Result<Option<Vec<Number>>, ApportionError> {
        let Some(denominator) = self.denominators.get(&row).copied() else {
            return Ok(None);
        };
        if self.under_way.contains(&denominator) {
            return Ok(None);
        }
        match self.shares(denominator)? {
            Some(wholes) if wholes.iter().any(|whole| *whole != Number::ZERO) => {
                apportion(total, &wholes).map(Some)
            }
            Some(_) | None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
