//! `require`: limits that every network keeps which a search may return.

use nas_diagnostics::{Fix, suggested};
use nas_grammar::Source;
use nas_grammar::ast::{BinaryOp, Expr, ExprKind, Span, UnaryOp};
use nas_ir::exact::Exact;
use nas_ir::linear::{Fault, Forms, Linear, Quotient, names_in, reads};
use nas_ir::requirement::{Figure, NoLimit, Requirement, limit, rounded};
use nas_ir::{Form, Limit, Measure, OriginId, Quantity};

use super::chosen::{COUNT, MONOTONE};
use super::elaborator::{Elaborator, Required};
use super::errors::{NoClaim, NotLinear, NotWhole, Unitless, UnknownRequirement};
use super::limits::{Abort, Eval};
use super::number::exact;

const EITHER: &str = "either may hold";
const SUM: &str = "limit a sum of multiples of measures: `require macs + 10 * params <= 300M`";
const NUMBER: &str = "compare with a number: `require macs <= 300M`";

/// `small <= large`, or `small < large`.
#[derive(Clone, Copy)]
struct AtMost<'p> {
    small: &'p Expr,
    large: &'p Expr,
    is_strict: bool,
    /// Whether the small side was written on the left.
    is_upper: bool,
    /// What stands between left and right.
    op: &'static str,
    claim: Span,
    /// Where the comparison was written: that of all its limits.
    origin: OriginId,
}

impl<'p> Elaborator<'p, '_> {
    /// Notes a requirement, with what its names mean here: it may speak of decisions that are yet to come.
    pub(super) fn require(&mut self, claim: &'p Expr) -> Eval<()> {
        self.step(claim.span)?;
        let names = names_in(claim).into_iter();
        let names = names.filter_map(|(_, name)| Some((name, self.names.get(name)?))).collect();
        self.required.push(Required { claim, names });
        Ok(())
    }

    /// Adds the limits of all requirements to the space, whose decisions are all there.
    pub(super) fn read_required(&mut self) {
        self.is_partial |= self.problems.has_errors() || !self.partial.is_empty();
        for Required { claim, names } in std::mem::take(&mut self.required) {
            let (outer, mark) = (self.names.enter_block(), self.names.open());
            names.into_iter().for_each(|(name, value)| self.names.bind(name, value));
            if self.names_known(claim) {
                self.claim(claim, false);
            }
            self.names.forget(mark);
            self.names.leave(outer);
        }
    }

    /// Whether every name is a measure or in scope; reports the first that is not.
    fn names_known(&mut self, claim: &Expr) -> bool {
        let unknown = reads(claim, Self::is_whole).into_iter().find(|(at, name)| {
            matches!(at.kind, ExprKind::Name(_))
                && Measure::named(name).is_none()
                && self.names.get(name).is_none()
                && self.program.constant(self.module, name).is_none()
        });
        let Some((at, name)) = unknown else { return true };
        let names = Measure::ALL.map(Measure::name);
        let source = self.source();
        let help = suggested(source.at(at.span), name, &names, "the measures are");
        let place = self.place(at.span, "no such measure").help(help);
        self.report(UnknownRequirement::at(place, name));
        false
    }

    /// Adds the limits of a claim, or of its opposite.
    fn claim(&mut self, whole: &'p Expr, is_denied: bool) {
        use BinaryOp::{And, Eq, Ge, Gt, Le, Lt, Ne, Or};
        let (op, left, right) = match &whole.kind {
            ExprKind::Paren(inner) => return self.claim(inner, is_denied),
            ExprKind::Unary(UnaryOp::Not, inner) => return self.claim(inner, !is_denied),
            ExprKind::Binary(op, left, right) => (*op, left.as_ref(), right.as_ref()),
            ExprKind::Call(name, args) if name.name == MONOTONE && !is_denied => {
                let Some(order) = self.order(args, whole.span) else { return };
                let limit = Limit { form: Form::multiple(Quantity::Breaks(order), 1), most: 0 };
                let (text, origin) = (self.snippet(whole.span), Some(self.origin(whole.span)));
                self.space.requirements.push(Requirement { text, origin, ..limit.into() });
                return;
            }
            _ => return self.no_claim(whole, is_denied),
        };
        let (claim, origin) = (whole.span, self.origin(whole.span));
        let upper = |op, is_strict| {
            let (small, large) = (left, right);
            AtMost { small, large, is_strict, is_upper: true, op, claim, origin }
        };
        let lower = |op, is_strict| {
            let (small, large) = (right, left);
            AtMost { small, large, is_strict, is_upper: false, op, claim, origin }
        };
        match (op, is_denied) {
            (And, false) | (Or, true) => {
                self.claim(left, is_denied);
                self.claim(right, is_denied);
            }
            (Lt, false) | (Ge, true) => self.at_most(upper("<", true)),
            (Le, false) | (Gt, true) => self.at_most(upper("<=", false)),
            (Gt, false) | (Le, true) => self.at_most(lower(">", true)),
            (Ge, false) | (Lt, true) => self.at_most(lower(">=", false)),
            (Eq, false) | (Ne, true) => {
                self.at_most(upper("==", false));
                self.at_most(lower("==", false));
            }
            _ => self.no_claim(whole, is_denied),
        }
    }

    fn no_claim(&mut self, claim: &Expr, is_denied: bool) {
        let text = self.snippet(claim.span);
        let (label, help) = match &claim.kind {
            ExprKind::Binary(BinaryOp::Or, ..) => {
                (EITHER, "keep the one that matters, or join both by `and`".to_owned())
            }
            ExprKind::Binary(BinaryOp::And, ..) => {
                (EITHER, "keep the one that matters, or deny both: `not (… or …)`".to_owned())
            }
            ExprKind::Binary(BinaryOp::Ne | BinaryOp::Eq, ..) => {
                ("this rules out one figure only", "compare with `<=` or `>=`".to_owned())
            }
            ExprKind::Binary(BinaryOp::Near, ..) => {
                ("no claim about a published figure", "compare with `<=` or `>=`".to_owned())
            }
            ExprKind::Call(name, _) if name.name == MONOTONE => (
                "this asks for some place that is out of order",
                "leave out the `not`, or turn the order: `decreasing = true`".to_owned(),
            ),
            ExprKind::Call(name, _) if name.name == COUNT => {
                ("not a comparison", format!("compare it: `{text} <= 2`"))
            }
            _ if is_denied => ("not a comparison", format!("compare it: `{text} <= 300M`")),
            _ => ("not a comparison", format!("compare it: `require {text} <= 300M`")),
        };
        let place = self.place(claim.span, label).advice(help);
        self.report(NoClaim::at(place));
    }

    /// Adds the limit of a comparison, or those of each argument of `max` or `min`.
    fn at_most(&mut self, parts: AtMost<'p>) {
        let AtMost { small, large, .. } = parts;
        match (extreme(small), extreme(large)) {
            (Some(("max", args)), _) => {
                args.for_each(|small| self.at_most(AtMost { small, ..parts }));
            }
            (_, Some(("min", args))) => {
                args.for_each(|large| self.at_most(AtMost { large, ..parts }));
            }
            (Some(_), _) => self.either(small.span, "max"),
            (_, Some(_)) => self.either(large.span, "min"),
            (None, None) => self.limit(parts),
        }
    }

    /// Reports `min` where `max` would limit all its arguments, or the other way.
    fn either(&mut self, span: Span, other: &str) {
        let help = format!("keep the one that matters, or limit both: write `{other}`");
        let place = self.place(span, EITHER).advice(help);
        self.report(NoClaim::at(place));
    }

    /// Adds the limit of a comparison.
    fn limit(&mut self, parts: AtMost<'p>) {
        let AtMost { small, large, is_strict, is_upper, op, claim, origin } = parts;
        let (left, right) = if is_upper { (small, large) } else { (large, small) };
        if let Some((_, middle)) = comparison(left) {
            return self.chained(claim, left, middle, right);
        }
        if let Some(number) = unitless([left, right], &is_latency) {
            let fix = in_milliseconds(&self.source(), number);
            let place = self.place(number, "in which unit?").fix(fix);
            self.report(Unitless::at(place));
            return;
        }
        // Both sides are read even when one is at fault.
        let (Some(a), Some(b)) = (self.form(left), self.form(right)) else { return };
        if let Some((side, number)) =
            never(&a, &b).map(|n| (right, n)).or(never(&b, &a).map(|n| (left, n)))
        {
            let place = self.place(side.span, "no count is this");
            let place = place.advice("compare it with a whole number, such as 2");
            self.report(NotWhole::at(place, number));
            return;
        }
        let difference = match Quotient::binary(BinaryOp::Sub, &a, &b) {
            Ok(difference) => difference,
            Err(fault) => return self.report_fault(claim, fault),
        };
        // Divisors are positive: what they divide has the sign of the quotient.
        let form = if is_upper { difference.over.clone() } else { difference.negated().over };
        let limit = match limit(&form, is_strict) {
            Ok(limit) => limit,
            Err(NoLimit::TooLarge) => return self.report_fault(claim, Fault::TooLarge),
            Err(NoLimit::NoMeasure) => {
                return self.not_linear(claim, "this limits no measure", SUM);
            }
        };
        let text = format!("{} {op} {}", self.snippet(left.span), self.snippet(right.span));
        let figure = self.figure([left, right], [a, b], difference, is_upper);
        let origin = Some(origin);
        self.space.requirements.push(Requirement { text, origin, limit, figure });
    }

    /// What a number limits: a side of a comparison, or the difference of both.
    fn figure(
        &self,
        [left, right]: [&Expr; 2],
        [a, b]: [Quotient; 2],
        difference: Quotient,
        is_upper: bool,
    ) -> Figure {
        use BinaryOp::{Add, Sub};
        let [left_text, right_text] = [left, right].map(|side| self.snippet(side.span));
        match (a.number().cloned(), b.number().cloned()) {
            (_, Some(bound)) => Figure { text: left_text, quotient: a, bound, is_upper },
            (Some(bound), _) => {
                Figure { text: right_text, quotient: b, bound, is_upper: !is_upper }
            }
            (None, None) => {
                let is_sum = matches!(right.kind, ExprKind::Binary(Add | Sub, ..));
                let right = if is_sum { format!("({right_text})") } else { right_text };
                let text = format!("{left_text} - {right}");
                Figure { text, quotient: difference, bound: Exact::default(), is_upper }
            }
        }
    }

    /// Reports `1M <= macs <= 3M`.
    fn chained(&mut self, claim: Span, left: &Expr, middle: &Expr, right: &Expr) {
        let source = self.source();
        let text = |span: Span| source.at(span).text().trim();
        // What stands between is the operator.
        let rest = text(Span { start: left.span.end, end: right.span.end });
        let both = format!("{} and {} {rest}", text(left.span), text(middle.span));
        let fix = Fix::write(source.at(claim), both);
        let place = self.place(claim, "two comparisons in one").fix(fix);
        self.report(NoClaim::at(place));
    }

    fn not_linear(&mut self, span: Span, label: &str, help: impl Into<String>) {
        let place = self.place(span, label).advice(help);
        self.report(NotLinear::at(place));
    }
}

impl<'p> Forms<'p> for Elaborator<'p, '_> {
    fn word(name: &str) -> Option<Linear> {
        Measure::named(name).map(Linear::quantity)
    }

    fn is_whole(name: &str) -> bool {
        matches!(name, COUNT | MONOTONE)
    }

    fn whole(&mut self, call: &'p Expr) -> Option<Linear> {
        match &call.kind {
            ExprKind::Call(name, args) if name.name == COUNT => {
                Some(Linear::quantity(Quantity::Count(self.count(args, call.span)?)))
            }
            _ => {
                let help = "require it by itself, or join it to others by `and`";
                self.not_linear(call.span, "this is true or false, and no number", help);
                None
            }
        }
    }

    fn number(&mut self, expr: &'p Expr) -> Option<Exact> {
        // An abort was reported where it arose.
        let value = self.expr(expr).unwrap_or_else(|Abort(reported)| reported.into());
        let number = exact(&value);
        if number.is_none() && !value.is_poison() {
            self.not_linear(expr.span, &format!("this is {}", value.describe()), NUMBER);
        }
        number
    }

    fn report_fault(&mut self, span: Span, fault: Fault) {
        let help = match fault {
            Fault::Product => "limit each factor: `require macs <= 300M and params <= 5M`".to_owned(),
            Fault::ByZero => "divide by a number above 0".to_owned(),
            Fault::Sign => {
                let divisor = self.snippet(span);
                format!("if it is positive, multiply it out: `require macs <= 30 * {divisor}`")
            }
            Fault::Divisors => {
                "quotients are added and compared where they have one divisor: `require (macs + 2 * depth) / params <= 30`".to_owned()
            }
            Fault::TooLarge => "write smaller numbers, or fewer digits".to_owned(),
            Fault::NoNumber => NUMBER.to_owned(),
            Fault::Operator | Fault::Other => SUM.to_owned(),
        };
        self.not_linear(span, fault.label(), help);
    }
}

/// The number on the second side, if the first is a whole number of counts and the second is none.
fn never(counts: &Quotient, other: &Quotient) -> Option<String> {
    let mut terms = counts.over.terms();
    let is_count = counts.under.terms().next().is_none()
        && counts.number().is_none()
        && counts.over.constant.is_integer()
        && terms.all(|(quantity, by)| matches!(quantity, Quantity::Count(_)) && by.is_integer());
    let number = other.number().filter(|number| is_count && !number.is_integer())?;
    Some(rounded(number, false))
}

/// Whether a side of a comparison is the latency of a network.
pub(crate) fn is_latency(side: &Expr) -> bool {
    matches!(&side.kind, ExprKind::Name(name) if name == Measure::Latency.name())
}

/// Where a number without a unit stands that a latency is compared with.
pub(crate) fn unitless(sides: [&Expr; 2], is_latency: &dyn Fn(&Expr) -> bool) -> Option<Span> {
    let lacks_unit = |side: &Expr| match &side.kind {
        ExprKind::Number(literal) => {
            let is_zero = !literal.contains(|c: char| ('1'..='9').contains(&c));
            !is_zero && !literal.ends_with(|c: char| c.is_ascii_alphabetic())
        }
        _ => false,
    };
    let [left, right] = sides;
    let number = |measure, number| (is_latency(measure) && lacks_unit(number)).then_some(number);
    Some(number(left, right).or_else(|| number(right, left))?.span)
}

/// A number as so many milliseconds.
pub(crate) fn in_milliseconds(source: &Source, number: Span) -> Fix {
    let at = source.at(number);
    let says = |_: &str| format!("write `{}ms`, or another of `us`, `ms` and `s`", at.text());
    Fix::behind(at, "ms", says)
}

/// The sides of a comparison.
fn comparison(expr: &Expr) -> Option<(&Expr, &Expr)> {
    use BinaryOp::{Eq, Ge, Gt, Le, Lt, Ne};
    match &expr.kind {
        ExprKind::Binary(Eq | Ne | Lt | Le | Gt | Ge, left, right) => Some((left, right)),
        _ => None,
    }
}

/// `max` or `min` with a measure in it, and the arguments.
fn extreme(expr: &Expr) -> Option<(&str, impl Iterator<Item = &Expr>)> {
    match &expr.kind {
        ExprKind::Paren(inner) => extreme(inner),
        ExprKind::Call(name, args) if Elaborator::mentions(expr) => {
            let is_positional = args.iter().all(|arg| arg.name.is_none());
            let is_extreme = is_positional && matches!(name.name.as_str(), "max" | "min");
            is_extreme.then(|| (name.name.as_str(), args.iter().map(|arg| &arg.value)))
        }
        _ => None,
    }
}
