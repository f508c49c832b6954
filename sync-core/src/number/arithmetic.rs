//! Arithmetic of exact numbers: exact or refused, and one written rule for division.

use super::{DIGITS_MAX, MANTISSA_END, Number};

/// Decimal places kept by a division, at most.
pub const DIVISION_PLACES: u32 = 18;

/// Why an operation has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArithmeticError {
    /// The exact result needs more than 28 digits.
    #[error("result has more than 28 significant digits")]
    TooManyDigits,
    /// The divisor is zero.
    #[error("division by zero")]
    DivisionByZero,
}

/// Ten to a power, if it fits.
fn ten_to(power: u32) -> Option<i128> {
    10_i128.checked_pow(power)
}

impl Number {
    /// The exact sum.
    pub fn checked_add(self, other: Self) -> Result<Self, ArithmeticError> {
        let (a, b) = if self.scale() >= other.scale() {
            (self, other)
        } else {
            (other, self)
        };
        // Both mantissas are below 2^94; raising the coarser one may overflow even though the sum
        // is small only when its digits cannot be kept anyway.
        ten_to(a.scale() - b.scale())
            .and_then(|factor| b.mantissa().checked_mul(factor))
            .and_then(|raised| raised.checked_add(a.mantissa()))
            .and_then(|sum| Self::from_parts(sum, a.scale()))
            .ok_or(ArithmeticError::TooManyDigits)
    }

    /// The exact difference.
    pub fn checked_sub(self, other: Self) -> Result<Self, ArithmeticError> {
        self.checked_add(-other)
    }

    /// The exact product.
    pub fn checked_mul(self, other: Self) -> Result<Self, ArithmeticError> {
        let (mut a, mut b) = (self.mantissa(), other.mantissa());
        if a == 0 || b == 0 {
            return Ok(Self::ZERO);
        }
        let mut scale = i64::from(self.scale()) + i64::from(other.scale());
        // A 2 in one factor and a 5 in the other make a ten: taken out before they cost digits.
        while (a % 2 == 0 && b % 5 == 0) || (a % 5 == 0 && b % 2 == 0) {
            if a % 2 == 0 && b % 5 == 0 {
                (a, b) = (a / 2, b / 5);
            } else {
                (a, b) = (a / 5, b / 2);
            }
            scale -= 1;
        }
        let mut product = a.checked_mul(b);
        while scale < 0 {
            product = product.and_then(|value| value.checked_mul(10));
            scale += 1;
        }
        product
            .zip(u32::try_from(scale).ok())
            .and_then(|(mantissa, scale)| Self::from_parts(mantissa, scale))
            .ok_or(ArithmeticError::TooManyDigits)
    }

    /// The quotient, rounded to [`DIVISION_PLACES`] decimal places, or to as many as 28 digits
    /// leave room for; halves away from zero.
    pub fn checked_div(self, other: Self) -> Result<Self, ArithmeticError> {
        if other.mantissa() == 0 {
            return Err(ArithmeticError::DivisionByZero);
        }
        let negative = self.is_negative() != other.is_negative();
        for places in (0..=DIVISION_PLACES).rev() {
            let Some(digits) = quotient_digits(self, other, places) else {
                continue;
            };
            let Ok(digits) = i128::try_from(digits) else {
                continue;
            };
            let signed = if negative { -digits } else { digits };
            if let Some(number) = Self::from_parts(signed, places) {
                return Ok(number);
            }
        }
        Err(ArithmeticError::TooManyDigits)
    }

    /// The size without the sign.
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }
}

/// `|a / b| · 10^places`, rounded, halves up; `None` when it has more than 28 digits.
fn quotient_digits(a: Number, b: Number, places: u32) -> Option<u128> {
    let mut numerator = a.mantissa().unsigned_abs();
    let mut divisor = b.mantissa().unsigned_abs();
    let mut raise = i64::from(places) + i64::from(b.scale()) - i64::from(a.scale());
    while raise < 0 {
        // A divisor beyond 10^38 leaves less than half of the last place.
        let Some(raised) = divisor.checked_mul(10) else {
            return Some(0);
        };
        divisor = raised;
        raise += 1;
    }
    let mut quotient = numerator / divisor;
    numerator %= divisor;
    // Long division: the rest stays below the divisor, which is below 10^28 whenever this runs.
    for _ in 0..raise {
        let rest = numerator.checked_mul(10)?;
        quotient = quotient.checked_mul(10)?.checked_add(rest / divisor)?;
        numerator = rest % divisor;
        if quotient >= MANTISSA_END {
            return None;
        }
    }
    if numerator >= divisor - numerator {
        quotient += 1;
    }
    Some(quotient)
}

impl std::ops::Neg for Number {
    type Output = Self;
    fn neg(self) -> Self {
        // Zero has no sign.
        if self.mantissa() == 0 {
            self
        } else {
            Self(-self.0)
        }
    }
}

const _: () = assert!(DIVISION_PLACES < DIGITS_MAX);
