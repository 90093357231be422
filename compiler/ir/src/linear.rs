//! Linear forms of measures and counts, and quotients of them: what `require` compares.

use std::collections::BTreeMap;

use nas_grammar::ast::{BinaryOp, Expr, ExprKind, Span, UnaryOp};
use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};

use crate::exact::{Exact, power_of_ten};
use crate::figures::Figures;
use crate::measure::Measure;
use crate::quantity::Quantity;

/// A constant, and a multiple of each quantity. Times are in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// What is added whatever the quantities are.
    pub constant: Exact,
    /// The multiples of quantities as they are counted, none of them zero.
    terms: BTreeMap<Quantity, Exact>,
}

impl Linear {
    pub(crate) fn constant(constant: Exact) -> Self {
        Self { constant, terms: BTreeMap::new() }
    }

    /// A quantity as expressions see it.
    pub fn quantity(quantity: impl Into<Quantity>) -> Self {
        let quantity = quantity.into();
        let unit = unit(&quantity);
        Self { terms: BTreeMap::from([(quantity, unit)]), ..Self::constant(Exact::zero()) }
    }

    /// A sum of multiples of quantities, as these are counted.
    pub(crate) fn counted(terms: &[(Quantity, i128)]) -> Self {
        let mut sum = Self::constant(Exact::zero());
        for (quantity, factor) in terms {
            sum.add(quantity, &BigInt::from(*factor).into());
        }
        sum
    }

    /// The multiple of each quantity, as it is counted.
    pub fn terms(&self) -> impl Iterator<Item = (&Quantity, &Exact)> + Clone {
        self.terms.iter()
    }

    fn add(&mut self, quantity: &Quantity, more: &Exact) {
        let sum = self.terms.entry(quantity.clone()).or_default();
        *sum += more;
        if sum.is_zero() {
            self.terms.remove(quantity);
        }
    }

    /// The number, if it is nothing else.
    pub(crate) fn number(&self) -> Option<&Exact> {
        self.terms.is_empty().then_some(&self.constant)
    }

    /// All of it times a number.
    pub fn times(&self, factor: &Exact) -> Self {
        let Self { constant, terms } = self;
        let times =
            |(quantity, multiple): (&Quantity, &Exact)| (quantity.clone(), multiple * factor);
        let is_zero = factor.is_zero();
        let terms = terms.iter().filter(|_| !is_zero).map(times).collect();
        Self { constant: constant * factor, terms }
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        sum.constant += &other.constant;
        other.terms().for_each(|(quantity, more)| sum.add(quantity, more));
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
    pub(crate) fn of(&self, figures: &Figures<'_>) -> Option<Exact> {
        let of = |(quantity, factor): (&Quantity, &Exact)| {
            Some(factor * BigInt::from(quantity.of(figures)?))
        };
        Some(&self.constant + self.terms().map(of).sum::<Option<Exact>>()?)
    }

    /// Whether it is never negative, and not always zero: no quantity is negative.
    fn is_positive(&self) -> bool {
        self.parts().all(|part| !part.is_negative()) && self.parts().any(Signed::is_positive)
    }

    fn is_small(&self) -> bool {
        self.parts().all(is_small)
    }

    fn parts(&self) -> impl Iterator<Item = &Exact> {
        std::iter::once(&self.constant).chain(self.terms.values())
    }
}

/// What one of a quantity is in expressions, which speak of seconds.
fn unit(quantity: &Quantity) -> Exact {
    if quantity.measure() == Some(Measure::Latency) { power_of_ten(-9) } else { Exact::one() }
}

/// Numbers of more bits are far beyond what networks cost.
const MAX_BITS: u64 = 4096;

/// Whether a number is none of those.
pub(crate) fn is_small(number: &Exact) -> bool {
    number.numer().bits().max(number.denom().bits()) <= MAX_BITS
}

/// One form divided by another, which is never negative: 1, or a sum of positive multiples of
/// quantities, the first of them by 1.
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
        let leading = under.terms().next().map_or_else(Exact::one, |(_, first)| first.clone());
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
    pub fn of(&self, figures: &Figures<'_>) -> Option<Exact> {
        let (over, under) = (self.over.of(figures)?, self.under.of(figures)?);
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

    /// Whether a call of this name is a form as a whole: what it reads means something else.
    fn is_whole(name: &str) -> bool;

    /// The form that such a call means; `None` after a report.
    fn whole(&mut self, call: &'p Expr) -> Option<Linear>;

    /// The number that an expression without such words is; `None` after a report.
    fn number(&mut self, expr: &'p Expr) -> Option<Exact>;

    /// Reports what is at fault.
    fn report_fault(&mut self, span: Span, fault: Fault);

    /// Whether one of the words occurs in an expression.
    fn mentions(expr: &Expr) -> bool {
        reads(expr, Self::is_whole).into_iter().any(|(at, name)| match at.kind {
            ExprKind::Call(..) => true,
            _ => Self::word(name).is_some(),
        })
    }

    /// The quotient that an expression means; `None` after a report. Its arithmetic is exact, also
    /// where no word occurs: `/` rounds nothing.
    fn form(&mut self, expr: &'p Expr) -> Option<Quotient> {
        use BinaryOp::{Add, Div, Mul, Sub};
        match &expr.kind {
            ExprKind::Paren(inner) => self.form(inner),
            ExprKind::Name(name) if let Some(word) = Self::word(name) => Some(word.into()),
            ExprKind::Call(name, _) if Self::is_whole(&name.name) => Some(self.whole(expr)?.into()),
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
    reads(expr, |_| false)
}

/// As [`names_in`], with the calls of these names, in which nothing is looked for.
pub fn reads(expr: &Expr, is_whole: fn(&str) -> bool) -> Vec<(&Expr, &str)> {
    let names_in = |inner| reads(inner, is_whole);
    match &expr.kind {
        ExprKind::Name(name) => vec![(expr, name.as_str())],
        ExprKind::Call(name, _) if is_whole(&name.name) => vec![(expr, name.name.as_str())],
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
