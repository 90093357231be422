//! The intermediate representation: one graph that holds every network of a space.
//!
//! A [`Space`] is a directed acyclic graph whose nodes are inputs, operators, selects (one of n
//! alternatives, by a decision) and outputs, with a table of the decisions. Building it proves
//! nothing; [`crate::check::check`] does, and only what it returns is analysed or lowered.

mod graph;
pub mod origin;
pub mod text;

use std::fmt;

use serde::Serialize;

use crate::ops::Op;
use crate::shape::Shape;
pub use graph::Graph;
use origin::{Origin, OriginId, Origins};

/// A node of a space. Prints as `n7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// Position in tables with one row a node.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// A decision of a space. Prints as `d3`. An outer decision has a lower number than those
/// inside its candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecisionId(pub(crate) u32);

impl DecisionId {
    /// Position in tables with one row a decision.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d{}", self.0)
    }
}

/// What a node does.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// An input of the network.
    Input,
    /// A primitive operator.
    Op(Op),
    /// The value of the operand that the decision names: candidate i is operand i.
    Select(DecisionId),
    /// An output of the network; one operand.
    Output,
}

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it does.
    pub kind: NodeKind,
    /// The operands, in order.
    pub inputs: Vec<NodeId>,
    /// The shape of its value, batch aside.
    pub shape: Shape,
    /// Its path: stable where an unrelated line changes, unique in the space.
    pub name: String,
    /// Where it was written, and through which calls.
    pub origin: Option<OriginId>,
}

/// A decision: one of several candidates, made once for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Its path, such as `unit.7/op`.
    pub path: String,
    /// The last part of the path without a number: what `arch` items call it.
    pub label: String,
    /// The names of the candidates, at least one.
    pub candidates: Vec<String>,
    /// Where it was written.
    pub origin: Option<OriginId>,
}

/// What the network is for: which loss and which metric fit its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// A class for each pixel: the output is `[classes, H, W]` with the input's H and W.
    Segmentation {
        /// Number of classes.
        classes: u32,
        /// The label that neither loss nor metric sees.
        ignore: u32,
    },
}

/// A space of networks, not yet checked.
#[derive(Debug, Clone, Default)]
pub struct Space {
    /// Its name.
    pub name: String,
    /// What its networks are for.
    pub task: Option<Task>,
    /// The graph.
    pub graph: Graph,
    /// The decisions; a [`DecisionId`] is a row.
    pub decisions: Vec<Decision>,
    /// Where nodes and decisions were written.
    pub origins: Origins,
}

impl Space {
    /// The decision of this id.
    #[must_use]
    pub fn decision(&self, id: DecisionId) -> Option<&Decision> {
        self.decisions.get(id.index())
    }

    /// All decisions with their ids, in order of appearance.
    pub fn decision_ids(&self) -> impl DoubleEndedIterator<Item = (DecisionId, &Decision)> {
        self.decisions.iter().enumerate().map(|(i, d)| (DecisionId(i as u32), d))
    }

    /// Where something was written.
    #[must_use]
    pub fn origin(&self, id: Option<OriginId>) -> Option<&Origin> {
        self.origins.get(id?)
    }
}
