//! `concat`: maps side by side along the channels.

use super::fit::{Fit, difference};
use super::signature::{Arguments, Declaration, Operands, first};
use super::{Operator, ShapeProblem};
use crate::shape::Shape;

/// Maps of one size, joined along the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Concat;

impl Operator for Concat {
    const DECLARATION: Declaration = Declaration {
        name: "concat",
        operands: Operands::Many,
        params: &[],
        doc: "Two or more maps joined along the channels: [C1, H, W], [C2, H, W] -> [C1 + C2, H, W].",
        example: "(x, x -> relu) -> concat",
    };

    fn from_arguments(_: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self)
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        let first = first(inputs)?;
        if inputs.iter().any(|shape| shape.spatial() != first.spatial()) {
            let shapes: Vec<String> = inputs.iter().map(Shape::to_string).collect();
            let sizes: Vec<Shape> = inputs.iter().map(|shape| shape.with_channels(0)).collect();
            return Err(ShapeProblem::Mismatch {
                title: format!(
                    "cannot join maps of shapes {}: {}",
                    shapes.join(" and "),
                    difference(&sizes)
                ),
                help: "height and width must be equal; `resize` or a stride changes them"
                    .to_owned(),
                fit: Fit::of(inputs, |own, other| other.with_channels(own.channels())),
            });
        }
        let channels = inputs.iter().map(Shape::channels).fold(0, u32::saturating_add);
        Ok(first.with_channels(channels))
    }
}
