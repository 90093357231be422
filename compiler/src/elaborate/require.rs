//! `require`: limits that every network keeps which a search may return.

use nas_grammar::ast::{BinaryOp, Expr, ExprKind, Span, UnaryOp};
use num_traits::Zero;

use super::errors::{NoClaim, NotLinear, UnknownRequirement};
use super::{Elaborator, Eval};
use crate::measure::Measure;
use crate::names::did_you_mean;
use crate::requirement::{Exact, Linear, Requirement, exact};

impl<'p> Elaborator<'p, '_> {
    /// Adds the limits of a requirement to the space.
    pub(super) fn require(&mut self, claim: &'p Expr) -> Eval<()> {
        if let Some((name, span)) = self.unknown_in(claim) {
            let place = self.place(span, "no such measure");
            let names = Measure::ALL.map(Measure::name);
            let place = place.help(did_you_mean(&name, &names, "the measures are"));
            self.report(UnknownRequirement::at(place, name));
            return Ok(());
        }
        self.claim(claim)
    }

    fn claim(&mut self, claim: &'p Expr) -> Eval<()> {
        use BinaryOp::{And, Eq, Ge, Gt, Le, Lt};
        match &claim.kind {
            ExprKind::Paren(inner) => self.claim(inner),
            ExprKind::Binary(And, left, right) => {
                self.claim(left)?;
                self.claim(right)
            }
            ExprKind::Binary(op @ (Le | Lt | Ge | Gt | Eq), left, right) => {
                let (Some(left), Some(right)) = (self.linear(left)?, self.linear(right)?) else {
                    return Ok(());
                };
                let minus = |a: &Linear, b: &Linear| a.plus(&b.times(&-exact_one()));
                let is_strict = matches!(op, Lt | Gt);
                if matches!(op, Le | Lt | Eq) {
                    self.limit(claim, &minus(&left, &right), is_strict);
                }
                if matches!(op, Ge | Gt | Eq) {
                    self.limit(claim, &minus(&right, &left), is_strict);
                }
                Ok(())
            }
            _ => {
                self.no_claim(claim);
                Ok(())
            }
        }
    }

    fn no_claim(&mut self, claim: &Expr) {
        let text = self.snippet(claim.span);
        let (label, help) = match &claim.kind {
            ExprKind::Binary(BinaryOp::Or, ..) => (
                "either may hold",
                "keep the limit that matters; both: join them with `and`".into(),
            ),
            ExprKind::Binary(BinaryOp::Ne, ..) | ExprKind::Unary(UnaryOp::Not, _) => {
                ("this is no limit", "compare with `<=` or `>=`".into())
            }
            _ => ("not a comparison", format!("compare it: `require {text} <= 300M`")),
        };
        let place = self.place(claim.span, label).help(help);
        self.report(NoClaim::at(place));
    }

    fn limit(&mut self, claim: &Expr, form: &Linear, is_strict: bool) {
        let Some((limit, unit)) = form.limit(is_strict) else {
            self.not_linear(claim.span, "this limits no measure");
            return;
        };
        let (text, origin) = (self.snippet(claim.span), Some(self.origin(claim.span)));
        self.space.requirements.push(Requirement { text, origin, limit, unit });
    }

    /// A side of a comparison; `None` after a report.
    fn linear(&mut self, expr: &'p Expr) -> Eval<Option<Linear>> {
        match &expr.kind {
            ExprKind::Paren(inner) => self.linear(inner),
            ExprKind::Name(name) if Measure::named(name).is_some() => {
                Ok(Measure::named(name).map(Linear::measure))
            }
            ExprKind::Unary(UnaryOp::Neg, inner) => {
                Ok(self.linear(inner)?.map(|inner| inner.times(&-exact_one())))
            }
            ExprKind::Binary(op, left, right) if mentions_measure(expr) => {
                let (Some(left), Some(right)) = (self.linear(left)?, self.linear(right)?) else {
                    return Ok(None);
                };
                Ok(self.combined(expr.span, *op, &left, &right))
            }
            _ if mentions_measure(expr) => {
                self.not_linear(expr.span, "no sum of multiples of measures");
                Ok(None)
            }
            _ => {
                let value = self.expr(expr)?;
                if value.is_poison() {
                    return Ok(None);
                }
                if let Some(number) = exact(&value) {
                    return Ok(Some(Linear::constant(number)));
                }
                self.not_linear(expr.span, &format!("this is {}", value.describe()));
                Ok(None)
            }
        }
    }

    fn combined(&mut self, span: Span, op: BinaryOp, a: &Linear, b: &Linear) -> Option<Linear> {
        let label = match (op, a.number(), b.number()) {
            (BinaryOp::Add, ..) => return Some(a.plus(b)),
            (BinaryOp::Sub, ..) => return Some(a.plus(&b.times(&-exact_one()))),
            (BinaryOp::Mul, Some(factor), _) => return Some(b.times(factor)),
            (BinaryOp::Mul, _, Some(factor)) => return Some(a.times(factor)),
            (BinaryOp::Div, _, Some(divisor)) if !divisor.is_zero() => {
                return Some(a.times(&divisor.recip()));
            }
            (BinaryOp::Div, _, Some(_)) => "this divides by zero",
            (BinaryOp::Mul, None, None) => "this multiplies two measures",
            (BinaryOp::Div, _, None) => "this divides by a measure",
            _ => "only `+`, `-`, `*` and `/` are linear",
        };
        self.not_linear(span, label);
        None
    }

    fn not_linear(&mut self, span: Span, label: &str) {
        let help = "limit a sum of multiples of measures: `require macs + 10 * params <= 300M`";
        let place = self.place(span, label).help(help);
        self.report(NotLinear::at(place));
    }

    /// A name that is neither a measure nor anything in scope.
    fn unknown_in(&mut self, claim: &'p Expr) -> Option<(String, Span)> {
        match &claim.kind {
            ExprKind::Name(name) => {
                let is_known = Measure::named(name).is_some()
                    || self.names.get(name).is_some()
                    || self.program.constant(self.module, name).is_some();
                (!is_known).then(|| (name.clone(), claim.span))
            }
            ExprKind::Binary(_, left, right) => {
                self.unknown_in(left).or_else(|| self.unknown_in(right))
            }
            ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => self.unknown_in(inner),
            _ => None,
        }
    }
}

fn exact_one() -> Exact {
    num_traits::One::one()
}

/// Whether a measure is named in it.
fn mentions_measure(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Name(name) => Measure::named(name).is_some(),
        ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => mentions_measure(inner),
        ExprKind::Binary(_, left, right) => mentions_measure(left) || mentions_measure(right),
        ExprKind::Call(_, args) => args.iter().any(|arg| mentions_measure(&arg.value)),
        _ => false,
    }
}
