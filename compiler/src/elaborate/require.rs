//! `require`: a claim about every network that a search may return.

use nas_grammar::ast::{Expr, ExprKind, Span};

use super::errors::{NoClaim, UnknownRequirement};
use super::{Elaborator, Eval, Value};
use crate::measure::Measure;
use crate::names::did_you_mean;

impl<'p> Elaborator<'p, '_> {
    /// Checks the names of a requirement, and that it is true or false.
    pub(super) fn require(&mut self, claim: &'p Expr) -> Eval<()> {
        if let Some((name, span)) = self.unknown_in(claim) {
            let place = self.place(span, "no such measure");
            let place = place.help(did_you_mean(&name, &Measure::ALL.map(Measure::name), "the measures are"));
            self.report(UnknownRequirement::at(place, name));
            return Ok(());
        }
        let mark = self.names.open();
        for measure in Measure::ALL {
            self.names.bind(measure.name(), Value::small(1));
        }
        let value = self.expr(claim);
        self.names.forget(mark);
        let value = value?;
        if !matches!(value, Value::Bool(_) | Value::Poison) {
            let text = self.snippet(claim.span);
            let place = self.place(claim.span, "not a comparison");
            let place = place.help(format!("compare it: `require {text} <= 300M`"));
            self.report(NoClaim::at(place));
        }
        Ok(())
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
