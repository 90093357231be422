//! `avg_pool`: mean over a window.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::pool::{CEIL, PADDING, Pool, STRIDE};
use super::problem::ShapeProblem;
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use super::window::KERNEL;
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
        let count_include_pad = arguments.flag("count_include_pad");
        Ok(Self { window: Pool::of(arguments)?, count_include_pad })
    }

    fn arguments(&self) -> Arguments {
        self.window.arguments().with("count_include_pad", Argument::Flag(self.count_include_pad))
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        self.window.shape(inputs.first())
    }
}
