//! When a node is part of the network: as a function of the decisions.

use std::collections::HashMap;

use super::diagram::{Diagram, Diagrams};
use crate::check::Checked;
use crate::ir::{DecisionId, NodeId, NodeKind, Space};

/// For every node and every decision of a space, the assignments under which it matters.
#[derive(Debug, Clone)]
pub struct Liveness {
    /// The store of the conditions.
    pub conditions: Diagrams<bool>,
    nodes: Vec<Diagram>,
    decisions: Vec<Diagram>,
}

impl Liveness {
    /// A node is alive where an output, or an operator that is alive, reads it, directly or
    /// through selects that take it.
    ///
    /// # Errors
    /// [`Entangled`] where the conditions grow beyond what can be held.
    pub fn of(space: &Checked<Space>) -> Result<Self, Entangled> {
        let mut conditions = Diagrams::default();
        let never = conditions.constant(false);
        let always = conditions.constant(true);
        let mut nodes = vec![never; space.graph.len()];
        let mut decisions = vec![never; space.decisions.len()];
        let mut any = HashMap::new();
        let mut add = |store: &mut Diagrams<bool>, slot: Option<&mut Diagram>, more: Diagram| {
            if let Some(slot) = slot {
                *slot = store.apply(*slot, more, &|a, b| *a || *b, &mut any);
            }
        };
        let mut restrictions = HashMap::new();
        for (id, node) in space.graph.nodes().rev() {
            // An input is part of every network, read or not: it is part of the interface.
            if matches!(node.kind, NodeKind::Output | NodeKind::Input)
                && let Some(slot) = nodes.get_mut(id.index())
            {
                *slot = always;
            }
            let alive = nodes.get(id.index()).copied().unwrap_or(never);
            match &node.kind {
                NodeKind::Select(decision) => {
                    add(&mut conditions, decisions.get_mut(decision.index()), alive);
                    for (candidate, operand) in node.inputs.iter().enumerate() {
                        let taken = where_taken(
                            &mut conditions,
                            (alive, *decision, candidate, node.inputs.len()),
                            never,
                            &mut restrictions,
                        );
                        add(&mut conditions, nodes.get_mut(operand.index()), taken);
                    }
                }
                NodeKind::Op(op) if !op.reads_inputs() => {}
                NodeKind::Op(_) | NodeKind::Input | NodeKind::Output => {
                    for operand in &node.inputs {
                        add(&mut conditions, nodes.get_mut(operand.index()), alive);
                    }
                }
            }
            if conditions.is_full() {
                return Err(Entangled);
            }
        }
        Ok(Self { conditions, nodes, decisions })
    }

    /// When a node is part of the network.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<Diagram> {
        self.nodes.get(id.index()).copied()
    }

    /// When a decision makes a difference.
    #[must_use]
    pub fn decision(&self, id: DecisionId) -> Option<Diagram> {
        self.decisions.get(id.index()).copied()
    }
}

/// The decisions of a space depend on each other in a way that no table of bounded size holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the decisions are too entangled for an exact answer")]
pub struct Entangled;

type Restriction = (Diagram, DecisionId, usize, usize);

/// `alive` and the decision takes the candidate. The decision may stand below others in the
/// diagram, so this is a conjunction, not a new top.
fn where_taken(
    store: &mut Diagrams<bool>,
    (alive, decision, candidate, width): Restriction,
    never: Diagram,
    memo: &mut HashMap<(Diagram, Diagram), Diagram>,
) -> Diagram {
    let always = store.constant(true);
    let children = (0..width).map(|i| if i == candidate { always } else { never }).collect();
    let taken = store.branch(decision, children);
    store.apply(alive, taken, &|a, b| *a && *b, memo)
}
