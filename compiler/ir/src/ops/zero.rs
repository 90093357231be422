//! `zero`: zeros in the shape of the input.

use super::signature::{Arguments, Declaration, Operands, first};
use super::{Operator, ShapeProblem};
use crate::shape::Shape;

/// Zeros in the shape of the input. Beside a residual it leaves only the residual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zero;

impl Operator for Zero {
    const DECLARATION: Declaration = Declaration {
        name: "zero",
        operands: Operands::One,
        params: &[],
        doc: "Zeros in the shape of the input; as a candidate beside a residual, it skips the layer. It reads nothing of its input but the shape, and `x + zero(y)` is `x`.",
        example: "x -> zero",
    };

    fn from_arguments(_: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self)
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        first(inputs)
    }
}
