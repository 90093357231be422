//! `global_avg_pool`: the mean of each channel.

use super::signature::{Arguments, Declaration, Operands, first_map};
use super::{Operator, ShapeProblem};
use crate::shape::Shape;

/// The mean of each channel over the whole map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GlobalAvgPool;

impl Operator for GlobalAvgPool {
    const DECLARATION: Declaration = Declaration {
        name: "global_avg_pool",
        operands: Operands::One,
        params: &[],
        doc: "The mean of each channel over the whole map: [C, H, W] -> [C, 1, 1].",
        example: "x -> global_avg_pool",
    };

    fn from_arguments(_: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self)
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        let (input, _) = first_map(inputs)?;
        Ok(Shape::map(input.channels(), 1, 1))
    }
}
