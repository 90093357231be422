//! Adding nodes: shapes are inferred as the graph grows, and what does not fit is reported.

use nas_diagnostics::Place;
use nas_grammar::ast::Span;
use nas_ir::ops::{Fit, ShapeProblem};
use nas_ir::{Node, NodeId, NodeKind, Op, Shape, Varied, varied};

use super::elaborator::{Elaborator, Guard};
use super::errors::{
    GroupsDoNotDivide, ShapeMismatch, TooLarge, TooManyNodes, WindowTooLarge, WrongRank,
};
use super::limits::{Abort, Eval, MAX_NODES};
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

impl Elaborator<'_, '_> {
    pub(super) fn shape_of(&self, node: NodeId) -> Option<&Varied<Shape>> {
        self.space.graph.shape(node)
    }

    /// Adds an operator node, or reports why its operands do not fit.
    pub(super) fn op(&mut self, op: Varied<Op>, operands: &[Operand], span: Span) -> Eval<Value> {
        let inputs = operands.iter().map(|operand| operand.node).collect();
        let Some(shape) = self.result_shape(&op, operands, span)? else {
            return Ok(Value::Poison);
        };
        let name = self.paths.next(op.name());
        self.add(NodeKind::Op(op), inputs, shape, name, span).map(Value::Tensor)
    }

    /// The shape that an operator gives, for each case of it and its operands; `None` after a
    /// report.
    fn result_shape(
        &mut self,
        op: &Varied<Op>,
        operands: &[Operand],
        span: Span,
    ) -> Eval<Option<Varied<Shape>>> {
        let shapes: Vec<Varied<Shape>> =
            operands.iter().filter_map(|o| self.shape_of(o.node).cloned()).collect();
        let fixed: Option<Vec<Shape>> = shapes.iter().map(|shape| shape.fixed().copied()).collect();
        if let (Some(op), Some(shapes)) = (op.fixed(), fixed) {
            return Ok(self.fixed_shape(op, &shapes, operands, span).map(Varied::Fixed));
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
        let mut is_sound = true;
        for (index, guard) in first.into_iter().chain(rest) {
            let Some((op, shapes)) = cases.get(index) else { continue };
            let shape = |this: &mut Self| Ok(this.fixed_shape(op, shapes, operands, span));
            is_sound &= self.when(guard, shape)?.is_some();
        }
        if !is_sound || !self.can_share(&joint, &cases, span) {
            return Ok(None);
        }
        let results: Vec<Shape> = results.into_iter().flatten().collect();
        Ok(varied(&mut self.space.selectors, joint.selector, &results, PartialEq::eq))
    }

    fn fixed_shape(
        &mut self,
        op: &Op,
        shapes: &[Shape],
        operands: &[Operand],
        span: Span,
    ) -> Option<Shape> {
        let shape = match op.shape(shapes) {
            Ok(shape) => shape,
            Err(problem) => {
                let name = op.declaration().name;
                let shown: Vec<(Shape, Span)> =
                    shapes.iter().zip(operands).map(|(&shape, o)| (shape, o.span)).collect();
                self.shape_problem(name, problem, &shown, span);
                return None;
            }
        };
        let costs = [("macs", op.macs(shapes, shape)), ("params", op.params(shapes))];
        for (measure, cost) in costs {
            if cost > u128::from(MAX_COST) {
                let place = self.place(span, format!("its result is {shape}"));
                let place = place.help("use fewer channels, a smaller kernel, or `groups`");
                let what = format!("a `{}` of {cost} {measure}", op.declaration().name);
                self.report(TooLarge::at(place, what, MAX_COST));
                return None;
            }
        }
        Some(shape)
    }

    /// Adds a node to the graph.
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
        Ok(self.space.graph.add(Node { kind, inputs, shape, name, origin }))
    }

    /// Sees to it that so many more nodes may be added.
    pub(super) fn room_for(&mut self, nodes: usize, span: Span) -> Eval<()> {
        if self.space.graph.len() + nodes <= MAX_NODES {
            return Ok(());
        }
        let place = self.place(span, "the limit is passed here");
        self.report(TooManyNodes::at(place.help("use fewer layers or candidates"), MAX_NODES));
        Err(Abort)
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
    fn fitting(&self, fit: &Fit, operands: &[(Shape, Span)]) -> Option<String> {
        let (_, at) = *operands.get(fit.operand)?;
        let is_alone = operands.iter().filter(|(_, other)| *other == at).count() == 1;
        // With other shapes in other cases, one step does not make all fit.
        let is_fixed = !self.guards.iter().any(|guard| matches!(guard, Guard::Value(..)));
        if !is_alone || !is_fixed || self.source().is_library() {
            return None;
        }
        Some(match self.snippet(at).as_str() {
            "…" => {
                format!("send the tensor {} through `{}`", operands.get(fit.operand)?.0, fit.step)
            }
            text => format!("write `({text} -> {})` in place of `{text}`", fit.step),
        })
    }

    pub(super) fn shape_problem(
        &mut self,
        operator: &str,
        problem: ShapeProblem,
        operands: &[(Shape, Span)],
        span: Span,
    ) -> Value {
        let input = operands.first().map(|(shape, _)| *shape);
        let input =
            input.map_or_else(|| "here".to_owned(), |shape| format!("its input is {shape}"));
        match problem {
            ShapeProblem::Mismatch { title, help, fit } => {
                let help = fit.and_then(|fit| self.fitting(&fit, operands)).unwrap_or(help);
                let place = self.operands_place(operands, span).help(help);
                self.report(ShapeMismatch::at(place, title))
            }
            ShapeProblem::Groups { groups, of, nearest } => {
                let place = self.place(span, input).help(format!(
                    "use `groups = {nearest}`, or a number of channels that {groups} divides"
                ));
                self.report(GroupsDoNotDivide::at(place, groups, of))
            }
            ShapeProblem::Window { title, help } => {
                let place = self.place(span, input).help(help);
                self.report(WindowTooLarge::at(place, title))
            }
            ShapeProblem::Rank { needs, help } => {
                let place = self.place(span, input).help(help);
                self.report(WrongRank::at(place, operator, needs))
            }
            ShapeProblem::Overflow { what, limit, help } => {
                let place = self.place(span, input).help(help);
                self.report(TooLarge::at(place, what, limit))
            }
        }
    }
}
