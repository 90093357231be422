//! Tensors and parameter values by name, in memory; reading and writing files is the caller's.

use indexmap::IndexMap;

use crate::dtype::DType;

macro_rules! elements {
    ($($(#[doc = $doc:literal])+ $name:ident($element:ty)),* $(,)?) => {
        /// The elements of a tensor.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Elements { $($(#[doc = $doc])+ $name(Vec<$element>)),* }

        impl Elements {
            /// What they are.
            #[must_use]
            pub fn dtype(&self) -> DType {
                match self { $(Self::$name(_) => DType::$name),* }
            }

            /// How many there are.
            #[must_use]
            pub fn len(&self) -> usize {
                match self { $(Self::$name(elements) => elements.len()),* }
            }

            /// Their bytes, the lowest of each first.
            #[must_use]
            pub fn to_le_bytes(&self) -> Vec<u8> {
                match self {
                    $(Self::$name(all) => all.iter().flat_map(|one| one.to_le_bytes()).collect()),*
                }
            }

            /// The elements of such bytes; what is left after the last whole one is left out.
            #[must_use]
            pub fn from_le_bytes(dtype: DType, bytes: &[u8]) -> Self {
                match dtype {
                    $(DType::$name => {
                        let all = bytes.as_chunks().0.iter();
                        Self::$name(all.map(|&one| <$element>::from_le_bytes(one)).collect())
                    }),*
                }
            }
        }
    };
}

elements!(
    /// 32-bit floats.
    F32(f32),
    /// 16-bit floats (binary16 of IEEE 754), each by its bits.
    F16(u16),
    /// 8-bit integers.
    I8(i8),
    /// 8-bit integers without a sign.
    U8(u8),
    /// 32-bit integers.
    I32(i32),
    /// 64-bit integers.
    I64(i64),
);

impl Elements {
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
            _ => None,
        }
    }

    /// As [`Self::floats`], to change them.
    pub fn floats_mut(&mut self) -> Option<&mut Vec<f32>> {
        match &mut self.elements {
            Elements::F32(floats) => Some(floats),
            _ => None,
        }
    }

    /// As [`Self::floats`], taken out of it.
    #[must_use]
    pub fn into_floats(self) -> Option<Vec<f32>> {
        match self.elements {
            Elements::F32(floats) => Some(floats),
            _ => None,
        }
    }

    /// Its 32-bit floats in rows, to change them: those that have a place along the first two axes in common are a row.
    pub fn rows_mut(&mut self) -> Option<impl Iterator<Item = &mut [f32]>> {
        let each: u32 = self.dims.iter().skip(2).product();
        Some(self.floats_mut()?.chunks_mut(each.max(1) as usize))
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
