//! Tensors and parameter values by name, in memory; reading and writing files is the caller's.

use indexmap::IndexMap;

use crate::dtype::DType;

/// The elements of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 16-bit floats (binary16 of IEEE 754), each by its bits.
    F16(Vec<u16>),
    /// 8-bit integers.
    I8(Vec<i8>),
}

impl Elements {
    /// What they are.
    #[must_use]
    pub fn dtype(&self) -> DType {
        match self {
            Self::F32(_) => DType::F32,
            Self::F16(_) => DType::F16,
            Self::I8(_) => DType::I8,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(elements) => elements.len(),
            Self::F16(elements) => elements.len(),
            Self::I8(elements) => elements.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One tensor, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Its sizes.
    pub dims: Vec<u32>,
    /// Its elements.
    pub elements: Elements,
}

impl Tensor {
    /// A tensor of 32-bit floats.
    #[must_use]
    pub fn of_floats(dims: impl Into<Vec<u32>>, floats: Vec<f32>) -> Self {
        Self { dims: dims.into(), elements: Elements::F32(floats) }
    }

    /// What its elements are.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.elements.dtype()
    }

    /// Its elements, if they are 32-bit floats.
    #[must_use]
    pub fn floats(&self) -> Option<&[f32]> {
        match &self.elements {
            Elements::F32(floats) => Some(floats),
            Elements::F16(_) | Elements::I8(_) => None,
        }
    }

    /// As [`Self::floats`], to change them.
    pub fn floats_mut(&mut self) -> Option<&mut Vec<f32>> {
        match &mut self.elements {
            Elements::F32(floats) => Some(floats),
            Elements::F16(_) | Elements::I8(_) => None,
        }
    }

    /// As [`Self::floats`], taken out of it.
    #[must_use]
    pub fn into_floats(self) -> Option<Vec<f32>> {
        match self.elements {
            Elements::F32(floats) => Some(floats),
            Elements::F16(_) | Elements::I8(_) => None,
        }
    }

    /// Whether it has as many elements as its sizes say.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let elements = self.dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d as usize));
        elements == Some(self.elements.len())
    }
}

/// The tensors of a network or of a supernet, by name (`…/conv.1.weight`), in a stable order.
pub type Weights = IndexMap<String, Tensor>;
