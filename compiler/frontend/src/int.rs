//! Whole numbers of the language: exact, of any size up to a limit, fast while small.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

/// No number has more bits than this.
pub(crate) const MAX_BITS: u64 = 1 << 14;
/// What is written with more characters than this has more bits, or is not meant.
pub(crate) const MAX_DIGITS: usize = 5000;

/// A whole number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Int {
    /// One that fits.
    Small(i64),
    /// One that does not.
    Big(BigInt),
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntError {
    /// The result is too large to be meant.
    TooLarge,
    /// Division by zero.
    DivisionByZero,
}

impl Int {
    /// The number as an `i64`, if it fits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        match self {
            Int::Small(n) => Some(*n),
            Int::Big(_) => None,
        }
    }

    /// The nearest float.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        match self {
            Int::Small(n) => *n as f64,
            Int::Big(n) => n.to_f64().unwrap_or(f64::INFINITY),
        }
    }

    /// How many words of 64 bits it has beyond the first.
    pub(crate) fn words(&self) -> usize {
        match self {
            Int::Small(_) => 0,
            Int::Big(n) => (n.bits() / 64) as usize,
        }
    }

    fn big(&self) -> BigInt {
        match self {
            Int::Small(n) => BigInt::from(*n),
            Int::Big(n) => n.clone(),
        }
    }

    fn checked(value: BigInt) -> Result<Self, IntError> {
        if value.bits() > MAX_BITS { Err(IntError::TooLarge) } else { Ok(Self::from(value)) }
    }

    fn combine(
        &self,
        other: &Int,
        small: fn(i64, i64) -> Option<i64>,
        big: fn(BigInt, BigInt) -> BigInt,
    ) -> Result<Int, IntError> {
        if let (Int::Small(a), Int::Small(b)) = (self, other)
            && let Some(result) = small(*a, *b)
        {
            return Ok(Int::Small(result));
        }
        Self::checked(big(self.big(), other.big()))
    }

    /// The sum.
    ///
    /// # Errors
    /// The result is too large.
    pub fn add(&self, other: &Int) -> Result<Int, IntError> {
        self.combine(other, i64::checked_add, |a, b| a + b)
    }

    /// The difference.
    ///
    /// # Errors
    /// The result is too large.
    pub fn sub(&self, other: &Int) -> Result<Int, IntError> {
        self.combine(other, i64::checked_sub, |a, b| a - b)
    }

    /// The product.
    ///
    /// # Errors
    /// The result is too large.
    pub fn mul(&self, other: &Int) -> Result<Int, IntError> {
        self.combine(other, i64::checked_mul, |a, b| a * b)
    }

    /// The quotient, rounded towards zero as in Rust.
    ///
    /// # Errors
    /// The divisor is zero.
    pub fn div(&self, other: &Int) -> Result<Int, IntError> {
        if other.is_zero() {
            return Err(IntError::DivisionByZero);
        }
        self.combine(other, i64::checked_div, |a, b| a / b)
    }

    /// The remainder, with the sign of the dividend as in Rust.
    ///
    /// # Errors
    /// The divisor is zero.
    pub fn rem(&self, other: &Int) -> Result<Int, IntError> {
        if other.is_zero() {
            return Err(IntError::DivisionByZero);
        }
        self.combine(other, i64::checked_rem, |a, b| a % b)
    }

    /// A power with an exponent that is not negative.
    ///
    /// # Errors
    /// The result is too large, or the exponent negative.
    pub fn pow(&self, exponent: &Int) -> Result<Int, IntError> {
        let exponent = exponent.to_i64().and_then(|e| u32::try_from(e).ok());
        let exponent = exponent.ok_or(IntError::TooLarge)?;
        let base = self.big();
        // Powers of 0, 1 and -1 stay small whatever the exponent.
        let grows = base.abs() > BigInt::from(1);
        if grows && (base.bits() - 1).saturating_mul(u64::from(exponent)) > MAX_BITS {
            return Err(IntError::TooLarge);
        }
        Self::checked(base.pow(if grows { exponent } else { exponent.min(2 + exponent % 2) }))
    }

    fn is_zero(&self) -> bool {
        match self {
            Int::Small(n) => *n == 0,
            Int::Big(n) => n.is_zero(),
        }
    }
}

impl From<BigInt> for Int {
    fn from(value: BigInt) -> Self {
        value.to_i64().map_or(Int::Big(value), Int::Small)
    }
}

impl From<i64> for Int {
    fn from(value: i64) -> Self {
        Int::Small(value)
    }
}

impl PartialOrd for Int {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Int {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Int::Small(a), Int::Small(b)) => a.cmp(b),
            _ => self.big().cmp(&other.big()),
        }
    }
}

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Int::Small(n) => write!(f, "{n}"),
            Int::Big(n) => write!(f, "{n}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Int, IntError};

    #[test]
    fn powers_leave_i64_and_stay_exact() {
        let power = Int::from(13).pow(&Int::from(20)).unwrap();
        assert_eq!(power.to_string(), "19004963774880799438801");
        assert_eq!(power.div(&Int::from(13).pow(&Int::from(19)).unwrap()), Ok(Int::Small(13)));
    }

    #[test]
    fn huge_powers_are_refused_before_they_are_computed() {
        assert_eq!(Int::from(2).pow(&Int::from(4_000_000_000)), Err(IntError::TooLarge));
        assert_eq!(Int::from(-1).pow(&Int::from(4_000_000_001)), Ok(Int::Small(-1)));
        assert_eq!(Int::from(-1).pow(&Int::from(4_000_000_000)), Ok(Int::Small(1)));
        assert_eq!(Int::from(0).pow(&Int::from(0)), Ok(Int::Small(1)));
        assert_eq!(Int::from(0).pow(&Int::from(9)), Ok(Int::Small(0)));
    }

    #[test]
    fn division_is_that_of_rust() {
        assert_eq!(Int::from(-7).div(&Int::from(2)), Ok(Int::Small(-3)));
        assert_eq!(Int::from(-7).rem(&Int::from(2)), Ok(Int::Small(-1)));
        assert_eq!(
            Int::from(i64::MIN).div(&Int::from(-1)).unwrap().to_string(),
            "9223372036854775808"
        );
        assert_eq!(Int::from(1).div(&Int::from(0)), Err(IntError::DivisionByZero));
    }
}
