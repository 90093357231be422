//! Arguments bound to parameters: by place, by name and by default.

use nas_diagnostics::{Fix, Place, Reported, fault, nearest, one_of};
use nas_grammar::ast::{Ident, Param, Span};

use super::elaborator::Elaborator;
use super::errors::{MissingArgument, RepeatedArgument, TooManyArguments, UnknownArgument};
use super::limits::{Eval, Sound};
use super::value::Value;
use crate::foreign::{self, Here};

/// An evaluated argument.
#[derive(Clone)]
pub(super) struct Given<'p> {
    pub(super) name: Option<&'p Ident>,
    pub(super) value: Value,
    /// The argument, its name included.
    pub(super) span: Span,
    /// The value alone.
    pub(super) at: Span,
}

impl Given<'_> {
    /// Whether it stands in a call, and does not flow into it.
    pub(super) fn is_within(&self, call: Span) -> bool {
        call.start <= self.span.start && self.span.end <= call.end
    }
}

impl<'p> Elaborator<'p, '_> {
    /// The given value of each parameter.
    pub(super) fn bind_params(
        &mut self,
        callee: &str,
        params: &'p [Param],
        given: Vec<Given<'p>>,
        flowing: usize,
        span: Span,
    ) -> Sound<Vec<Option<Value>>> {
        let names: Vec<&str> = params.iter().map(|p| p.name.name.as_str()).collect();
        let places = self.assign_slots(callee, &names, &given, flowing)?;
        let missing: Vec<&str> = params
            .iter()
            .zip(&places)
            .filter(|(param, slot)| param.default.is_none() && slot.is_none())
            .map(|(param, _)| param.name.name.as_str())
            .collect();
        if !missing.is_empty() {
            return Err(self.missing(callee, &names, &missing, span));
        }
        Ok(take_slots(given, places))
    }

    pub(super) fn missing(
        &mut self,
        callee: &str,
        names: &[&str],
        missing: &[&str],
        span: Span,
    ) -> Reported {
        let quoted: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
        let edits: Vec<String> = missing.iter().map(|name| format!("{name} = …")).collect();
        let place = self.place(span, "not given here").advice(format!(
            "add `{}`; the parameters are `{callee}({})`",
            edits.join(", "),
            names.join(", ")
        ));
        self.report(MissingArgument::at(place, callee, quoted.join(", ")))
    }

    /// For each parameter, which of the given values it takes.
    pub(super) fn assign_slots(
        &mut self,
        callee: &str,
        names: &[&str],
        given: &[Given<'_>],
        flowing: usize,
    ) -> Sound<Vec<Option<usize>>> {
        let mut slots: Vec<Option<usize>> = vec![None; names.len()];
        let mut sound = Ok(());
        let (mut next, mut has_named) = (0, false);
        for (index, arg) in given.iter().enumerate() {
            has_named |= arg.name.is_some();
            let position = match arg.name {
                Some(name) => names.iter().position(|n| *n == name.name),
                // After a named argument, the next parameter that has no value yet.
                None => {
                    while has_named && slots.get(next).is_some_and(Option::is_some) {
                        next += 1;
                    }
                    next += 1;
                    Some(next - 1).filter(|&position| position < names.len())
                }
            };
            let Some(position) = position else {
                // What is too many is one report, at the first of them.
                let wrong = match (arg.name, sound) {
                    (Some(name), _) => self.unknown_argument(callee, names, name, arg.span),
                    (None, Err(reported)) if next > names.len() + 1 => reported,
                    (None, _) => self.too_many(callee, names, given, flowing),
                };
                sound = sound.and(Err(wrong));
                continue;
            };
            match slots.get_mut(position) {
                Some(slot @ None) => *slot = Some(index),
                Some(Some(first)) => {
                    let first = given.get(*first).map(|g| g.span).unwrap_or_default();
                    let name = names.get(position).copied().unwrap_or_default();
                    let source = self.source();
                    let help = one_of(source.at(first), source.at(arg.span));
                    let place = self.place(arg.span, "given again here");
                    let place = place.label(first, "first given here").help(help);
                    sound = sound.and(Err(self.report(RepeatedArgument::at(place, name))));
                }
                None => {}
            }
        }
        sound.map(|()| slots)
    }

    fn unknown_argument(
        &mut self,
        callee: &str,
        names: &[&str],
        name: &Ident,
        whole: Span,
    ) -> Reported {
        let source = self.source();
        let at = source.at(name.span);
        // A name that holds the one that is meant, such as `pool_kernel`.
        let is_part = |known: &&str| name.name.split('_').any(|word| word == *known);
        let meant = || {
            let near = nearest(&name.name, names.iter().copied());
            near.or_else(|| names.iter().copied().find(is_part))
        };
        let fix = match (foreign::parameter(&name.name), meant()) {
            (Some(here @ Here::Is(ours)), _) if names.contains(&ours) => {
                Fix::replace(at, ours, |_| here.words(&name.name))
            }
            (Some(here @ Here::LeftOut(_)), _) => {
                Fix::remove_listed(source.at(whole), |_| here.words(&name.name))
            }
            (_, Some(near)) => Fix::meant(at, near),
            (_, None) => Fix::remove_listed(source.at(whole), |_| {
                if names.is_empty() {
                    return "remove it; there are no parameters".to_owned();
                }
                format!("remove it; the parameters are `{callee}({})`", names.join(", "))
            }),
        };
        let place = self.place(name.span, "no such parameter").fix(fix);
        self.report(UnknownArgument::at(place, callee, name.name.clone()))
    }

    fn too_many(
        &mut self,
        callee: &str,
        names: &[&str],
        given: &[Given<'_>],
        flowing: usize,
    ) -> Reported {
        let positional: Vec<&Given<'_>> = given.iter().filter(|g| g.name.is_none()).collect();
        let repeated = repeated_flow(given, flowing);
        let surplus = repeated.or(positional.get(names.len()).copied());
        let Some(surplus) = surplus.or(given.last()) else { fault("too many of no arguments") };
        let takes = match names.len() {
            0 => "no arguments".to_owned(),
            1 => "1 argument".to_owned(),
            n => format!("{n} arguments"),
        };
        let more = positional.get(names.len() + 1..).unwrap_or_default();
        let is_row = names.len() + 1 + more.len() == given.len();
        let (span, label) = match more.last().filter(|_| repeated.is_none() && is_row) {
            Some(last) => (surplus.span.to(last.span), format!("{} too many", more.len() + 1)),
            None => (surplus.span, "one too many".to_owned()),
        };
        let source = self.source();
        let removed = Fix::remove_listed(source.at(span), |gone| format!("remove `{gone}`"));
        let place = match names.get(..flowing) {
            _ if repeated.is_some() => self.passed_already(surplus),
            Some([_, ..]) => self.place(span, label).fix(removed.and(format!(
                ": what stands before `->` is an argument too, of `{callee}({})`",
                names.join(", ")
            ))),
            _ if names.is_empty() => self.place(span, label).fix(removed),
            _ => self
                .place(span, label)
                .fix(removed.and(format!("; the parameters are `{callee}({})`", names.join(", ")))),
        };
        self.report(TooManyArguments::at(place, callee, takes, positional.len()))
    }

    /// The place of a tensor among the arguments that flows in as well.
    pub(super) fn passed_already(&self, again: &Given<'_>) -> Place {
        let fix = Fix::remove_listed(self.source().at(again.span), |gone| {
            format!("remove `{gone}`: `->` passes what stands before it as the first argument")
        });
        self.place(again.span, "passed again here").fix(fix)
    }

    /// Binds parameters in order, so that a default may use those before it. Where one has neither
    /// value nor default, that was reported.
    pub(super) fn bind_defaults(
        &mut self,
        params: &'p [Param],
        bound: Vec<Option<Value>>,
    ) -> Eval<()> {
        for (param, value) in params.iter().zip(bound) {
            let value = match (value, &param.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.expr(default)?,
                (None, None) => Reported::elsewhere().into(),
            };
            self.names.bind(&param.name.name, value);
        }
        Ok(())
    }
}

/// The tensor argument that stands where the first argument would, if one flows in already.
pub(super) fn repeated_flow<'g, 'p>(
    given: &'g [Given<'p>],
    flowing: usize,
) -> Option<&'g Given<'p>> {
    let next = given.get(flowing).filter(|_| flowing > 0)?;
    (next.name.is_none() && matches!(next.value, Value::Tensor(_))).then_some(next)
}

/// The given value that each slot takes.
pub(super) fn take_slots(given: Vec<Given<'_>>, slots: Vec<Option<usize>>) -> Vec<Option<Value>> {
    let mut values: Vec<Option<Value>> = given.into_iter().map(|g| Some(g.value)).collect();
    let take = |slot: Option<usize>| slot.and_then(|i| values.get_mut(i)?.take());
    slots.into_iter().map(take).collect()
}
