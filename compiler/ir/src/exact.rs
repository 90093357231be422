//! Exact numbers.

use num_bigint::BigInt;
use num_rational::Ratio;
use num_traits::{Pow, ToPrimitive};

/// An exact number.
pub type Exact = Ratio<BigInt>;

/// The exact number that a real is meant to be: the shortest decimal that names it. `None` of what
/// is not finite.
pub fn decimal(real: f64) -> Option<Exact> {
    let text = format!("{real:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
    let exponent = exponent.parse::<i32>().ok()? - i32::try_from(fraction.len()).ok()?;
    Some(Exact::from(digits) * power_of_ten(exponent))
}

/// The float that is near a number, if floats reach so far.
pub fn real(number: &Exact) -> Option<f64> {
    let quotient = number.numer().to_f64()? / number.denom().to_f64()?;
    quotient.is_finite().then_some(quotient)
}

/// Ten to the power of a number.
pub(crate) fn power_of_ten(exponent: i32) -> Exact {
    Exact::from(BigInt::from(10)).pow(exponent)
}
