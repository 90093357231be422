//! `avg_pool`: mean over a window.

use super::pool::{CEIL, PADDING, Pool, STRIDE};
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use super::window::{KERNEL, Padding};
use super::{Operator, ShapeProblem};
use crate::shape::Shape;

/// The mean over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AvgPool {
    /// The windows.
    pub window: Pool,
    /// Whether padded pixels count as zeros in the mean. What lies beyond the padding never does.
    pub count_include_pad: bool,
}

impl Operator for AvgPool {
    const DECLARATION: Declaration = Declaration {
        name: "avg_pool",
        operands: Operands::One,
        params: &[
            KERNEL,
            STRIDE,
            PADDING,
            CEIL,
            Parameter {
                name: "count_include_pad",
                kind: Kind::Flag,
                default: Default::Is(Argument::Flag(false)),
                doc: "whether padded pixels count as zeros in the mean",
            },
        ],
        doc: "The mean over a window, channel by channel: [C, H, W] -> [C, H', W'] with H' = floor((H + padding - kernel) / stride) + 1.",
        example: "x -> avg_pool(3, stride = 2, padding = \"same\")",
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        let count_include_pad = arguments.flag("count_include_pad");
        Ok(Self { window: Pool::of(arguments)?, count_include_pad })
    }

    fn arguments(&self) -> Arguments {
        self.window.arguments().with("count_include_pad", Argument::Flag(self.count_include_pad))
    }

    fn window_padding(&self, inputs: &[Shape]) -> Option<Padding> {
        Some(self.window.whole_padding(inputs.first()?.spatial()?))
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        self.window.shape(inputs)
    }
}
