//! The intermediate representation: one graph that holds every network of a space.
//!
//! A [`Space`] is a directed acyclic graph whose nodes are inputs, operators, selects (one of n
//! alternatives, by decisions) and outputs, with a table of the decisions. The operator of a node
//! and its shape may depend on decisions too: they are [`crate::Varied`]. Building a space proves
//! nothing; [`crate::verify::verify`] does, and only what it returns is analysed or lowered.

use std::collections::BTreeSet;
use std::ops::Index;

use nas_diagnostics::fault;

use crate::assignment::Assignment;
use crate::decision::Decision;
use crate::device::Device;
use crate::diagram::{Diagram, Entangled, Selectors};
use crate::dtype::Precision;
use crate::graph::Graph;
use crate::id_vec::IdVec;
use crate::ids::{DecisionId, NodeId, OriginId};
use crate::node::Node;
use crate::origin::{Origin, Origins};
use crate::requirement::Requirement;
use crate::task::Task;

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
    /// Whether networks are asked for of which an output depends on no input, so that these are drawn
    /// and found like all others.
    pub admits_constant: bool,
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

impl Index<DecisionId> for Space {
    type Output = Decision;

    #[track_caller]
    fn index(&self, id: DecisionId) -> &Decision {
        match self.decision(id) {
            Some(decision) => decision,
            None => fault("a decision of another space"),
        }
    }
}

impl Space {
    /// The decision of this id, if the space has it. What must be there is `space[id]`.
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

    /// How many candidates each decision has.
    #[must_use]
    pub fn widths(&self) -> IdVec<DecisionId, usize> {
        self.decisions.iter().map(|decision| decision.candidates.len()).collect()
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

    /// Why there is no exact answer, with the paths of the decisions.
    #[must_use]
    pub fn entanglement(&self, entangled: &Entangled) -> String {
        let decisions = self.paths(entangled.decisions.iter().copied());
        format!("{decisions} are too entangled for an exact answer")
    }

    /// The assignment that takes the first candidate everywhere.
    #[must_use]
    pub fn first_assignment(&self) -> Assignment {
        Assignment::first(self.decisions.len())
    }

    /// The precisions that a node computes with, by the selector of [`Node::precision`] if there are several.
    #[must_use]
    pub fn precisions<'s>(&'s self, node: &'s Node) -> &'s [Precision] {
        match &node.precision {
            Some(precision) => precision.values(),
            None => std::slice::from_ref(&self.device.precision),
        }
    }

    /// Where something was written.
    #[must_use]
    pub fn origin(&self, id: Option<OriginId>) -> Option<&Origin> {
        self.origins.get(id?)
    }
}
