//! The intermediate representation: one graph that holds every network of a space.
//!
//! A [`Space`] is a directed acyclic graph whose nodes are inputs, operators, selects (one of n
//! alternatives, by decisions) and outputs, with a table of the decisions. The operator of a node
//! and its shape may depend on decisions too: they are [`Varied`]. Building a space proves
//! nothing; [`crate::verify::verify`] does, and only what it returns is analysed or lowered.

use std::collections::BTreeSet;

use crate::device::Device;
use crate::diagram::{Diagram, Selectors};
use crate::graph::Graph;
use crate::id_vec::IdVec;
use crate::ids::{DecisionId, NodeId, OriginId};
use crate::ops::Op;
use crate::origin::{Origin, Origins};
use crate::requirement::Requirement;
use crate::shape::Shape;
use crate::task::Task;
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

/// What the candidates of a decision are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Parts of the network, each with its own weights.
    Parts,
    /// Static values; what uses one has its own weights for each.
    Values,
    /// Static values; what uses one has the same weights for all, the smaller a slice of the
    /// largest (once-for-all, Cai et al. 2020).
    Elastic,
    /// Sets of this many options: a candidate is a set. The options, and for each candidate
    /// those that it takes, in order.
    Sets {
        /// The names of the options.
        options: Vec<String>,
        /// How many of them a candidate takes.
        take: usize,
    },
}

/// A decision: one of several candidates, made once for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Its path, such as `unit.7/op`.
    pub path: String,
    /// The last part of the path without a number: what `arch` items call it.
    pub label: String,
    /// What the candidates are.
    pub choice: Choice,
    /// The names of the candidates, at least one.
    pub candidates: Vec<String>,
    /// Where it was written.
    pub origin: Option<OriginId>,
}

/// A space of networks, not yet checked.
#[derive(Debug, Clone, Default)]
pub struct Space {
    /// Its name.
    pub name: String,
    /// Where its name was written.
    pub origin: Option<OriginId>,
    /// What its networks are for.
    pub task: Option<Task>,
    /// What they run on, as far as costs depend on it.
    pub device: Device,
    /// The limits that every network keeps which a search may return.
    pub requirements: Vec<Requirement>,
    /// The graph.
    pub graph: Graph,
    /// The decisions; a [`DecisionId`] is a row.
    pub decisions: Vec<Decision>,
    /// The diagrams of all selectors and tables.
    pub selectors: Selectors,
    /// Where nodes and decisions were written.
    pub origins: Origins,
    /// Nodes whose value ended as a statement, or under a name that was never read. If that is not
    /// meant, it was reported there.
    pub dropped: BTreeSet<NodeId>,
    /// When each decision made a difference before candidates were left out, as conditions in
    /// `selectors`; empty for a space that is whole.
    pub mattered: Vec<Diagram>,
}

impl Node {
    /// The operator, if the node is one and it does not depend on decisions.
    #[must_use]
    pub fn fixed_op(&self) -> Option<&Op> {
        if let NodeKind::Op(op) = &self.kind { op.fixed() } else { None }
    }
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

    /// A table with a row for each decision, all equal.
    #[must_use]
    pub fn decision_table<T: Clone>(&self, value: T) -> IdVec<DecisionId, T> {
        IdVec::filled(self.decisions.len(), value)
    }

    /// The paths of decisions, for people: the first few, and how many more there are.
    pub fn paths(&self, decisions: impl IntoIterator<Item = DecisionId>) -> String {
        const SHOWN: usize = 4;
        let decisions = decisions.into_iter().filter_map(|id| self.decision(id));
        let mut paths: Vec<String> = decisions.map(|d| format!("`{}`", d.path)).collect();
        if paths.len() > SHOWN + 1 {
            let more = paths.len() - SHOWN;
            paths.truncate(SHOWN);
            paths.push(format!("{more} more"));
        }
        match paths.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => paths.concat(),
        }
    }

    /// Where something was written.
    #[must_use]
    pub fn origin(&self, id: Option<OriginId>) -> Option<&Origin> {
        self.origins.get(id?)
    }
}
