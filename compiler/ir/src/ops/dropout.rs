//! What acts in training only: `dropout`, `spatial_dropout`, `drop_path`. They differ in what is
//! set to zero together. In evaluation, and in an exported network, each is the identity.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use crate::shape::Shape;

macro_rules! dropouts {
    ($($type:ident $name:literal $default:expr, $doc:literal)*) => {$(
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub struct $type {
            /// The probability of a zero.
            pub p: f64,
        }

        impl Operator for $type {
            const DECLARATION: Declaration = Declaration {
                name: $name,
                operands: Operands::One,
                params: &[Parameter {
                    name: "p",
                    kind: Kind::Fraction,
                    default: $default,
                    doc: "the probability of a zero; what is kept is divided by 1 - p",
                }],
                doc: $doc,
                example: concat!("x -> ", $name, "(0.2)"),
            };

            const PROPERTIES: Properties<Self> = Properties {
                yields: Yields::OperandButInTraining,
                is_elementwise: true,
                storage: Storage::View,
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
                Ok(Self { p: arguments.real("p") })
            }

            fn arguments(&self) -> Arguments {
                Arguments::default().with("p", Argument::Real(self.p))
            }

            fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
                Ok(inputs.first())
            }
        }
    )*};
}

const HALF: Default = Default::Is(Argument::Real(0.5));

dropouts! {
    DropPath "drop_path" Default::Required,
        "In training, sets the whole tensor to zero for some pictures of the batch (Larsson et al. 2016, stochastic depth): put it before a residual is added. Otherwise the identity. The shape stays."
    Dropout "dropout" HALF,
        "In training, sets elements to zero (Srivastava et al. 2014). Otherwise the identity. The shape stays."
    SpatialDropout "spatial_dropout" HALF,
        "In training, sets whole channels to zero (Tompson et al. 2015). Otherwise the identity. The shape stays."
}
