//! `flatten`: a map as a vector.

use super::signature::{Arguments, Declaration, Operands, first};
use super::{Operator, ShapeProblem};
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

    fn from_arguments(_: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self)
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        let elements = first(inputs)?.elements();
        match u32::try_from(elements) {
            Ok(elements) => Ok(Shape::vector(elements)),
            Err(_) => Err(ShapeProblem::Overflow {
                what: format!("a vector of {elements}"),
                limit: MAX_DIMENSION,
                help: "use `global_avg_pool`, or a stride before it",
            }),
        }
    }
}
