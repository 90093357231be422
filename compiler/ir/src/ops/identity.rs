//! `identity`: the input, unchanged.

use super::signature::{Arguments, Declaration, Operands, first};
use super::{Operator, ShapeProblem};
use crate::shape::Shape;

/// The input, unchanged. A specialised network does not hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity;

impl Operator for Identity {
    const DECLARATION: Declaration = Declaration {
        name: "identity",
        operands: Operands::One,
        params: &[],
        doc: "The input, unchanged; as a candidate, what is left when a layer is skipped.",
        example: "x -> identity",
    };

    fn from_arguments(_: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self)
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        first(inputs)
    }
}
