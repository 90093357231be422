//! Adding nodes: shapes are inferred as the graph grows, and what does not fit is reported.

use nas_diagnostics::{Fix, Help, Place, Reported, fault};
use nas_grammar::ast::Span;
use nas_ir::ops::signature::Declaration;
use nas_ir::ops::{Cure, Fit, ShapeProblem, Yields};
use nas_ir::{Node, NodeId, NodeKind, Op, Shape, Varied, varied};

use super::elaborator::{Elaborator, Guard};
use super::errors::{
    GroupsDoNotDivide, ShapeMismatch, TooLarge, TooManyNodes, WindowTooLarge, WrongRank,
};
use super::limits::{Abort, Eval, MAX_NODES, Sound};
use super::parameters::Given;
use super::value::{BYTES, Value};

/// The most multiply-accumulates, and parameters, of one operator.
const MAX_COST: u64 = u64::MAX >> 16;

/// What a node costs beyond its path and its operands.
const NODE: usize = 1;

/// A tensor operand, and where it was written.
#[derive(Clone, Copy)]
pub(super) struct Operand {
    pub(super) node: NodeId,
    pub(super) span: Span,
}

/// Where an operator is applied: all of it, and the arguments that are no operands.
#[derive(Clone, Copy)]
pub(super) struct Applied<'g, 'p> {
    pub(super) span: Span,
    pub(super) given: &'g [Given<'p>],
}

impl From<Span> for Applied<'_, '_> {
    /// Without arguments.
    fn from(span: Span) -> Self {
        Self { span, given: &[] }
    }
}

impl Elaborator<'_, '_> {
    pub(super) fn shape_of(&self, node: NodeId) -> Option<&Varied<Shape>> {
        self.space.graph.shape(node)
    }

    /// Adds an operator node, or reports why its operands do not fit.
    pub(super) fn op(
        &mut self,
        op: Varied<Op>,
        operands: &[Operand],
        applied: Applied<'_, '_>,
    ) -> Eval<Value> {
        let inputs = operands.iter().map(|operand| operand.node).collect();
        let shape = match self.result_shape(&op, operands, applied)? {
            Ok(shape) => shape,
            Err(reported) => return Ok(reported.into()),
        };
        let name = self.paths.next(op.name());
        self.add(NodeKind::Op(op), inputs, shape, name, applied.span).map(Value::Tensor)
    }

    /// The shape that an operator gives, for each case of it and its operands.
    fn result_shape(
        &mut self,
        op: &Varied<Op>,
        operands: &[Operand],
        applied: Applied<'_, '_>,
    ) -> Eval<Sound<Varied<Shape>>> {
        let span = applied.span;
        let shapes: Vec<Varied<Shape>> =
            operands.iter().filter_map(|o| self.shape_of(o.node).cloned()).collect();
        let fixed: Option<Vec<Shape>> = shapes.iter().map(|shape| shape.fixed().copied()).collect();
        if let (Some(op), Some(shapes)) = (op.fixed(), fixed) {
            return Ok(self.fixed_shape(op, &shapes, operands, applied).map(Varied::Fixed));
        }
        let mut parts = vec![op.index(&mut self.space.selectors)];
        parts.extend(shapes.iter().map(|shape| shape.index(&mut self.space.selectors)));
        let joint = self.cases(&parts, span)?;
        let cases: Vec<(&Op, Vec<Shape>)> = joint
            .combinations
            .iter()
            .filter_map(|combination| {
                let (&of_op, of_shapes) = combination.split_first()?;
                let case = shapes.iter().zip(of_shapes);
                let case = case.map(|(shape, &i)| shape.values().get(i as usize).copied());
                Some((op.values().get(of_op as usize)?, case.collect::<Option<_>>()?))
            })
            .collect();
        let results: Vec<_> = cases.iter().map(|(op, shapes)| op.shape(shapes).ok()).collect();
        let fails: Vec<usize> =
            results.iter().enumerate().filter(|(_, r)| r.is_none()).map(|(i, _)| i).collect();
        // The first to report is a case to which the fewest choices lead.
        let first = self.failing(&joint, &fails);
        let rest = (0..cases.len()).map(|i| (i, Guard::Value(joint.selector, i as u32)));
        let mut sound = Ok(());
        for (index, guard) in first.into_iter().chain(rest) {
            let Some((op, shapes)) = cases.get(index) else { continue };
            let shape = |this: &mut Self| Ok(this.fixed_shape(op, shapes, operands, applied));
            sound = sound.and(self.when(guard, shape)?.map(|_| ()));
        }
        if let Err(reported) = sound.and_then(|()| self.can_share(&joint, &cases, span)) {
            return Ok(Err(reported));
        }
        let results: Vec<Shape> = results.into_iter().flatten().collect();
        let shape = varied(&mut self.space.selectors, joint.selector, &results, PartialEq::eq);
        Ok(Ok(shape.unwrap_or_else(|| fault("an operator without a case"))))
    }

    fn fixed_shape(
        &mut self,
        op: &Op,
        shapes: &[Shape],
        operands: &[Operand],
        applied: Applied<'_, '_>,
    ) -> Sound<Shape> {
        let shape = match op.shape(shapes) {
            Ok(shape) => shape,
            Err(problem) => {
                let shown: Vec<(Shape, Span)> =
                    shapes.iter().zip(operands).map(|(&shape, o)| (shape, o.span)).collect();
                return Err(self.shape_problem(op.declaration(), problem, &shown, applied));
            }
        };
        let costs = [("macs", op.macs(shapes, shape)), ("params", op.params(shapes))];
        for (measure, cost) in costs {
            if cost > u128::from(MAX_COST) {
                let place = self.place(applied.span, format!("its result is {shape}"));
                let place = place.advice("use fewer channels, a smaller kernel, or `groups`");
                let what = format!("a `{}` of {cost} {measure}", op.declaration().name);
                return Err(self.report(TooLarge::at(place, what, MAX_COST)));
            }
        }
        Ok(shape)
    }

    /// Adds a node to the graph. What computes something does so in the precision of its call.
    pub(super) fn add(
        &mut self,
        kind: NodeKind,
        inputs: Vec<NodeId>,
        shape: Varied<Shape>,
        name: String,
        span: Span,
    ) -> Eval<NodeId> {
        self.room_for(1, span)?;
        self.charge(NODE + (name.len() + 4 * inputs.len()) / BYTES, span)?;
        let origin = Some(self.origin(span));
        let precision = match &kind {
            NodeKind::Op(op) if matches!(op.yields(), Yields::Computed | Yields::Sum) => {
                self.precision.clone()
            }
            _ => None,
        };
        let node = Node { precision, origin, ..Node::new(kind, inputs, shape, name) };
        Ok(self.space.graph.add(node))
    }

    /// Sees to it that so many more nodes may be added.
    pub(super) fn room_for(&mut self, nodes: usize, span: Span) -> Eval<()> {
        if self.space.graph.len() + nodes <= MAX_NODES {
            return Ok(());
        }
        let place = self.place(span, "the limit is passed here");
        let place = place.advice("use fewer layers or candidates");
        Err(Abort(self.report(TooManyNodes::at(place, MAX_NODES))))
    }

    /// The place of an operator whose operands are labelled with their shapes.
    fn operands_place(&self, operands: &[(Shape, Span)], span: Span) -> Place {
        let mut place = self.place(span, "");
        place.labels.clear();
        for (shape, at) in operands {
            place = place.label(*at, shape.to_string());
        }
        // Without operands of its own in the line, the operator itself is the place.
        let is_elsewhere = operands.iter().all(|(_, at)| *at == span);
        if is_elsewhere && operands.len() != 1 { self.place(span, "here") } else { place }
    }

    /// The edit that makes operands fit, where it can be made at one of them.
    fn fitting(&self, fit: &Fit, operands: &[(Shape, Span)]) -> Option<Help> {
        let (shape, at) = *operands.get(fit.operand)?;
        let is_alone = operands.iter().filter(|(_, other)| *other == at).count() == 1;
        // With other shapes in other cases, one step does not make all fit.
        let is_fixed = !self.guards.iter().any(|guard| matches!(guard, Guard::Value(..)));
        let source = self.source();
        if !is_alone || !is_fixed || source.is_library() {
            return None;
        }
        let Fit { step, .. } = fit;
        let fitted = format!("({} -> {step})", source.at(at).text());
        let says = |new: &str| match self.snippet(at).as_str() {
            "…" => format!("send the tensor {shape} through `{step}`"),
            text => format!("write `{new}` in place of `{text}`"),
        };
        Some(Fix::replace(source.at(at), fitted, says).into())
    }

    pub(super) fn shape_problem(
        &mut self,
        declaration: &'static Declaration,
        problem: ShapeProblem,
        operands: &[(Shape, Span)],
        applied: Applied<'_, '_>,
    ) -> Reported {
        let input = operands.first().map(|(shape, _)| *shape);
        let input =
            input.map_or_else(|| "here".to_owned(), |shape| format!("its input is {shape}"));
        let place = self.place(applied.span, input);
        match problem {
            ShapeProblem::Mismatch { title, help, fit } => {
                let fitting = fit.and_then(|fit| self.fitting(&fit, operands));
                let help = fitting.unwrap_or(Help::Advice(help));
                let place = self.operands_place(operands, applied.span).help(help);
                self.report(ShapeMismatch::at(place, title))
            }
            ShapeProblem::Groups { groups, of, nearest } => {
                let rest = format!(", or a number of channels that {groups} divides");
                let argument = ("groups", nearest.to_string());
                let help = self.other_argument(declaration, applied, argument, &rest);
                self.report(GroupsDoNotDivide::at(place.help(help), groups, of))
            }
            ShapeProblem::Window { title, help } => {
                let help = match help {
                    Cure::Advice(words) => Help::Advice(words),
                    Cure::Argument { name, value, rest } => {
                        self.other_argument(declaration, applied, (name, value), rest)
                    }
                };
                self.report(WindowTooLarge::at(place.help(help), title))
            }
            ShapeProblem::Rank { needs, through, help } => {
                let help = match (through, operands) {
                    (Some(step), [(_, operand)]) => {
                        self.sent_through(step, *operand, applied.span, help)
                    }
                    _ => Help::advice(help),
                };
                self.report(WrongRank::at(place.help(help), declaration.name, needs))
            }
            ShapeProblem::Overflow { what, limit, help } => {
                self.report(TooLarge::at(place.advice(help), what, limit))
            }
        }
    }

    /// "use `name = value`", and what else there is: the argument in place of the one given.
    fn other_argument(
        &mut self,
        declaration: &'static Declaration,
        applied: Applied<'_, '_>,
        (name, value): (&str, String),
        rest: &str,
    ) -> Help {
        let says = |new: &str| format!("use `{new}`{rest}");
        let argument = format!("{name} = {value}");
        let names: Vec<&str> = declaration.params.iter().map(|param| param.name).collect();
        let slots = self.assign_slots(declaration.name, &names, applied.given, 0);
        let slot = slots.into_iter().flatten().zip(&names).find(|(_, known)| **known == name);
        let given = slot.and_then(|(slot, _)| applied.given.get(slot?));
        match given.filter(|given| given.is_within(applied.span)) {
            Some(given) => Fix::replace(self.source().at(given.span), argument, says).into(),
            None => Help::advice(says(&argument)),
        }
    }

    /// A step before the one at a place, if its operand flows into it.
    fn sent_through(&self, step: &str, operand: Span, at: Span, rest: &str) -> Help {
        let source = self.source();
        let says =
            |new: &str| format!("make the map a vector: `{new} {}`, {rest}", self.snippet(at));
        let is_flow = operand.end <= at.start || at.end <= operand.start;
        let step = format!("{step} -> ");
        if is_flow {
            Fix::before(source.at(at), step, says).into()
        } else {
            Help::advice(says(step.trim()))
        }
    }
}
