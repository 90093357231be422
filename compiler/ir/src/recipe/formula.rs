//! Formulas of how good networks are and what they cost. Their numbers are exact; a value of them is not.

use std::fmt;
use std::sync::Arc;

use num_traits::{One, Signed, Zero};

use crate::exact::{Exact, real};
use crate::linear::is_small;
use crate::measure::Measure;
use crate::metric::Metric;

/// What a formula reads of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// A metric of its score; never negative.
    Metric(Metric),
    /// A metric of its score that nasc does not know, by the name that a trainer of the user's prints; any number.
    Named(Arc<str>),
    /// A measure of its costs, never negative; a latency in seconds.
    Measure(Measure),
}

/// The language's word for the metric that files call `loss`; formulas take both.
const LOSS: &str = "cross_entropy";

/// The function whose argument is the name of a metric: `metric("val/pq")`.
pub const METRIC: &str = "metric";

/// A metric's word in the language.
#[must_use]
pub const fn word(metric: Metric) -> &'static str {
    match metric {
        Metric::Loss => LOSS,
        metric => metric.name(),
    }
}

impl Variable {
    /// The words of the language for them.
    pub fn words() -> impl Iterator<Item = &'static str> {
        let others = Metric::ALL.into_iter().filter(|metric| *metric != Metric::Loss);
        let metrics = std::iter::once(Metric::Loss).chain(others).map(word);
        metrics.chain(Measure::ALL.map(Measure::name))
    }

    /// The quantity of a word.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let measure = || Measure::ALL.into_iter().find(|measure| measure.name() == name);
        let metric = if name == LOSS { Some(Metric::Loss) } else { Metric::named(name) };
        metric.map(Self::Metric).or_else(|| measure().map(Self::Measure))
    }

    /// The metric of a name, whether nasc knows it or not.
    #[must_use]
    pub fn metric(name: &str) -> Self {
        Metric::named(name).map_or_else(|| Self::Named(name.into()), Self::Metric)
    }
}

/// In the language.
impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(metric) => f.write_str(word(*metric)),
            Self::Named(name) => write!(f, "{METRIC}({name:?})"),
            Self::Measure(measure) => f.write_str(measure.name()),
        }
    }
}

/// A formula in its normal form: sums are flat and hold each term once, a number is a sum without terms.
#[derive(Debug, Clone, PartialEq)]
pub enum Formula {
    /// A metric or a measure.
    Variable(Variable),
    /// A constant, and terms with their factors, which are not zero.
    Sum(Exact, Vec<(Exact, Formula)>),
    /// A product of two that are no numbers.
    Product(Box<[Formula; 2]>),
    /// A power of what is not negative.
    Power(Box<Formula>, Exact),
    /// The greatest of several.
    Max(Vec<Formula>),
    /// The least of several.
    Min(Vec<Formula>),
}

/// What becomes of a formula when a quantity grows and the others stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// The same, whatever it is.
    Constant,
    /// It never falls.
    Rises,
    /// It never rises.
    Falls,
    /// It is not known.
    Unclear,
}

impl Trend {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Constant, trend) | (trend, Self::Constant) => trend,
            (one, other) if one == other => one,
            _ => Self::Unclear,
        }
    }

    fn times(self, factor: &Exact) -> Self {
        match self {
            Self::Rises if factor.is_negative() => Self::Falls,
            Self::Falls if factor.is_negative() => Self::Rises,
            trend => trend,
        }
    }
}

/// Why there is no formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormulaFault {
    /// A division by zero.
    ByZero,
    /// A power of what may be negative.
    NegativeBase,
    /// An exponent that is no number.
    Exponent,
    /// Numbers that no network reaches.
    TooLarge,
    /// Another operator than those of arithmetic.
    Operator,
    /// Something else with a quantity in it.
    Other,
    /// A metric whose name is no text.
    NoName,
    /// Something without a quantity that is no finite number.
    NoNumber,
}

impl FormulaFault {
    /// What to write beside the place.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::ByZero => "this divides by zero",
            Self::NegativeBase => "what is raised to a power may be negative",
            Self::Exponent => "this exponent is no number",
            Self::TooLarge => "these numbers are too large, or have too many digits",
            Self::Operator => "no operator of a formula: there are `+`, `-`, `*`, `/` and `^`",
            Self::Other => "no formula of metrics and measures",
            Self::NoName => "a metric has one name, in quotes: `metric(\"val/pq\")`",
            Self::NoNumber => "this is no number",
        }
    }
}

impl From<Exact> for Formula {
    fn from(number: Exact) -> Self {
        Self::Sum(number, Vec::new())
    }
}

impl Formula {
    /// The number, if it is nothing else.
    #[must_use]
    pub fn number(&self) -> Option<&Exact> {
        match self {
            Self::Sum(constant, terms) if terms.is_empty() => Some(constant),
            _ => None,
        }
    }

    /// Its constant, and its terms with their factors.
    #[must_use]
    pub fn into_sum(self) -> (Exact, Vec<(Exact, Formula)>) {
        match self {
            Self::Sum(constant, terms) => (constant, terms),
            term => (Exact::zero(), vec![(Exact::one(), term)]),
        }
    }

    fn of_sum(constant: Exact, mut terms: Vec<(Exact, Formula)>) -> Self {
        terms.retain(|(factor, _)| !factor.is_zero());
        let is_alone =
            constant.is_zero() && matches!(terms.as_slice(), [(factor, _)] if factor.is_one());
        match terms.pop() {
            Some((_, alone)) if is_alone => alone,
            last => {
                terms.extend(last);
                Self::Sum(constant, terms)
            }
        }
    }

    /// All of it times -1.
    #[must_use]
    pub fn negated(&self) -> Self {
        self.times(&-Exact::one())
    }

    /// All of it times a number.
    #[must_use]
    pub fn times(&self, factor: &Exact) -> Self {
        let (constant, terms) = self.clone().into_sum();
        let terms = terms.into_iter().map(|(own, term)| (own * factor, term)).collect();
        Self::of_sum(constant * factor, terms)
    }

    /// The sum.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let (mut constant, mut terms) = self.clone().into_sum();
        let (more, others) = other.clone().into_sum();
        constant += more;
        for (factor, term) in others {
            match terms.iter_mut().find(|(_, own)| *own == term) {
                Some((own, _)) => *own += factor,
                None => terms.push((factor, term)),
            }
        }
        Self::of_sum(constant, terms)
    }

    /// The product.
    #[must_use]
    pub fn product(&self, other: &Self) -> Self {
        match (self.number(), other.number()) {
            (Some(number), _) => other.times(number),
            (_, Some(number)) => self.times(number),
            _ => Self::Product(Box::new([self.clone(), other.clone()])),
        }
    }

    /// The quotient.
    ///
    /// # Errors
    /// The divisor is zero, or may be negative.
    pub fn quotient(&self, other: &Self) -> Result<Self, FormulaFault> {
        match other.number() {
            Some(number) if number.is_zero() => Err(FormulaFault::ByZero),
            Some(number) => Ok(self.times(&number.recip())),
            None => Ok(self.product(&other.power(&-Exact::one())?)),
        }
    }

    /// A power.
    ///
    /// # Errors
    /// The base may be negative.
    pub fn power(&self, exponent: &Exact) -> Result<Self, FormulaFault> {
        if !self.is_never_negative() {
            return Err(FormulaFault::NegativeBase);
        }
        Ok(if exponent.is_one() {
            self.clone()
        } else {
            Self::Power(Box::new(self.clone()), exponent.clone())
        })
    }

    /// Whether its numbers are of a size that networks reach.
    #[must_use]
    pub fn is_small(&self) -> bool {
        let fits = |number: &Exact| is_small(number) && real(number).is_some();
        match self {
            Self::Variable(_) => true,
            Self::Sum(constant, terms) => {
                fits(constant) && terms.iter().all(|(factor, _)| fits(factor))
            }
            Self::Product(of) => of.iter().all(Self::is_small),
            Self::Power(base, exponent) => fits(exponent) && base.is_small(),
            Self::Max(of) | Self::Min(of) => of.iter().all(Self::is_small),
        }
    }

    /// Whether it is seen from the form that no network makes it negative.
    #[must_use]
    pub fn is_never_negative(&self) -> bool {
        match self {
            Self::Variable(Variable::Named(_)) => false,
            Self::Variable(_) | Self::Power(..) => true,
            Self::Sum(constant, terms) => {
                let is_positive = |(factor, term): &(Exact, Formula)| {
                    !factor.is_negative() && term.is_never_negative()
                };
                !constant.is_negative() && terms.iter().all(is_positive)
            }
            Self::Product(of) => of.iter().all(Self::is_never_negative),
            Self::Max(of) => of.iter().any(Self::is_never_negative),
            Self::Min(of) => of.iter().all(Self::is_never_negative),
        }
    }

    /// What becomes of it when a quantity grows, as far as the form shows it.
    #[must_use]
    pub fn trend(&self, by: &Variable) -> Trend {
        let all =
            |of: &[Formula]| of.iter().map(|part| part.trend(by)).fold(Trend::Constant, Trend::and);
        match self {
            Self::Variable(quantity) if quantity == by => Trend::Rises,
            Self::Variable(_) => Trend::Constant,
            Self::Sum(_, terms) => {
                let trends = terms.iter().map(|(factor, term)| term.trend(by).times(factor));
                trends.fold(Trend::Constant, Trend::and)
            }
            Self::Product(of) => match all(of.as_slice()) {
                Trend::Rises | Trend::Falls if !self.is_never_negative() => Trend::Unclear,
                trend => trend,
            },
            Self::Power(base, exponent) => base.trend(by).times(exponent),
            Self::Max(of) | Self::Min(of) => all(of),
        }
    }

    /// The quantities that it reads, added to those that are there, each once.
    pub fn add_quantities(&self, all: &mut Vec<Variable>) {
        match self {
            Self::Variable(quantity) if all.contains(quantity) => {}
            Self::Variable(quantity) => all.push(quantity.clone()),
            Self::Sum(_, terms) => terms.iter().for_each(|(_, term)| term.add_quantities(all)),
            Self::Product(of) => of.iter().for_each(|part| part.add_quantities(all)),
            Self::Power(base, _) => base.add_quantities(all),
            Self::Max(of) | Self::Min(of) => of.iter().for_each(|part| part.add_quantities(all)),
        }
    }

    /// Its value where each quantity has one; `None` where one has none. It need not be finite: 1 / 0 is not.
    pub fn value(&self, of: &impl Fn(&Variable) -> Option<f64>) -> Option<f64> {
        let fold = |parts: &[Formula], greater: fn(f64, f64) -> f64| {
            let values = parts.iter().map(|part| part.value(of));
            values.reduce(|a, b| Some(greater(a?, b?)))?
        };
        match self {
            Self::Variable(quantity) => of(quantity),
            Self::Sum(constant, terms) => {
                let mut sum = real(constant)?;
                for (factor, term) in terms {
                    sum += real(factor)? * term.value(of)?;
                }
                Some(sum)
            }
            Self::Product(parts) => fold(parts.as_slice(), |a, b| a * b),
            Self::Power(base, exponent) => Some(base.value(of)?.powf(real(exponent)?)),
            Self::Max(parts) => fold(parts, f64::max),
            Self::Min(parts) => fold(parts, f64::min),
        }
    }

    /// As it stands within a product or a power.
    fn write_inside(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(_) | Self::Max(_) | Self::Min(_) => write!(f, "{self}"),
            Self::Sum(..) | Self::Product(_) | Self::Power(..) => write!(f, "({self})"),
        }
    }
}

/// A number as the nearest float is written.
fn shown(number: &Exact) -> String {
    let Some(real) = real(number) else { return number.to_string() };
    let is_plain = real == 0.0 || (1e-4..1e7).contains(&real.abs());
    if is_plain { real.to_string() } else { format!("{real:e}") }
}

/// In the language, with all numbers computed.
impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(quantity) => write!(f, "{quantity}"),
            Self::Sum(constant, terms) => {
                let mut is_first = true;
                for (factor, term) in terms {
                    match (is_first, factor.is_negative()) {
                        (true, false) => {}
                        (true, true) => f.write_str("-")?,
                        (false, false) => f.write_str(" + ")?,
                        (false, true) => f.write_str(" - ")?,
                    }
                    is_first = false;
                    if !factor.abs().is_one() {
                        write!(f, "{} * ", shown(&factor.abs()))?;
                    }
                    term.write_inside(f)?;
                }
                match (is_first, constant.is_negative()) {
                    (true, _) => f.write_str(&shown(constant)),
                    (false, _) if constant.is_zero() => Ok(()),
                    (false, false) => write!(f, " + {}", shown(constant)),
                    (false, true) => write!(f, " - {}", shown(&constant.abs())),
                }
            }
            Self::Product(of) => {
                let [a, b] = of.as_ref();
                a.write_inside(f)?;
                f.write_str(" * ")?;
                b.write_inside(f)
            }
            Self::Power(base, exponent) => {
                base.write_inside(f)?;
                write!(f, " ^ {}", shown(exponent))
            }
            Self::Max(of) | Self::Min(of) => {
                let parts: Vec<String> = of.iter().map(Self::to_string).collect();
                let name = if matches!(self, Self::Max(_)) { "max" } else { "min" };
                write!(f, "{name}({})", parts.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::*;

    fn number(over: i64, under: i64) -> Exact {
        Exact::new(BigInt::from(over), BigInt::from(under))
    }

    fn of(name: &str) -> Formula {
        Formula::Variable(Variable::of(name).unwrap())
    }

    /// MnasNet's reward (Tan et al. 2019, equation 2) with w = -0.07 and a target of 12 ms.
    fn reward() -> Formula {
        let ratio = of("latency").times(&number(1000, 12));
        of("accuracy").product(&ratio.power(&number(-7, 100)).unwrap())
    }

    #[test]
    fn sums_are_exact_and_hold_each_term_once() {
        let sum = of("macs").times(&number(1, 3)).plus(&of("params")).plus(&of("macs"));
        assert_eq!(sum.clone().into_sum().1[0], (number(4, 3), of("macs")));
        let gone = sum.plus(&of("macs").times(&number(-4, 3)));
        assert_eq!(gone, of("params"));
        assert_eq!(gone.plus(&of("params").negated()).number(), Some(&number(0, 1)));
    }

    #[test]
    fn a_reward_has_its_value_and_says_where_it_grows() {
        let value = |latency: f64| {
            let values = |quantity: &Variable| match quantity {
                Variable::Metric(Metric::Accuracy) => Some(0.75),
                Variable::Measure(Measure::Latency) => Some(latency),
                _ => None,
            };
            reward().value(&values).unwrap()
        };
        assert!((value(0.012) - 0.75).abs() < 1e-12);
        // A network of twice the target keeps 2 ^ -0.07 = 95.3 % of its reward.
        assert!((value(0.024) / 0.75 - 0.952_637_998).abs() < 1e-8);
        assert_eq!(reward().trend(&Variable::Metric(Metric::Accuracy)), Trend::Rises);
        assert_eq!(reward().trend(&Variable::Measure(Measure::Latency)), Trend::Falls);
        assert_eq!(reward().trend(&Variable::Measure(Measure::Macs)), Trend::Constant);
        assert!(reward().value(&|_| None).is_none());
    }

    #[test]
    fn what_may_be_negative_has_no_power_and_divides_nothing() {
        let difference = of("accuracy").plus(&number(-1, 2).into());
        assert_eq!(difference.power(&number(1, 2)), Err(FormulaFault::NegativeBase));
        assert_eq!(of("macs").quotient(&difference), Err(FormulaFault::NegativeBase));
        let hinge = Formula::Max(vec![number(0, 1).into(), difference]);
        assert!(hinge.power(&number(2, 1)).is_ok());
    }

    #[test]
    fn it_is_written_in_the_language() {
        assert_eq!(reward().to_string(), "accuracy * ((83.33333333333333 * latency) ^ -0.07)");
        let hinge =
            Formula::Max(vec![number(0, 1).into(), of("latency").plus(&number(-12, 1000).into())]);
        let sum = of("cross_entropy")
            .plus(&hinge.times(&number(3, 1)))
            .plus(&of("macs").times(&number(-1, 50)));
        assert_eq!(sum.to_string(), "cross_entropy + 3 * max(0, latency - 0.012) - 0.02 * macs");
    }
}
