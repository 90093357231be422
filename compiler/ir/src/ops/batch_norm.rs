//! `batch_norm`: normalisation over the batch.

use super::signature::{
    Argument, Arguments, Declaration, Default, Kind, Operands, Parameter, first,
};
use super::{Operator, Role, ShapeProblem, Weight};
use crate::shape::Shape;

/// Batch normalisation (Ioffe and Szegedy 2015).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// Added to the variance before the root.
    pub eps: f64,
    /// Weight of the new batch in the running statistics.
    pub momentum: f64,
    /// Whether there are a trained scale and shift.
    pub affine: bool,
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
            Parameter {
                name: "affine",
                kind: Kind::Flag,
                default: Default::Is(Argument::Flag(true)),
                doc: "whether each channel has a trained scale and shift",
            },
        ],
        doc: "Batch normalisation. The shape stays. It costs no MACs: an exported network has it folded into the convolution before it.",
        example: "x -> conv(32, kernel = 3) -> batch_norm",
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        let (eps, momentum) = (arguments.real("eps"), arguments.real("momentum"));
        Ok(Self { eps, momentum, affine: arguments.flag("affine") })
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
            .with("eps", Argument::Real(self.eps))
            .with("momentum", Argument::Real(self.momentum))
            .with("affine", Argument::Flag(self.affine))
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        first(inputs)
    }

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        let channels = inputs.first().map_or(0, Shape::channels);
        let trained: &[Role] = if self.affine { &[Role::Scale, Role::Shift] } else { &[] };
        let roles = trained.iter().chain(&[Role::RunningMean, Role::RunningVariance]);
        roles.map(|&role| Weight { role, dims: vec![channels] }).collect()
    }
}
