//! What only scales channels at inference, such as batch norm, folded into the convolution before
//! it: `y = factor * x + offset`, channel by channel, makes the kernel `factor * kernel` and the bias
//! `factor * bias + offset`.

use nas_ir::ops::Scaling;
use nas_ir::{Network, Op};

/// For each node, the one that it takes in: of what scales channels, a convolution that nothing
/// else reads.
pub(crate) fn plan(network: &Network) -> Vec<Option<usize>> {
    let mut reads = vec![0_u32; network.nodes.len()];
    let operands = network.nodes.iter().flat_map(|node| &node.inputs);
    for &read in operands.chain(network.outputs.iter().map(|port| &port.node)) {
        if let Some(count) = reads.get_mut(read) {
            *count += 1;
        }
    }
    let mut plan = vec![None; network.nodes.len()];
    for (index, node) in network.nodes.iter().enumerate() {
        let is_scaling = node.op.as_ref().is_some_and(Op::is_scaling);
        let [operand] = node.inputs.as_slice() else { continue };
        let producer = network.nodes.get(*operand).and_then(|node| node.op.as_ref());
        let takes_it_in = producer.is_some_and(Op::takes_in_scaling);
        let is_free = reads.get(*operand) == Some(&1);
        if is_scaling && takes_it_in && is_free {
            plan.get_mut(*operand).into_iter().for_each(|slot| *slot = Some(index));
        }
    }
    plan
}

/// Kernel `[out, in / groups, kh, kw]` and bias `[out]` of a convolution that has taken in a scaling
/// of its channels, computed in 64 bits and rounded once.
pub(crate) fn fold(
    kernel: &[f32],
    bias: Option<&[f32]>,
    scaling: &[Scaling],
) -> (Vec<f32>, Vec<f32>) {
    let taps = kernel.len() / scaling.len().max(1);
    let kernel = kernel
        .chunks(taps.max(1))
        .zip(scaling)
        .flat_map(|(filter, of_channel)| {
            filter.iter().map(move |&tap| (f64::from(tap) * of_channel.factor) as f32)
        })
        .collect();
    let bias = scaling
        .iter()
        .enumerate()
        .map(|(channel, Scaling { factor, offset })| {
            let bias = bias.and_then(|bias| bias.get(channel)).map_or(0.0, |&b| f64::from(b));
            (factor * bias + offset) as f32
        })
        .collect();
    (kernel, bias)
}

#[cfg(test)]
mod tests {
    use nas_ir::ops::{BatchNorm, Role};

    use super::*;

    /// What a batch norm does with these tensors.
    fn norm([scale, shift]: [&[f32]; 2], [mean, variance]: [&[f32]; 2], eps: f64) -> Vec<Scaling> {
        let norm = Op::BatchNorm(BatchNorm { eps, momentum: 0.1, affine: true });
        let tensors = |role| match role {
            Role::Scale => scale,
            Role::Shift => shift,
            Role::RunningMean => mean,
            Role::RunningVariance => variance,
            Role::Kernel | Role::Bias | Role::Slope => &[],
        };
        norm.scaling(&tensors).unwrap()
    }

    #[test]
    fn folds_scale_and_shift() {
        let norm = norm([&[2.0, 1.0], &[1.0, -1.0]], [&[3.0, 0.5], &[3.0, 0.0]], 1.0);
        let (kernel, bias) = fold(&[1.0, 2.0, 3.0, 4.0], Some(&[1.0, 0.0]), &norm);
        assert_eq!(kernel, [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(bias, [-1.0, -1.5]);
        assert_eq!(fold(&[1.0, 1.0], None, &norm).1, [-2.0, -1.5]);
    }

    #[test]
    fn rounds_once() {
        // 0.1 / sqrt(0.3) in 32 bits throughout would be off by one unit in the last place or more.
        let norm = norm([&[0.1], &[0.7]], [&[0.9], &[0.3]], 1e-5);
        let factor = f64::from(0.1_f32) / (f64::from(0.3_f32) + 1e-5).sqrt();
        let (kernel, bias) = fold(&[0.3], None, &norm);
        assert_eq!(kernel, [(f64::from(0.3_f32) * factor) as f32]);
        assert_eq!(bias, [(f64::from(0.7_f32) - factor * f64::from(0.9_f32)) as f32]);
    }
}
