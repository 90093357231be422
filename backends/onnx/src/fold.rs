//! Batch norm folded into the convolution before it.
//!
//! At inference batch norm is `y = (x - mean) / sqrt(variance + eps) * scale + shift`, channel by
//! channel (Ioffe and Szegedy 2015, algorithm 2): with `a = scale / sqrt(variance + eps)` the kernel
//! becomes `a * kernel` and the bias `a * (bias - mean) + shift`.

use nas_ir::{Network, Op};

/// For each node, the batch norm that it takes in: for a convolution which nothing else reads.
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
        let (Some(Op::BatchNorm(_)), [operand]) = (&node.op, node.inputs.as_slice()) else {
            continue;
        };
        let producer = network.nodes.get(*operand).and_then(|node| node.op.as_ref());
        let is_free = reads.get(*operand) == Some(&1);
        if let (Some(Op::Conv(_)), true, Some(slot)) = (producer, is_free, plan.get_mut(*operand)) {
            *slot = Some(index);
        }
    }
    plan
}

/// The tensors of a batch norm, `[channels]` each.
pub(crate) struct Norm<'w> {
    /// Scale and shift; 1 and 0 if there are none.
    pub(crate) affine: Option<(&'w [f32], &'w [f32])>,
    pub(crate) mean: &'w [f32],
    pub(crate) variance: &'w [f32],
    pub(crate) eps: f64,
}

impl Norm<'_> {
    /// Factor and offset of each channel: `y = factor * x + offset`.
    fn factors(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let at = |of: &[f32], channel: usize| of.get(channel).copied().map(f64::from);
        self.mean.iter().zip(self.variance).enumerate().map(move |(channel, (&mean, &variance))| {
            let scale = self.affine.and_then(|(scale, _)| at(scale, channel)).unwrap_or(1.0);
            let shift = self.affine.and_then(|(_, shift)| at(shift, channel)).unwrap_or(0.0);
            let factor = scale / (f64::from(variance) + self.eps).sqrt();
            (factor, shift - factor * f64::from(mean))
        })
    }
}

/// Kernel `[out, in / groups, kh, kw]` and bias `[out]` of a convolution that has taken in a batch
/// norm, computed in 64 bits and rounded once.
pub(crate) fn fold(kernel: &[f32], bias: Option<&[f32]>, norm: &Norm<'_>) -> (Vec<f32>, Vec<f32>) {
    let taps = kernel.len() / norm.mean.len().max(1);
    let kernel = kernel
        .chunks(taps.max(1))
        .zip(norm.factors())
        .flat_map(|(filter, (factor, _))| {
            filter.iter().map(move |&tap| (f64::from(tap) * factor) as f32)
        })
        .collect();
    let bias = norm
        .factors()
        .enumerate()
        .map(|(channel, (factor, offset))| {
            let bias = bias.and_then(|bias| bias.get(channel)).map_or(0.0, |&b| f64::from(b));
            (factor * bias + offset) as f32
        })
        .collect();
    (kernel, bias)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_scale_and_shift() {
        let norm = Norm {
            affine: Some((&[2.0, 1.0], &[1.0, -1.0])),
            mean: &[3.0, 0.5],
            variance: &[3.0, 0.0],
            eps: 1.0,
        };
        let (kernel, bias) = fold(&[1.0, 2.0, 3.0, 4.0], Some(&[1.0, 0.0]), &norm);
        assert_eq!(kernel, [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(bias, [-1.0, -1.5]);
        assert_eq!(fold(&[1.0, 1.0], None, &norm).1, [-2.0, -1.5]);
    }

    #[test]
    fn rounds_once() {
        // 0.1 / sqrt(0.3) in 32 bits throughout would be off by one unit in the last place or more.
        let norm =
            Norm { affine: Some((&[0.1], &[0.7])), mean: &[0.9], variance: &[0.3], eps: 1e-5 };
        let factor = f64::from(0.1_f32) / (f64::from(0.3_f32) + 1e-5).sqrt();
        let (kernel, bias) = fold(&[0.3], None, &norm);
        assert_eq!(kernel, [(f64::from(0.3_f32) * factor) as f32]);
        assert_eq!(bias, [(f64::from(0.7_f32) - factor * f64::from(0.9_f32)) as f32]);
    }
}
