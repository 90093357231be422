//! When a node is part of the network: as a function of the decisions.

use std::rc::Rc;

use rustc_hash::FxHashMap as HashMap;

use crate::check::Checked;
use crate::diagram::{Diagram, Entangled, Memo, Selectors};
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
    /// That of a space, for an analysis that adds conditions of its own; one that does not looks at
    /// [`Checked::liveness`].
    ///
    /// # Errors
    /// [`Entangled`] where the conditions grow beyond what can be held.
    pub fn of(space: &Checked<Space>) -> Result<Self, Entangled> {
        space.liveness().cloned()
    }

    /// A node is alive where an output, or an operator that is alive, reads it, directly or
    /// through selects that take it. A decision matters where a node is alive whose select,
    /// operator or shape depends on it. What only train outputs read is never alive.
    pub(crate) fn new(space: &Space) -> Result<Self, Entangled> {
        Self::toward(space, |kind| matches!(kind, NodeKind::Output))
    }

    /// As `new`, but where a train output reads a node, it is alive too. For the checker, which
    /// proves the shapes of these as well.
    pub(crate) fn in_training(space: &Space) -> Result<Self, Entangled> {
        Self::toward(space, |kind| matches!(kind, NodeKind::Output | NodeKind::TrainOutput { .. }))
    }

    fn toward(space: &Space, is_output: fn(&NodeKind) -> bool) -> Result<Self, Entangled> {
        let mut conditions = space.selectors.clone();
        let (never, always) = (conditions.constant(0), conditions.constant(1));
        let (and, or) = (conditions.memo(), conditions.memo());
        let liveness = Self {
            nodes: vec![never; space.graph.len()],
            decisions: vec![never; space.decisions.len()],
            conditions,
        };
        let (is, matters) = (HashMap::default(), HashMap::default());
        let mut walk = Walk { liveness, is_output, always, and, or, is, matters };
        for (id, node) in space.graph.nodes().rev() {
            walk.visit(id, node);
            walk.liveness.conditions.room()?;
        }
        Ok(walk.liveness)
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

/// A walk from the outputs to the inputs. The same conditions meet again and again, so what was
/// combined before is remembered.
struct Walk {
    liveness: Liveness,
    is_output: fn(&NodeKind) -> bool,
    always: Diagram,
    and: Memo,
    or: Memo,
    is: HashMap<(Diagram, u32), Diagram>,
    /// For each selector, the decisions that it looks at, and when it does.
    matters: HashMap<Diagram, Rc<[(DecisionId, Diagram)]>>,
}

impl Walk {
    fn visit(&mut self, id: NodeId, node: &Node) {
        // An input is part of every network, read or not: it is part of the interface.
        if node.kind == NodeKind::Input || (self.is_output)(&node.kind) {
            self.liveness.nodes.get_mut(id.index()).into_iter().for_each(|n| *n = self.always);
        }
        let Some(alive) = self.liveness.node(id) else { return };
        match &node.kind {
            NodeKind::Select(selector) => {
                self.decide(*selector, alive);
                for (index, &operand) in node.inputs.iter().enumerate() {
                    let taken = self.is(*selector, index as u32);
                    let taken = self.liveness.conditions.and_with(alive, taken, &mut self.and);
                    self.read(operand, taken);
                }
                return;
            }
            NodeKind::Op(op) => {
                op.selector().into_iter().for_each(|by| self.decide(by, alive));
                if !op.values().iter().any(Op::reads_inputs) {
                    return;
                }
            }
            NodeKind::Input => {
                node.shape.selector().into_iter().for_each(|by| self.decide(by, alive));
            }
            NodeKind::Output | NodeKind::TrainOutput { .. } => {}
        }
        node.inputs.iter().for_each(|&operand| self.read(operand, alive));
    }

    /// The node is alive where `reader` holds, too.
    fn read(&mut self, node: NodeId, reader: Diagram) {
        if let Some(alive) = self.liveness.nodes.get_mut(node.index()) {
            *alive = self.liveness.conditions.or_with(*alive, reader, &mut self.or);
        }
    }

    /// The decisions of the selector matter where the node is alive and the selector comes to
    /// look at them.
    fn decide(&mut self, selector: Diagram, alive: Diagram) {
        let conditions = &mut self.liveness.conditions;
        let looked_at = self.matters.entry(selector).or_insert_with(|| {
            let decisions = conditions.decisions(selector).into_iter();
            decisions.map(|by| (by, conditions.matters(selector, by))).collect()
        });
        for &(decision, matters) in Rc::clone(looked_at).iter() {
            let matters = conditions.and_with(alive, matters, &mut self.and);
            if let Some(before) = self.liveness.decisions.get_mut(decision.index()) {
                *before = conditions.or_with(*before, matters, &mut self.or);
            }
        }
    }

    fn is(&mut self, selector: Diagram, index: u32) -> Diagram {
        let conditions = &mut self.liveness.conditions;
        *self.is.entry((selector, index)).or_insert_with(|| conditions.is(selector, index))
    }
}
