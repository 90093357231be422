//! Linear forms of measures, and quotients of them: what `require` compares.

use nas_grammar::ast::{BinaryOp, Expr, ExprKind, Span, UnaryOp};
use num_bigint::BigInt;
use num_rational::Ratio;
use num_traits::{One, Pow, Signed, ToPrimitive, Zero};

use crate::costs::Costs;
use crate::measure::Measure;

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

/// A constant, and a multiple of each measure. Times are in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// What is added whatever the measures are.
    pub constant: Exact,
    measures: [Exact; Measure::ALL.len()],
}

impl Linear {
    pub(crate) fn constant(constant: Exact) -> Self {
        let measures = std::array::from_fn(|_| Exact::zero());
        Self { constant, measures }
    }

    /// A measure as expressions see it.
    pub fn measure(measure: Measure) -> Self {
        let of = |other| if other == measure { unit(measure) } else { Exact::zero() };
        Self { measures: Measure::ALL.map(of), ..Self::constant(Exact::zero()) }
    }

    /// A sum of multiples of measures, as these are counted.
    pub(crate) fn counted(terms: &[(Measure, i128)]) -> Self {
        let of = |measure| {
            let terms = terms.iter().filter(|(other, _)| *other == measure);
            terms.map(|(_, factor)| Exact::from(BigInt::from(*factor))).sum()
        };
        let measures = Measure::ALL.map(of);
        Self { measures, ..Self::constant(Exact::zero()) }
    }

    /// The multiple of each measure, as it is counted.
    pub fn measures(&self) -> impl Iterator<Item = (Measure, &Exact)> + Clone {
        let all = Measure::ALL.into_iter().zip(&self.measures);
        all.filter(|(_, multiple)| !multiple.is_zero())
    }

    /// The number, if it is nothing else.
    pub(crate) fn number(&self) -> Option<&Exact> {
        self.measures().next().is_none().then_some(&self.constant)
    }

    /// All of it times a number.
    pub fn times(&self, factor: &Exact) -> Self {
        let Self { constant, measures } = self;
        let measures = measures.each_ref().map(|multiple| multiple * factor);
        Self { constant: constant * factor, measures }
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        sum.parts_mut().zip(other.parts()).for_each(|(sum, more)| *sum += more);
        sum
    }

    /// All of it times -1.
    pub fn negated(&self) -> Self {
        self.times(&-Exact::one())
    }

    /// The difference, term by term.
    pub fn minus(&self, other: &Self) -> Self {
        self.plus(&other.negated())
    }

    /// The product, if one of the two is a number.
    fn product(&self, other: &Self) -> Option<Self> {
        let by_other = other.number().map(|factor| self.times(factor));
        by_other.or_else(|| self.number().map(|factor| other.times(factor)))
    }

    /// What it is of a network; `None` where a measure is not known.
    pub(crate) fn of(&self, costs: &Costs) -> Option<Exact> {
        let terms = self.measures();
        let terms = terms.map(|(measure, factor)| Some(factor * BigInt::from(costs.of(measure)?)));
        Some(&self.constant + terms.sum::<Option<Exact>>()?)
    }

    /// Whether it is never negative, and not always zero: no measure is negative.
    fn is_positive(&self) -> bool {
        self.parts().all(|part| !part.is_negative()) && self.parts().any(Signed::is_positive)
    }

    fn is_small(&self) -> bool {
        self.parts().all(is_small)
    }

    fn parts(&self) -> impl Iterator<Item = &Exact> {
        std::iter::once(&self.constant).chain(&self.measures)
    }

    fn parts_mut(&mut self) -> impl Iterator<Item = &mut Exact> {
        std::iter::once(&mut self.constant).chain(&mut self.measures)
    }
}

/// What one of a measure is in expressions, which speak of seconds.
fn unit(measure: Measure) -> Exact {
    if measure == Measure::Latency { power_of_ten(-9) } else { Exact::one() }
}

/// Numbers of more bits are far beyond what networks cost.
const MAX_BITS: u64 = 4096;

/// Whether a number is none of those.
pub(crate) fn is_small(number: &Exact) -> bool {
    number.numer().bits().max(number.denom().bits()) <= MAX_BITS
}

/// One form divided by another, which is never negative: 1, or a sum of positive multiples of
/// measures, the first of them by 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Quotient {
    /// The dividend.
    pub over: Linear,
    /// The divisor.
    pub under: Linear,
}

/// Why an expression is no quotient of linear forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A product of two forms.
    Product,
    /// A division by nothing.
    ByZero,
    /// A divisor that may be negative.
    Sign,
    /// Quotients of different divisors, added.
    Divisors,
    /// Numbers that no network reaches.
    TooLarge,
    /// Another operator than those of arithmetic.
    Operator,
    /// Something else with a measure in it.
    Other,
    /// Something without a measure that is no finite number.
    NoNumber,
}

impl Fault {
    /// What to write beside the place.
    pub fn label(self) -> &'static str {
        match self {
            Fault::Product => "neither factor is a number",
            Fault::ByZero => "this divides by zero",
            Fault::Sign => "this divisor may be negative",
            Fault::Divisors => "these have different divisors",
            Fault::TooLarge => "these numbers are too large, or have too many digits",
            Fault::Operator => "only `+`, `-`, `*` and `/` are linear",
            Fault::Other => "no sum of multiples of measures",
            Fault::NoNumber => "this is no number",
        }
    }
}

impl From<Linear> for Quotient {
    fn from(over: Linear) -> Self {
        Self { over, under: Linear::constant(Exact::one()) }
    }
}

impl Quotient {
    fn new(over: &Linear, under: &Linear) -> Result<Self, Fault> {
        if let Some(number) = under.number() {
            let is_zero = number.is_zero();
            return if is_zero {
                Err(Fault::ByZero)
            } else {
                Ok(over.times(&number.recip()).into())
            };
        }
        let leading = under.measures().next().map_or_else(Exact::one, |(_, first)| first.clone());
        let scale = leading.recip();
        let under = under.times(&scale);
        if under.is_positive() {
            Ok(Self { over: over.times(&scale), under })
        } else {
            Err(Fault::Sign)
        }
    }

    /// The number, if it is nothing else.
    pub fn number(&self) -> Option<&Exact> {
        self.over.number().filter(|_| self.under.number().is_some())
    }

    /// The quotient times -1.
    pub fn negated(&self) -> Self {
        Self { over: self.over.negated(), under: self.under.clone() }
    }

    /// What it is of a network; `None` where a measure is not known, or the divisor is zero.
    pub fn of(&self, costs: &Costs) -> Option<Exact> {
        let (over, under) = (self.over.of(costs)?, self.under.of(costs)?);
        (!under.is_zero()).then(|| over / under)
    }

    /// The result of an operator.
    pub fn binary(op: BinaryOp, a: &Self, b: &Self) -> Result<Self, Fault> {
        let product = |a: &Linear, b: &Linear, fault| a.product(b).ok_or(fault);
        let result = match op {
            BinaryOp::Sub => return Self::binary(BinaryOp::Add, a, &b.negated()),
            BinaryOp::Add if a.under == b.under => {
                Self { over: a.over.plus(&b.over), under: a.under.clone() }
            }
            BinaryOp::Add => {
                let fault = Fault::Divisors;
                let over = product(&a.over, &b.under, fault)?;
                let over = over.plus(&product(&b.over, &a.under, fault)?);
                Self { over, under: product(&a.under, &b.under, fault)? }
            }
            BinaryOp::Mul => Self::new(
                &product(&a.over, &b.over, Fault::Product)?,
                &product(&a.under, &b.under, Fault::Product)?,
            )?,
            BinaryOp::Div => Self::new(
                &product(&a.over, &b.under, Fault::Product)?,
                &product(&a.under, &b.over, Fault::Product)?,
            )?,
            _ => return Err(Fault::Operator),
        };
        let is_small = result.over.is_small() && result.under.is_small();
        if is_small { Ok(result) } else { Err(Fault::TooLarge) }
    }
}

/// Reads quotients of forms.
pub trait Forms<'p> {
    /// The form that a word means.
    fn word(name: &str) -> Option<Linear>;

    /// The number that an expression without such words is; `None` after a report.
    fn number(&mut self, expr: &'p Expr) -> Option<Exact>;

    /// Reports what is at fault.
    fn report_fault(&mut self, span: Span, fault: Fault);

    /// Whether one of the words occurs in an expression.
    fn mentions(expr: &Expr) -> bool {
        names_in(expr).iter().any(|(_, name)| Self::word(name).is_some())
    }

    /// The quotient that an expression means; `None` after a report. Its arithmetic is exact, also
    /// where no word occurs: `/` rounds nothing.
    fn form(&mut self, expr: &'p Expr) -> Option<Quotient> {
        use BinaryOp::{Add, Div, Mul, Sub};
        match &expr.kind {
            ExprKind::Paren(inner) => self.form(inner),
            ExprKind::Name(name) if let Some(word) = Self::word(name) => Some(word.into()),
            ExprKind::Unary(UnaryOp::Neg, inner) => Some(self.form(inner)?.negated()),
            ExprKind::Binary(op @ (Add | Sub | Mul | Div), left, right) => {
                // Both sides are read even when one is at fault.
                let (a, b) = (self.form(left), self.form(right));
                let (a, b) = (a?, b?);
                let result = Quotient::binary(*op, &a, &b);
                let span = |fault| if fault == Fault::Sign { right.span } else { expr.span };
                result.map_err(|fault| self.report_fault(span(fault), fault)).ok()
            }
            kind if Self::mentions(expr) => {
                let is_binary = matches!(kind, ExprKind::Binary(..));
                let fault = if is_binary { Fault::Operator } else { Fault::Other };
                self.report_fault(expr.span, fault);
                None
            }
            _ => Some(Linear::constant(self.number(expr)?).into()),
        }
    }
}

/// The names that an expression reads, with where they stand.
pub fn names_in(expr: &Expr) -> Vec<(&Expr, &str)> {
    match &expr.kind {
        ExprKind::Name(name) => vec![(expr, name.as_str())],
        ExprKind::Paren(inner) | ExprKind::Unary(_, inner) | ExprKind::Field(inner, _) => {
            names_in(inner)
        }
        ExprKind::Binary(_, left, right) | ExprKind::Index(left, right) => {
            [names_in(left), names_in(right)].concat()
        }
        ExprKind::Call(_, args) => args.iter().flat_map(|arg| names_in(&arg.value)).collect(),
        ExprKind::Tuple(parts) => parts.iter().flat_map(names_in).collect(),
        ExprKind::Pipeline(first, steps) => {
            let steps = steps.iter().flat_map(names_in);
            names_in(first).into_iter().chain(steps).collect()
        }
        ExprKind::Number(_)
        | ExprKind::Text(_)
        | ExprKind::Bool(_)
        | ExprKind::List(_)
        | ExprKind::Slice(..)
        | ExprKind::If(..)
        | ExprKind::Choose(_)
        | ExprKind::Repeat(_) => Vec::new(),
    }
}
