//! `max_pool`: maximum over a window.

use super::pool::{CEIL, PADDING, Pool, STRIDE};
use super::signature::{Arguments, Declaration, Operands};
use super::window::{KERNEL, Padding};
use super::{Operator, ShapeProblem};
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

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self { window: Pool::of(arguments)? })
    }

    fn arguments(&self) -> Arguments {
        self.window.arguments()
    }

    fn window_padding(&self, inputs: &[Shape]) -> Option<Padding> {
        Some(self.window.whole_padding(inputs.first()?.spatial()?))
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        self.window.shape(inputs)
    }
}
