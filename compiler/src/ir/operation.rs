//! An operator with its operands, where any of them may depend on decisions.

use super::{Node, Space, Varied};
use crate::diagram::{Diagram, Joint, Selectors};
use crate::ops::Op;
use crate::shape::Shape;

/// The operator of a node, the shapes of its operands and of its result.
pub(crate) struct Operation<'s> {
    op: &'s Varied<Op>,
    inputs: Vec<&'s Varied<Shape>>,
    output: &'s Varied<Shape>,
}

/// One case of an operation: all of it fixed.
pub(crate) type Case<'s> = (&'s Op, Vec<Shape>, Shape);

impl<'s> Operation<'s> {
    pub(crate) fn of(space: &'s Space, node: &'s Node, op: &'s Varied<Op>) -> Self {
        let inputs = node.inputs.iter().filter_map(|&id| space.graph.shape(id)).collect();
        Self { op, inputs, output: &node.shape }
    }

    /// The only case, if nothing depends on decisions.
    pub(crate) fn fixed(&self) -> Option<Case<'s>> {
        let inputs = self.inputs.iter().map(|shape| shape.fixed().copied());
        Some((self.op.fixed()?, inputs.collect::<Option<_>>()?, *self.output.fixed()?))
    }

    /// Which case holds where the context does.
    pub(crate) fn cases(&self, selectors: &mut Selectors, context: Diagram) -> Joint {
        let mut parts = vec![self.op.index(selectors)];
        parts.extend(self.inputs.iter().map(|shape| shape.index(selectors)));
        parts.push(self.output.index(selectors));
        selectors.joint(context, &parts)
    }

    /// The cases, in the order of their indices.
    pub(crate) fn combinations<'j>(
        &'j self,
        cases: &'j Joint,
    ) -> impl Iterator<Item = Case<'s>> + 'j {
        cases.combinations.iter().filter_map(|row| {
            let [op, inputs @ .., output] = row.as_slice() else { return None };
            let shapes = inputs.iter().zip(&self.inputs);
            let inputs = shapes.map(|(&i, shape)| shape.values().get(i as usize).copied());
            Some((
                self.op.values().get(*op as usize)?,
                inputs.collect::<Option<_>>()?,
                *self.output.values().get(*output as usize)?,
            ))
        })
    }
}
