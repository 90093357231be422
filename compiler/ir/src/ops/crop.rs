//! `crop`: a map without some of its border.

use super::border::{Border, SIDES};
use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::{Cure, ShapeProblem};
use super::signature::{Arguments, Declaration, Operands};
use crate::shape::Shape;

/// A map without some of its border rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crop(pub Border);

impl Operator for Crop {
    const DECLARATION: Declaration = Declaration {
        name: "crop",
        operands: Operands::One,
        params: SIDES,
        doc: "The map without some of its border: [C, H, W] -> [C, H - top - bottom, W - left - right].",
        example: "x -> crop(top = 1, left = 1)",
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
        let rest = |size: u32, before: u32, after: u32| {
            size.checked_sub(before)?.checked_sub(after).filter(|&rest| rest > 0)
        };
        let Border { top, left, bottom, right } = self.0;
        match (rest(h, top, bottom), rest(w, left, right)) {
            (Some(h), Some(w)) => Ok(input.with_spatial([h, w])),
            _ => Err(ShapeProblem::Window {
                title: format!("nothing is left of a map {input} after the crop"),
                help: Cure::advice("remove fewer rows or columns"),
            }),
        }
    }
}
