//! `mul`: the product of two tensors, element by element.

use super::fit::Fit;
use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Arguments, Declaration, Operands};
use crate::shape::Shape;

/// The product of two tensors, element by element; a map `[C, 1, 1]` is a gate for each channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mul;

impl Operator for Mul {
    const DECLARATION: Declaration = Declaration {
        name: "mul",
        operands: Operands::Many,
        params: &[],
        doc: "The product, element by element; `x * y` is the same. One side may be [C, 1, 1] or [1, H, W]: it is repeated along the missing directions.",
        example: "(x, x -> global_avg_pool -> sigmoid) -> mul",
    };

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Computed,
        is_elementwise: true,
        storage: Storage::Own,
        weights: None,
        kernel: None,
        window_padding: None,
        scaling: None,
        factor: |_| Factor::Changed,
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
        inputs.all().iter().try_fold(inputs.first(), |result, &shape| {
            broadcast(result, shape).ok_or_else(|| ShapeProblem::Mismatch {
                title: format!("cannot multiply tensors of shapes {result} and {shape}"),
                help:
                    "make the shapes equal, or one of them [C, 1, 1], as `global_avg_pool` makes it"
                        .to_owned(),
                fit: Fit::of(inputs.all(), gate),
            })
        })
    }
}

/// The shape of an operand beside another: a gate stays one.
fn gate(own: Shape, other: Shape) -> Shape {
    let is_gate = own.is_spatial() && own.positions() == 1;
    if is_gate && own.rank() == other.rank() { own.with_channels(other.channels()) } else { other }
}

/// The common shape if each size is equal or 1.
fn broadcast(a: Shape, b: Shape) -> Option<Shape> {
    a.zip(b, |a, b| (a == b || a == 1 || b == 1).then_some(a.max(b)))
}
