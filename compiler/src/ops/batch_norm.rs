//! `batch_norm`: normalisation over the batch.

use super::signature::{
    Argument, Arguments, Declaration, Default, Kind, Operands, Parameter, only,
};
use super::{Operator, Role, ShapeProblem, Weight};
use crate::shape::Shape;

/// Batch normalisation with scale and shift (Ioffe and Szegedy 2015).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// Added to the variance before the root.
    pub eps: f64,
    /// Weight of the new batch in the running statistics.
    pub momentum: f64,
}

impl Operator for BatchNorm {
    const DECLARATION: Declaration = Declaration {
        name: "batch_norm",
        operands: Operands::One,
        params: &[
            Parameter {
                name: "eps",
                kind: Kind::Real,
                default: Default::Is(Argument::Real(1e-5)),
                doc: "added to the variance before the root",
            },
            Parameter {
                name: "momentum",
                kind: Kind::Real,
                default: Default::Is(Argument::Real(0.1)),
                doc: "weight of the new batch in the running statistics",
            },
        ],
        doc: "Batch normalisation with scale and shift. The shape stays. It costs no MACs: an exported network has it folded into the convolution before it.",
        example: "x -> conv(32, kernel = 3) -> batch_norm",
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self { eps: arguments.real("eps"), momentum: arguments.real("momentum") })
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
            .with("eps", Argument::Real(self.eps))
            .with("momentum", Argument::Real(self.momentum))
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        only(inputs)
    }

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        let channels = inputs.first().map_or(0, Shape::channels);
        [Role::Scale, Role::Shift, Role::RunningMean, Role::RunningVariance]
            .map(|role| Weight { role, dims: vec![channels] })
            .into()
    }
}
