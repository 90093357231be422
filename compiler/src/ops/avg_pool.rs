//! `avg_pool`: mean over a window.

use super::signature::{
    Argument, Arguments, Declaration, Default, Kind, Operands, Parameter, only_map,
};
use super::window::{self, Padding};
use super::{Operator, ShapeProblem};
use crate::shape::Shape;

/// The mean over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AvgPool {
    /// Height and width of the window.
    pub kernel: [u32; 2],
    /// Vertical and horizontal stride.
    pub stride: [u32; 2],
    /// Pixels around the input; they count only with `count_include_pad`.
    pub padding: Padding,
    /// Whether padded pixels count as zeros in the mean.
    pub count_include_pad: bool,
}

impl Operator for AvgPool {
    const DECLARATION: Declaration = Declaration {
        name: "avg_pool",
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
            Parameter {
                name: "count_include_pad",
                kind: Kind::Flag,
                default: Default::Is(Argument::Flag(false)),
                doc: "whether padded pixels count as zeros in the mean",
            },
        ],
        doc: "The mean over a window, channel by channel: [C, H, W] -> [C, H', W'].",
        example: "x -> avg_pool(3, stride = 2, padding = \"same\")",
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        let kernel = arguments.pair("kernel");
        let pool = Self {
            kernel,
            stride: arguments.pair_if_given("stride").unwrap_or(kernel),
            padding: Padding::of(arguments, kernel, [1, 1]),
            count_include_pad: arguments.flag("count_include_pad"),
        };
        window::padding_below_kernel(kernel, pool.padding)?;
        Ok(pool)
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
            .with("kernel", Argument::Pair(self.kernel))
            .with("stride", Argument::Pair(self.stride))
            .with("padding", self.padding.argument(self.kernel, [1, 1]))
            .with("count_include_pad", Argument::Flag(self.count_include_pad))
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        let (input, size) = only_map(inputs)?;
        let [h, w] = window::output(size, self.kernel, self.stride, [1, 1], self.padding)?;
        Ok(Shape::map(input.channels(), h, w))
    }
}
