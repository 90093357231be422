//! `prelu`: a rectifier whose slope below zero is trained.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Arguments, Declaration, Operands};
use super::weight::{Role, Weight};
use crate::shape::Shape;

/// A rectifier whose slope below zero is trained, one for each channel (He et al. 2015).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prelu;

impl Operator for Prelu {
    const DECLARATION: Declaration = Declaration {
        name: "prelu",
        operands: Operands::One,
        params: &[],
        doc: "x where x > 0, else slope * x with a trained slope for each channel, at first 0.25 (He et al. 2015). The shape stays.",
        example: "x -> prelu",
    };

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Computed,
        is_elementwise: true,
        storage: Storage::InPlace,
        weights: Some(Self::weights),
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

impl Prelu {
    fn weights(&self, inputs: Inputs<'_>) -> Vec<Weight> {
        vec![Weight::each(Role::Slope, inputs.first().channels(), 0.25)]
    }
}
