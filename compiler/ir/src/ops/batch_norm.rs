//! `batch_norm`: normalisation over the batch.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Tensors, Yields};
use super::problem::ShapeProblem;
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use super::weight::{Role, Scaling, Weight};
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

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Computed,
        is_elementwise: true,
        storage: Storage::InPlace,
        weights: Some(Self::weights),
        kernel: None,
        window_padding: None,
        scaling: Some(Self::scaling),
        factor: |_| Factor::Removed,
        channels: |_| Channels::Apart,
        levels: Levels::Own,
        alternatives: None,
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

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        Ok(inputs.first())
    }
}

impl BatchNorm {
    fn weights(&self, inputs: Inputs<'_>) -> Vec<Weight> {
        let channels = inputs.first().channels();
        let trained: &[(Role, f32)] =
            if self.affine { &[(Role::Scale, 1.0), (Role::Shift, 0.0)] } else { &[] };
        let running = [(Role::RunningMean, 0.0), (Role::RunningVariance, 1.0)];
        let all = trained.iter().copied().chain(running);
        all.map(|(role, value)| Weight::each(role, channels, value)).collect()
    }

    /// `y = (x - mean) / sqrt(variance + eps) * scale + shift` with the running statistics (Ioffe
    /// and Szegedy 2015, algorithm 2).
    fn scaling(&self, tensors: Tensors<'_, '_>) -> Vec<Scaling> {
        let statistics = tensors(Role::RunningMean).iter().zip(tensors(Role::RunningVariance));
        let of_channel = |(scale, shift): (f64, f64), (&mean, &variance): (&f32, &f32)| {
            let factor = scale / (f64::from(variance) + self.eps).sqrt();
            Scaling { factor, offset: shift - factor * f64::from(mean) }
        };
        if !self.affine {
            return statistics.map(|statistics| of_channel((1.0, 0.0), statistics)).collect();
        }
        let trained = tensors(Role::Scale).iter().zip(tensors(Role::Shift));
        let trained = trained.map(|(&scale, &shift)| (f64::from(scale), f64::from(shift)));
        trained
            .zip(statistics)
            .map(|(trained, statistics)| of_channel(trained, statistics))
            .collect()
    }
}
