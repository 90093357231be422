//! `linear`: a fully connected layer.

use super::conv::BIAS;
use super::signature::{
    Argument, Arguments, Declaration, Default, Kind, Operands, Parameter, first,
};
use super::{Operator, Role, ShapeProblem, Weight};
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

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self { out: arguments.count("out"), bias: arguments.flag("bias") })
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
            .with("out", Argument::Count(self.out))
            .with("bias", Argument::Flag(self.bias))
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        let input = first(inputs)?;
        if input.spatial().is_some_and(|size| size != [1, 1]) {
            return Err(ShapeProblem::Rank {
                needs: "a vector [C], not a map",
                through: Some("flatten"),
                help: "or with `global_avg_pool` for the mean of each channel",
            });
        }
        Ok(Shape::vector(self.out))
    }

    fn macs(&self, inputs: &[Shape], _output: Shape) -> u128 {
        self.weights(inputs).first().map_or(0, |kernel| kernel.elements().into())
    }

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        let channels = inputs.first().map_or(0, Shape::channels);
        let kernel = Weight { role: Role::Kernel, dims: vec![self.out, channels] };
        let bias = self.bias.then(|| Weight { role: Role::Bias, dims: vec![self.out] });
        std::iter::once(kernel).chain(bias).collect()
    }

    /// That of PyTorch: uniform in +-1 / sqrt(C).
    fn kernel_variance(&self, inputs: &[Shape]) -> f64 {
        let channels = inputs.first().map_or(1, Shape::channels);
        1.0 / (3.0 * f64::from(channels.max(1)))
    }
}
