//! `conv_transpose`: transposed convolution.

use std::num::NonZeroU32;

use super::inputs::Inputs;
use super::kernel::{BIAS, GROUPS, OUT, at_each_position, groups_divide, he_variance, with_bias};
use super::operator::{
    Channels, Factor, Kernel, KernelRow, Levels, Operator, Properties, Storage, Yields,
};
use super::problem::{Cure, ShapeProblem};
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use super::weight::Weight;
use super::window::{DILATION, KERNEL, Padding, STRIDE};
use crate::shape::Shape;

/// Transposed two-dimensional convolution: the gradient of a convolution with the same kernel,
/// stride, dilation and padding (as in PyTorch).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvTranspose {
    /// Output channels.
    pub out: u32,
    /// Height and width of the kernel.
    pub kernel: [u32; 2],
    /// Vertical and horizontal stride.
    pub stride: [u32; 2],
    /// Vertical and horizontal dilation.
    pub dilation: [u32; 2],
    /// Groups; each sees `in / groups` channels.
    pub groups: NonZeroU32,
    /// Whether a bias is added.
    pub bias: bool,
    /// Rows and columns removed from the result.
    pub padding: Padding,
    /// Rows below and columns on the right that the result has in addition.
    pub output_padding: [u32; 2],
}

impl Operator for ConvTranspose {
    const DECLARATION: Declaration = Declaration {
        name: "conv_transpose",
        operands: Operands::One,
        params: &[
            OUT,
            KERNEL,
            STRIDE,
            DILATION,
            GROUPS,
            BIAS,
            Parameter {
                name: "padding",
                kind: Kind::Padding,
                default: Default::Is(Argument::Word("same")),
                doc: "padding of the convolution that it transposes: rows and columns removed from the result; \"same\" keeps the size at stride 1",
            },
            Parameter {
                name: "output_padding",
                kind: Kind::Pair(0),
                default: Default::Is(Argument::Pair([0, 0])),
                doc: "rows below and columns on the right in addition, less than the stride or the dilation; `stride - 1` with padding \"same\" and an odd kernel multiplies the size by the stride",
            },
        ],
        doc: "Transposed convolution. [C, H, W] -> [out, H', W'] with H' = (H - 1) * stride + dilation * (kernel - 1) + 1 - padding + output_padding. MACs: H * W * C * kh * kw * out / groups.",
        example: "x -> conv_transpose(8, kernel = 3, stride = 2, output_padding = 1)",
    };

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Computed,
        is_elementwise: false,
        storage: Storage::Own,
        weights: Some(Self::weights),
        kernel: Some(Kernel {
            macs: Self::macs,
            with_bias: |conv| Self { bias: true, ..*conv },
            // Each group has so many inputs, and makes as many channels as the second axis has.
            row: |conv, [inputs, each], [input, filter]| KernelRow {
                input,
                output: input / (inputs / conv.groups.get()).max(1) * each + filter,
            },
            channel_axis: |conv| (conv.groups.get() == 1).then_some(1),
            // Which taps meet a pixel depends on where it lies between those of the operand.
            is_uniform: |_| false,
        }),
        window_padding: Some(|conv, _| Ok(conv.padding)),
        scaling: None,
        factor: |own| if own.bias { Factor::Changed } else { Factor::Kept },
        channels: |own| Channels::of_groups(own.groups, own.out),
        levels: Levels::Own,
        alternatives: None,
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        let (kernel, dilation) = (arguments.pair("kernel"), arguments.pair("dilation"));
        Ok(Self {
            out: arguments.count("out"),
            kernel,
            stride: arguments.pair("stride"),
            dilation,
            groups: arguments.positive("groups"),
            bias: arguments.flag("bias"),
            padding: Padding::of(arguments, kernel, dilation),
            output_padding: arguments.pair("output_padding"),
        })
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
            .with("out", Argument::Count(self.out))
            .with("kernel", Argument::Pair(self.kernel))
            .with("stride", Argument::Pair(self.stride))
            .with("dilation", Argument::Pair(self.dilation))
            .with("groups", Argument::Count(self.groups.get()))
            .with("bias", Argument::Flag(self.bias))
            .with("padding", self.padding.argument(self.kernel, self.dilation))
            .with("output_padding", Argument::Pair(self.output_padding))
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        let (input, [h, w]) = inputs.first_map()?;
        groups_divide(self.groups, input.channels(), self.out)?;
        Ok(Shape::from([self.out, self.along(0, h)?, self.along(1, w)?]))
    }
}

impl ConvTranspose {
    /// `[C, out / groups, kh, kw]`
    fn filters(&self, inputs: Inputs<'_>) -> Weight {
        let [kh, kw] = self.kernel;
        let dims = vec![inputs.first().channels(), self.out / self.groups, kh, kw];
        Weight::kernel(dims, he_variance(self.kernel, self.out, self.groups))
    }

    fn weights(&self, inputs: Inputs<'_>) -> Vec<Weight> {
        with_bias(self.filters(inputs), self.bias, self.out)
    }

    /// Every input pixel is multiplied with the whole kernel once.
    fn macs(&self, inputs: Inputs<'_>, _output: Shape) -> u128 {
        at_each_position(&self.filters(inputs), inputs.first())
    }

    /// The size of the result along one direction.
    fn along(&self, axis: usize, size: u32) -> Result<u32, ShapeProblem> {
        let Padding { before, after } = self.padding;
        let pairs = [self.kernel, self.stride, self.dilation, before, after, self.output_padding];
        let [kernel, stride, dilation, before, after, more] =
            pairs.map(|pair| u64::from(if axis == 0 { pair[0] } else { pair[1] }));
        if more >= stride.max(dilation) {
            return Err(ShapeProblem::Window {
                title: format!(
                    "an output padding of {more} is too much for stride {stride} and dilation {dilation}"
                ),
                help: Cure::Argument {
                    name: "output_padding",
                    value: stride.max(dilation).saturating_sub(1).to_string(),
                    rest: " at most, or a larger stride",
                },
            });
        }
        let extent = dilation.saturating_mul(kernel.saturating_sub(1)) + 1;
        let full = u64::from(size).saturating_sub(1).saturating_mul(stride).saturating_add(extent);
        match full.saturating_add(more).checked_sub(before + after) {
            Some(rest @ 1..) => Ok(u32::try_from(rest).unwrap_or(u32::MAX)),
            _ => Err(ShapeProblem::Window {
                title: format!("padding {} leaves nothing of a result of {full}", before + after),
                help: Cure::advice("use less padding"),
            }),
        }
    }
}
