//! The nodes of a space.

use crate::diagram::Diagram;
use crate::dtype::Precision;
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
    /// The numbers that it computes with and that its value is made of; `None` for those of the target.
    pub precision: Option<Varied<Precision>>,
    /// Its path: stable where an unrelated line changes, unique in the space.
    pub name: String,
    /// Where it was written, and through which calls.
    pub origin: Option<OriginId>,
}

impl Node {
    /// A node that computes with the numbers of the target, and that nobody wrote.
    #[must_use]
    pub fn new(
        kind: NodeKind,
        inputs: Vec<NodeId>,
        shape: Varied<Shape>,
        name: impl Into<String>,
    ) -> Self {
        Self { kind, inputs, shape, precision: None, name: name.into(), origin: None }
    }

    /// On what it depends what the node is, once it is there: which operand a select takes, the arguments of an
    /// operator, the shape of an input, the precision.
    pub fn selectors(&self) -> impl Iterator<Item = Diagram> + use<> {
        let of_kind = match &self.kind {
            NodeKind::Select(selector) => Some(*selector),
            NodeKind::Op(op) => op.selector(),
            NodeKind::Input => self.shape.selector(),
            NodeKind::Output | NodeKind::TrainOutput { .. } => None,
        };
        let of_precision = self.precision.as_ref().and_then(Varied::selector);
        of_kind.into_iter().chain(of_precision)
    }

    /// The operator, if the node is one and it does not depend on decisions.
    #[must_use]
    pub fn fixed_op(&self) -> Option<&Op> {
        if let NodeKind::Op(op) = &self.kind { op.fixed() } else { None }
    }
}
