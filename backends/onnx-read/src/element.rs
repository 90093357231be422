//! What the elements of a tensor are, by the numbers of `TensorProto.DataType`.

use nas_ir::DType;

macro_rules! elements {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $bits:literal, $word:literal;)*) => {
        /// What the elements of a tensor of ONNX are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Element { $($(#[doc = $doc])+ $name),* }

        impl Element {
            /// By the number that files have.
            #[must_use]
            pub fn of_code(code: i64) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }

            /// The number that files have.
            #[must_use]
            pub fn code(self) -> i64 {
                match self { $(Self::$name => $code),* }
            }

            /// Bits of one element; of a text, those of what points to it.
            #[must_use]
            pub fn bits(self) -> u64 {
                match self { $(Self::$name => $bits),* }
            }

            /// Its name in reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
        }
    };
}

elements! {
    /// 32-bit floats.
    F32 = 1, 32, "float32";
    /// Bytes.
    U8 = 2, 8, "uint8";
    /// 8-bit integers.
    I8 = 3, 8, "int8";
    /// 16-bit integers without a sign.
    U16 = 4, 16, "uint16";
    /// 16-bit integers.
    I16 = 5, 16, "int16";
    /// 32-bit integers.
    I32 = 6, 32, "int32";
    /// 64-bit integers.
    I64 = 7, 64, "int64";
    /// Texts.
    Text = 8, 64, "string";
    /// True or false.
    Truth = 9, 8, "bool";
    /// 16-bit floats.
    F16 = 10, 16, "float16";
    /// 64-bit floats.
    F64 = 11, 64, "float64";
    /// 32-bit integers without a sign.
    U32 = 12, 32, "uint32";
    /// 64-bit integers without a sign.
    U64 = 13, 64, "uint64";
    /// Pairs of 32-bit floats.
    C64 = 14, 64, "complex64";
    /// Pairs of 64-bit floats.
    C128 = 15, 128, "complex128";
    /// 16-bit floats with the range of 32-bit ones.
    Bf16 = 16, 16, "bfloat16";
    /// 8-bit floats with four bits of exponent, without infinities.
    F8e4m3 = 17, 8, "float8e4m3fn";
    /// The same without a negative zero.
    F8e4m3Uz = 18, 8, "float8e4m3fnuz";
    /// 8-bit floats with five bits of exponent.
    F8e5m2 = 19, 8, "float8e5m2";
    /// The same without a negative zero.
    F8e5m2Uz = 20, 8, "float8e5m2fnuz";
    /// 4-bit integers without a sign.
    U4 = 21, 4, "uint4";
    /// 4-bit integers.
    I4 = 22, 4, "int4";
    /// 4-bit floats.
    F4 = 23, 4, "float4e2m1";
}

impl Element {
    /// Whether they are floats.
    #[must_use]
    pub fn is_float(self) -> bool {
        match self {
            Self::F32 | Self::F16 | Self::F64 | Self::Bf16 => true,
            Self::F8e4m3 | Self::F8e4m3Uz | Self::F8e5m2 | Self::F8e5m2Uz | Self::F4 => true,
            Self::U8 | Self::I8 | Self::U16 | Self::I16 | Self::U32 | Self::I32 => false,
            Self::U64 | Self::I64 | Self::U4 | Self::I4 => false,
            Self::Text | Self::Truth | Self::C64 | Self::C128 => false,
        }
    }

    /// What they are in the tensors of nasc, which have not all of these.
    #[must_use]
    pub fn dtype(self) -> Option<DType> {
        match self {
            Self::F32 => Some(DType::F32),
            Self::F16 => Some(DType::F16),
            Self::I8 => Some(DType::I8),
            Self::U8 => Some(DType::U8),
            Self::I32 => Some(DType::I32),
            Self::I64 => Some(DType::I64),
            _ => None,
        }
    }

    /// Bytes of so many of them, one after the other; `None` if no number counts them.
    #[must_use]
    pub fn bytes(self, count: u64) -> Option<u64> {
        Some(count.checked_mul(self.bits())?.div_ceil(8))
    }
}
