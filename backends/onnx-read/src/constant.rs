//! A tensor that a file holds, or that lies in another file beside it.

use std::borrow::Cow;

use half::{bf16, f16};
use nas_ir::{Elements, Tensor};

use crate::element::Element;
use crate::error::ReadError;
use crate::wire::{count_varints, varints};

/// A tensor, row-major.
#[derive(Debug, Clone)]
pub struct Constant<'b> {
    /// Its name; that of an attribute may be empty.
    pub name: &'b str,
    /// What its elements are.
    pub element: Element,
    /// Its sizes.
    pub dims: Vec<u64>,
    /// Its elements.
    pub data: Data<'b>,
}

/// Where the elements of a tensor are.
#[derive(Debug, Clone)]
pub enum Data<'b> {
    /// Here, each in the bytes of its type, the lowest first.
    Bytes(Cow<'b, [u8]>),
    /// Here, each as an integer of variable length; of 16-bit floats their bits.
    Varints(Vec<Cow<'b, [u8]>>),
    /// Here, as texts.
    Texts,
    /// In a file beside the model.
    Outside(Outside<'b>),
}

/// A part of a file beside a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outside<'b> {
    /// Its path, from the folder of the model.
    pub location: &'b str,
    /// Where the part begins, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub length: u64,
}

/// The most elements of a tensor.
pub(crate) const MAX_ELEMENTS: u64 = 1 << 36;
/// The most axes of a tensor.
pub(crate) const MAX_RANK: usize = 16;

/// The number of elements of a tensor of these sizes.
///
/// # Errors
/// There are more than a tensor may have.
pub(crate) fn elements(dims: &[u64]) -> Result<u64, ReadError> {
    let too_large = || ReadError::TooLarge {
        what: format!("a tensor with the sizes {dims:?}"),
        most: MAX_ELEMENTS,
    };
    if dims.contains(&0) && dims.iter().all(|&dim| dim <= MAX_ELEMENTS) {
        return Ok(0);
    }
    let count = dims.iter().try_fold(1_u64, |product, &dim| product.checked_mul(dim));
    count.filter(|&count| count <= MAX_ELEMENTS).ok_or_else(too_large)
}

impl<'b> Constant<'b> {
    /// One of 64-bit integers.
    pub(crate) fn of_ints(ints: &[i64], dims: Vec<u64>) -> Self {
        let bytes = ints.iter().flat_map(|int| int.to_le_bytes()).collect();
        Self { name: "", element: Element::I64, dims, data: Data::Bytes(Cow::Owned(bytes)) }
    }

    /// One of 32-bit floats.
    pub(crate) fn of_floats(floats: &[f32], dims: Vec<u64>) -> Self {
        let bytes = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
        Self { name: "", element: Element::F32, dims, data: Data::Bytes(Cow::Owned(bytes)) }
    }

    /// How many elements there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        // INVARIANT: as it was read, there are not too many.
        elements(&self.dims).unwrap_or(u64::MAX)
    }

    /// Whether there are as many elements as the sizes say.
    ///
    /// # Errors
    /// There are not.
    pub(crate) fn check(&self) -> Result<(), ReadError> {
        let count = elements(&self.dims)?;
        let bytes = self.element.bytes(count).unwrap_or(u64::MAX);
        let there = match &self.data {
            Data::Bytes(there) => there.len() as u64 == bytes,
            // Numbers of 4 bits may stand two in a byte.
            Data::Varints(there) => {
                let numbers: u64 = there.iter().map(|part| count_varints(part)).sum();
                numbers == count || self.element.bits() < 8 && numbers == count.div_ceil(2)
            }
            Data::Texts => self.element == Element::Text,
            Data::Outside(outside) => outside.length == bytes,
        };
        if there {
            return Ok(());
        }
        Err(ReadError::graph(format!(
            "constant `{}` of the sizes {:?} has not {count} elements of {}",
            self.name,
            self.dims,
            self.element.name()
        )))
    }

    /// Its elements as integers, if they are such and lie in the model.
    #[must_use]
    pub fn wholes(&self) -> Option<Vec<i64>> {
        if self.element.is_float() {
            return None;
        }
        match &self.data {
            Data::Bytes(bytes) => wholes_of(self.element, bytes),
            Data::Varints(parts) => parts
                .iter()
                .flat_map(|part| varints(part))
                .map(|n| Some(n?.cast_signed()))
                .collect(),
            Data::Texts | Data::Outside(_) => None,
        }
    }

    /// Its elements as floats, if they are such and lie in the model.
    #[must_use]
    pub fn floats(&self) -> Option<Vec<f32>> {
        match &self.data {
            Data::Bytes(bytes) => floats_of(self.element, bytes),
            Data::Varints(parts) => {
                let bits = parts.iter().flat_map(|part| varints(part));
                bits.map(|bits| half_of(self.element, bits? as u16)).collect()
            }
            Data::Texts | Data::Outside(_) => None,
        }
    }

    /// The tensor, if nasc has such; `outside` gives the bytes of what lies in another file.
    ///
    /// # Errors
    /// What `outside` fails with.
    pub fn tensor<E>(
        &self,
        outside: &mut dyn FnMut(&Outside<'b>) -> Result<Vec<u8>, E>,
    ) -> Result<Option<Tensor>, E> {
        let dims =
            self.dims.iter().map(|&dim| u32::try_from(dim).ok()).collect::<Option<Vec<u32>>>();
        let Some((dims, dtype)) = dims.zip(self.element.dtype()) else { return Ok(None) };
        let elements = match &self.data {
            Data::Bytes(bytes) => Some(Elements::from_le_bytes(dtype, bytes)),
            Data::Outside(part) => Some(Elements::from_le_bytes(dtype, &outside(part)?)),
            Data::Varints(parts) => {
                let width = dtype.bytes();
                let mut bytes = Vec::new();
                for number in parts.iter().flat_map(|part| varints(part)) {
                    let Some(number) = number else { return Ok(None) };
                    bytes.extend(number.to_le_bytes().iter().take(width));
                }
                Some(Elements::from_le_bytes(dtype, &bytes))
            }
            Data::Texts => None,
        };
        let tensor = elements.map(|elements| Tensor { dims, elements });
        Ok(tensor.filter(Tensor::is_full))
    }
}

fn wholes_of(element: Element, bytes: &[u8]) -> Option<Vec<i64>> {
    fn each<const N: usize>(bytes: &[u8], read: fn([u8; N]) -> i64) -> Vec<i64> {
        bytes.as_chunks().0.iter().map(|&chunk| read(chunk)).collect()
    }
    Some(match element {
        Element::U8 | Element::Truth => each(bytes, |b| u8::from_le_bytes(b).into()),
        Element::I8 => each(bytes, |b| i8::from_le_bytes(b).into()),
        Element::U16 => each(bytes, |b| u16::from_le_bytes(b).into()),
        Element::I16 => each(bytes, |b| i16::from_le_bytes(b).into()),
        Element::U32 => each(bytes, |b| u32::from_le_bytes(b).into()),
        Element::I32 => each(bytes, |b| i32::from_le_bytes(b).into()),
        Element::U64 => each(bytes, |b| u64::from_le_bytes(b).cast_signed()),
        Element::I64 => each(bytes, i64::from_le_bytes),
        _ => return None,
    })
}

pub(crate) fn floats_of(element: Element, bytes: &[u8]) -> Option<Vec<f32>> {
    Some(match element {
        Element::F32 => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
        Element::F64 => bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b) as f32).collect(),
        Element::F16 | Element::Bf16 => {
            let bits = bytes.as_chunks().0.iter().map(|&b| u16::from_le_bytes(b));
            return bits.map(|bits| half_of(element, bits)).collect();
        }
        _ => return None,
    })
}

fn half_of(element: Element, bits: u16) -> Option<f32> {
    match element {
        Element::F16 => Some(f16::from_bits(bits).into()),
        Element::Bf16 => Some(bf16::from_bits(bits).into()),
        _ => None,
    }
}
