//! Activations: `relu`, `relu6`, `sigmoid`, `hswish`; applied to each element, without parameters.

use super::signature::{Arguments, Declaration, Operands, only};
use super::{Operator, ShapeProblem};
use crate::shape::Shape;

macro_rules! activation {
    ($type:ident, $name:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $type;

        impl Operator for $type {
            const DECLARATION: Declaration = Declaration {
                name: $name,
                operands: Operands::One,
                params: &[],
                doc: $doc,
                example: concat!("x -> ", $name),
            };

            fn from_arguments(_: &Arguments) -> Result<Self, ShapeProblem> {
                Ok(Self)
            }

            fn arguments(&self) -> Arguments {
                Arguments::default()
            }

            fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
                only(inputs)
            }
        }
    };
}

activation!(Relu, "relu", "max(x, 0). The shape stays.");
activation!(Relu6, "relu6", "min(max(x, 0), 6). The shape stays.");
activation!(Sigmoid, "sigmoid", "1 / (1 + exp(-x)). The shape stays.");
activation!(Hswish, "hswish", "x * relu6(x + 3) / 6 (Howard et al. 2019). The shape stays.");
