//! `concat`: maps side by side along the channels.

use super::fit::{Fit, difference};
use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Arguments, Declaration, Operands};
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

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Computed,
        is_elementwise: false,
        storage: Storage::Own,
        weights: None,
        kernel: None,
        window_padding: None,
        scaling: None,
        factor: |_| Factor::Kept,
        channels: |_| Channels::Rearranged,
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
        let first = inputs.first();
        if inputs.all().iter().any(|shape| shape.spatial() != first.spatial()) {
            let shapes: Vec<String> = inputs.all().iter().map(Shape::to_string).collect();
            let of_one = |shape: &Shape| shape.with_channels(first.channels());
            let sizes: Vec<Shape> = inputs.all().iter().map(of_one).collect();
            return Err(ShapeProblem::Mismatch {
                title: format!(
                    "cannot join maps of shapes {}: {}",
                    shapes.join(" and "),
                    difference(&sizes)
                ),
                help: "height and width must be equal; `resize` or a stride changes them"
                    .to_owned(),
                fit: Fit::of(inputs.all(), |own, other| other.with_channels(own.channels())),
            });
        }
        let channels = inputs.all().iter().map(Shape::channels).fold(0, u32::saturating_add);
        Ok(first.with_channels(channels))
    }
}
