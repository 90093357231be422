//! How a model is written.

use std::fmt;
use std::num::NonZeroU32;

use nas_ir::Opset;

use crate::error::EmitError;

/// How a model is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The operator set.
    pub opset: Opset,
    /// What numbers the file computes with. Inputs and outputs are 32-bit floats all the same, unless they are said to be
    /// something else.
    pub numbers: Numbers,
    /// The integers of values that are rounded, where the model rounds.
    pub levels: Integers,
    /// How many images the file takes at once.
    pub batch: Batch,
    /// Whether height and width of the inputs are left open.
    pub open_size: bool,
    /// What the inputs hold.
    pub inputs: InputType,
    /// What is answered in the place of each output, in their order; outputs beyond the end are answered as they are.
    pub answers: Vec<Answer>,
    /// Whether the file has nothing that an engine does not need: short names in the place of paths, but for inputs and
    /// outputs, and no sizes but theirs.
    pub lean: bool,
    /// The version of the compiler, as the file states it.
    pub producer_version: String,
    /// Keys and values for the file's `metadata_props`, in this order: where the network is from.
    pub provenance: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            opset: Opset::default(),
            numbers: Numbers::default(),
            levels: Integers::default(),
            batch: Batch::default(),
            open_size: false,
            inputs: InputType::default(),
            answers: Vec::new(),
            lean: false,
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            provenance: Vec::new(),
        }
    }
}

/// What numbers a file computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Numbers {
    /// 32-bit floats.
    #[default]
    Float,
    /// 16-bit floats (binary16 of IEEE 754), weights and values.
    Half,
}

/// Integers of 8 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Integers {
    /// From -128 to 127.
    #[default]
    Signed,
    /// From 0 to 255.
    Unsigned,
}

impl Integers {
    /// Whether models that compute with them can be written in an operator set.
    ///
    /// # Errors
    /// It has no steps of integers by channel.
    pub fn check(opset: Opset) -> Result<(), EmitError> {
        if opset.version() < 13 { Err(EmitError::Integers { opset }) } else { Ok(()) }
    }
}

/// How many images a file takes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// So many.
    Of(NonZeroU32),
    /// Any number: the first size of each input and output is the symbol `batch`.
    Open,
}

impl Default for Batch {
    fn default() -> Self {
        Self::Of(NonZeroU32::MIN)
    }
}

/// What an input holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InputType {
    /// 32-bit floats.
    #[default]
    Float,
    /// Bytes, which the file makes floats of: 0 to 255.
    Byte,
}

/// What is answered in the place of an output `[N, C, …]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answer {
    /// The output as it is.
    #[default]
    Values,
    /// Probabilities: the softmax along the channels.
    Softmax,
    /// The first channel of the largest value, 64-bit integers `[N, …]`.
    ArgMax,
    /// The so many largest values along the channels, `[N, k, …]`, in descending order; and their channels, 64-bit integers
    /// of the same sizes, as another output `NAME_indices`.
    Top(NonZeroU32),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values => f.write_str("values"),
            Self::Softmax => f.write_str("softmax"),
            Self::ArgMax => f.write_str("argmax"),
            Self::Top(most) => write!(f, "top{most}"),
        }
    }
}
