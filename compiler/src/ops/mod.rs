//! The primitive operators: one file each, one table.
//!
//! A file declares the operator's name, documentation, parameters with types and defaults, its
//! shape rule and its cost rule. Argument checks, suggestions and the reference read the
//! declaration; backends lower with an exhaustive `match` on [`Op`]. To add an operator, write
//! its file and name it in `operators!` below: what else must answer then fails to compile.

mod activation;
mod add;
mod avg_pool;
mod batch_norm;
mod concat;
mod conv;
mod crop;
mod global_avg_pool;
mod identity;
mod max_pool;
mod mul;
mod resize;
pub mod signature;
mod window;
mod zero;

pub use activation::{Hswish, Relu, Relu6, Sigmoid};
pub use add::Add;
pub use avg_pool::AvgPool;
pub use batch_norm::BatchNorm;
pub use concat::Concat;
pub use conv::Conv;
pub use crop::Crop;
pub use global_avg_pool::GlobalAvgPool;
pub use identity::Identity;
pub use max_pool::MaxPool;
pub use mul::Mul;
pub use resize::{Resize, ResizeMode, ResizeTo};
pub use window::Padding;
pub use zero::Zero;

use crate::shape::Shape;
use signature::{Arguments, Declaration};

/// What is wrong with the operands of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShapeProblem {
    /// The operands do not fit together.
    Mismatch {
        /// What was expected, in words.
        title: String,
        /// An edit.
        help: String,
    },
    /// `groups` does not divide the channels.
    Groups {
        /// The number of groups.
        groups: u32,
        /// What it does not divide: "24 input channels".
        of: String,
        /// The largest number of groups, up to `groups`, that would do.
        nearest: u32,
    },
    /// A window does not fit into the padded map, or nothing is left of it.
    Window {
        /// What is left of what.
        title: String,
        /// An edit.
        help: String,
    },
    /// A feature map was needed and a vector was given, or the other way round.
    Rank {
        /// What the operator needs, in words.
        needs: &'static str,
    },
    /// A size or a count leaves the range of what the compiler computes with.
    Overflow {
        /// What is too large.
        what: String,
    },
}

/// What a tensor of an operator's parameters holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A convolution kernel `[out, in / groups, kh, kw]`.
    Kernel,
    /// A bias `[out]`.
    Bias,
    /// Batch norm's factor, gamma `[channels]`.
    Scale,
    /// Batch norm's offset, beta `[channels]`.
    Shift,
    /// Batch norm's running mean `[channels]`; not trainable.
    RunningMean,
    /// Batch norm's running variance `[channels]`; not trainable.
    RunningVariance,
}

impl Role {
    /// Whether the optimiser changes it; only such tensors count as `params`.
    #[must_use]
    pub fn is_trainable(self) -> bool {
        !matches!(self, Role::RunningMean | Role::RunningVariance)
    }

    /// The last part of the tensor's name, as in PyTorch: `weight`, `running_mean`.
    #[must_use]
    pub fn tensor_name(self) -> &'static str {
        match self {
            Role::Kernel | Role::Scale => "weight",
            Role::Bias | Role::Shift => "bias",
            Role::RunningMean => "running_mean",
            Role::RunningVariance => "running_var",
        }
    }
}

/// One tensor of an operator's parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weight {
    /// What it holds.
    pub role: Role,
    /// Its sizes.
    pub dims: Vec<u32>,
}

impl Weight {
    /// Number of elements.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.dims.iter().map(|&d| u64::from(d)).fold(1, u64::saturating_mul)
    }
}

/// What every operator declares.
pub(crate) trait Operator: Sized {
    /// Name, documentation, operands and parameters.
    const DECLARATION: Declaration;

    /// The operator from its checked arguments.
    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem>;

    /// The arguments that make this operator, defaults included.
    fn arguments(&self) -> Arguments;

    /// The shape of the result.
    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem>;

    /// Multiply-accumulates for batch 1, as the field counts: convolutions only.
    fn macs(&self, _inputs: &[Shape], _output: Shape) -> u128 {
        0
    }

    /// The tensors of its parameters.
    fn weights(&self, _inputs: &[Shape]) -> Vec<Weight> {
        Vec::new()
    }
}

/// A row of the operator table.
pub struct Row {
    /// What the operator's file declares.
    pub declaration: &'static Declaration,
    /// Makes the operator from checked arguments.
    pub build: fn(&Arguments) -> Result<Op, ShapeProblem>,
}

macro_rules! operators {
    ($($name:ident),* $(,)?) => {
        /// A primitive operator with its parameters.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs, reason = "each variant is documented at its type")]
        pub enum Op { $($name($name)),* }

        /// All operators, in alphabetical order.
        pub static TABLE: &[Row] = &[$(Row {
            declaration: &<$name as Operator>::DECLARATION,
            build: |arguments| <$name as Operator>::from_arguments(arguments).map(Op::$name),
        }),*];

        impl Op {
            /// What the operator's file declares.
            #[must_use]
            pub fn declaration(&self) -> &'static Declaration {
                match self { $(Op::$name(_) => &<$name as Operator>::DECLARATION),* }
            }

            /// The arguments that make this operator, defaults included.
            #[must_use]
            pub fn arguments(&self) -> Arguments {
                match self { $(Op::$name(op) => op.arguments()),* }
            }

            /// The shape of the result.
            ///
            /// # Errors
            /// What is wrong with the operands.
            pub fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
                let shape = match self { $(Op::$name(op) => op.shape(inputs)),* }?;
                signature::within_limits(shape)
            }

            /// Multiply-accumulates for batch 1; convolutions only, as the field counts.
            #[must_use]
            pub fn macs(&self, inputs: &[Shape], output: Shape) -> u128 {
                match self { $(Op::$name(op) => op.macs(inputs, output)),* }
            }

            /// The tensors of its parameters.
            #[must_use]
            pub fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
                match self { $(Op::$name(op) => op.weights(inputs)),* }
            }
        }
    };
}

operators!(
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Crop,
    GlobalAvgPool,
    Hswish,
    Identity,
    MaxPool,
    Mul,
    Relu,
    Relu6,
    Resize,
    Sigmoid,
    Zero,
);

impl Op {
    /// Trainable parameters.
    #[must_use]
    pub fn params(&self, inputs: &[Shape]) -> u128 {
        let trainable = self.weights(inputs).into_iter().filter(|w| w.role.is_trainable());
        trainable.map(|w| u128::from(w.elements())).sum()
    }

    /// Whether the values of the inputs matter; a constant keeps nothing alive.
    #[must_use]
    pub fn reads_inputs(&self) -> bool {
        !matches!(self, Op::Zero(_))
    }
}

/// The row of the operator with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.declaration.name == name)
}
