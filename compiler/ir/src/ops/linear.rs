//! `linear`: a fully connected layer.

use super::inputs::Inputs;
use super::kernel::{BIAS, with_bias};
use super::operator::{
    Channels, Factor, Kernel, KernelRow, Levels, Operator, Properties, Storage, Yields,
};
use super::problem::ShapeProblem;
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use super::weight::Weight;
use crate::shape::Shape;

/// A fully connected layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Linear {
    /// Elements of the result.
    pub out: u32,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Operator for Linear {
    const DECLARATION: Declaration = Declaration {
        name: "linear",
        operands: Operands::One,
        params: &[
            Parameter {
                name: "out",
                kind: Kind::Count(1),
                default: Default::Required,
                doc: "elements of the result",
            },
            Parameter { default: Default::Is(Argument::Flag(true)), ..BIAS },
        ],
        doc: "A fully connected layer: [C] -> [out]. A map of one pixel [C, 1, 1], as `global_avg_pool` makes it, is taken as the vector [C]. MACs: C * out.",
        example: "x -> global_avg_pool -> linear(10)",
    };

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Computed,
        is_elementwise: false,
        storage: Storage::Own,
        weights: Some(Self::weights),
        kernel: Some(Kernel {
            macs: Self::macs,
            with_bias: |linear| Self { bias: true, ..*linear },
            row: |_, _, [output, input]| KernelRow { input, output },
            channel_axis: |_| Some(0),
            is_uniform: |_| true,
        }),
        window_padding: None,
        scaling: None,
        factor: |own| if own.bias { Factor::Changed } else { Factor::Kept },
        channels: |_| Channels::Joined,
        levels: Levels::Own,
        alternatives: None,
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self { out: arguments.count("out"), bias: arguments.flag("bias") })
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
            .with("out", Argument::Count(self.out))
            .with("bias", Argument::Flag(self.bias))
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        let input = inputs.first();
        if input.positions() != 1 {
            return Err(ShapeProblem::Rank {
                needs: "a vector [C], not a map",
                through: Some("flatten"),
                help: "or with `global_avg_pool` for the mean of each channel",
            });
        }
        Ok(Shape::from([self.out]))
    }
}

impl Linear {
    /// `[out, C]`, with the variance of PyTorch's: uniform in +-1 / sqrt(C).
    fn matrix(&self, inputs: Inputs<'_>) -> Weight {
        let channels = inputs.first().channels();
        let variance = 1.0 / (3.0 * f64::from(channels.max(1)));
        Weight::kernel(vec![self.out, channels], variance)
    }

    fn weights(&self, inputs: Inputs<'_>) -> Vec<Weight> {
        with_bias(self.matrix(inputs), self.bias, self.out)
    }

    /// The vector is multiplied by the whole matrix once.
    fn macs(&self, inputs: Inputs<'_>, _output: Shape) -> u128 {
        self.matrix(inputs).elements().into()
    }
}
