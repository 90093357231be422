//! `add`: the sum of tensors of one shape.

use super::fit::{Fit, difference};
use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Arguments, Declaration, Operands};
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

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Sum,
        is_elementwise: true,
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
        let first = inputs.first();
        if inputs.all().iter().all(|&shape| shape == first) {
            return Ok(first);
        }
        let shapes: Vec<String> = inputs.all().iter().map(Shape::to_string).collect();
        Err(ShapeProblem::Mismatch {
            title: format!(
                "cannot add tensors of shapes {}: {}",
                shapes.join(" and "),
                difference(inputs.all())
            ),
            help: "make the shapes equal: a 1x1 convolution changes the channels, a stride or `resize` the size".to_owned(),
            fit: Fit::of(inputs.all(), |_, other| other),
        })
    }
}
