//! Batch norm folded into the convolution before it, as is all that only scales channels at
//! inference: `y = factor * x + offset`, channel by channel, makes the kernel `factor * kernel` and the
//! bias `factor * bias + offset`.

use nas_ir::network::{NetworkNode, TrainingPart};
use nas_ir::ops::{Role, Scaling};
use nas_ir::{IdVec, Model, Network, Tensor, Weights, fault};

use super::weights::{floats, floats_mut, name, needed, scaling};
use crate::rewire::{Part, arranged, move_ports, reads};

/// The model with each batch norm that is all that reads a convolution folded into that. The
/// convolution keeps its path, and has a bias; its value is that of the batch norm, which is noted in
/// [`NetworkNode::folded`]. What training adds goes: it may read the convolution as it was.
///
/// The model is one that is verified: see [`super::PASSES`].
#[must_use]
pub fn fold_batch_norm(model: Model) -> Model {
    let Model { mut network, mut weights } = model;
    network.training = TrainingPart::default();
    let mut values: IdVec<usize, usize> = (0..network.nodes.len()).collect();
    for (conv, norm) in plan(&network) {
        fold(&mut network, &mut weights, conv, norm);
        values[norm] = conv;
    }
    let mut nodes = std::mem::take(&mut network.nodes);
    for input in nodes.iter_mut().flat_map(|node| &mut node.inputs) {
        *input = values[*input];
    }
    move_ports(&mut network, &values);
    let is_own = |node| values[node] == node;
    let part = |node| if is_own(node) { Part::Own } else { Part::Gone };
    let network = arranged(network, nodes, part);
    let weights = needed(&network, weights);
    Model { network, weights }
}

/// The convolutions that nothing but a batch norm reads, each with that.
fn plan(network: &Network) -> Vec<(usize, usize)> {
    let reads = reads(network);
    let pair = |(index, node): (usize, &NetworkNode)| {
        let [operand] = node.inputs.as_slice() else { return None };
        let producer = network.nodes.get(*operand)?.op.as_ref()?;
        let is_free = reads[*operand] == 1;
        let folds = node.op.as_ref()?.is_scaling() && producer.takes_in_scaling();
        (folds && is_free).then_some((*operand, index))
    };
    network.nodes.iter().enumerate().filter_map(pair).collect()
}

/// Folds one batch norm into one convolution, computed in 64 bits and rounded once.
fn fold(network: &mut Network, weights: &mut Weights, conv: usize, norm: usize) {
    let norm = network.nodes.get(norm);
    let scaling = norm.and_then(|norm| Some((norm.name.clone(), scaling(weights, norm)?)));
    let taken = network.nodes.get_mut(conv).and_then(|node| {
        let op = node.op.as_ref()?.taking_in_scaling()?;
        Some((node, op))
    });
    let (Some((path, scaling)), Some((node, op))) = (scaling, taken) else {
        fault("a scaling that nothing takes in")
    };
    let has_bias = weights.contains_key(&name(node, Role::Bias));
    let bias = has_bias.then(|| floats(weights, node, Role::Bias));
    let bias = scaled_bias(bias, &scaling);
    scale_kernel(floats_mut(weights, node, Role::Kernel), &scaling);
    let dims = [bias.len() as u32];
    weights.insert(name(node, Role::Bias), Tensor::of_floats(dims, bias));
    node.op = Some(op);
    node.folded.push(path);
}

/// Multiplies the taps of each output channel of a kernel `[out, in / groups, kh, kw]` by its factor.
fn scale_kernel(kernel: &mut [f32], scaling: &[Scaling]) {
    let taps = kernel.len() / scaling.len().max(1);
    for (filter, Scaling { factor, .. }) in kernel.chunks_mut(taps.max(1)).zip(scaling) {
        filter.iter_mut().for_each(|tap| *tap = (f64::from(*tap) * factor) as f32);
    }
}

/// The bias `[out]` of a convolution whose channels are scaled; without one, it was 0.
fn scaled_bias(bias: Option<&[f32]>, scaling: &[Scaling]) -> Vec<f32> {
    let of = |(channel, Scaling { factor, offset }): (usize, &Scaling)| {
        let bias = bias.and_then(|bias| bias.get(channel)).map_or(0.0, |&b| f64::from(b));
        (factor * bias + offset) as f32
    };
    scaling.iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(kernel: &[f32], bias: Option<&[f32]>, scaling: &[Scaling]) -> [Vec<f32>; 2] {
        let mut kernel = kernel.to_vec();
        scale_kernel(&mut kernel, scaling);
        [kernel, scaled_bias(bias, scaling)]
    }

    #[test]
    fn multiplies_and_adds_by_channel() {
        let scaling = [(1.0, -2.0), (0.5, -1.5)].map(|(factor, offset)| Scaling { factor, offset });
        let [kernel, bias] = folded(&[1.0, 2.0, 3.0, 4.0], Some(&[1.0, 0.5]), &scaling);
        assert_eq!((kernel, bias), (vec![1.0, 2.0, 1.5, 2.0], vec![-1.0, -1.25]));
        assert_eq!(folded(&[1.0, 1.0], None, &scaling)[1], [-2.0, -1.5]);
    }
}
