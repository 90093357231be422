//! What decisions steer: `if` with a condition that depends on them, `repeat`, `loose_ends`.

use nas_diagnostics::{Fix, fault};
use nas_grammar::ast::{Body, Expr, Repeat, Span};
use nas_ir::diagram::Diagram;
use nas_ir::{NodeId, NodeKind, Varied, varied};
use rustc_hash::FxHashMap as HashMap;

use super::elaborator::{Elaborator, Guard};
use super::errors::WrongDepth;
use super::help::Wanted;
use super::limits::Eval;
use super::parameters::Given;
use super::value::{Flow, Value, tensors};

/// Variables whose values are compared at the cost of one step.
const VARIABLES: usize = 16;

/// The most copies that one `repeat` makes.
const MAX_DEPTH: i64 = 100_000;

impl<'p> Elaborator<'p, '_> {
    /// The branch that the conditions take. Where a condition depends on decisions, every branch
    /// that some network takes, joined by the same decisions; so are variables that they assign.
    pub(super) fn if_else(
        &mut self,
        mut branches: &'p [(Expr, Body)],
        otherwise: Option<&'p Body>,
        flow: Option<Flow>,
        span: Span,
    ) -> Eval<Value> {
        while let Some(((condition, body), rest)) = branches.split_first() {
            branches = rest;
            let table = match self.expr(condition)? {
                Value::Bool(true) => {
                    self.note_met(condition);
                    return self.body(body, flow);
                }
                Value::Bool(false) => {
                    self.note_unmet(condition)?;
                    continue;
                }
                Value::Chosen(table)
                    if table.values().iter().all(|v| matches!(v, Value::Bool(_))) =>
                {
                    self.note_met(condition);
                    table
                }
                other => return Ok(self.wrong_kind(&other, Wanted::Flag, condition.span).into()),
            };
            return self.by_case(table.selector(), span, &mut |this, case| {
                let flow = flow.clone();
                match table.values().get(case as usize) {
                    Some(Value::Bool(true)) => this.body(body, flow),
                    _ => this.nested(span, |this| this.if_else(rest, otherwise, flow, span)),
                }
            });
        }
        match (otherwise, flow) {
            (Some(body), flow) => self.body(body, flow),
            (None, Some(_)) => {
                let says = |new: &str| format!("add `{new}`");
                let fix = Fix::behind(self.source().at(span), " else { identity }", says);
                Ok(self.not_a_step("an `if` without `else`", fix.into(), span).into())
            }
            (None, None) => Ok(Value::nothing()),
        }
    }

    /// Runs `inner` for each index that the selector takes here, under the condition that it
    /// does, and joins the results and the variables that were assigned.
    pub(super) fn by_case(
        &mut self,
        selector: Diagram,
        span: Span,
        inner: &mut dyn FnMut(&mut Self, u32) -> Eval<Value>,
    ) -> Eval<Value> {
        let joint = self.cases(&[selector], span)?;
        let before = self.names.values();
        let (mut results, mut after) = (Vec::new(), Vec::new());
        for (index, combination) in joint.combinations.iter().enumerate() {
            let taken = combination.first().copied().unwrap_or_default();
            let guard = Guard::Case(joint.selector, index as u32);
            results.push(self.when(guard, |this| inner(this, taken))?);
            after.push(self.names.values());
            self.names.restore(&before);
        }
        let mut joined = Vec::new();
        self.charge(before.len() * joint.combinations.len() / VARIABLES, span)?;
        for place in 0..before.len() {
            let values: Vec<Value> = after.iter().filter_map(|a| a.get(place).cloned()).collect();
            joined.push(self.join(joint.selector, &values, "if", span)?);
        }
        self.names.restore(&joined);
        self.join(joint.selector, &results, "if", span)
    }

    /// Copies of a body in a row: as many as the depth says, which decisions may make.
    pub(super) fn repeat(&mut self, repeat: &'p Repeat, flow: Flow) -> Eval<Value> {
        let depth = self.expr(&repeat.depth)?;
        let depths = match &depth {
            Value::Chosen(table) => table.values().to_vec(),
            other => vec![other.clone()],
        };
        let mut counts = Vec::new();
        for value in &depths {
            if let Some(reported) = value.reported() {
                return Ok(reported.into());
            }
            let Some(count) = value.whole().filter(|n| (0..=MAX_DEPTH).contains(n)) else {
                let place = self.place(repeat.depth.span, format!("this is {}", value.describe()));
                let place = place.advice(format!("write a whole number from 0 to {MAX_DEPTH}"));
                return Ok(self.report(WrongDepth::at(place, value.describe())).into());
            };
            counts.push(count);
        }
        let selector = match &depth {
            Value::Chosen(table) => table.selector(),
            _ => self.space.selectors.constant(0),
        };
        // Those that occur here: of a copy beyond them there would be no case.
        let here = self.cases(&[selector], repeat.head)?;
        let taken = here.combinations.iter().flatten();
        let deepest = taken.filter_map(|&case| counts.get(case as usize)).copied().max();
        let deepest = deepest.unwrap_or_else(|| fault("a depth without a case"));
        let stages = self.stages(repeat, flow, deepest, (selector, &counts))?;
        let last = stages.len().saturating_sub(1);
        let values = counts.iter().map(|&count| stages.get(last.min(count as usize)).cloned());
        let values: Option<Vec<Value>> = values.collect();
        let values = values.unwrap_or_else(|| fault("a copy that was not made"));
        self.join(selector, &values, "repeated", repeat.head)
    }

    /// What flows in, and the value after each copy. A copy exists where the depth reaches it.
    fn stages(
        &mut self,
        repeat: &'p Repeat,
        flow: Flow,
        deepest: i64,
        (selector, counts): (Diagram, &[i64]),
    ) -> Eval<Vec<Value>> {
        let mut stages = vec![match flow.as_slice() {
            [(only, _)] => only.clone(),
            many => {
                let values: Vec<Value> = many.iter().map(|(value, _)| value.clone()).collect();
                Value::Tuple(values.into())
            }
        }];
        let ordinal = self.paths.count("repeat");
        for copy in 0..deepest {
            self.step(repeat.head)?;
            let reaches = |case: u32| counts.get(case as usize).is_some_and(|&count| count > copy);
            let guard = self.space.selectors.rename(selector, &|case| u32::from(reaches(case)));
            let flow = match stages.last() {
                Some(Value::Tuple(values)) => {
                    values.iter().map(|value| (value.clone(), repeat.head)).collect()
                }
                Some(value) => vec![(value.clone(), repeat.head)],
                None => Vec::new(),
            };
            self.paths.enter(format_args!("repeat.{ordinal}.{copy}"));
            let outside = self.names.enter_candidate();
            let mark = self.names.open();
            if let Some(index) = &repeat.index {
                self.names.bind(&index.name, Value::small(copy));
            }
            let always = self.space.selectors.constant(1);
            let value = if guard == always {
                self.body(&repeat.body, Some(flow))
            } else {
                self.when(Guard::Case(guard, 1), |this| this.body(&repeat.body, Some(flow)))
            };
            self.names.forget(mark);
            self.names.leave(outside);
            self.paths.leave();
            stages.push(value?);
        }
        Ok(stages)
    }

    /// Those of the states that no other of them reads, in each network.
    pub(super) fn loose_ends(&mut self, states: &Given<'p>, span: Span) -> Eval<Value> {
        let Some(nodes) = tensors(&states.value) else {
            return Ok(self.wrong_kind(&states.value, Wanted::Tensors, states.at).into());
        };
        let first = nodes.iter().map(|node| node.index()).min();
        self.marks.searched = self.marks.searched.min(first.unwrap_or(usize::MAX));
        let read = self.read_conditions(&nodes);
        let parts: Vec<Diagram> = nodes
            .iter()
            .map(|node| read.get(node).copied().unwrap_or_else(|| self.space.selectors.constant(0)))
            .collect();
        let joint = self.cases(&parts, span)?;
        let ends = joint.combinations.iter().map(|read| {
            let loose = nodes.iter().zip(read).filter(|(_, read)| **read == 0);
            Value::List(loose.map(|(node, _)| Value::Tensor(*node)).collect::<Vec<_>>().into())
        });
        let ends: Vec<Value> = ends.collect();
        let table = varied(&mut self.space.selectors, joint.selector, &ends, Value::is_identical);
        Ok(match table {
            Some(Varied::Fixed(value)) => value,
            Some(Varied::By(table)) => Value::Chosen(std::rc::Rc::new(table)),
            None => fault("states without a case"),
        })
    }

    /// For each node that some of the states are computed from, the condition of that.
    fn read_conditions(&mut self, states: &[NodeId]) -> HashMap<NodeId, Diagram> {
        let selectors = &mut self.space.selectors;
        let (always, mut and, mut or) = (selectors.constant(1), selectors.memo(), selectors.memo());
        let lowest = states.iter().min().copied();
        let mut read: HashMap<NodeId, Diagram> = HashMap::default();
        let mut open: std::collections::BTreeSet<NodeId> = states.iter().copied().collect();
        while let Some(id) = open.pop_last() {
            let Some(node) = self.space.graph.node(id) else { continue };
            let reached = if states.contains(&id) { Some(always) } else { read.get(&id).copied() };
            let Some(reached) = reached else { continue };
            for (index, &operand) in node.inputs.iter().enumerate() {
                if Some(operand) < lowest {
                    continue;
                }
                let condition = match &node.kind {
                    NodeKind::Select(selector) => {
                        let taken = selectors.is(*selector, index as u32);
                        selectors.and_with(reached, taken, &mut and)
                    }
                    _ => reached,
                };
                let before = read.get(&operand).copied();
                let condition = match before {
                    Some(before) => selectors.or_with(before, condition, &mut or),
                    None => condition,
                };
                read.insert(operand, condition);
                open.insert(operand);
            }
        }
        read
    }
}
