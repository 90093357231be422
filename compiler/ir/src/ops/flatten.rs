//! `flatten`: a map as a vector.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Arguments, Declaration, Operands};
use crate::shape::{MAX_DIMENSION, Shape};

/// A map as a vector, row by row of each channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flatten;

impl Operator for Flatten {
    const DECLARATION: Declaration = Declaration {
        name: "flatten",
        operands: Operands::One,
        params: &[],
        doc: "A map as a vector, row by row of each channel: [C, H, W] -> [C * H * W]. A vector stays as it is.",
        example: "x -> flatten",
    };

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Computed,
        is_elementwise: false,
        storage: Storage::View,
        weights: None,
        kernel: None,
        window_padding: None,
        scaling: None,
        factor: |_| Factor::Kept,
        channels: |_| Channels::Apart,
        levels: Levels::Operands,
        alternatives: None,
    };

    fn from_arguments(_: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self)
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        let elements = inputs.first().elements();
        match u32::try_from(elements) {
            Ok(elements) => Ok(Shape::from([elements])),
            Err(_) => Err(ShapeProblem::Overflow {
                what: format!("a vector of {elements}"),
                limit: MAX_DIMENSION,
                help: "use `global_avg_pool`, or a stride before it",
            }),
        }
    }
}
