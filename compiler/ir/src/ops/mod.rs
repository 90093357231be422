//! The primitive operators: one file each, one table.
//!
//! A file declares the operator's name, documentation, parameters with types and defaults, its
//! shape rule and its properties. Argument checks, suggestions and the reference read the
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
mod inputs;
mod kernel;
mod leaky_relu;
mod linear;
mod max_pool;
mod max_unpool;
mod mul;
mod operator;
mod pad;
mod pool;
mod prelu;
mod problem;
mod resize;
mod shift;
pub mod signature;
mod weight;
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
pub use operator::{Channels, Factor, KernelRow, Levels, Sides, Storage, Tensors, Yields};
pub use pad::Pad;
pub use pool::Pool;
pub use prelu::Prelu;
pub use problem::{Cure, ShapeProblem};
pub use resize::{Resize, ResizeMode, ResizeTo};
pub use shift::Shift;
pub use weight::{Initial, Role, Scaling, Weight};
pub use window::Padding;
pub use zero::Zero;

use crate::shape::Shape;
use inputs::Inputs;
use kernel::{GROUPS, OUT};
use operator::Operator;
use signature::{Arguments, Declaration};

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
                let inputs = Inputs::new(inputs)?;
                let shape = match self { $(Op::$name(op) => op.shape(inputs)),* }?;
                problem::within_limits(shape)
            }

            /// What its value is.
            #[must_use]
            pub fn yields(&self) -> Yields {
                match self { $(Op::$name(_) => <$name as Operator>::PROPERTIES.yields),* }
            }

            /// Whether each element of its value follows from the elements at that place, so that
            /// engines compute it while they make an operand.
            #[must_use]
            pub fn is_elementwise(&self) -> bool {
                match self { $(Op::$name(_) => <$name as Operator>::PROPERTIES.is_elementwise),* }
            }

            /// What becomes in training of one positive factor on all of its operands.
            #[must_use]
            pub fn factor(&self) -> Factor {
                match self { $(Op::$name(own) => (<$name as Operator>::PROPERTIES.factor)(own)),* }
            }

            /// Which channels of its operands a channel of the result is of.
            #[must_use]
            pub fn channels(&self) -> Channels {
                match self { $(Op::$name(own) => (<$name as Operator>::PROPERTIES.channels)(own)),* }
            }

            /// Of which numbers its value consists, where its operands consist of those of a grid.
            #[must_use]
            pub fn levels(&self) -> Levels {
                match self { $(Op::$name(_) => <$name as Operator>::PROPERTIES.levels),* }
            }

            /// Where an engine puts its result.
            #[must_use]
            pub fn storage(&self) -> Storage {
                match self { $(Op::$name(_) => <$name as Operator>::PROPERTIES.storage),* }
            }

            /// Whether it multiplies its operand by a kernel: such operators count as `depth`.
            #[must_use]
            pub fn has_kernel(&self) -> bool {
                match self { $(Op::$name(_) => <$name as Operator>::PROPERTIES.kernel.is_some()),* }
            }

            /// The operator with a bias, if it has a kernel: exporters put a scaling of its channels
            /// that follows into both.
            #[must_use]
            pub fn with_bias(&self) -> Option<Op> {
                match self { $(Op::$name(op) => {
                    let with_bias = <$name as Operator>::PROPERTIES.kernel?.with_bias;
                    Some(Op::$name(with_bias(op)))
                }),* }
            }

            /// What each row of taps of its kernel does, in the order in which a kernel of these sizes has
            /// them; none without a kernel.
            #[must_use]
            pub fn kernel_rows(&self, dims: &[u32]) -> Vec<KernelRow> {
                let &[first, second, ..] = dims else { return Vec::new() };
                let places = (0..first).flat_map(|at| (0..second).map(move |next| [at, next]));
                match self { $(Op::$name(op) => {
                    let kernel = <$name as Operator>::PROPERTIES.kernel;
                    kernel.map_or_else(Vec::new, |kernel| {
                        places.map(|place| (kernel.row)(op, [first, second], place)).collect()
                    })
                }),* }
            }

            /// Along which axis of its kernel the channels of its value lie; `None` without a kernel, and where they lie
            /// along several, as those of a transposed convolution in groups.
            #[must_use]
            pub fn channel_axis(&self) -> Option<usize> {
                match self { $(Op::$name(op) => {
                    let kernel = <$name as Operator>::PROPERTIES.kernel;
                    kernel.and_then(|kernel| (kernel.channel_axis)(op))
                }),* }
            }

            /// Whether it multiplies by a kernel, and each place of its result reads all of its
            /// taps: a number that is added to the operand adds the same everywhere.
            #[must_use]
            pub fn is_uniform(&self) -> bool {
                match self { $(Op::$name(op) => {
                    let kernel = <$name as Operator>::PROPERTIES.kernel;
                    kernel.is_some_and(|kernel| (kernel.is_uniform)(op))
                }),* }
            }

            /// Whether it only scales each channel once it is trained, so that a convolution before
            /// it takes it in.
            #[must_use]
            pub fn is_scaling(&self) -> bool {
                match self { $(Op::$name(_) => <$name as Operator>::PROPERTIES.scaling.is_some()),* }
            }

            /// What it does to each channel with these parameters, if it only scales them.
            #[must_use]
            pub fn scaling(&self, tensors: Tensors<'_, '_>) -> Option<Vec<Scaling>> {
                match self { $(Op::$name(op) => {
                    <$name as Operator>::PROPERTIES.scaling.map(|scaling| scaling(op, tensors))
                }),* }
            }

            /// Multiply-accumulates for batch 1, as the field counts: convolutions, transposed
            /// ones and linear layers only. On operands that `output` follows from.
            #[must_use]
            pub fn macs(&self, inputs: &[Shape], output: Shape) -> u128 {
                match self { $(Op::$name(op) => {
                    let kernel = <$name as Operator>::PROPERTIES.kernel;
                    kernel.map_or(0, |kernel| (kernel.macs)(op, Inputs::proved(inputs), output))
                }),* }
            }

            /// The tensors of its parameters, on operands that a shape follows from.
            #[must_use]
            pub fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
                match self { $(Op::$name(op) => {
                    let weights = <$name as Operator>::PROPERTIES.weights;
                    weights.map_or_else(Vec::new, |weights| weights(op, Inputs::proved(inputs)))
                }),* }
            }

            /// Padding of its windows, if it has windows; where it takes windows that reach beyond
            /// its own padding, as far as these reach.
            ///
            /// # Errors
            /// What is wrong with the operands.
            pub fn window_padding(
                &self,
                inputs: &[Shape],
            ) -> Result<Option<Padding>, ShapeProblem> {
                match self { $(Op::$name(op) => {
                    let padding = <$name as Operator>::PROPERTIES.window_padding;
                    padding.map(|padding| padding(op, Inputs::new(inputs)?)).transpose()
                }),* }
            }

            /// What those of its arguments come to on these operands that may be given in place of
            /// each other.
            ///
            /// # Errors
            /// What is wrong with the operands.
            pub fn alternatives(&self, inputs: &[Shape]) -> Result<Vec<Sides>, ShapeProblem> {
                match self { $(Op::$name(op) => {
                    match <$name as Operator>::PROPERTIES.alternatives {
                        Some(alternatives) => alternatives(op, Inputs::new(inputs)?),
                        None => Ok(Vec::new()),
                    }
                }),* }
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
    /// Trainable parameters, on operands that a shape follows from.
    #[must_use]
    pub fn params(&self, inputs: &[Shape]) -> u128 {
        let trainable = self.weights(inputs).into_iter().filter(|w| w.role.is_trainable());
        trainable.map(|w| u128::from(w.elements())).sum()
    }

    /// Whether the values of the inputs matter; a constant keeps nothing alive.
    #[must_use]
    pub fn reads_inputs(&self) -> bool {
        self.yields() != Yields::Zeros
    }

    /// Whether another operator is the same but for numbers of channels and of groups.
    #[must_use]
    pub fn differs_in_channels_alone(&self, other: &Op) -> bool {
        let rest = |op: &Op| -> Vec<_> {
            let arguments = op.arguments();
            arguments.iter().filter(|(name, _)| ![OUT.name, GROUPS.name].contains(name)).collect()
        };
        self.declaration().name == other.declaration().name && rest(self) == rest(other)
    }

    /// Whether nothing of it is left in a network that runs on a device: it does something in
    /// training only, is a constant, or is folded into what stands before it.
    #[must_use]
    pub fn vanishes(&self) -> bool {
        match self.yields() {
            Yields::Operand | Yields::OperandButInTraining | Yields::Zeros => true,
            Yields::Sum | Yields::Computed => self.is_scaling(),
        }
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
