//! Activations that a network has as two operators: `x * sigmoid(x)` is `swish`, `x * hsigmoid(x)` is `hswish`. So other exporters
//! write them, and in integers the gate has no rounding of its own then.

use nas_ir::network::{NetworkNode, TrainingPart};
use nas_ir::ops::{Hswish, Swish};
use nas_ir::{IdVec, Model, Network, Op};

use crate::rewire::{Part, arranged};

/// The model with each product of a value and a gate of the same value, which nothing else reads, as one activation.
///
/// The model is one that is verified: see [`super::PASSES`].
#[must_use]
pub fn fuse_gates(model: Model) -> Model {
    let Model { mut network, weights } = model;
    network.training = TrainingPart::default();
    let reads = network.reads();
    let mut is_fused = IdVec::filled(network.nodes.len(), false);
    let mut nodes = network.nodes.clone();
    for node in &mut nodes {
        let Some((activation, gate, of)) = activation(&network, &reads, node) else { continue };
        node.op = Some(activation);
        node.inputs = vec![of];
        is_fused[gate] = true;
    }
    network.nodes.clear();
    let part = |node| if is_fused[node] { Part::Gone } else { Part::Own };
    Model { network: arranged(network, nodes, part), weights }
}

/// The activation that a product is, its gate and what both are of.
fn activation(
    network: &Network,
    reads: &IdVec<usize, usize>,
    node: &NetworkNode,
) -> Option<(Op, usize, usize)> {
    let (Some(Op::Mul(_)), &[one, other]) = (&node.op, node.inputs.as_slice()) else { return None };
    [(one, other), (other, one)].into_iter().find_map(|(of, gate)| {
        let gating = network
            .nodes
            .get(gate)
            .filter(|it| it.inputs == [of] && it.precision == node.precision)?;
        let activation = match gating.op {
            Some(Op::Sigmoid(_)) => Op::Swish(Swish),
            Some(Op::Hsigmoid(_)) => Op::Hswish(Hswish),
            _ => return None,
        };
        (reads[gate] == 1).then_some((activation, gate, of))
    })
}
