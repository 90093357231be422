//! `zero`: zeros in the shape of the input.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Arguments, Declaration, Operands};
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

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Zeros,
        is_elementwise: false,
        storage: Storage::Own,
        weights: None,
        kernel: None,
        window_padding: None,
        scaling: None,
        factor: |_| Factor::Kept,
        channels: |_| Channels::Apart,
        levels: Levels::Own,
        alternatives: None,
    };

    fn from_arguments(_: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self)
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        Ok(inputs.first())
    }
}
