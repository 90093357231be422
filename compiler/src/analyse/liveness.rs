//! When a node is part of the network: as a function of the decisions.

use rustc_hash::FxHashMap as HashMap;

use crate::check::Checked;
use crate::diagram::{Diagram, Selectors};
use crate::ir::{DecisionId, Node, NodeId, NodeKind, Space};
use crate::ops::Op;

/// For every node and every decision of a space, the assignments under which it matters.
#[derive(Debug, Clone)]
pub struct Liveness {
    /// The store of the conditions: that of the space, and more.
    pub conditions: Selectors,
    nodes: Vec<Diagram>,
    decisions: Vec<Diagram>,
}

impl Liveness {
    /// A node is alive where an output, or an operator that is alive, reads it, directly or
    /// through selects that take it. A decision matters where a node is alive whose select,
    /// operator or shape depends on it.
    ///
    /// # Errors
    /// [`Entangled`] where the conditions grow beyond what can be held.
    pub fn of(space: &Checked<Space>) -> Result<Self, Entangled> {
        Self::of_unchecked(space)
    }

    /// For the checker, which needs it before there is a checked space.
    pub(crate) fn of_unchecked(space: &Space) -> Result<Self, Entangled> {
        let mut conditions = space.selectors.clone();
        let never = conditions.constant(0);
        let mut liveness = Self {
            nodes: vec![never; space.graph.len()],
            decisions: vec![never; space.decisions.len()],
            conditions,
        };
        let mut memos = Memos::default();
        for (id, node) in space.graph.nodes().rev() {
            liveness.visit(id, node, &mut memos);
            if liveness.conditions.is_full() {
                return Err(Entangled);
            }
        }
        Ok(liveness)
    }

    fn visit(&mut self, id: NodeId, node: &Node, memos: &mut Memos) {
        // An input is part of every network, read or not: it is part of the interface.
        if matches!(node.kind, NodeKind::Output | NodeKind::Input) {
            let always = self.conditions.constant(1);
            self.nodes.get_mut(id.index()).into_iter().for_each(|slot| *slot = always);
        }
        let never = self.conditions.constant(0);
        let alive = self.nodes.get(id.index()).copied().unwrap_or(never);
        match &node.kind {
            NodeKind::Select(selector) => {
                self.decide(*selector, alive, memos);
                for (index, operand) in node.inputs.iter().enumerate() {
                    let taken = memos.is(&mut self.conditions, *selector, index as u32);
                    let taken = memos.and(&mut self.conditions, alive, taken);
                    memos.or(&mut self.conditions, self.nodes.get_mut(operand.index()), taken);
                }
                return;
            }
            NodeKind::Op(op) => {
                op.selector().into_iter().for_each(|by| self.decide(by, alive, memos));
                if !op.values().iter().any(Op::reads_inputs) {
                    return;
                }
            }
            NodeKind::Input => {
                node.shape.selector().into_iter().for_each(|by| self.decide(by, alive, memos));
            }
            NodeKind::Output => {}
        }
        for operand in &node.inputs {
            memos.or(&mut self.conditions, self.nodes.get_mut(operand.index()), alive);
        }
    }

    /// The decisions of the selector matter where the node is alive and the selector comes to
    /// look at them.
    fn decide(&mut self, selector: Diagram, alive: Diagram, memos: &mut Memos) {
        for decision in self.conditions.decisions(selector) {
            let matters = memos.matters(&mut self.conditions, selector, decision);
            let matters = memos.and(&mut self.conditions, alive, matters);
            memos.or(&mut self.conditions, self.decisions.get_mut(decision.index()), matters);
        }
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

/// What was combined before: the same conditions meet again and again.
#[derive(Default)]
struct Memos {
    and: HashMap<(Diagram, Diagram), Diagram>,
    or: HashMap<(Diagram, Diagram), Diagram>,
    is: HashMap<(Diagram, u32), Diagram>,
    matters: HashMap<(Diagram, DecisionId), Diagram>,
}

impl Memos {
    fn and(&mut self, store: &mut Selectors, a: Diagram, b: Diagram) -> Diagram {
        store.and_with(a, b, &mut self.and)
    }

    fn or(&mut self, store: &mut Selectors, slot: Option<&mut Diagram>, more: Diagram) {
        if let Some(slot) = slot {
            *slot = store.or_with(*slot, more, &mut self.or);
        }
    }

    fn is(&mut self, store: &mut Selectors, selector: Diagram, index: u32) -> Diagram {
        *self.is.entry((selector, index)).or_insert_with(|| store.is(selector, index))
    }

    fn matters(&mut self, store: &mut Selectors, selector: Diagram, by: DecisionId) -> Diagram {
        *self.matters.entry((selector, by)).or_insert_with(|| store.matters(selector, by))
    }
}

/// The decisions of a space depend on each other in a way that no table of bounded size holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the decisions are too entangled for an exact answer")]
pub struct Entangled;
