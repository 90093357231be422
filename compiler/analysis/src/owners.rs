//! Which candidates a node belongs to: under which picks alone it is there.

use std::collections::BTreeSet;

use nas_ir::{Checked, IdVec, NodeId, NodeKind, Pick, Space};

/// For every node, the picks through which each way from the node to an output leads: the
/// node is part of a network only where all of them are made. `None` where no output reads it.
/// Of selects, those count whose operands are the candidates of one decision.
#[must_use]
pub fn owners(space: &Checked<Space>) -> IdVec<NodeId, Option<BTreeSet<Pick>>> {
    let mut owners: IdVec<NodeId, Option<BTreeSet<Pick>>> = space.graph.table(None);
    for (id, node) in space.graph.nodes().rev() {
        // An input is part of every network, read or not: it is part of the interface.
        if matches!(node.kind, NodeKind::Input | NodeKind::Output) {
            owners[id] = Some(BTreeSet::new());
        }
        let Some(own) = owners[id].clone() else { continue };
        if matches!(&node.kind, NodeKind::Op(op) if !op.reads_inputs()) {
            continue;
        }
        let decision = match &node.kind {
            NodeKind::Select(selector) => space.selectors.as_choice(*selector),
            NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } | NodeKind::Op(_) => {
                None
            }
        };
        for (position, &operand) in node.inputs.iter().enumerate() {
            let mut way = own.clone();
            way.extend(decision.map(|decision| (decision, position)));
            match &mut owners[operand] {
                Some(ways) => ways.retain(|pick| way.contains(pick)),
                slot => *slot = Some(way),
            }
        }
    }
    owners
}
