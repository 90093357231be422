//! When a network reads its input: as a function of the decisions.
//!
//! A `zero` reads nothing, so a network in which every way from the inputs to an output leads through
//! one computes the same whatever it is given: it is *constant*.

use crate::diagram::{Diagram, Entangled, Selectors};
use crate::id_vec::IdVec;
use crate::ids::NodeId;
use crate::node::{Node, NodeKind};
use crate::space::Space;

/// Whether the space has an operator that reads nothing; without one, every network reads its input.
pub(crate) fn has_zeros(space: &Space) -> bool {
    let is_zero = |node: &Node| matches!(&node.kind, NodeKind::Op(op) if !op.reads_inputs());
    space.graph.nodes().any(|(_, node)| is_zero(node))
}

/// The condition under which every output depends on an input.
///
/// # Errors
/// [`Entangled`] where it grows beyond what can be held.
pub(crate) fn reading(space: &Space, conditions: &mut Selectors) -> Result<Diagram, Entangled> {
    let always = conditions.constant(1);
    let mut nodes: IdVec<NodeId, Diagram> = IdVec::default();
    let mut all = always;
    for (_, node) in space.graph.nodes() {
        let condition = match &node.kind {
            NodeKind::Input => always,
            NodeKind::Select(selector) => taken(conditions, *selector, &node.inputs, &nodes),
            NodeKind::Op(op) if !op.reads_inputs() => conditions.constant(0),
            NodeKind::Op(_) | NodeKind::Output | NodeKind::TrainOutput { .. } => {
                let never = conditions.constant(0);
                node.inputs.iter().fold(never, |any, &operand| conditions.or(any, nodes[operand]))
            }
        };
        if node.kind == NodeKind::Output {
            all = conditions.and(all, condition);
        }
        nodes.push(condition);
        conditions.room()?;
    }
    Ok(all)
}

/// When what a select takes depends on an input.
fn taken(
    conditions: &mut Selectors,
    selector: Diagram,
    operands: &[NodeId],
    nodes: &IdVec<NodeId, Diagram>,
) -> Diagram {
    if let Some((&first, rest)) = operands.split_first()
        && rest.iter().all(|&operand| nodes[operand] == nodes[first])
    {
        return nodes[first];
    }
    let mut any = conditions.constant(0);
    for (index, &operand) in (0..).zip(operands) {
        let is_taken = conditions.is(selector, index);
        let reads = conditions.and(is_taken, nodes[operand]);
        any = conditions.or(any, reads);
    }
    any
}
