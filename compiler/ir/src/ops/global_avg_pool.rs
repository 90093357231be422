//! `global_avg_pool`: the mean of each channel.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Arguments, Declaration, Operands};
use crate::shape::Shape;

/// The mean of each channel over the whole map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GlobalAvgPool;

impl Operator for GlobalAvgPool {
    const DECLARATION: Declaration = Declaration {
        name: "global_avg_pool",
        operands: Operands::One,
        params: &[],
        doc: "The mean of each channel over the whole map: [C, H, W] -> [C, 1, 1].",
        example: "x -> global_avg_pool",
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
        let (input, _) = inputs.first_map()?;
        Ok(input.pooled())
    }
}
