//! The nodes of a space.

use crate::diagram::Diagram;
use crate::ids::{NodeId, OriginId};
use crate::ops::Op;
use crate::shape::Shape;
use crate::varied::Varied;

/// What a node does.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// An input of the network.
    Input,
    /// A primitive operator.
    Op(Varied<Op>),
    /// The value of one of the operands: the selector is its index.
    Select(Diagram),
    /// An output of the network; one operand.
    Output,
    /// An output that only training has; one operand. No network holds it, nor what it alone reads.
    TrainOutput {
        /// By what its loss is multiplied.
        weight: f64,
    },
}

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it does.
    pub kind: NodeKind,
    /// The operands, in order.
    pub inputs: Vec<NodeId>,
    /// The shape of its value, batch aside.
    pub shape: Varied<Shape>,
    /// Its path: stable where an unrelated line changes, unique in the space.
    pub name: String,
    /// Where it was written, and through which calls.
    pub origin: Option<OriginId>,
}

impl Node {
    /// The operator, if the node is one and it does not depend on decisions.
    #[must_use]
    pub fn fixed_op(&self) -> Option<&Op> {
        if let NodeKind::Op(op) = &self.kind { op.fixed() } else { None }
    }
}
