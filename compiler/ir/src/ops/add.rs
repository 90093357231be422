//! `add`: the sum of tensors of one shape.

use super::fit::{Fit, difference};
use super::signature::{Arguments, Declaration, Operands, first};
use super::{Operator, ShapeProblem};
use crate::shape::Shape;

/// The sum of tensors of one shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Add;

impl Operator for Add {
    const DECLARATION: Declaration = Declaration {
        name: "add",
        operands: Operands::Many,
        params: &[],
        doc: "The sum of two or more tensors of one shape; `x + y` is the same.",
        example: "(x, x -> relu) -> add",
    };

    fn from_arguments(_: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self)
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        let first = first(inputs)?;
        if inputs.iter().all(|&shape| shape == first) {
            return Ok(first);
        }
        let shapes: Vec<String> = inputs.iter().map(Shape::to_string).collect();
        Err(ShapeProblem::Mismatch {
            title: format!(
                "cannot add tensors of shapes {}: {}",
                shapes.join(" and "),
                difference(inputs)
            ),
            help: "make the shapes equal: a 1x1 convolution changes the channels, a stride or `resize` the size".to_owned(),
            fit: Fit::of(inputs, |_, other| other),
        })
    }
}
