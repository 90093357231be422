//! What `elastic` may vary: the weights with each candidate are a part of those with one of them.

use std::cell::RefCell;

use indexmap::IndexSet;
use nas_diagnostics::{Fix, Help, Place, Reported, fault};
use nas_grammar::ast::Span;
use nas_ir::diagram::{Diagram, Joint};
use nas_ir::operation::{elastic_rows, for_each_pair, is_window};
use nas_ir::ops::Weight;
use nas_ir::{DecisionId, Op, Shape};

use super::elaborator::Elaborator;
use super::errors::NoSlice;
use super::limits::Sound;

/// An operator in one case, with its weights.
struct Weighted<'o> {
    op: &'o Op,
    weights: Vec<Weight>,
}

impl Elaborator<'_, '_> {
    /// Whether the candidates of each elastic decision can have these weights in common, where
    /// nothing else differs; else it is reported.
    pub(super) fn can_share(
        &mut self,
        joint: &Joint,
        cases: &[(&Op, Vec<Shape>)],
        span: Span,
    ) -> Sound<()> {
        let rows = elastic_rows(&self.space, &self.space.selectors, joint.selector);
        if rows.is_empty() {
            return Ok(());
        }
        let weighted =
            cases.iter().map(|(op, inputs)| Weighted { op, weights: op.weights(inputs) });
        let cases: Vec<Weighted<'_>> = weighted.collect();
        let apart = rows.into_iter().find_map(|(decision, siblings)| {
            self.apart(&siblings, &cases).map(|reason| (decision, reason))
        });
        match apart {
            Some((decision, reason)) => Err(self.no_slice(decision, reason, span)),
            None => Ok(()),
        }
    }

    /// Why the weights with some sibling are no part of those with the largest one.
    fn apart(&mut self, siblings: &[Diagram], cases: &[Weighted<'_>]) -> Option<String> {
        let selectors = &mut self.space.selectors;
        let elements = |sibling: Diagram| {
            let taken = selectors.leaves(sibling).into_iter();
            let taken = taken.filter_map(|&case| cases.get(case as usize));
            let of_case = |case: &Weighted<'_>| case.weights.iter().map(Weight::elements).sum();
            taken.map(of_case).max().unwrap_or(0u64)
        };
        let sizes: Vec<u64> = siblings.iter().map(|&sibling| elements(sibling)).collect();
        let most = sizes.iter().copied().max()?;
        // Several may be as large in some case, of which one is as large in each.
        let largest = siblings.iter().zip(&sizes).filter(|(_, size)| **size == most);
        let mut reasons = Vec::new();
        for (&largest, _) in largest {
            let pairs = RefCell::new(IndexSet::new());
            for &sibling in siblings {
                for_each_pair(selectors, largest, sibling, &|large, small| {
                    pairs.borrow_mut().insert((large, small));
                });
            }
            reasons.push(pairs.into_inner().into_iter().find_map(|(large, small)| {
                misfit(cases.get(large as usize)?, cases.get(small as usize)?)
            })?);
        }
        reasons.into_iter().next()
    }

    fn no_slice(&mut self, id: DecisionId, reason: String, span: Span) -> Reported {
        let decision = self.space.decision(id);
        let decision = decision.unwrap_or_else(|| fault("a selector by no decision"));
        let label = decision.label.clone();
        let mut chain = self.space.origins.chain(decision.origin).into_iter();
        let first = chain.next();
        let (source, at) = first.unwrap_or_else(|| fault("a decision without its place"));
        let place = Place::new(&source, at, "its candidates share weights").chain(chain.collect());
        let is_around =
            span.range().start <= at.range().start && at.range().end <= span.range().end;
        let is_apart = source.name() == self.source().name() && !is_around;
        let place = if is_apart { place.label(span, "these weights") } else { place };
        let says = |new: &str| {
            format!(
                "write `{new}` instead of `elastic`: then each candidate has weights of its own"
            )
        };
        let head = source.at(at);
        let start = at.range().start;
        let word = head.move_to(start, start + "elastic".len());
        let is_written = word.text() == "elastic";
        let fix = is_written.then(|| Fix::replace(word, "choose", says).into());
        let help = fix.unwrap_or_else(|| Help::Advice(says("choose")));
        self.report(NoSlice::at(place.help(help), label, reason))
    }
}

/// Why the weights of one case are no part of those of another.
fn misfit(large: &Weighted<'_>, small: &Weighted<'_>) -> Option<String> {
    let groups = [large, small].map(|case| case.op.arguments().get("groups"));
    small.weights.iter().find_map(|part| {
        let whole = large.weights.iter().find(|weight| weight.role == part.role)?;
        let axes = part.dims.iter().zip(&whole.dims).enumerate();
        axes.filter(|(_, (size, of))| size != of).find_map(|(axis, (&size, &of))| {
            let has_middle = !is_window(part.role, axis) || of.abs_diff(size).is_multiple_of(2);
            let direction = if axis == 2 { "high" } else { "wide" };
            match groups {
                [Some(one), Some(other)] if axis == 1 && one != other => Some(format!(
                    "with `groups = {one}` and `groups = {other}`, weights join other channels"
                )),
                _ if size > of => Some(format!("neither of {} holds the other", both(whole, part))),
                _ if !has_middle => Some(format!(
                    "a kernel {size} {direction} is not the centre of one {of} {direction}"
                )),
                _ => None,
            }
        })
    })
}

/// Two tensors of weights in words.
fn both(a: &Weight, b: &Weight) -> String {
    match (a.dims.as_slice(), b.dims.as_slice()) {
        ([_, _, a @ ..], [_, _, b @ ..]) if a.len() == 2 && a != b => {
            format!("the kernels {} and {}", pair(a), pair(b))
        }
        (a, b) => format!("the weights {a:?} and {b:?}"),
    }
}

fn pair(sizes: &[u32]) -> String {
    let sizes: Vec<String> = sizes.iter().map(u32::to_string).collect();
    format!("({})", sizes.join(", "))
}
