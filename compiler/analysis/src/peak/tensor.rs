//! The tensors of a network, as far as memory is concerned.

use nas_ir::network::NetworkNode;
use nas_ir::ops::Storage;
use nas_ir::{IdVec, Network, Op};

/// What a network is given, or makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Its bytes.
    pub bytes: u64,
    /// What it is made of, by the places in a list of such; one that is read twice stands there twice.
    pub reads: Vec<usize>,
    /// Where an engine puts it; none of an input, which is there from the start.
    pub storage: Option<Storage>,
    /// Whether it is an output, and alive until the end.
    pub is_output: bool,
}

/// Those of a network, one for each node.
pub(super) fn of_network(network: &Network) -> Vec<Tensor> {
    let mut is_output = IdVec::filled(network.nodes.len(), false);
    network.outputs.iter().for_each(|port| is_output[port.node] = true);
    let tensor = |(index, node): (usize, &NetworkNode)| Tensor {
        bytes: node.shape.elements().saturating_mul(network.precision_of(node).bytes()),
        reads: node.inputs.clone(),
        storage: node.op.as_ref().map(Op::storage),
        is_output: is_output[index],
    };
    network.nodes.iter().enumerate().map(tensor).collect()
}
