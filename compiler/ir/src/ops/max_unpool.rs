//! `max_unpool`: values put back where a pooled map had its maxima.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::pool::{Pool, STRIDE};
use super::problem::{Cure, ShapeProblem};
use super::signature::{Argument, Arguments, Declaration, Operands};
use super::window::{KERNEL, Padding};
use crate::shape::Shape;

/// Values put back where a pooled map had its maxima, zeros elsewhere. The second operand is the
/// map that was pooled: it says where they were, so that no tensor of indices is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaxUnpool {
    /// Height and width of the window of the pool.
    pub kernel: [u32; 2],
    /// Vertical and horizontal stride of the pool; windows do not overlap.
    pub stride: [u32; 2],
}

impl Operator for MaxUnpool {
    const DECLARATION: Declaration = Declaration {
        name: "max_unpool",
        operands: Operands::Two,
        params: &[KERNEL, STRIDE],
        doc: "Undoes `max_pool` of the same kernel and stride: puts each value of the first operand where the second one, the map that was pooled, has the maximum of the window, the first of equal ones; zeros elsewhere. [C, h, w] and [C, H, W] -> [C, H, W].",
        example: "(x -> max_pool(2) -> relu, x) -> max_unpool(2)",
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
        let (kernel, stride) = Pool::steps(arguments);
        if kernel.iter().zip(&stride).any(|(kernel, stride)| stride < kernel) {
            return Err(ShapeProblem::Window {
                title: "windows of `max_unpool` overlap: one place would get two values".to_owned(),
                help: Cure::advice("use a stride of at least the kernel, there and in the pool"),
            });
        }
        Ok(Self { kernel, stride })
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
            .with("kernel", Argument::Pair(self.kernel))
            .with("stride", Argument::Pair(self.stride))
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        let pooled = inputs.second()?;
        let expected = self.pool().shape(pooled)?;
        if inputs.first() == expected {
            return Ok(pooled);
        }
        Err(ShapeProblem::Mismatch {
            title: format!("`max_unpool` needs {expected}, what `max_pool` makes of {pooled}"),
            help: "give the map that was pooled as the second operand, and kernel and stride of that pool".to_owned(),
            fit: None,
        })
    }
}

impl MaxUnpool {
    /// The pool that it undoes.
    #[must_use]
    pub fn pool(&self) -> Pool {
        let Self { kernel, stride } = *self;
        Pool { kernel, stride, padding: Padding { before: [0, 0], after: [0, 0] }, ceil: false }
    }
}
