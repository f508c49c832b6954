//! A low–high range of numbers: what a figure is while a conflict below it is open.

use super::{ArithmeticError, Number};

/// Everything from `low` to `high`, both included. A single number is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    low: Number,
    high: Number,
}

/// Why a range has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// The divisor is zero.
    #[error("division by zero")]
    DivisionByZero,
    /// The divisor may be zero, depending on how a conflict is settled: no bound holds.
    #[error("division by a range that holds zero")]
    Unbounded,
    /// The exact result needs more than 28 digits.
    #[error("result has more than 28 significant digits")]
    TooManyDigits,
}

impl From<ArithmeticError> for RangeError {
    fn from(error: ArithmeticError) -> Self {
        match error {
            ArithmeticError::TooManyDigits => Self::TooManyDigits,
            ArithmeticError::DivisionByZero => Self::DivisionByZero,
        }
    }
}

impl From<Number> for Range {
    fn from(value: Number) -> Self {
        Self {
            low: value,
            high: value,
        }
    }
}

impl Range {
    /// The range between two numbers, in either order.
    pub fn between(a: Number, b: Number) -> Self {
        Self {
            low: a.min(b),
            high: a.max(b),
        }
    }

    /// The least value.
    pub fn low(self) -> Number {
        self.low
    }

    /// The greatest value.
    pub fn high(self) -> Number {
        self.high
    }

    /// The one value, if there is only one.
    pub fn single(self) -> Option<Number> {
        (self.low == self.high).then_some(self.low)
    }

    /// True when `value` lies inside.
    pub fn contains(self, value: Number) -> bool {
        self.low <= value && value <= self.high
    }

    /// True when `stated` may be a rounding of one of the values: it is at most half a unit of its
    /// last written place away. 99.65 may stand for anything from 99.645 to 99.655, 29 for 28.5 to
    /// 29.5; a whole number stands for no other whole number.
    pub fn may_round_to(self, stated: Number) -> bool {
        let tolerance = stated.rounding_tolerance();
        match (stated.checked_sub(tolerance), stated.checked_add(tolerance)) {
            (Ok(low), Ok(high)) => low <= self.high && self.low <= high,
            // No room for the tolerance in 28 digits: nothing but the value itself.
            (Ok(_) | Err(_), Ok(_) | Err(_)) => self.contains(stated),
        }
    }

    /// The smallest range that holds this one and `value`.
    pub fn with(self, value: Number) -> Self {
        Self {
            low: self.low.min(value),
            high: self.high.max(value),
        }
    }

    /// Sums of a value of each.
    pub fn checked_add(self, other: Self) -> Result<Self, RangeError> {
        Ok(Self {
            low: self.low.checked_add(other.low)?,
            high: self.high.checked_add(other.high)?,
        })
    }

    /// The negated values.
    pub fn negated(self) -> Self {
        Self {
            low: -self.high,
            high: -self.low,
        }
    }

    /// Products of a value of each.
    pub fn checked_mul(self, other: Self) -> Result<Self, RangeError> {
        self.corners(other, Number::checked_mul)
    }

    /// Quotients of a value of each.
    pub fn checked_div(self, other: Self) -> Result<Self, RangeError> {
        if other.single() == Some(Number::ZERO) {
            return Err(RangeError::DivisionByZero);
        }
        if other.contains(Number::ZERO) {
            return Err(RangeError::Unbounded);
        }
        self.corners(other, Number::checked_div)
    }

    /// Both operations are monotone in each argument, so the extremes are at the corners.
    fn corners(
        self,
        other: Self,
        operation: impl Fn(Number, Number) -> Result<Number, ArithmeticError>,
    ) -> Result<Self, RangeError> {
        let mut range = Self::from(operation(self.low, other.low)?);
        if self.single().is_none() || other.single().is_none() {
            range = range
                .with(operation(self.low, other.high)?)
                .with(operation(self.high, other.low)?)
                .with(operation(self.high, other.high)?);
        }
        Ok(range)
    }
}
