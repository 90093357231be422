//! `max_pool`: maximum over a window.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::pool::{CEIL, PADDING, Pool, STRIDE};
use super::problem::ShapeProblem;
use super::signature::{Arguments, Declaration, Operands};
use super::window::KERNEL;
use crate::shape::Shape;

/// The maximum over a window; padding is never the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaxPool {
    /// The windows.
    pub window: Pool,
}

impl Operator for MaxPool {
    const DECLARATION: Declaration = Declaration {
        name: "max_pool",
        operands: Operands::One,
        params: &[KERNEL, STRIDE, PADDING, CEIL],
        doc: "The maximum over a window, channel by channel: [C, H, W] -> [C, H', W'] with H' = floor((H + padding - kernel) / stride) + 1.",
        example: "x -> max_pool(3, stride = 2, padding = \"same\")",
    };

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Computed,
        is_elementwise: false,
        storage: Storage::Own,
        weights: None,
        kernel: None,
        window_padding: Some(|pool, inputs| pool.window.reach(inputs.first())),
        scaling: None,
        factor: |_| Factor::Kept,
        channels: |_| Channels::Apart,
        levels: Levels::Operands,
        alternatives: None,
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self { window: Pool::of(arguments)? })
    }

    fn arguments(&self) -> Arguments {
        self.window.arguments()
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        self.window.shape(inputs.first())
    }
}
