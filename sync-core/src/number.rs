//! Exact decimal numbers: their one canonical text, their exact arithmetic, their Vietnamese form.
//!
//! A number has at most [`DIGITS_MAX`] significant digits and at most that many decimal places.
//! Addition, subtraction and multiplication are exact or refused; only division rounds, and its
//! rule is written at [`Number::checked_div`]. `docs/formats.md` section 8 fixes the canonical text.

mod arithmetic;
pub mod range;
pub mod vietnamese;

use rust_decimal::{Decimal, RoundingStrategy};
use std::fmt;
use std::str::FromStr;

pub use arithmetic::{ArithmeticError, DIVISION_PLACES};
pub use range::Range;
pub use vietnamese::{Question, Reading, Refusal, Typed, read, read_whole};

/// Significant digits of a number, and its decimal places, at most.
pub const DIGITS_MAX: u32 = 28;

/// 10 to the power of [`DIGITS_MAX`]: every mantissa is smaller.
const MANTISSA_END: u128 = 10_u128.pow(DIGITS_MAX);

/// An exact decimal of at most 28 significant digits, always normalised (no trailing zeros, no
/// minus zero), so that equal numbers are equal bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(Decimal);

/// A text that is no number in its canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadNumber {
    /// Not `-`, digits, `.`, digits in this order, or digits that could be left out.
    #[error("number is not in its canonical form")]
    NotCanonical,
    /// More than 28 significant digits or decimal places.
    #[error("number has more than 28 significant digits")]
    TooManyDigits,
}

impl Number {
    /// Nought.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// A hundred: what a percentage is of.
    pub const HUNDRED: Self = Self(Decimal::ONE_HUNDRED);

    /// `mantissa · 10^-scale`, brought to its normal form; `None` when that needs more than 28
    /// digits or decimal places.
    pub fn from_parts(mantissa: i128, scale: u32) -> Option<Self> {
        let (mut mantissa, mut scale) = (mantissa, scale);
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
            if mantissa == 0 {
                scale = 0;
            }
        }
        if mantissa.unsigned_abs() >= MANTISSA_END || scale > DIGITS_MAX {
            return None;
        }
        Decimal::try_from_i128_with_scale(mantissa, scale)
            .ok()
            .map(Self)
    }

    /// The digits as an integer, with their sign. Below 10^28 in size.
    pub fn mantissa(self) -> i128 {
        self.0.mantissa()
    }

    /// Decimal places: 0 for integers, else the last place is not zero.
    pub fn scale(self) -> u32 {
        self.0.scale()
    }

    /// True for numbers without decimal places.
    pub fn is_integer(self) -> bool {
        self.scale() == 0
    }

    /// True below zero.
    pub fn is_negative(self) -> bool {
        self.mantissa() < 0
    }

    /// The number as a 64-bit integer, if it is one and fits: the form a cell stores it in.
    /// Otherwise a cell stores `=` and [`Number::canonical`].
    pub fn as_i64(self) -> Option<i64> {
        if self.is_integer() {
            i64::try_from(self.mantissa()).ok()
        } else {
            None
        }
    }

    /// The canonical text: optional `-`, digits, optionally `.` and digits without trailing zeros.
    pub fn canonical(self) -> String {
        self.0.to_string()
    }

    /// Reads canonical text and nothing else: what it returns writes the same bytes.
    pub fn from_canonical(text: &str) -> Result<Self, BadNumber> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, places) = digits.split_once('.').unwrap_or((digits, "1"));
        let numeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if !numeric(whole) || !numeric(places) || leading_zero || places.ends_with('0') {
            return Err(BadNumber::NotCanonical);
        }
        let (mantissa, scale) = Self::digits_of(text).ok_or(BadNumber::TooManyDigits)?;
        let number = Self::from_parts(mantissa, scale).ok_or(BadNumber::TooManyDigits)?;
        if number.mantissa() == 0 && digits.len() != text.len() {
            return Err(BadNumber::NotCanonical);
        }
        Ok(number)
    }

    /// Mantissa and scale of plain text `-12.50`; `None` for other characters or too many digits.
    fn digits_of(text: &str) -> Option<(i128, u32)> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
        let mut mantissa: i128 = 0;
        for byte in whole.bytes().chain(places.bytes()) {
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
            mantissa = mantissa.checked_mul(10)?.checked_add(i128::from(digit))?;
        }
        let scale = u32::try_from(places.len()).ok()?;
        Some((if negative { -mantissa } else { mantissa }, scale))
    }

    /// Half of the last decimal place written: by how much a figure may differ from what it was
    /// rounded from. 0.005 for 99.65, 0.5 for 29.
    pub fn rounding_tolerance(self) -> Self {
        // 28 places is the most there is: half of such a place is below every other number.
        Self::from_parts(5, self.scale() + 1).unwrap_or(Self::ZERO)
    }

    /// Rounded to `places` decimal places, halves away from zero, as printed tables do.
    pub fn rounded(self, places: u32) -> Self {
        let rounded = self
            .0
            .round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
        Self(rounded.normalize())
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Decimal::from(value))
    }
}

impl fmt::Display for Number {
    /// The canonical text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical())
    }
}

impl FromStr for Number {
    type Err = BadNumber;
    fn from_str(text: &str) -> Result<Self, BadNumber> {
        Self::from_canonical(text)
    }
}

#[cfg(test)]
mod tests;
