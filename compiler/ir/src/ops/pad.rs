//! `pad`: a map with a border of zeros.

use super::border::{Border, SIDES};
use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Arguments, Declaration, Operands};
use crate::shape::Shape;

/// A map with a border of zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pad(pub Border);

impl Operator for Pad {
    const DECLARATION: Declaration = Declaration {
        name: "pad",
        operands: Operands::One,
        params: SIDES,
        doc: "The map with a border of zeros: [C, H, W] -> [C, top + H + bottom, left + W + right].",
        example: "x -> pad(bottom = 1, right = 1)",
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
        channels: |_| Channels::Apart,
        levels: Levels::Operands,
        alternatives: None,
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self(Border::of(arguments)))
    }

    fn arguments(&self) -> Arguments {
        self.0.arguments()
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        let (input, [h, w]) = inputs.first_map()?;
        let Border { top, left, bottom, right } = self.0;
        let height = h.saturating_add(top).saturating_add(bottom);
        let width = w.saturating_add(left).saturating_add(right);
        Ok(input.with_spatial([height, width]))
    }
}
