//! `leaky_relu`: a rectifier with a fixed slope below zero.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use crate::shape::Shape;

/// A rectifier with a fixed slope below zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeakyRelu {
    /// The slope below zero.
    pub slope: f64,
}

impl Operator for LeakyRelu {
    const DECLARATION: Declaration = Declaration {
        name: "leaky_relu",
        operands: Operands::One,
        params: &[Parameter {
            name: "slope",
            kind: Kind::Real,
            default: Default::Is(Argument::Real(0.01)),
            doc: "the slope below zero",
        }],
        doc: "x where x > 0, else slope * x. The shape stays.",
        example: "x -> leaky_relu(0.1)",
    };

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Computed,
        is_elementwise: true,
        storage: Storage::InPlace,
        weights: None,
        kernel: None,
        window_padding: None,
        scaling: None,
        factor: |_| Factor::Kept,
        channels: |_| Channels::Apart,
        levels: Levels::Own,
        alternatives: None,
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self { slope: arguments.real("slope") })
    }

    fn arguments(&self) -> Arguments {
        Arguments::default().with("slope", Argument::Real(self.slope))
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        Ok(inputs.first())
    }
}
