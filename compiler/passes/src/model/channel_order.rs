//! The order of the channels of an input: BGR where a network was made for RGB.

use nas_ir::network::{NetworkNode, TrainingPart};
use nas_ir::ops::{ChannelSlice, Concat, Role};
use nas_ir::{IdVec, Model, Network, Op, Weights, fault};

use super::weights::{lacking, name, needed, tensor_mut};
use crate::rewire::{NONE, Part, arranged};

/// The model that takes the channels of an input in reverse order: it turns them back by a concatenation of each of them,
/// which [`fold_channel_order`] makes a part of the first convolutions.
///
/// The model is one that is verified; an input that it lacks, or of one channel, changes nothing.
#[must_use]
pub fn reverse_channels(mut model: Model, input: &str) -> Model {
    let network = &mut model.network;
    let Some(port) = network.inputs.iter().find(|port| port.name == input) else { return model };
    let (input, path) = (port.node, port.name.clone());
    let Some(shape) = network.node(input).map(|node| node.shape) else { return model };
    let channels = shape.channels();
    if channels < 2 {
        return model;
    }
    network.training = TrainingPart::default();
    let added = channels as usize + 1;
    let reversed = input + added;
    // What read the input reads what is made of it, and all behind it moves.
    let moved = |node: usize| if node < input { node } else { node + added };
    let mut nodes: Vec<NetworkNode> = std::mem::take(&mut network.nodes);
    nodes.iter_mut().flat_map(|node| &mut node.inputs).for_each(|node| *node = moved(*node));
    let slices = (0..channels).rev().map(|channel| {
        let op = Op::ChannelSlice(ChannelSlice { start: channel, end: channel + 1 });
        let path = format!("{path}/channel.{channel}");
        NetworkNode::new(path, Some(op), vec![input], shape.with_channels(1))
    });
    let all = (input + 1..reversed).collect();
    let concat = NetworkNode::new(format!("{path}/reversed"), Some(Op::Concat(Concat)), all, shape);
    let behind = nodes.split_off(input + 1);
    nodes.extend(slices);
    nodes.push(concat);
    nodes.extend(behind);
    network.nodes = nodes;
    network.outputs.iter_mut().for_each(|port| port.node = moved(port.node));
    for port in &mut network.inputs {
        if port.node > input {
            port.node = moved(port.node);
        }
    }
    model
}

/// The model in which convolutions that read the channels of a tensor in another order read that tensor itself, and have
/// the channels of their kernels in that order; and so through batch norms between.
///
/// The model is one that is verified: see [`super::PASSES`].
#[must_use]
pub fn fold_channel_order(model: Model) -> Model {
    let Model { mut network, mut weights } = model;
    let mut is_gone: IdVec<usize, bool> = IdVec::filled(network.nodes.len(), false);
    for concat in 0..network.nodes.len() {
        let Some((source, order)) = permutation(&network, concat) else { continue };
        let Some(readers) = readers(&network, concat) else { continue };
        for &reader in &readers {
            if let Some(node) = network.nodes.get_mut(reader) {
                permute(node, &mut weights, &order);
                for operand in node.inputs.iter_mut().filter(|operand| **operand == concat) {
                    *operand = source;
                }
            }
        }
        let slices = network.nodes.get_mut(concat).map(|node| std::mem::take(&mut node.inputs));
        is_gone[concat] = true;
        slices.into_iter().flatten().for_each(|slice| is_gone[slice] = true);
    }
    let nodes = std::mem::take(&mut network.nodes);
    let network =
        arranged(network, nodes, |node| if is_gone[node] { Part::Gone } else { Part::Own });
    let weights = needed(&network, weights);
    Model { network, weights }
}

/// The tensor whose channels a node has in another order, and that order: for each of its channels which one of the
/// tensor it is. What it is made of must be read by nothing else.
fn permutation(network: &Network, concat: usize) -> Option<(usize, Vec<usize>)> {
    let node = network.nodes.get(concat)?;
    if !matches!(node.op, Some(Op::Concat(_))) {
        return None;
    }
    let reads = network.reads();
    let mut source = NONE;
    let mut order = Vec::new();
    for &slice in &node.inputs {
        let slice_node = network.nodes.get(slice)?;
        let (Some(Op::ChannelSlice(op)), &[of]) = (&slice_node.op, slice_node.inputs.as_slice())
        else {
            return None;
        };
        if reads[slice] != 1 || op.end != op.start + 1 || (source != NONE && source != of) {
            return None;
        }
        source = of;
        order.push(op.start as usize);
    }
    let channels = network.nodes.get(source)?.shape.channels() as usize;
    let is_permutation = (0..channels).all(|channel| order.contains(&channel));
    (order.len() == channels && is_permutation).then_some((source, order))
}

/// All that reads a node, through batch norms: `None` if one of these is no operator whose kernel sees all channels at
/// once.
fn readers(network: &Network, node: usize) -> Option<Vec<usize>> {
    if network.outputs.iter().any(|port| port.node == node) {
        return None;
    }
    let mut all = Vec::new();
    for (reader, reading) in network.nodes.iter().enumerate() {
        if !reading.inputs.contains(&node) {
            continue;
        }
        match &reading.op {
            Some(Op::BatchNorm(_)) => all.extend(readers(network, reader)?),
            Some(Op::Conv(conv)) if conv.groups.get() == 1 => {}
            Some(Op::Linear(_)) => {}
            _ => return None,
        }
        all.push(reader);
    }
    Some(all)
}

/// Lets the tensors of a node that has one for each channel of its operand, or a kernel `[out, in, …]`, have them in the
/// order of the tensor whose channel `order[i]` was the operand's channel `i`.
fn permute(node: &NetworkNode, weights: &mut Weights, order: &[usize]) {
    let mut along = |role, taps: usize| {
        let floats = tensor_mut(weights, node, role).floats_mut().unwrap_or_else(|| lacking());
        for row in floats.chunks_mut((order.len() * taps).max(1)) {
            let old = row.to_vec();
            for (from, &to) in old.chunks(taps.max(1)).zip(order) {
                let place = row.get_mut(to * taps..(to + 1) * taps);
                place.unwrap_or_else(|| fault("a kernel for other channels")).copy_from_slice(from);
            }
        }
    };
    match &node.op {
        Some(Op::Conv(conv)) => along(Role::Kernel, conv.kernel.iter().product::<u32>() as usize),
        Some(Op::Linear(_)) => along(Role::Kernel, 1),
        Some(Op::BatchNorm(norm)) => {
            let trained = [Role::Scale, Role::Shift].into_iter().filter(|_| norm.affine);
            let running = [Role::RunningMean, Role::RunningVariance];
            trained.chain(running).for_each(|role| along(role, 1));
        }
        _ => fault(&format!("`{}` has no channels to reorder", name(node, Role::Kernel))),
    }
}
