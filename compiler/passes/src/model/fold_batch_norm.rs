//! Batch norm folded into the operator with a kernel before it, be it a convolution, a transposed one or a linear
//! layer, as is all that only scales channels at inference: `y = factor * x + offset`, channel by channel, makes the
//! kernel `factor * kernel` and the bias `factor * bias + offset`.

use nas_ir::network::{NetworkNode, TrainingPart};
use nas_ir::ops::{KernelRow, Role, Scaling};
use nas_ir::{IdVec, Model, Network, Op, Tensor, Weights, fault};

use super::weights::{floats, lacking, name, needed, scaling, tensor_mut};
use crate::rewire::{Part, arranged, move_ports};

/// The model with each batch norm that is all that reads an operator with a kernel folded into that. The
/// operator keeps its path, and has a bias; its value is that of the batch norm, which is noted in
/// [`NetworkNode::folded`]. What training adds goes: it may read the operator as it was.
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

/// The nodes with a kernel that nothing but a batch norm reads, each with that.
fn plan(network: &Network) -> Vec<(usize, usize)> {
    let reads = network.reads();
    let pair = |(index, node): (usize, &NetworkNode)| {
        let [operand] = node.inputs.as_slice() else { return None };
        let producer = network.nodes.get(*operand)?.op.as_ref()?;
        let is_free = reads[*operand] == 1;
        let folds = node.op.as_ref()?.is_scaling() && producer.has_kernel();
        (folds && is_free).then_some((*operand, index))
    };
    network.nodes.iter().enumerate().filter_map(pair).collect()
}

/// Folds one batch norm into one node with a kernel, computed in 64 bits and rounded once.
fn fold(network: &mut Network, weights: &mut Weights, kernel: usize, norm: usize) {
    let norm = network.nodes.get(norm);
    let scaling = norm.and_then(|norm| Some((norm.name.clone(), scaling(weights, norm)?)));
    let taken = network.nodes.get_mut(kernel).and_then(|node| {
        let op = node.op.as_ref()?.with_bias()?;
        Some((node, op))
    });
    let (Some((path, scaling)), Some((node, op))) = (scaling, taken) else {
        fault("a scaling that nothing takes in")
    };
    let has_bias = weights.contains_key(&name(node, Role::Bias));
    let bias = has_bias.then(|| floats(weights, node, Role::Bias));
    let bias = scaled_bias(bias, &scaling);
    scale_kernel(tensor_mut(weights, node, Role::Kernel), &op, &scaling);
    let dims = [bias.len() as u32];
    weights.insert(name(node, Role::Bias), Tensor::of_floats(dims, bias));
    node.op = Some(op);
    node.folded.push(path);
}

/// Multiplies the taps for each output channel of a kernel by its factor.
fn scale_kernel(kernel: &mut Tensor, op: &Op, scaling: &[Scaling]) {
    let rows = op.kernel_rows(&kernel.dims);
    for (taps, KernelRow { output, .. }) in kernel.rows_mut().unwrap_or_else(|| lacking()).zip(rows)
    {
        let scaling = scaling.get(output as usize);
        let Some(Scaling { factor, .. }) = scaling else { fault("a kernel for other channels") };
        taps.iter_mut().for_each(|tap| *tap = (f64::from(*tap) * factor) as f32);
    }
}

/// The bias `[out]` of an operator whose channels are scaled; without one, it was 0.
fn scaled_bias(bias: Option<&[f32]>, scaling: &[Scaling]) -> Vec<f32> {
    let of = |(channel, Scaling { factor, offset }): (usize, &Scaling)| {
        let bias = bias.and_then(|bias| bias.get(channel)).map_or(0.0, |&b| f64::from(b));
        (factor * bias + offset) as f32
    };
    scaling.iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use nas_ir::ops::{ConvTranspose, Linear, Padding};

    use super::*;

    fn folded(op: &Op, kernel: &Tensor, scaling: &[Scaling]) -> Vec<f32> {
        let mut kernel = kernel.clone();
        scale_kernel(&mut kernel, op, scaling);
        kernel.into_floats().unwrap()
    }

    #[test]
    fn multiplies_and_adds_by_channel() {
        let scaling = [(1.0, -2.0), (0.5, -1.5)].map(|(factor, offset)| Scaling { factor, offset });
        let linear = Op::Linear(Linear { out: 2, bias: false });
        let matrix = Tensor::of_floats([2, 2], vec![1.0, 2.0, 3.0, 4.0]);
        assert_eq!(folded(&linear, &matrix, &scaling), [1.0, 2.0, 1.5, 2.0]);
        assert_eq!(scaled_bias(Some(&[1.0, 0.5]), &scaling), [-1.0, -1.25]);
        assert_eq!(scaled_bias(None, &scaling), [-2.0, -1.5]);
    }

    /// Two groups of two inputs, each of which makes two channels by two taps.
    #[test]
    fn kernels_of_transposed_convolutions_have_their_outputs_on_the_second_axis() {
        let scaling = [1.0, 10.0, 100.0, 1000.0].map(|factor| Scaling { factor, offset: 0.0 });
        let zero = Padding { before: [0, 0], after: [0, 0] };
        let op = Op::ConvTranspose(ConvTranspose {
            out: 4,
            kernel: [1, 2],
            stride: [1, 1],
            dilation: [1, 1],
            groups: NonZeroU32::MIN.saturating_add(1),
            bias: false,
            padding: zero,
            output_padding: [0, 0],
        });
        let kernel = Tensor::of_floats([4, 2, 1, 2], vec![1.0; 16]);
        let expected = [1.0, 1.0, 10.0, 10.0, 1.0, 1.0, 10.0, 10.0]
            .into_iter()
            .chain([1e2, 1e2, 1e3, 1e3, 1e2, 1e2, 1e3, 1e3]);
        assert_eq!(folded(&op, &kernel, &scaling), expected.collect::<Vec<f32>>());
    }
}
