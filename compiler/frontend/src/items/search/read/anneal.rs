//! Values that move over the epochs, and the laws by which they do.

use nas_diagnostics::{Fix, Help, Place, suggested};
use nas_grammar::ast::{Expr, ExprKind, Law as Written, Span};
use nas_ir::recipe::anneal::number;
use nas_ir::recipe::schema::{Bounds, Kind};
use nas_ir::recipe::{Anneal, Law};

use super::super::errors::{ExponentialEnd, LawArgument, StrayLaw, UnknownLaw};
use super::super::statics::Static;
use super::{Reader, Slot, bare};

impl Reader<'_> {
    pub(super) fn anneal(
        &mut self,
        slot: Slot<'_>,
        expr: &Expr,
        law: Option<&Written>,
        bounds: Bounds,
    ) -> Option<Anneal> {
        let ExprKind::Pipeline(from, steps) = &bare(expr).kind else {
            let value = self.real(slot, expr, bounds);
            if let Some(law) = law {
                self.stray_law(slot, law);
                return None;
            }
            return value.map(Anneal::constant);
        };
        let [to] = steps.as_slice() else {
            return self.wrong(slot, expr.span, "a value with more than two ends");
        };
        let ends = [self.real(slot, from, bounds), self.real(slot, to, bounds)];
        let law = law.map_or(Some(Law::Linear), |word| self.law(slot, word));
        let ([Some(start), Some(end)], Some(law)) = (ends, law) else { return None };
        if law.is_by_factors() && (start <= 0.0 || end <= 0.0) {
            let (low, at) = if end <= 0.0 { (end, to.span) } else { (start, from.span) };
            let word = law.word();
            let place = slot
                .place(at, "both ends must be above 0")
                .advice(format!("write a small number above 0, or `cosine` instead of `{word}`"));
            self.problems.push(ExponentialEnd::at(place, word, number(low)));
            return None;
        }
        Some(Anneal { from: start, to: end, law })
    }

    fn law(&mut self, slot: Slot<'_>, written: &Written) -> Option<Law> {
        let word = &written.name;
        let known = Law::WORDS.iter().find(|(name, _)| *name == word.name);
        let Some((_, law)) = known else {
            let names: Vec<&str> = Law::WORDS.iter().map(|(name, _)| *name).collect();
            let at = slot.source.at(word.span);
            let help = suggested(at, &word.name, &names, "the laws are");
            let place = Place::new(slot.source, word.span, "no law of annealing").help(help);
            self.problems.push(UnknownLaw::at(place, word.name.as_str()));
            return None;
        };
        match &written.argument {
            Some(argument) => self.argument(slot, *law, written, argument),
            None => Some(*law),
        }
    }

    /// A law with the argument that is given.
    fn argument(
        &mut self,
        slot: Slot<'_>,
        law: Law,
        written: &Written,
        argument: &Expr,
    ) -> Option<Law> {
        let (word, at) = (law.word(), argument.span);
        let Some((bounds, is_whole)) = law.arguments() else {
            let behind = Span { start: written.name.span.end, ..written.span };
            let fix = Fix::remove(slot.source.at(behind), |_| format!("write `{word}`"));
            let place = Place::new(slot.source, at, "leave this out").fix(fix);
            self.problems.push(LawArgument::at(place, word, "no argument"));
            return None;
        };
        let value = match (self.evaluate)(argument, slot.source) {
            Ok(Static::Integer(value)) => Some(value as f64),
            Ok(Static::Real(value)) => Some(value),
            Ok(_) => None,
            Err(problems) => {
                self.problems.extend(problems);
                return None;
            }
        };
        let is_fit = |value: &f64| bounds.contains(*value) && (!is_whole || value.fract() == 0.0);
        let value = value.filter(is_fit);
        if value.is_none() {
            let what = if is_whole { "a whole number" } else { "a number" };
            let example = law.argument().map(number).unwrap_or_default();
            let says = |new: &str| format!("write `{word}({new})`");
            let fix = Fix::replace(slot.source.at(at), example, says);
            let place = Place::new(slot.source, at, "this is none").fix(fix);
            self.problems.push(LawArgument::at(place, word, format!("{what}, {bounds}")));
        }
        value.map(|value| law.with(value))
    }

    pub(super) fn stray_law(&mut self, slot: Slot<'_>, law: &Written) {
        let help = match slot.field.kind {
            Kind::Anneal { .. } => {
                let known = Law::WORDS.iter().find(|(word, _)| *word == law.name.name);
                let word = known.map_or("linear", |(word, _)| word);
                Help::advice(format!(
                    "write both ends, as in `{} = 0.1 -> 0.01 {word}`",
                    slot.field.name
                ))
            }
            _ => Fix::remove(slot.source.at(law.span), |gone| format!("leave `{gone}` out")).into(),
        };
        let place = slot.place(law.span, "nothing moves here").help(help);
        self.problems.push(StrayLaw::at(place, law.name.name.as_str()));
    }
}
