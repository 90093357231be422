//! What `require` says: a limit on a sum of multiples of measures.

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::Ratio;
use num_traits::{One, Signed, ToPrimitive, Zero};

use crate::analyse::{Form, Limit};
use crate::elaborate::Value;
use crate::ir::origin::OriginId;
use crate::measure::Measure;
use crate::network::Costs;

/// A limit that every network of a search keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// The comparison as written.
    pub text: String,
    /// Where it was written.
    pub origin: Option<OriginId>,
    /// `left <= right` or the like as a limit on whole numbers.
    pub limit: Limit,
    /// What a unit of the limited form is in terms of the comparison.
    pub unit: f64,
}

impl Requirement {
    /// The measure, if it limits one measure alone, and whether it does so from above.
    #[must_use]
    pub fn measure(&self) -> Option<(Measure, bool)> {
        match self.limit.form.0.as_slice() {
            [(measure, 1)] => Some((*measure, true)),
            [(measure, -1)] => Some((*measure, false)),
            _ => None,
        }
    }

    /// A value of the limited form for people: of one measure as it is, of several in terms of
    /// the comparison.
    #[must_use]
    pub fn show(&self, value: i128) -> String {
        match self.measure() {
            Some((measure, is_above)) => measure.show(if is_above { value } else { -value }),
            None => format!("{}", value as f64 * self.unit),
        }
    }

    /// Whether a network of these costs keeps it; `None` where a measure is not known.
    #[must_use]
    pub fn is_kept(&self, costs: &Costs) -> Option<bool> {
        let terms = self.limit.form.0.iter();
        let terms =
            terms.map(|(m, factor)| Some(i128::from(costs.of(*m)?).saturating_mul(*factor)));
        Some(terms.sum::<Option<i128>>()? <= self.limit.most)
    }

    /// Whether all its measures are sums over operators.
    #[must_use]
    pub fn is_sum(&self) -> bool {
        self.limit.form.0.iter().all(|(measure, _)| measure.is_sum())
    }
}

/// An exact number.
pub(crate) type Exact = Ratio<BigInt>;

/// Nanoseconds of a second: expressions speak of seconds.
const NANOSECONDS: i64 = 1_000_000_000;

/// A constant and a multiple of each measure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Linear {
    constant: Exact,
    measures: [Exact; Measure::ALL.len()],
}

impl Linear {
    pub(crate) fn constant(constant: Exact) -> Self {
        Self { constant, measures: std::array::from_fn(|_| Exact::zero()) }
    }

    /// A measure as expressions see it.
    pub(crate) fn measure(measure: Measure) -> Self {
        let nanosecond = || Exact::new(BigInt::one(), BigInt::from(NANOSECONDS));
        let unit = || if measure == Measure::Latency { nanosecond() } else { Exact::one() };
        let of = |other| if other == measure { unit() } else { Exact::zero() };
        Self { constant: Exact::zero(), measures: Measure::ALL.map(of) }
    }

    /// The number, if it is nothing else.
    pub(crate) fn number(&self) -> Option<&Exact> {
        self.measures.iter().all(Zero::is_zero).then_some(&self.constant)
    }

    pub(crate) fn times(&self, factor: &Exact) -> Self {
        let measures = self.measures.each_ref().map(|multiple| multiple * factor);
        Self { constant: &self.constant * factor, measures }
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        sum.constant += &other.constant;
        sum.measures.iter_mut().zip(&other.measures).for_each(|(sum, more)| *sum += more);
        sum
    }

    /// The limit that `self <= 0` sets, or `self < 0`, with what a unit of it is; `None` if it
    /// speaks of no measure, or of numbers beyond all measure.
    pub(crate) fn limit(&self, is_strict: bool) -> Option<(Limit, f64)> {
        let multiples = || self.measures.iter().filter(|multiple| !multiple.is_zero());
        let denominator = multiples().fold(BigInt::one(), |d, multiple| d.lcm(multiple.denom()));
        let whole = |multiple: &Exact| (multiple * &denominator).to_integer();
        let divisor = multiples().fold(BigInt::zero(), |d, multiple| d.gcd(&whole(multiple)));
        if divisor.is_zero() {
            return None;
        }
        let scale = Exact::new(denominator, divisor);
        let most = -&self.constant * &scale;
        let floor = most.floor().to_integer();
        let most = if is_strict && most.is_integer() { floor - 1 } else { floor };
        let form = Measure::ALL.into_iter().zip(&self.measures).map(|(measure, multiple)| {
            let factor = (multiple * &scale).to_integer().to_i128()?;
            // Sums of costs and their multiples must stay far from overflow.
            (factor.abs() < 1 << 40).then_some((measure, factor))
        });
        let form: Option<Vec<_>> = form.collect();
        let form = Form(form?.into_iter().filter(|(_, factor)| *factor != 0).collect());
        let most = most.to_i128().filter(|most| most.abs() < 1 << 110)?;
        let unit = scale.denom().to_f64()? / scale.numer().to_f64()?;
        Some((Limit { form, most }, unit))
    }
}

/// The exact number that a value is meant to be: of a float, the shortest decimal that names it.
pub(crate) fn exact(value: &Value) -> Option<Exact> {
    match value {
        Value::Int(n) => Some(Exact::from(n.to_string().parse::<BigInt>().ok()?)),
        Value::Real(real) => decimal(&format!("{real:e}")),
        _ => None,
    }
}

/// A number in scientific notation.
fn decimal(text: &str) -> Option<Exact> {
    let (mantissa, exponent) = text.split_once('e')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
    let exponent = exponent.parse::<i32>().ok()? - i32::try_from(fraction.len()).ok()?;
    let ten = Exact::from(BigInt::from(10));
    Some(Exact::from(digits) * num_traits::Pow::pow(ten, exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(measure: Measure, factor: Value) -> Linear {
        Linear::measure(measure).times(&exact(&factor).unwrap())
    }

    #[test]
    fn times_are_whole_nanoseconds() {
        let bound = Linear::constant(-exact(&Value::Real(0.029)).unwrap());
        let (limit, unit) = Linear::measure(Measure::Latency).plus(&bound).limit(false).unwrap();
        assert_eq!(limit, Limit { form: Measure::Latency.into(), most: 29_000_000 });
        assert_eq!(unit, 1e-9);
    }

    #[test]
    fn multiples_become_whole_and_small() {
        // macs / 1M + 2 * params / 1K < 6, in units of a millionth.
        let sum = measure(Measure::Macs, Value::Real(1e-6));
        let sum = sum.plus(&measure(Measure::Params, Value::Real(2e-3)));
        let sum = sum.plus(&Linear::constant(exact(&Value::small(-6)).unwrap()));
        let form = Form(vec![(Measure::Macs, 1), (Measure::Params, 2000)]);
        let (limit, unit) = sum.limit(true).unwrap();
        assert_eq!(limit, Limit { form, most: 5_999_999 });
        assert_eq!(unit, 1e-6);
        assert_eq!(Linear::constant(Exact::one()).limit(false), None);
    }
}
