//! `max_pool`: maximum over a window.

use super::signature::{
    Argument, Arguments, Declaration, Default, Kind, Operands, Parameter, only_map,
};
use super::window::{self, Padding};
use super::{Operator, ShapeProblem};
use crate::shape::Shape;

/// The maximum over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaxPool {
    /// Height and width of the window.
    pub kernel: [u32; 2],
    /// Vertical and horizontal stride.
    pub stride: [u32; 2],
    /// Pixels around the input; they are never the maximum.
    pub padding: Padding,
}

impl Operator for MaxPool {
    const DECLARATION: Declaration = Declaration {
        name: "max_pool",
        operands: Operands::One,
        params: &[
            Parameter {
                name: "kernel",
                kind: Kind::Pair(1),
                default: Default::Required,
                doc: "height and width of the window",
            },
            Parameter {
                name: "stride",
                kind: Kind::Pair(1),
                default: Default::Absent,
                doc: "stride; the size of the window if not given",
            },
            Parameter {
                name: "padding",
                kind: Kind::Padding,
                default: Default::Is(Argument::Word("valid")),
                doc: "pixels around the input",
            },
        ],
        doc: "The maximum over a window, channel by channel: [C, H, W] -> [C, H', W'].",
        example: "x -> max_pool(3, stride = 2, padding = \"same\")",
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        let kernel = arguments.pair("kernel");
        let pool = Self {
            kernel,
            stride: arguments.pair_if_given("stride").unwrap_or(kernel),
            padding: Padding::of(arguments, kernel, [1, 1]),
        };
        window::padding_below_kernel(kernel, pool.padding)?;
        Ok(pool)
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
            .with("kernel", Argument::Pair(self.kernel))
            .with("stride", Argument::Pair(self.stride))
            .with("padding", self.padding.argument(self.kernel, [1, 1]))
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        let (input, size) = only_map(inputs)?;
        let [h, w] = window::output(size, self.kernel, self.stride, [1, 1], self.padding)?;
        Ok(Shape::map(input.channels(), h, w))
    }
}
