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
mod border;
mod channel_pad;
mod channel_shuffle;
mod channel_slice;
mod concat;
mod conv;
mod conv_transpose;
mod crop;
mod dropout;
mod fit;
mod flatten;
mod global_avg_pool;
mod identity;
mod leaky_relu;
mod linear;
mod max_pool;
mod max_unpool;
mod mul;
mod pad;
mod pool;
mod prelu;
mod resize;
mod shift;
pub mod signature;
mod window;
mod zero;

pub use activation::{Hsigmoid, Hswish, Relu, Relu6, Sigmoid, Swish, Tanh};
pub use add::Add;
pub use avg_pool::AvgPool;
pub use batch_norm::BatchNorm;
pub use border::Border;
pub use channel_pad::ChannelPad;
pub use channel_shuffle::ChannelShuffle;
pub use channel_slice::ChannelSlice;
pub use concat::Concat;
pub use conv::Conv;
pub use conv_transpose::ConvTranspose;
pub use crop::Crop;
pub use dropout::{DropPath, Dropout, SpatialDropout};
pub use fit::Fit;
pub use flatten::Flatten;
pub use global_avg_pool::GlobalAvgPool;
pub use identity::Identity;
pub use leaky_relu::LeakyRelu;
pub use linear::Linear;
pub use max_pool::MaxPool;
pub use max_unpool::MaxUnpool;
pub use mul::Mul;
pub use pad::Pad;
pub use pool::Pool;
pub use prelu::Prelu;
pub use resize::{Resize, ResizeMode, ResizeTo};
pub use shift::Shift;
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
        /// Advice.
        help: String,
        /// A step after which they fit, if there is one.
        fit: Option<Fit>,
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
        /// What helps.
        help: Cure,
    },
    /// A feature map was needed and a vector was given, or the other way round.
    Rank {
        /// What the operator needs, in words.
        needs: &'static str,
        /// A step to send the operand through first, if one makes it fit.
        through: Option<&'static str>,
        /// Advice; beside a step, what else there is.
        help: &'static str,
    },
    /// A size or a count leaves the range of what the compiler computes with.
    Overflow {
        /// What is too large, with its figure: "a height of 32000000".
        what: String,
        /// The most that there may be.
        limit: u64,
        /// Advice.
        help: &'static str,
    },
}

/// What helps where an argument does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cure {
    /// Words that leave open what exactly to write.
    Advice(String),
    /// Another argument.
    Argument {
        /// The parameter.
        name: &'static str,
        /// Its value, as it is written.
        value: String,
        /// What else there is, in words that follow.
        rest: &'static str,
    },
}

impl Cure {
    fn advice(words: impl Into<String>) -> Self {
        Self::Advice(words.into())
    }
}

/// What a tensor of an operator's parameters holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A kernel: `[out, in / groups, kh, kw]` of a convolution, `[in, out / groups, kh, kw]` of a
    /// transposed one, `[out, in]` of a linear layer.
    Kernel,
    /// A bias `[out]`.
    Bias,
    /// Batch norm's factor, gamma `[channels]`.
    Scale,
    /// Batch norm's offset, beta `[channels]`.
    Shift,
    /// Slopes below zero `[channels]`.
    Slope,
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
            Role::Kernel | Role::Scale | Role::Slope => "weight",
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

/// What a tensor of parameters holds before training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initial {
    /// This number in every element.
    Constant(f32),
    /// Normal numbers of mean 0.
    Normal {
        /// Their standard deviation.
        std: f64,
    },
}

/// Where an engine puts the result of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In memory of its own.
    Own,
    /// Nowhere: the result is the operand, perhaps in another shape.
    View,
    /// Over the operand, value by value, if nothing else needs that one: such operators are folded
    /// into the one before, or fused with it.
    InPlace,
}

/// What every operator declares.
pub(crate) trait Operator: Sized {
    /// Name, documentation, operands and parameters.
    const DECLARATION: Declaration;

    /// The operator from its checked arguments.
    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem>;

    /// The arguments that make this operator, defaults included.
    fn arguments(&self) -> Arguments {
        Arguments::default()
    }

    /// The shape of the result.
    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem>;

    /// Multiply-accumulates for batch 1, as the field counts: convolutions, transposed ones and
    /// linear layers only.
    fn macs(&self, _inputs: &[Shape], _output: Shape) -> u128 {
        0
    }

    /// The tensors of its parameters.
    fn weights(&self, _inputs: &[Shape]) -> Vec<Weight> {
        Vec::new()
    }

    /// Padding of its windows on these operands, if it has windows; where it takes windows that
    /// reach beyond its own padding, as far as these reach.
    fn window_padding(&self, _inputs: &[Shape]) -> Option<Padding> {
        None
    }

    /// Variance of the initial values of its kernel.
    fn kernel_variance(&self, _inputs: &[Shape]) -> f64 {
        0.0
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

            /// Multiply-accumulates for batch 1, as the field counts: convolutions, transposed
            /// ones and linear layers only.
            #[must_use]
            pub fn macs(&self, inputs: &[Shape], output: Shape) -> u128 {
                match self { $(Op::$name(op) => op.macs(inputs, output)),* }
            }

            /// The tensors of its parameters.
            #[must_use]
            pub fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
                match self { $(Op::$name(op) => op.weights(inputs)),* }
            }

            /// Padding of its windows on these operands, if it has windows; where it takes windows
            /// that reach beyond its own padding, as far as these reach.
            #[must_use]
            pub fn window_padding(&self, inputs: &[Shape]) -> Option<Padding> {
                match self { $(Op::$name(op) => op.window_padding(inputs)),* }
            }

            fn kernel_variance(&self, inputs: &[Shape]) -> f64 {
                match self { $(Op::$name(op) => op.kernel_variance(inputs)),* }
            }
        }
    };
}

operators!(
    Add,
    AvgPool,
    BatchNorm,
    ChannelPad,
    ChannelShuffle,
    ChannelSlice,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    DropPath,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Hsigmoid,
    Hswish,
    Identity,
    LeakyRelu,
    Linear,
    MaxPool,
    MaxUnpool,
    Mul,
    Pad,
    Prelu,
    Relu,
    Relu6,
    Resize,
    Shift,
    Sigmoid,
    SpatialDropout,
    Swish,
    Tanh,
    Zero,
);

impl Op {
    /// Trainable parameters.
    #[must_use]
    pub fn params(&self, inputs: &[Shape]) -> u128 {
        let trainable = self.weights(inputs).into_iter().filter(|w| w.role.is_trainable());
        trainable.map(|w| u128::from(w.elements())).sum()
    }

    /// What the tensor of this role holds before training.
    #[must_use]
    pub fn initial(&self, role: Role, inputs: &[Shape]) -> Initial {
        match role {
            Role::Kernel => Initial::Normal { std: self.kernel_variance(inputs).sqrt() },
            Role::Scale | Role::RunningVariance => Initial::Constant(1.0),
            Role::Slope => Initial::Constant(0.25),
            Role::Bias | Role::Shift | Role::RunningMean => Initial::Constant(0.0),
        }
    }

    /// Whether the values of the inputs matter; a constant keeps nothing alive.
    #[must_use]
    pub fn reads_inputs(&self) -> bool {
        !matches!(self, Op::Zero(_))
    }

    /// Whether it multiplies its operand by a kernel: such operators count as `depth`.
    #[must_use]
    pub fn has_kernel(&self) -> bool {
        matches!(self, Op::Conv(_) | Op::ConvTranspose(_) | Op::Linear(_))
    }

    /// Where an engine puts its result.
    #[must_use]
    pub fn storage(&self) -> Storage {
        match self {
            Op::DropPath(_)
            | Op::Dropout(_)
            | Op::Flatten(_)
            | Op::Identity(_)
            | Op::SpatialDropout(_) => Storage::View,
            Op::BatchNorm(_)
            | Op::Hsigmoid(_)
            | Op::Hswish(_)
            | Op::LeakyRelu(_)
            | Op::Prelu(_)
            | Op::Relu(_)
            | Op::Relu6(_)
            | Op::Sigmoid(_)
            | Op::Swish(_)
            | Op::Tanh(_) => Storage::InPlace,
            Op::Add(_)
            | Op::AvgPool(_)
            | Op::ChannelPad(_)
            | Op::ChannelShuffle(_)
            | Op::ChannelSlice(_)
            | Op::Concat(_)
            | Op::Conv(_)
            | Op::ConvTranspose(_)
            | Op::Crop(_)
            | Op::GlobalAvgPool(_)
            | Op::Linear(_)
            | Op::MaxPool(_)
            | Op::MaxUnpool(_)
            | Op::Mul(_)
            | Op::Pad(_)
            | Op::Resize(_)
            | Op::Shift(_)
            | Op::Zero(_) => Storage::Own,
        }
    }

    /// Whether its value is that of its operand, but in training.
    #[must_use]
    pub fn passes_on(&self) -> bool {
        matches!(self, Op::DropPath(_) | Op::Dropout(_) | Op::Identity(_) | Op::SpatialDropout(_))
    }

    /// Whether nothing of it is left in a network that runs on a device: it does something in
    /// training only, is a constant, or is folded into what stands before it.
    #[must_use]
    pub fn vanishes(&self) -> bool {
        self.passes_on() || matches!(self, Op::BatchNorm(_) | Op::Zero(_))
    }

    /// Whether each element of its value follows from the elements at that place, so that engines
    /// compute it while they make an operand.
    #[must_use]
    pub fn is_elementwise(&self) -> bool {
        self.passes_on()
            || matches!(
                self,
                Op::Add(_)
                    | Op::BatchNorm(_)
                    | Op::Hsigmoid(_)
                    | Op::Hswish(_)
                    | Op::LeakyRelu(_)
                    | Op::Mul(_)
                    | Op::Prelu(_)
                    | Op::Relu(_)
                    | Op::Relu6(_)
                    | Op::Sigmoid(_)
                    | Op::Swish(_)
                    | Op::Tanh(_)
            )
    }
}

/// The row of the operator with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    // INVARIANT: the table is in the order of the names, as its test proves.
    let row = TABLE.binary_search_by_key(&name, |row| row.declaration.name).ok()?;
    TABLE.get(row)
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn the_table_is_in_the_order_of_the_names() {
        assert!(TABLE.is_sorted_by_key(|row| row.declaration.name));
    }
}
