//! The model of a part in the numbers that its layers compute with.

use std::collections::BTreeMap;

use nas_ir::network::NetworkNode;
use nas_ir::{Model, Network, Op, Precision};
use nas_onnx::Numbers;
use nas_quantise::{Grids, Plan, Scheme};

/// What all values are taken to lie between that are rounded: no latency depends on it.
const RANGE: [f64; 2] = [-4.0, 4.0];

/// A folded model with its layers in their own numbers, and those of its file. Integers stand on grids of the same range, by
/// which they are as fast as by any other.
pub(super) fn in_own_numbers(mut model: Model) -> (Model, Numbers) {
    let network = &model.network;
    let is_all =
        |precision| computing(network).all(|(_, node)| network.precision_of(node) == precision);
    if is_all(Precision::Fp32) {
        return (model, Numbers::Float);
    }
    if is_all(Precision::Fp16) {
        model.network = model.network.in_one_precision();
        return (model, Numbers::Half);
    }
    let plan = Plan::of(network, &floats(network));
    let scheme = Scheme::default();
    model.network = model.network.in_one_precision();
    let values = vec![scheme.grid(RANGE); plan.count];
    let grids = Grids::of(scheme, &model, &plan, values);
    (grids.rounded(model, &plan), Numbers::Float)
}

/// Whether layers of a network compute with integers.
pub(super) fn has_integers(network: &Network) -> bool {
    computing(network).any(|(_, node)| network.precision_of(node) == Precision::Int8)
}

/// The nodes that compute something, with their places.
fn computing(network: &Network) -> impl Iterator<Item = (usize, &NetworkNode)> {
    network.nodes.iter().enumerate().filter(|(_, node)| node.op.is_some())
}

/// The layers that compute with floats, and what says so of itself.
fn floats(network: &Network) -> BTreeMap<usize, Precision> {
    let says = |node: &NetworkNode| {
        node.precision.is_some() || node.op.as_ref().is_some_and(Op::has_kernel)
    };
    let nodes = computing(network).filter(|(_, node)| says(node));
    let precisions = nodes.map(|(place, node)| (place, network.precision_of(node)));
    precisions.filter(|(_, precision)| *precision != Precision::Int8).collect()
}
