//! `conv`: two-dimensional convolution, and what the transposed one shares with it.

use std::num::NonZeroU32;

use super::signature::{
    Argument, Arguments, Declaration, Default, Kind, Operands, Parameter, first_map,
};
use super::window::{self, DILATION, KERNEL, Line, Padding, STRIDE};
use super::{Operator, Role, ShapeProblem, Weight};
use crate::shape::Shape;

pub(super) const OUT: Parameter = Parameter {
    name: "out",
    kind: Kind::Count(1),
    default: Default::Required,
    doc: "output channels",
};

pub(super) const GROUPS: Parameter = Parameter {
    name: "groups",
    kind: Kind::Count(1),
    default: Default::Is(Argument::Count(1)),
    doc: "groups of channels that do not see each other; `x.channels` makes it depthwise",
};

pub(super) const BIAS: Parameter = Parameter {
    name: "bias",
    kind: Kind::Flag,
    default: Default::Is(Argument::Flag(false)),
    doc: "whether a bias is added",
};

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

    fn window_padding(&self, _inputs: &[Shape]) -> Option<Padding> {
        Some(self.padding)
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        let (input, size) = first_map(inputs)?;
        groups_divide(self.groups, input.channels(), self.out)?;
        let lines = Line::both(size, self.kernel, self.stride, self.dilation, self.padding);
        let [h, w] = window::output(lines, Line::whole)?;
        Ok(Shape::map(self.out, h, w))
    }

    /// Every output pixel reads the whole kernel once.
    fn macs(&self, inputs: &[Shape], output: Shape) -> u128 {
        kernel_at_each_pixel(&self.weights(inputs), output)
    }

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        let channels = inputs.first().map_or(0, Shape::channels);
        let [kh, kw] = self.kernel;
        let kernel =
            Weight { role: Role::Kernel, dims: vec![self.out, channels / self.groups, kh, kw] };
        let bias = self.bias.then(|| Weight { role: Role::Bias, dims: vec![self.out] });
        std::iter::once(kernel).chain(bias).collect()
    }

    fn kernel_variance(&self, _inputs: &[Shape]) -> f64 {
        he_variance(self.kernel, self.out, self.groups)
    }
}

/// Groups must divide the channels on both sides.
pub(super) fn groups_divide(
    groups: NonZeroU32,
    input: u32,
    output: u32,
) -> Result<(), ShapeProblem> {
    let divides = |channels: u32, groups: u32| channels.is_multiple_of(groups);
    for (channels, side) in [(input, "input"), (output, "output")] {
        if !divides(channels, groups.get()) {
            let most = groups.get().min(input).min(output);
            let nearest = (1..=most).rev().find(|&g| divides(input, g) && divides(output, g));
            return Err(ShapeProblem::Groups {
                groups: groups.get(),
                of: format!("{channels} {side} channels"),
                nearest: nearest.unwrap_or(1),
            });
        }
    }
    Ok(())
}

/// MACs of a kernel, the first of the weights, that is applied at each pixel of a map.
pub(super) fn kernel_at_each_pixel(weights: &[Weight], map: Shape) -> u128 {
    let [h, w] = map.spatial().unwrap_or([1, 1]).map(u128::from);
    let kernel = weights.first().map_or(0, Weight::elements);
    u128::from(kernel).saturating_mul(h).saturating_mul(w)
}

/// 2 / fan-out (He et al. 2015, equation 14), where fan-out is the number of outputs that read an
/// input at stride 1: `kh * kw * out / groups`.
pub(super) fn he_variance(kernel: [u32; 2], out: u32, groups: NonZeroU32) -> f64 {
    let [kh, kw] = kernel.map(f64::from);
    2.0 / (kh * kw * f64::from(out) / f64::from(groups.get())).max(1.0)
}
