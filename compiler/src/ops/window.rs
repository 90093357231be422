//! Sliding windows: the arithmetic that convolutions and pools share.

use super::ShapeProblem;
use super::signature::{Argument, Arguments};

/// Zeros around a map, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Padding {
    /// Above and left.
    pub before: [u32; 2],
    /// Below and right.
    pub after: [u32; 2],
}

impl Padding {
    /// The padding that an argument of [`super::signature::Kind::Padding`] means.
    ///
    /// `"same"` pads by `dilation * (kernel - 1)` in all, the larger half after, so that stride 1
    /// keeps the size; this is what PyTorch code writes as `padding = dilation * (k - 1) // 2`.
    pub(crate) fn of(arguments: &Arguments, kernel: [u32; 2], dilation: [u32; 2]) -> Self {
        if let Some(pair) = arguments.pair_if_given("padding") {
            return Self { before: pair, after: pair };
        }
        if let Some(Argument::Sides { before, after }) = arguments.get("padding") {
            return Self { before, after };
        }
        if arguments.get("padding") == Some(Argument::Word("valid")) {
            return Self { before: [0, 0], after: [0, 0] };
        }
        let [ky, kx] = kernel;
        let [dy, dx] = dilation;
        let total =
            [ky.saturating_sub(1).saturating_mul(dy), kx.saturating_sub(1).saturating_mul(dx)];
        let before = total.map(|t| t / 2);
        Self { before, after: [total[0] - before[0], total[1] - before[1]] }
    }

    /// The argument that makes this padding for such a window.
    pub(crate) fn argument(self, kernel: [u32; 2], dilation: [u32; 2]) -> Argument {
        let same = Self::of(&Arguments::default(), kernel, dilation);
        let Self { before, after } = self;
        if self == same {
            Argument::Word("same")
        } else if before == after {
            Argument::Pair(before)
        } else {
            Argument::Sides { before, after }
        }
    }
}

/// The size of what a window produces, `floor((size + padding - extent) / stride) + 1`.
pub(crate) fn output(
    size: [u32; 2],
    kernel: [u32; 2],
    stride: [u32; 2],
    dilation: [u32; 2],
    padding: Padding,
) -> Result<[u32; 2], ShapeProblem> {
    let mut result = [0; 2];
    for axis in 0..2 {
        let [Some(size), Some(k), Some(s), Some(d), Some(before), Some(after)] =
            [size, kernel, stride, dilation, padding.before, padding.after]
                .map(|pair| pair.get(axis).map(|&v| u64::from(v)))
        else {
            continue;
        };
        let padded = size + before + after;
        let extent = d * k.saturating_sub(1) + 1;
        if extent > padded {
            let direction = if axis == 0 { "high" } else { "wide" };
            return Err(ShapeProblem::Window {
                title: format!(
                    "a window {extent} {direction} does not fit into a map {padded} {direction}, padding included"
                ),
                help: format!(
                    "use a kernel whose extent is at most {padded}, more padding, or less stride before it"
                ),
            });
        }
        if let Some(slot) = result.get_mut(axis) {
            // INVARIANT: at most `padded`, which limits keep far below u32::MAX for legal maps.
            *slot = u32::try_from((padded - extent) / s.max(1) + 1).unwrap_or(u32::MAX);
        }
    }
    Ok(result)
}

/// Pools must see at least one pixel of the map in each window.
pub(crate) fn padding_below_kernel(kernel: [u32; 2], padding: Padding) -> Result<(), ShapeProblem> {
    let too_much = kernel
        .iter()
        .zip(padding.before.iter().zip(&padding.after))
        .any(|(&k, (&before, &after))| before.max(after) > k / 2);
    if too_much {
        return Err(ShapeProblem::Window {
            title: "padding of a pool is more than half its window".to_owned(),
            help: "use `padding = \"same\"`, or at most half of the kernel".to_owned(),
        });
    }
    Ok(())
}
