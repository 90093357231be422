//! Numbers as written: digits, underscores, exponents and units.

use std::str::FromStr;

use nas_ir::exact::{Exact, decimal};
use num_bigint::BigInt;
use num_traits::Pow;

use super::value::Value;
use crate::int::Int;

/// A unit's name and what it multiplies by. Times are in seconds.
const UNITS: [(&str, f64); 13] = [
    ("K", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("us", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
];

/// The number that a literal means, or the unit that is none.
pub(super) fn parse(literal: &str) -> Result<Value, String> {
    if let Ok(small) = literal.parse() {
        return Ok(Value::small(small));
    }
    let digits: String = literal.chars().filter(|&c| c != '_').collect();
    let unit_at = unit_start(&digits);
    let (number, unit) = digits.split_at(unit_at);
    let factor = match unit {
        "" => 1.0,
        unit => UNITS.iter().find(|(name, _)| *name == unit).ok_or(unit)?.1,
    };
    if number.contains(['.', 'e', 'E']) || factor < 1.0 {
        let value = number.parse::<f64>().unwrap_or(f64::INFINITY) * factor;
        let is_whole =
            !unit.is_empty() && value.fract() == 0.0 && value.abs() < 9e15 && factor > 1.0;
        return Ok(if is_whole { Value::small(value as i64) } else { Value::Real(value) });
    }
    let whole = BigInt::from_str(number).unwrap_or_default();
    Ok(Value::Int(Int::from(whole * BigInt::from(factor as i64))))
}

/// The number that a value is, exactly; `None` if it is none, or not finite.
pub(super) fn exact(value: &Value) -> Option<Exact> {
    match value {
        Value::Int(n) => n.to_string().parse::<BigInt>().ok().map(Exact::from),
        Value::Real(real) => decimal(*real),
        _ => None,
    }
}

/// No figure is printed to more digits, nor is one so large.
const MAX_EXPONENT: u32 = 1_000;

/// A number as it was printed: exactly what it says, and how much one more in its last digit is.
pub(crate) struct Printed {
    pub(crate) value: Exact,
    pub(crate) last_digit: Exact,
}

/// The number that a literal prints; `None` if its unit is none, or its exponent beyond
/// [`MAX_EXPONENT`].
pub(crate) fn printed(literal: &str) -> Option<Printed> {
    let digits: String = literal.chars().filter(|&c| c != '_').collect();
    let (number, unit) = digits.split_at(unit_start(&digits));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent =
        exponent.parse::<i32>().ok()?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    if exponent.unsigned_abs() > MAX_EXPONENT {
        return None;
    }
    let mut last_digit = Exact::from(BigInt::from(10)).pow(exponent);
    if !unit.is_empty() {
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        // Each is a whole number, or one divided by one.
        let whole = |factor: f64| Exact::from(BigInt::from(factor.round() as i64));
        last_digit *= if *factor < 1.0 { whole(1.0 / factor).recip() } else { whole(*factor) };
    }
    let value = BigInt::from_str(&[whole, fraction].concat()).ok()?;
    Some(Printed { value: Exact::from(value) * &last_digit, last_digit })
}

/// Where the unit begins: after the digits and, if there is one, the exponent.
fn unit_start(literal: &str) -> usize {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let mantissa = literal.find(|c| !is_number(c)).unwrap_or(literal.len());
    let rest = literal.get(mantissa..).unwrap_or_default();
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else { return mantissa };
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return mantissa;
    }
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    literal.len() - digits.len() + end
}

/// The units, for a help text.
pub(super) fn units() -> String {
    UNITS.map(|(name, _)| name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Value, parse};

    #[test]
    fn literals_mean_what_they_say() {
        assert_eq!(parse("3_007_512_576"), Ok(Value::small(3_007_512_576)));
        assert_eq!(parse("3.2G"), Ok(Value::small(3_200_000_000)));
        assert_eq!(parse("512KiB"), Ok(Value::small(524_288)));
        assert_eq!(parse("1e-4"), Ok(Value::Real(1e-4)));
        assert_eq!(parse("35ms"), Ok(Value::Real(0.035)));
        assert_eq!(parse("2.0"), Ok(Value::Real(2.0)));
        assert_eq!(parse("1e3"), Ok(Value::Real(1000.0)));
    }

    #[test]
    fn letters_that_are_no_unit_are_named() {
        assert_eq!(parse("3x"), Err("x".to_owned()));
        assert_eq!(parse("3eb"), Err("eb".to_owned()));
    }
}
