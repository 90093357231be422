//! Which candidates a node belongs to.

use std::collections::BTreeSet;

use nas_ir::{Checked, DecisionId, NodeKind, Space};

/// A candidate: a decision, and its row in the list of that decision.
pub type Candidate = (DecisionId, usize);

/// For every node, the candidates through which each way from the node to an output leads: the
/// node is part of a network only where all of them are chosen. `None` where no output reads it.
/// Of selects, those count whose operands are the candidates of one decision.
#[must_use]
pub fn owners(space: &Checked<Space>) -> Vec<Option<BTreeSet<Candidate>>> {
    let mut owners: Vec<Option<BTreeSet<Candidate>>> = vec![None; space.graph.len()];
    for (id, node) in space.graph.nodes().rev() {
        let slot = owners.get_mut(id.index());
        let own = match &node.kind {
            // An input is part of every network, read or not: it is part of the interface.
            NodeKind::Input | NodeKind::Output => slot.map(|slot| slot.insert(BTreeSet::new())),
            NodeKind::Op(_) | NodeKind::Select(_) | NodeKind::TrainOutput { .. } => {
                slot.and_then(Option::as_mut)
            }
        };
        let Some(own) = own.cloned() else { continue };
        if matches!(&node.kind, NodeKind::Op(op) if !op.reads_inputs()) {
            continue;
        }
        let decision = match &node.kind {
            NodeKind::Select(selector) => space.selectors.as_choice(*selector),
            NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } | NodeKind::Op(_) => {
                None
            }
        };
        for (position, operand) in node.inputs.iter().enumerate() {
            let mut way = own.clone();
            way.extend(decision.map(|decision| (decision, position)));
            match owners.get_mut(operand.index()) {
                Some(Some(ways)) => ways.retain(|candidate| way.contains(candidate)),
                Some(slot) => *slot = Some(way),
                None => {}
            }
        }
    }
    owners
}
