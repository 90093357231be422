//! The operators that are known, and what beside the sizes of their results is asked of them.

use nas_ir::ops::Storage;

/// Operators by what their results are. An operator stands in one row of [`Kind::of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The result is like the first operand; what is made of each element where that is followed.
    Same(Unary),
    /// Each element within bounds.
    Clip,
    /// Truth values in the shape of the first operand.
    Truth,
    /// An element of each operand, the smaller ones repeated.
    Arithmetic(Binary),
    /// Truth values of that.
    Comparison(Binary),
    /// Of two, after a truth value.
    Where,
    /// A convolution.
    Conv,
    /// One of integers.
    ConvInteger,
    /// One of integers with grids.
    QLinearConv,
    /// A transposed convolution.
    ConvTranspose,
    /// A product of a matrix and a bias.
    Gemm,
    /// A product of matrices.
    MatMul,
    /// One of integers.
    MatMulInteger,
    /// One of integers with grids.
    QLinearMatMul,
    /// A product along named axes.
    Einsum,
    /// A recurrent layer, with so many gates.
    Recurrent(u64),
    /// Windows.
    Pool,
    /// All positions as one window.
    GlobalPool,
    /// Scale and shift of each channel, with statistics.
    BatchNorm,
    /// The same with statistics of the operand, which further results tell.
    Norm,
    /// Slopes below zero.
    Prelu,
    /// The operand, in inference.
    Dropout,
    /// Other sizes for the same elements.
    Reshape,
    /// The same as a matrix.
    Flatten,
    /// Without axes of 1.
    Squeeze,
    /// With such axes.
    Unsqueeze,
    /// Axes in another order.
    Transpose,
    /// One behind the other.
    Concat,
    /// Several of one.
    Split,
    /// A part.
    Slice,
    /// Rows by their index.
    Gather,
    /// Elements by their index.
    GatherElements,
    /// Slices by their indices.
    GatherNd,
    /// The first operand with some elements replaced.
    Scatter,
    /// Repeated to these sizes.
    Expand,
    /// Repeated so often.
    Tile,
    /// With a border.
    Pad,
    /// In other sizes, between the pixels.
    Resize,
    /// The older form of that.
    Upsample,
    /// Channels to pixels.
    DepthToSpace,
    /// Pixels to channels.
    SpaceToDepth,
    /// One of each row along axes.
    Reduce(Reduction),
    /// Where in each row that is.
    Arg,
    /// The largest of each row.
    TopK,
    /// The sizes.
    Shape,
    /// How many elements.
    Size,
    /// One number everywhere.
    ConstantOfShape,
    /// Numbers one after the other.
    Range,
    /// Other elements.
    Cast,
    /// Those of another operand.
    CastLike,
    /// An axis of zeros and a one.
    OneHot,
    /// Floats to integers.
    Quantize,
    /// The same with a grid of their own.
    DynamicQuantize,
    /// Integers to floats.
    Dequantize,
    /// A matrix with ones on its diagonal.
    EyeLike,
    /// At places that another operand tells.
    GridSample,
}

/// What is made of each element, where elements are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unary {
    /// The element.
    Identity,
    /// Its negative.
    Neg,
    /// Without its sign.
    Abs,
    /// The next integer below.
    Floor,
    /// The next integer above.
    Ceil,
    /// Its root.
    Sqrt,
    /// The other truth value.
    Not,
    /// Something that is not followed; engines make it in place.
    Elementwise,
    /// Something of several elements.
    Other,
}

/// What is made of two elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient, of integers without its fraction.
    Div,
    /// Rest.
    Mod,
    /// Power.
    Pow,
    /// The larger.
    Max,
    /// The smaller.
    Min,
    /// Whether both are equal.
    Equal,
    /// Whether the first is greater.
    Greater,
    /// Whether it is less.
    Less,
    /// Whether it is greater or equal.
    AtLeast,
    /// Whether it is less or equal.
    AtMost,
    /// Both.
    And,
    /// Either.
    Or,
    /// Something that is not followed.
    Other,
}

/// What is made of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// Its product.
    Prod,
    /// Its sum.
    Sum,
    /// Its largest.
    Max,
    /// Its smallest.
    Min,
    /// Something that is not followed.
    Other,
}

/// What an operand is to a node, if it is a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Trained.
    Weight,
    /// Trained, if it is of floats and no single number.
    Operand,
    /// A setting, or a statistic.
    Setting,
}

macro_rules! rows {
    ($($names:pat => $kind:expr,)*) => {
        impl Kind {
            /// The kind of an operator of ONNX itself.
            #[must_use]
            pub fn of(operator: &str) -> Option<Self> {
                #[allow(clippy::enum_glob_use, reason = "a table of nothing but kinds")]
                use {Binary as B, Kind::*, Reduction as R, Unary as U};
                Some(match operator { $($names => $kind,)* _ => return None })
            }
        }
    };
}

rows! {
    "Identity" => Same(U::Identity),
    "Neg" => Same(U::Neg),
    "Abs" => Same(U::Abs),
    "Floor" => Same(U::Floor),
    "Ceil" => Same(U::Ceil),
    "Sqrt" => Same(U::Sqrt),
    "Not" => Same(U::Not),
    "Acos" | "Acosh" | "Asin" | "Asinh" | "Atan" | "Atanh" | "BitwiseNot" | "Celu" | "Cos"
    | "Cosh" | "Elu" | "Erf" | "Exp" | "Gelu" | "HardSigmoid" | "HardSwish" | "LeakyRelu" | "Log"
    | "Mish" | "Reciprocal" | "Relu" | "Round" | "Selu" | "Shrink" | "Sigmoid" | "Sign" | "Sin"
    | "Sinh" | "Softplus" | "Softsign" | "Swish" | "Tan" | "Tanh" | "ThresholdedRelu" => {
        Same(U::Elementwise)
    },
    "CumSum" | "Hardmax" | "LogSoftmax" | "LpNormalization" | "LRN" | "MeanVarianceNormalization"
    | "ReverseSequence" | "Softmax" | "Trilu" => Same(U::Other),
    "Clip" => Clip,
    "IsInf" | "IsNaN" => Truth,
    "Add" | "Sum" => Arithmetic(B::Add),
    "Sub" => Arithmetic(B::Sub),
    "Mul" => Arithmetic(B::Mul),
    "Div" => Arithmetic(B::Div),
    "Mod" => Arithmetic(B::Mod),
    "Pow" => Arithmetic(B::Pow),
    "Max" => Arithmetic(B::Max),
    "Min" => Arithmetic(B::Min),
    "BitShift" | "BitwiseAnd" | "BitwiseOr" | "BitwiseXor" | "Mean" => Arithmetic(B::Other),
    "Equal" => Comparison(B::Equal),
    "Greater" => Comparison(B::Greater),
    "Less" => Comparison(B::Less),
    "GreaterOrEqual" => Comparison(B::AtLeast),
    "LessOrEqual" => Comparison(B::AtMost),
    "And" => Comparison(B::And),
    "Or" => Comparison(B::Or),
    "Xor" => Comparison(B::Other),
    "Where" => Where,
    "Conv" => Conv,
    "ConvInteger" => ConvInteger,
    "QLinearConv" => QLinearConv,
    "ConvTranspose" => ConvTranspose,
    "Gemm" => Gemm,
    "MatMul" => MatMul,
    "MatMulInteger" => MatMulInteger,
    "QLinearMatMul" => QLinearMatMul,
    "Einsum" => Einsum,
    "RNN" => Recurrent(1),
    "GRU" => Recurrent(3),
    "LSTM" => Recurrent(4),
    "AveragePool" | "LpPool" | "MaxPool" => Pool,
    "GlobalAveragePool" | "GlobalLpPool" | "GlobalMaxPool" => GlobalPool,
    "BatchNormalization" => BatchNorm,
    "GroupNormalization" | "InstanceNormalization" | "LayerNormalization" | "RMSNormalization" => {
        Norm
    },
    "PRelu" => Prelu,
    "Dropout" => Dropout,
    "Reshape" => Reshape,
    "Flatten" => Flatten,
    "Squeeze" => Squeeze,
    "Unsqueeze" => Unsqueeze,
    "Transpose" => Transpose,
    "Concat" => Concat,
    "Split" => Split,
    "Slice" => Slice,
    "Gather" => Gather,
    "GatherElements" => GatherElements,
    "GatherND" => GatherNd,
    "Scatter" | "ScatterElements" | "ScatterND" => Scatter,
    "Expand" => Expand,
    "Tile" => Tile,
    "Pad" => Pad,
    "Resize" => Resize,
    "Upsample" => Upsample,
    "DepthToSpace" => DepthToSpace,
    "SpaceToDepth" => SpaceToDepth,
    "ReduceProd" => Reduce(R::Prod),
    "ReduceSum" => Reduce(R::Sum),
    "ReduceMax" => Reduce(R::Max),
    "ReduceMin" => Reduce(R::Min),
    "ReduceL1" | "ReduceL2" | "ReduceLogSum" | "ReduceLogSumExp" | "ReduceMean"
    | "ReduceSumSquare" => Reduce(R::Other),
    "ArgMax" | "ArgMin" => Arg,
    "TopK" => TopK,
    "Shape" => Shape,
    "Size" => Size,
    "ConstantOfShape" => ConstantOfShape,
    "Range" => Range,
    "Cast" => Cast,
    "CastLike" => CastLike,
    "OneHot" => OneHot,
    "QuantizeLinear" => Quantize,
    "DynamicQuantizeLinear" => DynamicQuantize,
    "DequantizeLinear" => Dequantize,
    "EyeLike" => EyeLike,
    "GridSample" => GridSample,
}

impl Kind {
    /// Whether it multiplies by a kernel or a matrix: such nodes have multiply-accumulates, and count as depth.
    #[must_use]
    pub fn has_kernel(self) -> bool {
        matches!(
            self,
            Self::Conv
                | Self::ConvInteger
                | Self::QLinearConv
                | Self::ConvTranspose
                | Self::Gemm
                | Self::MatMul
                | Self::MatMulInteger
                | Self::QLinearMatMul
                | Self::Einsum
                | Self::Recurrent(_)
        )
    }

    /// Where an engine puts what it makes.
    #[must_use]
    pub fn storage(self) -> Storage {
        match self {
            Self::Same(Unary::Identity) | Self::Dropout => Storage::View,
            Self::Reshape | Self::Flatten | Self::Squeeze | Self::Unsqueeze => Storage::View,
            // Whoever computes with integers takes them as they are.
            Self::Dequantize => Storage::View,
            Self::Same(Unary::Other) => Storage::Own,
            Self::Same(_) | Self::Clip | Self::BatchNorm | Self::Prelu => Storage::InPlace,
            // Whoever computes with integers writes them at once.
            Self::Quantize => Storage::InPlace,
            _ => Storage::Own,
        }
    }

    /// What a constant is to it in the place of an operand.
    #[must_use]
    pub fn slot(self, place: usize) -> Slot {
        match (self, place) {
            (Self::Conv | Self::ConvInteger | Self::ConvTranspose, 1 | 2) => Slot::Weight,
            (Self::QLinearConv, 3 | 8) | (Self::QLinearMatMul, 0 | 3) => Slot::Weight,
            (Self::Gemm, 0..=2) | (Self::MatMul | Self::MatMulInteger, 0 | 1) => Slot::Weight,
            (Self::Einsum, _) | (Self::Recurrent(_), 1..=3) => Slot::Weight,
            (Self::BatchNorm | Self::Norm, 1 | 2) | (Self::Prelu, 1) => Slot::Weight,
            (Self::Arithmetic(_) | Self::Where | Self::Concat, _) => Slot::Operand,
            (Self::Gather, 0) => Slot::Operand,
            _ => Slot::Setting,
        }
    }

    /// Whether it only moves or converts its first operand: if that is a weight, so is the result.
    #[must_use]
    pub fn moves(self) -> bool {
        matches!(
            self,
            Self::Same(Unary::Identity)
                | Self::Reshape
                | Self::Flatten
                | Self::Squeeze
                | Self::Unsqueeze
                | Self::Transpose
                | Self::Expand
                | Self::Split
                | Self::Slice
                | Self::Cast
                | Self::Quantize
                | Self::Dequantize
        )
    }
}
