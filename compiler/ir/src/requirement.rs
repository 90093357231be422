//! What `require` says: a limit on a sum of multiples of measures and counts.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

use crate::exact::{Exact, power_of_ten, real};
use crate::figures::Figures;
use crate::ids::OriginId;
use crate::limit::{Form, Limit};
use crate::linear::{Linear, Quotient};
use crate::measure::{Measure, grouped};
use crate::quantity::{Order, Quantity};

/// A limit that every network of a search keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// The comparison as written.
    pub text: String,
    /// Where it was written.
    pub origin: Option<OriginId>,
    /// `left <= right` or the like as a limit on whole numbers.
    pub limit: Limit,
    /// The side of the comparison that a number limits.
    pub figure: Figure,
}

/// A quotient that a number limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// As written.
    pub text: String,
    /// What is limited.
    pub quotient: Quotient,
    /// The limit.
    pub bound: Exact,
    /// Whether it is limited from above.
    pub is_upper: bool,
}

impl Requirement {
    /// The measure, if it limits one measure alone, and whether it does so from above.
    #[must_use]
    pub fn measure(&self) -> Option<(Measure, bool)> {
        match self.limit.form.0.as_slice() {
            [(Quantity::Measure(measure), 1)] => Some((*measure, true)),
            [(Quantity::Measure(measure), -1)] => Some((*measure, false)),
            _ => None,
        }
    }

    /// As [`Requirement::measure`], of any quantity, if it was written so too.
    #[must_use]
    pub fn quantity(&self) -> Option<(&Quantity, bool)> {
        let [(quantity, factor)] = self.limit.form.0.as_slice() else { return None };
        let is_written = quantity.measure().is_some()
            || self.figure.quotient == Linear::quantity(quantity.clone()).into();
        (factor.abs() == 1 && is_written).then_some((quantity, *factor == 1))
    }

    /// The order, if it requires that nothing breaks one.
    #[must_use]
    pub fn order(&self) -> Option<&Order> {
        self.limit.order()
    }

    /// Whether it limits a measure, alone or with others.
    #[must_use]
    pub fn reads(&self, measure: Measure) -> bool {
        self.limit.form.0.iter().any(|(read, _)| read.measure() == Some(measure))
    }

    /// Whether it limits measures and nothing else.
    #[must_use]
    pub fn is_of_measures(&self) -> bool {
        self.limit.form.0.iter().all(|(read, _)| read.measure().is_some())
    }

    /// Whether a network of these figures keeps it; `None` where a measure is not known.
    #[must_use]
    pub fn is_kept(&self, figures: &Figures<'_>) -> Option<bool> {
        self.limit.is_kept(figures)
    }

    /// Whether all its quantities are sums over operators or decisions.
    #[must_use]
    pub fn is_sum(&self) -> bool {
        self.limit.is_sum()
    }
}

impl From<Limit> for Requirement {
    fn from(limit: Limit) -> Self {
        let figure = Figure {
            text: limit.form.to_string(),
            quotient: Linear::counted(&limit.form.0).into(),
            bound: Exact::from(BigInt::from(limit.most)),
            is_upper: true,
        };
        Self { text: limit.to_string(), origin: None, limit, figure }
    }
}

/// Why a comparison sets no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLimit {
    /// It speaks of no measure and no count.
    NoMeasure,
    /// It speaks of numbers beyond all measures.
    TooLarge,
}

/// The limit that `form <= 0` sets, or `form < 0`.
pub fn limit(form: &Linear, is_strict: bool) -> Result<Limit, NoLimit> {
    let multiples = form.terms().map(|(_, multiple)| multiple);
    let denominator = multiples.clone().fold(BigInt::one(), |d, multiple| d.lcm(multiple.denom()));
    let whole = |multiple: &Exact| (multiple * &denominator).to_integer();
    let divisor = multiples.fold(BigInt::zero(), |d, multiple| d.gcd(&whole(multiple)));
    if divisor.is_zero() {
        return Err(NoLimit::NoMeasure);
    }
    let scale = Exact::new(denominator, divisor);
    let most = -&form.constant * &scale;
    let floor = most.floor().to_integer();
    let most = if is_strict && most.is_integer() { floor - 1 } else { floor };
    // Sums of costs and their multiples must stay far from overflow.
    let most = most.to_i128().filter(|most| most.abs() < 1 << 110);
    let factors = form.terms().map(|(quantity, multiple)| {
        let factor = (multiple * &scale).to_integer().to_i128()?;
        (factor.abs() < 1 << 40).then_some((quantity.clone(), factor))
    });
    let factors: Option<Vec<_>> = factors.collect();
    match (factors, most) {
        (Some(factors), Some(most)) => Ok(Limit { form: Form(factors), most }),
        _ => Err(NoLimit::TooLarge),
    }
}

/// Of so many digits, those after the leading ones are rounded away.
const SHOWN_DIGITS: i32 = 4;

/// A number for people, as a literal of the language: rounded, up or down.
pub fn rounded(number: &Exact, is_up: bool) -> String {
    // A float is near enough to count digits.
    let size = real(number).map_or(0.0, f64::abs).log10().floor();
    let decimals = if size.is_finite() { (SHOWN_DIGITS - 1 - size as i32).max(0) } else { 0 };
    let scaled = number * power_of_ten(decimals);
    let whole = (if is_up { scaled.ceil() } else { scaled.floor() }).to_integer();
    let sign = if whole.is_negative() { "-" } else { "" };
    let digits = format!("{:0>width$}", whole.abs(), width = decimals as usize + 1);
    let (whole, decimals) = digits.split_at(digits.len() - decimals as usize);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{decimals}", grouped(whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::decimal;

    fn measure(measure: Measure, factor: f64) -> Linear {
        Linear::quantity(measure).times(&decimal(factor).unwrap())
    }

    fn constant(number: f64) -> Linear {
        Linear::constant(decimal(number).unwrap())
    }

    #[test]
    fn times_are_whole_nanoseconds() {
        let found = limit(&measure(Measure::Latency, 1.0).plus(&constant(-0.029)), false);
        assert_eq!(found, Ok(Limit { form: Measure::Latency.into(), most: 29_000_000 }));
    }

    #[test]
    fn multiples_become_whole_and_small() {
        // macs / 1M + 2 * params / 1K < 6, in units of a millionth.
        let sum = measure(Measure::Macs, 1e-6).plus(&measure(Measure::Params, 2e-3));
        let form = Form(vec![(Measure::Macs.into(), 1), (Measure::Params.into(), 2000)]);
        let found = limit(&sum.plus(&constant(-6.0)), true);
        assert_eq!(found, Ok(Limit { form, most: 5_999_999 }));
        assert_eq!(limit(&constant(1.0), false), Err(NoLimit::NoMeasure));
        let large = measure(Measure::Macs, 1e30).plus(&measure(Measure::Params, 1.0));
        assert_eq!(limit(&large, false), Err(NoLimit::TooLarge));
    }

    #[test]
    fn figures_are_rounded_away() {
        let shown = |number: f64, is_up| rounded(&decimal(number).unwrap(), is_up);
        assert_eq!(shown(31.254_01, true), "31.26");
        assert_eq!(shown(31.254_01, false), "31.25");
        assert_eq!(shown(-31.254_01, true), "-31.25");
        assert_eq!(shown(1_234_567.5, true), "1_234_568");
        assert_eq!(shown(0.000_123_456, false), "0.0001234");
        assert_eq!(shown(0.25, true), "0.25");
        assert_eq!(shown(0.0, true), "0");
        assert_eq!(shown(9.999_9, true), "10");
    }
}
