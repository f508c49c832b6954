//! Exact decimal numbers, and Vietnamese input and output of them.

/// An exact decimal of at most 28 significant digits, always normalised (no trailing zeros, no
/// minus zero), so that equal numbers are equal bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(rust_decimal::Decimal);

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(rust_decimal::Decimal::from(value))
    }
}
