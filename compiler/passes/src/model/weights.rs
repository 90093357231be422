//! Weights of a model, as its passes read them. The model is verified: a tensor that is not there is
//! a fault of ours.

use nas_ir::network::NetworkNode;
use nas_ir::ops::{Role, Scaling};
use nas_ir::{Network, Tensor, TensorName, Weights, fault};

/// The name of the tensor that a node has in this role.
pub(super) fn name(node: &NetworkNode, role: Role) -> String {
    TensorName::new(&node.name, role).to_string()
}

/// The values of the tensor that a node has in this role.
pub(super) fn floats<'w>(weights: &'w Weights, node: &NetworkNode, role: Role) -> &'w [f32] {
    let tensor = weights.get(&name(node, role));
    tensor.and_then(Tensor::floats).unwrap_or_else(|| lacking())
}

/// The tensor that a node has in this role, to change it.
pub(super) fn tensor_mut<'w>(
    weights: &'w mut Weights,
    node: &NetworkNode,
    role: Role,
) -> &'w mut Tensor {
    weights.get_mut(&name(node, role)).unwrap_or_else(|| lacking())
}

/// What a node does to each channel, if it only scales them.
pub(super) fn scaling(weights: &Weights, node: &NetworkNode) -> Option<Vec<Scaling>> {
    node.op.as_ref()?.scaling(&|role| floats(weights, node, role))
}

/// The weights of the network alone, in the order of its nodes.
pub(super) fn needed(network: &Network, mut weights: Weights) -> Weights {
    let needed = network.weights().into_iter();
    needed
        .map(|needed| {
            let tensor = weights.swap_remove(&needed.name);
            (needed.name, tensor.unwrap_or_else(|| lacking()))
        })
        .collect()
}

pub(super) fn lacking() -> ! {
    fault("a verified model without one of its tensors")
}
