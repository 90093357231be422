//! `identity`: the input, unchanged.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Arguments, Declaration, Operands};
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

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Operand,
        is_elementwise: true,
        storage: Storage::View,
        weights: None,
        kernel: None,
        window_padding: None,
        scaling: None,
        factor: |_| Factor::Kept,
        channels: |_| Channels::Apart,
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
        Ok(inputs.first())
    }
}
