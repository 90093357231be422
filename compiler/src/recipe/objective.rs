//! `minimize`: from an expression to `cross_entropy + factor * measure`.

use nas_grammar::Source;
use nas_grammar::ast::{BinaryOp, Expr, ExprKind, Span, UnaryOp};

use super::errors::{
    ConstantTerm, NoCrossEntropy, NotLinear, RewardsCost, TwoMeasures, UnknownMeasure,
};
use super::table::number;
use super::{Evaluate, MINIMIZE, Objective, Static};
use crate::error::{Place, Problems};
use crate::measure::Measure;
use crate::names::did_you_mean;

/// The word for the task loss.
const LOSS: &str = "cross_entropy";

/// The objective that an expression means; `None` after a problem.
pub(super) fn read(
    expr: &Expr,
    source: &Source,
    evaluate: Evaluate<'_>,
    problems: &mut Problems,
) -> Option<Objective> {
    let mut reader = Reader { source, evaluate, problems };
    if !reader.names_known(expr) {
        return None;
    }
    let form = reader.form(expr)?;
    reader.objective(expr.span, &form)
}

/// `constant + loss * cross_entropy`, and each measure times its factor.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Form {
    constant: f64,
    loss: f64,
    measures: [f64; Measure::SUMS.len()],
}

/// Nanoseconds of a second: expressions speak of seconds.
const NANOSECONDS: f64 = 1e9;

impl Form {
    fn constant(value: f64) -> Self {
        Self { constant: value, ..Self::default() }
    }

    fn of(word: &str) -> Option<Self> {
        if word == LOSS {
            return Some(Self { loss: 1.0, ..Self::default() });
        }
        let is_it = |measure: Measure| measure.name() == word;
        let unit = |measure| if measure == Measure::Latency { 1.0 / NANOSECONDS } else { 1.0 };
        let measures = Measure::SUMS.map(|m| if is_it(m) { unit(m) } else { 0.0 });
        Measure::SUMS.into_iter().any(is_it).then(|| Self { measures, ..Self::default() })
    }

    /// The number, if it is nothing else.
    fn number(&self) -> Option<f64> {
        (self.loss == 0.0 && self.measures == Self::default().measures).then_some(self.constant)
    }

    fn each(self, f: impl Fn(f64) -> f64) -> Self {
        let Self { constant, loss, measures } = self;
        Self { constant: f(constant), loss: f(loss), measures: measures.map(f) }
    }

    fn plus(mut self, other: Self) -> Self {
        self.constant += other.constant;
        self.loss += other.loss;
        self.measures.iter_mut().zip(other.measures).for_each(|(sum, more)| *sum += more);
        self
    }

    fn is_finite(&self) -> bool {
        let Self { constant, loss, measures } = self;
        [constant, loss].into_iter().chain(measures).all(|value| value.is_finite())
    }
}

struct Reader<'a> {
    source: &'a Source,
    evaluate: Evaluate<'a>,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn place(&self, at: Span, label: impl Into<String>) -> Place {
        let help = format!("write it like `minimize {}`", MINIMIZE.written);
        Place::new(self.source, at, label).help(help)
    }

    fn not_linear<T>(&mut self, at: Span, label: &str) -> Option<T> {
        let place = self.place(at, label);
        self.problems.push(NotLinear::at(place));
        None
    }

    fn form(&mut self, expr: &Expr) -> Option<Form> {
        let form = match &expr.kind {
            ExprKind::Paren(inner) => self.form(inner)?,
            ExprKind::Name(name) if mentions(expr) => Form::of(name)?,
            ExprKind::Unary(UnaryOp::Neg, inner) => self.form(inner)?.each(|value| -value),
            ExprKind::Binary(op, left, right) if mentions(expr) => {
                // Both sides are read even when one is at fault.
                let (left, right) = (self.form(left), self.form(right));
                self.binary(expr, *op, left?, right?)?
            }
            _ if mentions(expr) => {
                return self.not_linear(expr.span, "no sum of multiples of loss and measure");
            }
            _ => Form::constant(self.number(expr)?),
        };
        if form.is_finite() { Some(form) } else { self.not_linear(expr.span, "this is infinite") }
    }

    fn binary(&mut self, expr: &Expr, op: BinaryOp, left: Form, right: Form) -> Option<Form> {
        match (op, left.number(), right.number()) {
            (BinaryOp::Add, _, _) => Some(left.plus(right)),
            (BinaryOp::Sub, _, _) => Some(left.plus(right.each(|value| -value))),
            (BinaryOp::Mul, Some(factor), _) => Some(right.each(|value| value * factor)),
            (BinaryOp::Mul, _, Some(factor)) => Some(left.each(|value| value * factor)),
            (BinaryOp::Div, _, Some(0.0)) => self.not_linear(expr.span, "this divides by zero"),
            (BinaryOp::Div, _, Some(divisor)) => Some(left.each(|value| value / divisor)),
            (BinaryOp::Mul, None, None) => {
                self.not_linear(expr.span, "this multiplies what is to be added")
            }
            (BinaryOp::Div, _, None) => self.not_linear(expr.span, "this divides by a measure"),
            _ => self.not_linear(expr.span, "only `+`, `-`, `*` and `/` are linear"),
        }
    }

    /// Whether every name is loss, measure or a static value; reports those that are not.
    fn names_known(&mut self, expr: &Expr) -> bool {
        let mut known = true;
        for (at, name) in names(expr) {
            if Form::of(name).is_none() && (self.evaluate)(at, self.source).is_err() {
                self.unknown_measure(at.span, name);
                known = false;
            }
        }
        known
    }

    fn unknown_measure(&mut self, at: Span, name: &str) {
        let words: Vec<&str> =
            std::iter::once(LOSS).chain(Measure::SUMS.map(Measure::name)).collect();
        let help = did_you_mean(name, &words, "an objective is made of");
        let place = Place::new(self.source, at, "neither the loss nor a measure").help(help);
        self.problems.push(UnknownMeasure::at(place, name));
    }

    fn number(&mut self, expr: &Expr) -> Option<f64> {
        match (self.evaluate)(expr, self.source) {
            Ok(Static::Integer(value)) => Some(value as f64),
            Ok(Static::Real(value)) => Some(value),
            Ok(_) => self.not_linear(expr.span, "this is no number"),
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    fn objective(&mut self, at: Span, form: &Form) -> Option<Objective> {
        let Form { constant, loss, measures } = *form;
        if loss <= 0.0 {
            let text = self.source.text().get(at.range()).unwrap_or_default();
            let place = if loss < 0.0 {
                self.place(at, "this rewards a high loss")
            } else {
                self.place(at, "what the network should learn is missing")
                    .help(format!("write `minimize {LOSS} + {text}`"))
            };
            self.problems.push(NoCrossEntropy::at(place));
            return None;
        }
        if constant != 0.0 {
            let place = self.place(at, format!("this adds {}", number(constant)));
            self.problems.push(ConstantTerm::at(place.help("leave the constant out")));
            return None;
        }
        let weighed: Vec<(Measure, f64)> =
            Measure::SUMS.into_iter().zip(measures).filter(|(_, factor)| *factor != 0.0).collect();
        if let [(a, _), (b, _), ..] = weighed.as_slice() {
            let place = self.place(at, format!("both `{}` and `{}`", a.name(), b.name()));
            self.problems.push(TwoMeasures::at(place.help("keep the one that matters")));
            return None;
        }
        let (measure, factor) = match weighed.first() {
            Some((measure, factor)) => (*measure, factor / loss),
            None => (MINIMIZE.default.measure, 0.0),
        };
        if factor < 0.0 {
            let word = measure.name();
            let place = self.place(at, format!("more `{word}` makes this smaller"));
            let place = place.help("add the measure, do not subtract it");
            self.problems.push(RewardsCost::at(place, word));
            return None;
        }
        Some(Objective { factor, measure })
    }
}

/// Whether loss or measure occur in an expression.
fn mentions(expr: &Expr) -> bool {
    names(expr).iter().any(|(_, name)| Form::of(name).is_some())
}

/// The names that an expression reads, with where they stand.
fn names(expr: &Expr) -> Vec<(&Expr, &str)> {
    match &expr.kind {
        ExprKind::Name(name) => vec![(expr, name.as_str())],
        ExprKind::Paren(inner) | ExprKind::Unary(_, inner) | ExprKind::Field(inner, _) => {
            names(inner)
        }
        ExprKind::Binary(_, left, right) | ExprKind::Index(left, right) => {
            [names(left), names(right)].concat()
        }
        ExprKind::Call(_, args) => args.iter().flat_map(|arg| names(&arg.value)).collect(),
        ExprKind::Tuple(parts) => parts.iter().flat_map(names).collect(),
        ExprKind::Pipeline(first, steps) => {
            let steps = steps.iter().flat_map(names);
            names(first).into_iter().chain(steps).collect()
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
