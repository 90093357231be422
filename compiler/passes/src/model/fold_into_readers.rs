//! What only scales channels folded into the operators with a kernel that read it: `w (factor * x + offset)` is
//! `(w factor) x + w offset`, and so the normalisation of an input a part of the first convolution.
//!
//! A convolution that pads its operand sees the offset inside of the map alone. There the factor goes into its
//! kernel, where the operand is an input, and the offset is left as it is: a batch norm that only subtracts.

use nas_ir::network::NetworkNode;
use nas_ir::ops::{BatchNorm, Role, Scaling};
use nas_ir::{IdVec, Model, Network, Op, Tensor, Weights, fault};

use super::weights::{lacking, name, needed, scaling, tensor_mut};
use crate::rewire::{Part, arranged};

/// The model with each batch norm that operators with a kernel alone read folded into all of these.
///
/// The model is one that is verified: see [`super::PASSES`].
#[must_use]
pub fn fold_into_readers(model: Model) -> Model {
    let Model { mut network, mut weights } = model;
    let mut values: IdVec<usize, usize> = (0..network.nodes.len()).collect();
    for norm in 0..network.nodes.len() {
        let Some((scalings, readers)) = foldable(&network, &weights, norm) else { continue };
        let takes_offset = takes_offset(&network, &readers, &scalings);
        let operand = network.nodes.get(norm).and_then(|node| node.inputs.first().copied());
        let operand = operand.unwrap_or_else(|| fault("a batch norm without an operand"));
        let of_input = network.nodes.get(operand).is_some_and(|node| node.op.is_none());
        if takes_offset {
            readers.iter().for_each(|&reader| fold(&mut network, &mut weights, reader, &scalings));
            values[norm] = operand;
        } else if of_input && scalings.iter().all(|scaling| scaling.factor != 0.0) {
            let factors: Vec<Scaling> =
                scalings.iter().map(|scaling| Scaling { offset: 0.0, ..*scaling }).collect();
            readers.iter().for_each(|&reader| fold(&mut network, &mut weights, reader, &factors));
            if let Some(node) = network.nodes.get_mut(norm) {
                subtract(node, &mut weights, &scalings);
            }
        }
    }
    let mut nodes = std::mem::take(&mut network.nodes);
    for input in nodes.iter_mut().flat_map(|node| &mut node.inputs) {
        *input = values[*input];
    }
    let part = |node| if values[node] == node { Part::Own } else { Part::Gone };
    let network = arranged(network, nodes, part);
    let weights = needed(&network, weights);
    Model { network, weights }
}

/// What a node does to each channel, if it does no more than scale them and operators with a kernel alone read it; and
/// which these are.
fn foldable(
    network: &Network,
    weights: &Weights,
    norm: usize,
) -> Option<(Vec<Scaling>, Vec<usize>)> {
    let node = network.nodes.get(norm)?;
    let scaling = scaling(weights, node)?;
    if network.outputs.iter().any(|port| port.node == norm) {
        return None;
    }
    let readers: Vec<usize> = (0..network.nodes.len())
        .filter(|&reader| network.nodes.get(reader).is_some_and(|it| it.inputs.contains(&norm)))
        .collect();
    let has_kernel = |&reader: &usize| {
        network.nodes.get(reader).and_then(|node| node.op.as_ref()).is_some_and(Op::has_kernel)
    };
    (!readers.is_empty() && readers.iter().all(has_kernel)).then_some((scaling, readers))
}

/// Whether these operators make of an offset of their operand the same at each place, or there is none.
fn takes_offset(network: &Network, readers: &[usize], scaling: &[Scaling]) -> bool {
    let is_uniform = |&reader: &usize| {
        network.nodes.get(reader).and_then(|node| node.op.as_ref()).is_some_and(Op::is_uniform)
    };
    scaling.iter().all(|scaling| scaling.offset == 0.0) || readers.iter().all(is_uniform)
}

/// Lets a node with a kernel read what is scaled so, unscaled: computed in 64 bits and rounded once.
fn fold(network: &mut Network, weights: &mut Weights, reader: usize, scaling: &[Scaling]) {
    let Some(node) = network.nodes.get_mut(reader) else { fault("a reader that is no node") };
    let Some(op) = node.op.clone() else { fault("a reader without a kernel") };
    let has_offset = scaling.iter().any(|scaling| scaling.offset != 0.0);
    let old_bias =
        weights.get(&name(node, Role::Bias)).and_then(Tensor::floats).map(<[f32]>::to_vec);
    let channels = node.shape.channels();
    let mut bias = old_bias
        .map_or(vec![0.0; channels as usize], |bias| bias.into_iter().map(f64::from).collect());
    let kernel = tensor_mut(weights, node, Role::Kernel);
    let rows = op.kernel_rows(&kernel.dims);
    for (taps, row) in kernel.rows_mut().unwrap_or_else(|| lacking()).zip(rows) {
        let (Some(Scaling { factor, offset }), Some(bias)) =
            (scaling.get(row.input as usize), bias.get_mut(row.output as usize))
        else {
            fault("a kernel for other channels")
        };
        for tap in taps {
            *bias += f64::from(*tap) * offset;
            *tap = (f64::from(*tap) * factor) as f32;
        }
    }
    if has_offset {
        node.op = op.with_bias();
        let bias = bias.into_iter().map(|x| x as f32).collect();
        weights.insert(name(node, Role::Bias), Tensor::of_floats([channels], bias));
    }
}

/// Leaves of a batch norm what its readers do not take in: `x + offset / factor`.
fn subtract(node: &mut NetworkNode, weights: &mut Weights, scaling: &[Scaling]) {
    for role in [Role::Scale, Role::Shift] {
        weights.shift_remove(&name(node, role));
    }
    let mean = scaling.iter().map(|it| (-it.offset / it.factor) as f32).collect();
    let dims = [scaling.len() as u32];
    weights.insert(name(node, Role::RunningMean), Tensor::of_floats(dims, mean));
    let ones = vec![1.0; scaling.len()];
    weights.insert(name(node, Role::RunningVariance), Tensor::of_floats(dims, ones));
    node.op = Some(Op::BatchNorm(BatchNorm { eps: 0.0, momentum: 0.0, affine: false }));
}
