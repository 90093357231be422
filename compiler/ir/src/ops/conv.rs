//! `conv`: two-dimensional convolution.

use std::num::NonZeroU32;

use super::inputs::Inputs;
use super::kernel::{BIAS, GROUPS, OUT, at_each_position, groups_divide, he_variance, with_bias};
use super::operator::{
    Channels, Factor, Kernel, KernelRow, Levels, Operator, Properties, Storage, Yields,
};
use super::problem::ShapeProblem;
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use super::weight::Weight;
use super::window::{self, DILATION, KERNEL, Line, Padding, STRIDE};
use crate::shape::Shape;

/// Two-dimensional convolution (cross-correlation, as in PyTorch).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Conv {
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
    /// Zeros around the input.
    pub padding: Padding,
}

impl Operator for Conv {
    const DECLARATION: Declaration = Declaration {
        name: "conv",
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
                doc: "zeros around the input; \"same\" keeps the size at stride 1",
            },
        ],
        doc: "Two-dimensional convolution. [C, H, W] -> [out, H', W'] with H' = floor((H + padding - dilation * (kernel - 1) - 1) / stride) + 1. MACs: out * H' * W' * kh * kw * C / groups.",
        example: "x -> conv(32, kernel = 3, stride = 2)",
    };

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Computed,
        is_elementwise: false,
        storage: Storage::Own,
        weights: Some(Self::weights),
        kernel: Some(Kernel {
            macs: Self::macs,
            with_bias: |conv| Self { bias: true, ..*conv },
            // Each group makes so many channels, and reads as many as the second axis has.
            row: |conv, [filters, each], [filter, channel]| KernelRow {
                input: filter / (filters / conv.groups.get()).max(1) * each + channel,
                output: filter,
            },
            channel_axis: |_| Some(0),
            is_uniform: |conv| conv.padding == Padding { before: [0, 0], after: [0, 0] },
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
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        let (input, size) = inputs.first_map()?;
        groups_divide(self.groups, input.channels(), self.out)?;
        let lines = Line::both(size, self.kernel, self.stride, self.dilation, self.padding);
        let [h, w] = window::output(lines, Line::whole)?;
        Ok(Shape::from([self.out, h, w]))
    }
}

impl Conv {
    /// `[out, C / groups, kh, kw]`
    fn filters(&self, inputs: Inputs<'_>) -> Weight {
        let [kh, kw] = self.kernel;
        let dims = vec![self.out, inputs.first().channels() / self.groups, kh, kw];
        Weight::kernel(dims, he_variance(self.kernel, self.out, self.groups))
    }

    fn weights(&self, inputs: Inputs<'_>) -> Vec<Weight> {
        with_bias(self.filters(inputs), self.bias, self.out)
    }

    /// Every output pixel reads the whole kernel once.
    fn macs(&self, inputs: Inputs<'_>, output: Shape) -> u128 {
        at_each_position(&self.filters(inputs), output)
    }
}
