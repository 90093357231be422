//! The candidates of a choice, before any of them is elaborated: by comprehension or from a list.

use nas_diagnostics::{Fix, Help, Place, Reported};
use nas_grammar::ast::{self, Alternatives, Arm, Choose, Span};
use nas_grammar::source::At;
use rustc_hash::FxHashMap as HashMap;

use super::elaborator::Elaborator;
use super::errors::{DuplicateCandidate, TooManyCandidates, WrongAlternatives};
use super::help::Wanted;
use super::limits::{Abort, Eval, Sound};
use super::scope::Mark;
use super::value::{BYTES, Value};

/// The most candidates of one decision.
pub(super) const MAX_CANDIDATES: usize = 4096;

/// A candidate that is not yet elaborated.
pub(super) struct Candidate<'p> {
    pub(super) name: String,
    /// Where its name was written, or the list that holds it.
    pub(super) span: Span,
    /// All of it, if it was written out.
    pub(super) whole: Option<Span>,
    pub(super) guard: Option<&'p ast::Expr>,
    pub(super) content: Content<'p>,
}

pub(super) enum Content<'p> {
    /// An expression or a step, and what the comprehension around it bound.
    Arm(&'p ast::Expr, Vec<(&'p str, Value)>),
    /// An element of a list.
    Element(Value),
}

/// Candidates on the way to a decision.
#[derive(Default)]
pub(super) struct Candidates<'p> {
    pub(super) list: Vec<Candidate<'p>>,
    /// Where each name was first written.
    names: HashMap<String, Span>,
}

/// A choice under way.
pub(super) struct Choosing<'p> {
    pub(super) choose: &'p Choose,
    /// All of it.
    pub(super) whole: Span,
    /// The last part of its path.
    pub(super) part: String,
    pub(super) path: String,
}

impl<'p> Candidates<'p> {
    fn push(&mut self, candidate: Candidate<'p>) {
        self.names.insert(candidate.name.clone(), candidate.span);
        self.list.push(candidate);
    }
}
impl Candidate<'_> {
    /// The short values that comprehensions have bound for it, as they are written.
    pub(super) fn bound(&self) -> Vec<(String, String)> {
        let Content::Arm(_, bound) = &self.content else { return Vec::new() };
        let short = |value: &Value| match value {
            Value::Int(_) | Value::Real(_) | Value::Bool(_) => Some(value.to_string()),
            Value::Text(text) => (text.len() < 2 * BYTES).then(|| format!("\"{text}\"")),
            _ => None,
        };
        bound.iter().filter_map(|(name, v)| Some(((*name).to_owned(), short(v)?))).collect()
    }

    pub(super) fn value_span(&self) -> Span {
        match &self.content {
            Content::Arm(expr, _) => expr.span,
            Content::Element(_) => self.span,
        }
    }
}

impl<'p> Elaborator<'p, '_> {
    /// Collects the candidates that exist.
    pub(super) fn arms(
        &mut self,
        arms: &'p [Arm],
        choosing: &Choosing<'p>,
        candidates: &mut Candidates<'p>,
    ) -> Eval<Sound<()>> {
        let from = self.names.open();
        self.collect(arms, &mut |this, candidate| {
            let name = match this.text(&candidate.name, candidate.name_span)? {
                Value::Text(name) => name,
                other => return Ok(Err(this.no_name(&other, candidate.name_span))),
            };
            let name_span = candidate.name_span;
            if let Err(reported) = this.has_room(&name, name_span, from, choosing, candidates)? {
                return Ok(Err(reported));
            }
            candidates.push(Candidate {
                name: name.to_string(),
                span: candidate.name_span,
                whole: Some(candidate.span()),
                guard: candidate.guard.as_ref(),
                content: Content::Arm(&candidate.value, this.names.since(from)),
            });
            Ok(Ok(()))
        })
    }

    /// Reports a name of a candidate that is no string.
    fn no_name(&mut self, name: &Value, span: Span) -> Reported {
        let help = || Help::advice("name a candidate by values that are the same in every network");
        self.wrong_kind_with(name, Wanted::Shown, span, help)
    }

    /// Shows every candidate whose guard holds, with the names of its comprehension bound.
    fn collect(
        &mut self,
        arms: &'p [Arm],
        show: &mut dyn FnMut(&mut Self, &'p ast::Candidate) -> Eval<Sound<()>>,
    ) -> Eval<Sound<()>> {
        let mut sound = Ok(());
        for arm in arms {
            match arm {
                Arm::Candidate(candidate) => {
                    let exists = match &candidate.guard {
                        Some(guard) => self.condition(guard)?,
                        None => Ok(true),
                    };
                    let shown = match exists {
                        Ok(true) => show(self, candidate)?,
                        Ok(false) => Ok(()),
                        Err(reported) => Err(reported),
                    };
                    sound = sound.and(shown);
                }
                Arm::For(clauses, inner) => {
                    let mut inside = Ok(());
                    let done = self.for_each(clauses, &mut |this| {
                        inside = inside.and(this.collect(inner, show)?);
                        Ok(())
                    })?;
                    sound = sound.and(done).and(inside);
                }
            }
        }
        Ok(sound)
    }

    /// Whether there is no candidate of this name yet, and there are not too many. `from` is where
    /// the names begin that comprehensions have bound.
    fn has_room(
        &mut self,
        name: &str,
        span: Span,
        from: Mark,
        choosing: &Choosing<'p>,
        candidates: &Candidates<'p>,
    ) -> Eval<Sound<()>> {
        self.charge(name.len() / BYTES, span)?;
        if candidates.list.len() >= MAX_CANDIDATES {
            let place = self.place(choosing.choose.head, "more candidates than that");
            return Err(Abort(self.too_many_ways(place.advice("choose among fewer"), choosing)));
        }
        let Some(&first) = candidates.names.get(name) else { return Ok(Ok(())) };
        let place = self.place(span, format!("`{name}` again"));
        let place = match choosing.choose.alternatives {
            Alternatives::Values(_) => place.advice("leave out one of them"),
            Alternatives::Arms(_) if first == span => {
                let bound = self.names.since(from).into_iter().map(|(name, _)| name).collect();
                place.help(varied_name(self.source().at(span), bound))
            }
            Alternatives::Arms(_) => place.label(first, "first here").advice("rename one of them"),
        };
        Ok(Err(self.report(DuplicateCandidate::at(place, choosing.path.clone(), name))))
    }

    pub(super) fn too_many_ways(&mut self, place: Place, choosing: &Choosing<'p>) -> Reported {
        self.report(TooManyCandidates::at(place, choosing.path.clone(), MAX_CANDIDATES))
    }

    /// The elements of a list as candidates, named by what they are.
    pub(super) fn elements_of(
        &mut self,
        list: &'p ast::Expr,
        choosing: &Choosing<'p>,
        candidates: &mut Candidates<'p>,
    ) -> Eval<Sound<()>> {
        let value = self.expr(list)?;
        let Value::List(elements) = &value else {
            return Ok(Err(self.wrong_kind(&value, Wanted::List, list.span)));
        };
        let written_out = written_out(list).filter(|spans| spans.len() == elements.len());
        let whole = |index: usize| written_out.as_ref()?.get(index).copied();
        for (index, element) in elements.iter().enumerate() {
            let name = match element {
                Value::Poison(reported) => return Ok(Err(*reported)),
                Value::Tensor(_) => index.to_string(),
                Value::Callable(_, name) => name.to_string(),
                Value::Chosen(_) => {
                    let place = self.place(list.span, "an element of this depends on a decision");
                    let place =
                        place.advice("choose among fixed values, and compute with the result");
                    let path = choosing.path.clone();
                    return Ok(Err(self.report(WrongAlternatives::at(place, path))));
                }
                fixed => fixed.to_string(),
            };
            let from = self.names.open();
            if let Err(reported) = self.has_room(&name, list.span, from, choosing, candidates)? {
                return Ok(Err(reported));
            }
            let content = Content::Element(element.clone());
            let whole = whole(index);
            candidates.push(Candidate { name, span: list.span, whole, guard: None, content });
        }
        Ok(Ok(()))
    }
}

/// A name with what comprehensions vary in it.
fn varied_name(at: At<'_>, bound: Vec<&str>) -> Help {
    let says = |new: &str| format!("put what the `for` varies into the name, such as {new}");
    let name = at.text().trim_matches('"');
    let mut bound: Vec<String> = bound.into_iter().map(|name| format!("{{{name}}}")).collect();
    bound.retain(|shown| !name.contains(shown));
    if bound.is_empty() {
        return Help::advice(says("\"k{k}\""));
    }
    Fix::replace(at, format!("\"{name}{}\"", bound.join("_")), says).into()
}

/// Where the elements of a list stand, if each is written out.
fn written_out(list: &ast::Expr) -> Option<Vec<Span>> {
    match &list.kind {
        ast::ExprKind::Paren(inner) => written_out(inner),
        ast::ExprKind::List(elements) => {
            let span = |element: &ast::Element| match element {
                ast::Element::Value(value) => Some(value.span),
                ast::Element::For(..) => None,
            };
            elements.iter().map(span).collect()
        }
        _ => None,
    }
}
