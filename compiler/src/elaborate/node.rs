//! Adding nodes: shapes are inferred as the graph grows, and what does not fit is reported.

use nas_grammar::ast::Span;

use super::errors::{
    GroupsDoNotDivide, ShapeMismatch, TooLarge, TooManyNodes, WindowTooLarge, WrongRank,
};
use super::{Abort, Elaborator, Eval, MAX_NODES, Value};
use crate::error::Place;
use crate::ir::{Node, NodeId, NodeKind};
use crate::ops::{Op, ShapeProblem};
use crate::shape::Shape;

/// A tensor operand, and where it was written.
#[derive(Clone, Copy)]
pub(super) struct Operand {
    pub(super) node: NodeId,
    pub(super) span: Span,
}

impl Elaborator<'_, '_> {
    pub(super) fn shape_of(&self, node: NodeId) -> Option<Shape> {
        self.space.graph.shape(node)
    }

    /// Adds an operator node, or reports why its operands do not fit.
    pub(super) fn op(&mut self, op: Op, operands: &[Operand], span: Span) -> Eval<Value> {
        let shapes: Vec<Shape> = operands.iter().filter_map(|o| self.shape_of(o.node)).collect();
        let shape = match op.shape(&shapes) {
            Ok(shape) => shape,
            Err(problem) => return Ok(self.shape_problem(&op, problem, operands, span)),
        };
        let cost = op.macs(&shapes, shape).max(op.params(&shapes));
        if cost > u128::from(u64::MAX >> 16) {
            let what = format!("`{}` alone has a cost of {cost}", op.declaration().name);
            let place = self.place(span, format!("its result is {shape}"));
            return Ok(self.report(TooLarge::at(place, what)));
        }
        let name = op.declaration().name;
        let ordinal = self.paths.count(name);
        let name = self.paths.join(&format!("{name}.{ordinal}"));
        let inputs = operands.iter().map(|o| o.node).collect();
        self.add(NodeKind::Op(op), inputs, shape, name, span).map(Value::Tensor)
    }

    /// Adds a node to the graph.
    pub(super) fn add(
        &mut self,
        kind: NodeKind,
        inputs: Vec<NodeId>,
        shape: Shape,
        name: String,
        span: Span,
    ) -> Eval<NodeId> {
        if self.space.graph.len() >= MAX_NODES {
            let place = self.place(span, "the limit is passed here");
            self.report(TooManyNodes::at(place.help("use fewer layers or candidates"), MAX_NODES));
            return Err(Abort);
        }
        let origin = Some(self.origin(span));
        Ok(self.space.graph.add(Node { kind, inputs, shape, name, origin }))
    }

    /// The place of an operator whose operands are labelled with their shapes.
    fn operands_place(&self, operands: &[Operand], span: Span) -> Place {
        let mut place = self.place(span, "");
        place.labels.clear();
        for operand in operands {
            let shape = self.shape_of(operand.node).map(|s| s.to_string()).unwrap_or_default();
            place = place.label(operand.span, shape);
        }
        // Without operands of its own in the line, the operator itself is the place.
        let is_elsewhere = operands.iter().all(|o| o.span == span);
        if is_elsewhere && operands.len() != 1 { self.place(span, "here") } else { place }
    }

    fn shape_problem(
        &mut self,
        op: &Op,
        problem: ShapeProblem,
        operands: &[Operand],
        span: Span,
    ) -> Value {
        let operator = op.declaration().name;
        let input = operands.first().and_then(|o| self.shape_of(o.node));
        let input = input.map(|shape| format!("its input is {shape}")).unwrap_or_default();
        match problem {
            ShapeProblem::Mismatch { title, help } => {
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
            ShapeProblem::Rank { needs } => {
                let place = self.place(span, input);
                self.report(WrongRank::at(place, operator, needs))
            }
            ShapeProblem::Overflow { what } => {
                let place = self.place(span, input);
                self.report(TooLarge::at(place, what))
            }
        }
    }
}
