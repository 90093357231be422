//! `conv`: two-dimensional convolution.

use super::signature::{
    Argument, Arguments, Declaration, Default, Kind, Operands, Parameter, only_map,
};
use super::window::{self, Padding};
use super::{Operator, Role, ShapeProblem, Weight};
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
    pub groups: u32,
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
            Parameter {
                name: "out",
                kind: Kind::Count(1),
                default: Default::Required,
                doc: "output channels",
            },
            Parameter {
                name: "kernel",
                kind: Kind::Pair(1),
                default: Default::Required,
                doc: "height and width of the kernel",
            },
            Parameter {
                name: "stride",
                kind: Kind::Pair(1),
                default: Default::Is(Argument::Pair([1, 1])),
                doc: "stride",
            },
            Parameter {
                name: "dilation",
                kind: Kind::Pair(1),
                default: Default::Is(Argument::Pair([1, 1])),
                doc: "distance of the kernel's taps",
            },
            Parameter {
                name: "groups",
                kind: Kind::Count(1),
                default: Default::Is(Argument::Count(1)),
                doc: "groups of channels that do not see each other; `x.channels` makes it depthwise",
            },
            Parameter {
                name: "bias",
                kind: Kind::Flag,
                default: Default::Is(Argument::Flag(false)),
                doc: "whether a bias is added",
            },
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
            groups: arguments.count("groups"),
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
            .with("groups", Argument::Count(self.groups))
            .with("bias", Argument::Flag(self.bias))
            .with("padding", self.padding.argument(self.kernel, self.dilation))
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        let (input, size) = only_map(inputs)?;
        for (channels, side) in [(input.channels(), "input"), (self.out, "output")] {
            if !channels.is_multiple_of(self.groups) {
                let nearest = (1..=self.groups)
                    .rev()
                    .find(|g| input.channels().is_multiple_of(*g) && self.out.is_multiple_of(*g));
                return Err(ShapeProblem::Groups {
                    groups: self.groups,
                    of: format!("{channels} {side} channels"),
                    nearest: nearest.unwrap_or(1),
                });
            }
        }
        let [h, w] = window::output(size, self.kernel, self.stride, self.dilation, self.padding)?;
        Ok(Shape::map(self.out, h, w))
    }

    fn macs(&self, inputs: &[Shape], output: Shape) -> u128 {
        // Every output element is the dot product of the kernel of its channel.
        let kernel = self.weights(inputs).first().map_or(0, Weight::elements) / u64::from(self.out);
        u128::from(output.elements()).saturating_mul(u128::from(kernel))
    }

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        let channels = inputs.first().map_or(0, Shape::channels);
        let [kh, kw] = self.kernel;
        let kernel =
            Weight { role: Role::Kernel, dims: vec![self.out, channels / self.groups, kh, kw] };
        let bias = self.bias.then(|| Weight { role: Role::Bias, dims: vec![self.out] });
        std::iter::once(kernel).chain(bias).collect()
    }
}
