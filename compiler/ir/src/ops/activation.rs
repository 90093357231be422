//! Activations without parameters, applied to each element.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Arguments, Declaration, Operands};
use crate::shape::Shape;

macro_rules! activations {
    ($($type:ident $name:literal $factor:ident $levels:ident $doc:literal)*) => {$(
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

            const PROPERTIES: Properties<Self> = Properties {
                yields: Yields::Computed,
                is_elementwise: true,
                storage: Storage::InPlace,
                weights: None,
                kernel: None,
                window_padding: None,
                scaling: None,
                factor: |_| Factor::$factor,
                channels: |_| Channels::Apart,
                levels: Levels::$levels,
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
    )*};
}

activations! {
    Hsigmoid "hsigmoid" Changed Own "relu6(x + 3) / 6 (Howard et al. 2019). The shape stays."
    Hswish "hswish" Changed Own "x * relu6(x + 3) / 6 (Howard et al. 2019). The shape stays."
    Relu "relu" Kept Bounded "max(x, 0). The shape stays."
    Relu6 "relu6" Changed Bounded "min(max(x, 0), 6). The shape stays."
    Sigmoid "sigmoid" Changed Own "1 / (1 + exp(-x)). The shape stays."
    Swish "swish" Changed Own "x * sigmoid(x), also called SiLU. The shape stays."
    Tanh "tanh" Changed Own "The hyperbolic tangent. The shape stays."
}
