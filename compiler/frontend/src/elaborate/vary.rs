//! What depends on decisions: evaluated once for each case, under the condition of the case, and
//! joined by the same decisions.

use std::rc::Rc;

use nas_diagnostics::fault;
use nas_grammar::ast::Span;
use nas_ir::diagram::{Diagram, Joint};
use nas_ir::{NodeId, NodeKind, Shape, Varied, varied};

use super::elaborator::Elaborator;
use super::elaborator::Guard;
use super::errors::{Entangled, MixedKinds};
use super::limits::{Abort, Eval, Sound};
use super::value::selectors_in;
use super::value::{Value, Values};

/// The most cases that one expression may have.
const MAX_CASES: usize = 4096;

/// What it costs to bring one more value into the cases of several.
const PART: usize = 16;

/// The most that a case costs beside the values that are picked for it.
const CASE: usize = 64;

/// Values that can be looked at for one step.
const LOOKED_AT: usize = 8;

/// Which of several cases holds, if there are several, and what is in each.
type Cases<T> = (Option<Diagram>, Vec<T>);

impl<'p> Elaborator<'p, '_> {
    /// Elaborates something that exists under a condition only.
    pub(super) fn when<T>(
        &mut self,
        guard: Guard,
        inner: impl FnOnce(&mut Self) -> Eval<T>,
    ) -> Eval<T> {
        self.guards.push(guard);
        let result = inner(self);
        self.guards.pop();
        result
    }

    fn condition_of(&mut self, guard: &Guard) -> Diagram {
        let selectors = &mut self.space.selectors;
        match *guard {
            Guard::Candidate(decision, candidate, width) => {
                let choice = selectors.choice(decision, width);
                selectors.is(choice, candidate as u32)
            }
            Guard::Case(selector, index) | Guard::Value(selector, index) => {
                selectors.is(selector, index)
            }
        }
    }

    /// The condition under which what is being elaborated exists.
    pub(super) fn context(&mut self, is_part: impl Fn(&Guard) -> bool) -> Diagram {
        let guards: Vec<Guard> =
            self.guards.iter().filter(|guard| is_part(guard)).copied().collect();
        let always = self.space.selectors.constant(1);
        guards.iter().fold(always, |context, guard| {
            let condition = self.condition_of(guard);
            self.space.selectors.and(context, condition)
        })
    }

    /// The case to report of those that fail, under the fewest choices that lead to failure.
    pub(super) fn failing(&mut self, joint: &Joint, fails: &[usize]) -> Option<(usize, Guard)> {
        let context = self.context(|_| true);
        let selectors = &mut self.space.selectors;
        let is_failing = |case: u32| u32::from(fails.contains(&(case as usize)));
        let condition = selectors.rename(joint.selector, &is_failing);
        let choices = selectors.explain(context, condition)?;
        let mut guard = selectors.constant(1);
        for (decision, candidate) in choices {
            let width = self.space.decisions.get(decision.index())?.candidates.len();
            let made = self.condition_of(&Guard::Candidate(decision, candidate, width));
            guard = self.space.selectors.and(guard, made);
        }
        let never = self.space.selectors.constant(0);
        let case = fails.iter().copied().find(|&index| {
            let here = self.space.selectors.is(joint.selector, index as u32);
            self.space.selectors.and(here, guard) != never
        });
        Some((case?, Guard::Value(guard, 1)))
    }

    /// The cases that the selectors make together, here.
    pub(super) fn cases(&mut self, parts: &[Diagram], span: Span) -> Eval<Rc<Joint>> {
        self.charge(PART * parts.len(), span)?;
        let context = self.context(|_| true);
        let selectors = &mut self.space.selectors;
        let joint = selectors.joint_with(context, parts.to_vec(), &mut self.joints);
        self.charge(joint.combinations.len(), span)?;
        if joint.combinations.len() <= MAX_CASES && !self.space.selectors.is_full() {
            return Ok(joint);
        }
        let mut decisions = std::collections::BTreeSet::new();
        for &part in parts {
            decisions.extend(self.space.selectors.decisions(part));
        }
        let paths = self.space.paths(decisions);
        let place = self.place(span, "this depends on them");
        let place = place.advice("let fewer choices meet here: leave one out, or share one");
        Err(Abort(self.report(Entangled::at(place, paths, MAX_CASES))))
    }

    /// Evaluates `of` once for each case of the values, with values that depend on nothing, and
    /// joins the results. `what` names the select that joins tensors.
    pub(super) fn lift(
        &mut self,
        values: &[Value],
        what: &str,
        span: Span,
        of: &mut dyn FnMut(&mut Self, &[Value]) -> Eval<Value>,
    ) -> Eval<Value> {
        let cases = self.each_case(values, Guard::Value, span, of)?;
        self.joined(cases, what, span)
    }

    /// As [`Elaborator::lift`], where `of` makes a part of the graph: what is wrong with that need
    /// not be wrong with the values.
    pub(super) fn lift_parts(
        &mut self,
        values: &[Value],
        what: &str,
        span: Span,
        of: &mut dyn FnMut(&mut Self, &[Value]) -> Eval<Value>,
    ) -> Eval<Value> {
        let cases = self.each_case(values, Guard::Case, span, of)?;
        self.joined(cases, what, span)
    }

    fn joined(&mut self, cases: Cases<Value>, what: &str, span: Span) -> Eval<Value> {
        match cases {
            (None, results) => {
                Ok(results.into_iter().next().unwrap_or_else(|| fault("no case of a value")))
            }
            (Some(selector), results) => self.join(selector, &results, what, span),
        }
    }

    /// As [`Elaborator::lift`], for results that depend on nothing themselves.
    pub(super) fn lift_fixed<T: Clone + PartialEq>(
        &mut self,
        values: &[Value],
        span: Span,
        of: &mut dyn FnMut(&mut Self, &[Value]) -> Sound<T>,
    ) -> Eval<Sound<Varied<T>>> {
        let (selector, results) =
            self.each_case(values, Guard::Value, span, &mut |this, picked| Ok(of(this, picked)))?;
        let results = match results.into_iter().collect::<Sound<Vec<T>>>() {
            Ok(results) => results,
            Err(reported) => return Ok(Err(reported)),
        };
        let joined = match selector {
            None => results.into_iter().next().map(Varied::Fixed),
            Some(by) => varied(&mut self.space.selectors, by, &results, PartialEq::eq),
        };
        Ok(Ok(joined.unwrap_or_else(|| fault("no case of a value"))))
    }

    /// What `of` makes of each case of the values, and which of the cases holds; no selector where
    /// there is one.
    fn each_case<T>(
        &mut self,
        values: &[Value],
        guard: fn(Diagram, u32) -> Guard,
        span: Span,
        of: &mut dyn FnMut(&mut Self, &[Value]) -> Eval<T>,
    ) -> Eval<Cases<T>> {
        let size = values.iter().map(Value::size).fold(0, usize::saturating_add);
        self.charge(size / LOOKED_AT, span)?;
        let mut selectors = Vec::new();
        values.iter().for_each(|value| selectors_in(value, &mut selectors));
        if selectors.is_empty() {
            return Ok((None, vec![of(self, values)?]));
        }
        let joint = self.cases(&selectors, span)?;
        let mut results = Vec::new();
        for (index, combination) in joint.combinations.iter().enumerate() {
            let picks: Vec<(Diagram, u32)> =
                selectors.iter().copied().zip(combination.iter().copied()).collect();
            let picked: Vec<Value> = values.iter().map(|value| pick(value, &picks)).collect();
            let most = picked.iter().map(Value::size).fold(CASE, usize::saturating_add);
            self.charge(size.min(most), span)?;
            let guard = guard(joint.selector, index as u32);
            results.push(self.when(guard, |this| of(this, &picked))?);
        }
        Ok((Some(joint.selector), results))
    }

    /// The value that is `values[i]` where the selector is i.
    pub(super) fn join(
        &mut self,
        selector: Diagram,
        values: &[Value],
        what: &str,
        span: Span,
    ) -> Eval<Value> {
        let Some((first, rest)) = values.split_first() else { fault("no case of a value") };
        if let Some(reported) = values.iter().find_map(Value::reported) {
            return Ok(reported.into());
        }
        if rest.iter().all(|value| value.is_shared(first)) {
            return Ok(first.clone());
        }
        self.charge(values.iter().map(Value::size).fold(0, usize::saturating_add), span)?;
        if rest.iter().all(|value| value.is_identical(first)) {
            return Ok(first.clone());
        }
        let nodes: Option<Vec<NodeId>> = values.iter().map(Value::node).collect();
        if let Some(nodes) = nodes {
            return self.join_tensors(selector, &nodes, what, span).map(Value::Tensor);
        }
        if let Some(columns) = columns(values) {
            let joined = columns.iter().map(|column| self.join(selector, column, what, span));
            let joined = joined.collect::<Eval<Vec<_>>>()?;
            let is_list = matches!(first, Value::List(_));
            return self.sequence(if is_list { Value::List } else { Value::Tuple }, joined, span);
        }
        if values.iter().any(|value| value.node().is_some()) {
            let other = values.iter().find(|value| value.node().is_none());
            let other = other.map(Value::describe).unwrap_or_default();
            let place =
                self.place(span, "chosen here").advice("give a tensor in every case, or in none");
            return Ok(self.report(MixedKinds::at(place, other)).into());
        }
        self.join_static(selector, values, span)
    }

    /// Values that may depend on decisions themselves.
    fn join_static(&mut self, selector: Diagram, values: &[Value], span: Span) -> Eval<Value> {
        let mut parts = vec![selector];
        values.iter().for_each(|value| selectors_in(value, &mut parts));
        let (selector, values) = if parts.len() == 1 {
            (selector, values.to_vec())
        } else {
            let joint = self.cases(&parts, span)?;
            let flat = joint.combinations.iter().map(|combination| {
                let picks: Vec<(Diagram, u32)> =
                    parts.iter().copied().zip(combination.iter().copied()).collect();
                let (index, picks) = picks.split_first().map_or((0, &[][..]), |(f, r)| (f.1, r));
                let value = values.get(index as usize);
                pick(value.unwrap_or_else(|| fault("a case without its value")), picks)
            });
            (joint.selector, flat.collect())
        };
        let table = varied(&mut self.space.selectors, selector, &values, Value::is_identical);
        Ok(match table {
            Some(Varied::Fixed(value)) => value,
            Some(Varied::By(table)) => Value::Chosen(Rc::new(table)),
            None => fault("no case of a value"),
        })
    }

    /// A select among the nodes that differ.
    fn join_tensors(
        &mut self,
        selector: Diagram,
        nodes: &[NodeId],
        what: &str,
        span: Span,
    ) -> Eval<NodeId> {
        match varied(&mut self.space.selectors, selector, nodes, PartialEq::eq) {
            Some(Varied::Fixed(node)) => Ok(node),
            Some(Varied::By(table)) => {
                let name = self.paths.next(what);
                self.select(table.selector(), table.values().to_vec(), name, span)
            }
            None => fault("no case of a tensor"),
        }
    }

    /// A select node; the shapes of its operands may differ.
    pub(super) fn select(
        &mut self,
        selector: Diagram,
        nodes: Vec<NodeId>,
        name: String,
        span: Span,
    ) -> Eval<NodeId> {
        let shapes: Vec<Varied<Shape>> =
            nodes.iter().filter_map(|&node| self.space.graph.shape(node).cloned()).collect();
        let shape = match shapes.split_first() {
            Some((first, rest)) if first.fixed().is_some() && rest.iter().all(|s| s == first) => {
                first.clone()
            }
            _ => self.joined_shape(selector, &shapes, span)?,
        };
        self.add(NodeKind::Select(selector), nodes, shape, name, span)
    }

    fn joined_shape(
        &mut self,
        selector: Diagram,
        shapes: &[Varied<Shape>],
        span: Span,
    ) -> Eval<Varied<Shape>> {
        let mut parts = vec![selector];
        parts.extend(shapes.iter().map(|shape| shape.index(&mut self.space.selectors)));
        let joint = self.cases(&parts, span)?;
        let taken = joint.combinations.iter().filter_map(|combination| {
            let (taken, indices) = combination.split_first()?;
            let index = *indices.get(*taken as usize)?;
            shapes.get(*taken as usize)?.values().get(index as usize).copied()
        });
        let taken: Vec<Shape> = taken.collect();
        let shape = varied(&mut self.space.selectors, joint.selector, &taken, PartialEq::eq);
        Ok(shape.unwrap_or_else(|| fault("no case of a shape")))
    }
}

/// The value where each of these selectors takes this index.
fn pick(value: &Value, picks: &[(Diagram, u32)]) -> Value {
    match value {
        Value::Chosen(table) => {
            let index = picks.iter().find(|(selector, _)| *selector == table.selector());
            let taken = index.and_then(|&(_, index)| table.values().get(index as usize));
            taken.cloned().unwrap_or_else(|| fault("a value without its case"))
        }
        Value::List(values) => Value::List(pick_each(values, picks)),
        Value::Tuple(values) => Value::Tuple(pick_each(values, picks)),
        fixed => fixed.clone(),
    }
}

fn pick_each(values: &[Value], picks: &[(Diagram, u32)]) -> Values {
    values.iter().map(|value| pick(value, picks)).collect::<Vec<_>>().into()
}

/// Lists or tuples of one length, element by element.
fn columns(values: &[Value]) -> Option<Vec<Vec<Value>>> {
    let is_list = |value: &Value| matches!(value, Value::List(_));
    let is_first_list = values.first().is_some_and(is_list);
    let rows = values.iter().map(|value| match value {
        Value::List(row) | Value::Tuple(row) if is_list(value) == is_first_list => Some(row),
        _ => None,
    });
    let rows: Vec<&Values> = rows.collect::<Option<_>>()?;
    let length = rows.first()?.len();
    rows.iter().all(|row| row.len() == length).then(|| {
        (0..length).map(|i| rows.iter().filter_map(|row| row.get(i).cloned()).collect()).collect()
    })
}
