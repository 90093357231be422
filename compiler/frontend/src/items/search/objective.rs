//! `minimize`: from an expression to `cross_entropy + factor * measure`.

use nas_diagnostics::{Fix, Place, Problems, fault, suggested};
use nas_grammar::Source;
use nas_grammar::ast::{Expr, Span};
use nas_ir::Measure;
use nas_ir::exact::{Exact, decimal, real};
use nas_ir::linear::{Fault, Forms, Linear, names_in};
use nas_ir::recipe::anneal::number;
use nas_ir::recipe::{MINIMIZE, Objective};
use num_bigint::BigInt;
use num_traits::{Signed, Zero};

use super::errors::{
    ConstantTerm, NoCrossEntropy, NotLinear, RewardsCost, TwoMeasures, UnknownMeasure,
};
use super::statics::{Evaluate, Static};

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
    reader.objective(expr.span, &form.over)
}

struct Reader<'a> {
    source: &'a Source,
    evaluate: Evaluate<'a>,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn place(&self, at: Span, label: impl Into<String>) -> Place {
        let help = format!("write it like `minimize {}`", MINIMIZE.written);
        Place::new(self.source, at, label).advice(help)
    }

    /// Whether every name is loss, measure or a static value; reports those that are not.
    fn names_known(&mut self, expr: &Expr) -> bool {
        let mut known = true;
        for (at, name) in names_in(expr) {
            if Self::word(name).is_none() && (self.evaluate)(at, self.source).is_err() {
                self.unknown_measure(at.span, name);
                known = false;
            }
        }
        known
    }

    fn unknown_measure(&mut self, at: Span, name: &str) {
        let words: Vec<&str> =
            std::iter::once(LOSS).chain(Measure::SUMS.map(Measure::name)).collect();
        let help = suggested(self.source.at(at), name, &words, "an objective is made of");
        let place = Place::new(self.source, at, "neither the loss nor a measure").help(help);
        self.problems.push(UnknownMeasure::at(place, name));
    }

    fn objective(&mut self, at: Span, form: &Linear) -> Option<Objective> {
        let Linear { constant, loss, .. } = form;
        if !loss.is_positive() {
            let written = self.source.at(at);
            let place = if loss.is_negative() {
                self.place(at, "this rewards a high loss")
            } else {
                self.place(at, "what the network should learn is missing").fix(Fix::replace(
                    written,
                    format!("{LOSS} + {}", written.text()),
                    |new| format!("write `minimize {new}`"),
                ))
            };
            self.problems.push(NoCrossEntropy::at(place));
            return None;
        }
        if !constant.is_zero() {
            let constant = real(constant).map(number).unwrap_or_default();
            let place = self.place(at, format!("this adds {constant}"));
            self.problems.push(ConstantTerm::at(place.advice("leave the constant out")));
            return None;
        }
        let mut weighed = form.terms().map(|(quantity, factor)| {
            let measure = quantity.measure();
            (measure.unwrap_or_else(|| fault("an objective of what is no measure")), factor)
        });
        let Some((measure, factor)) = weighed.next() else {
            return Some(Objective { factor: 0.0, ..MINIMIZE.default });
        };
        if let Some((other, _)) = weighed.next() {
            let place = self.place(at, format!("both `{}` and `{}`", measure.name(), other.name()));
            self.problems.push(TwoMeasures::at(place.advice("keep the one that matters")));
            return None;
        }
        if factor.is_negative() {
            let word = measure.name();
            let place = self.place(at, format!("more `{word}` makes this smaller"));
            let place = place.advice("add the measure, do not subtract it");
            self.problems.push(RewardsCost::at(place, word));
            return None;
        }
        match real(&(factor / loss)) {
            Some(factor) => Some(Objective { factor, measure }),
            None => {
                self.report_fault(at, Fault::TooLarge);
                None
            }
        }
    }
}

impl<'p> Forms<'p> for Reader<'_> {
    const DIVIDES: bool = false;

    fn word(name: &str) -> Option<Linear> {
        let sum = || Measure::named(name).filter(|measure| measure.is_sum());
        if name == LOSS { Some(Linear::loss()) } else { sum().map(Linear::quantity) }
    }

    fn number(&mut self, expr: &'p Expr) -> Option<Exact> {
        let number = match (self.evaluate)(expr, self.source) {
            Ok(Static::Integer(value)) => Some(Exact::from(BigInt::from(value))),
            Ok(Static::Real(value)) => decimal(value),
            Ok(_) => None,
            Err(problems) => {
                self.problems.extend(problems);
                return None;
            }
        };
        if number.is_none() {
            self.report_fault(expr.span, Fault::NoNumber);
        }
        number
    }

    fn report_fault(&mut self, span: Span, fault: Fault) {
        let place = self.place(span, fault.label());
        self.problems.push(NotLinear::at(place));
    }
}
