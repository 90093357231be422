//! Tensors by name as the bytes of a safetensors file, and back.

use std::borrow::Cow;
use std::collections::HashMap;

use nas_ir::tensor_name::is_batch_counter;
use nas_ir::{DType, Elements, Tensor, Weights};
use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView, View};
use thiserror::Error;

/// The key of the note in the file's metadata. One key only: with several, their order in the
/// file would be random.
const NOTE: &str = "nasc";

/// Bytes that are not the tensors asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TensorsError {
    /// The bytes are no safetensors file.
    #[error("no safetensors file: {0}")]
    Format(String),
    /// The header speaks of other bytes than those that follow.
    #[error("it is cut short, or was written over")]
    CutShort,
    /// Tensors hold something that no [`DType`] is, or that is not asked for.
    #[error("it holds what nasc does not read: {}", shown(.0))]
    Types(Vec<Typed>),
    /// A tensor is larger than a tensor can be, or its elements do not fill its sizes.
    #[error("the sizes of tensor `{0}` and its elements do not fit")]
    Sizes(String),
}

/// A tensor and the type of its elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// The tensor.
    pub name: String,
    /// What it holds: `F16`.
    pub dtype: String,
}

fn shown(tensors: &[Typed]) -> String {
    let first = tensors.first().map(|t| format!("`{}` is {}", t.name, t.dtype));
    match tensors.len() {
        0 | 1 => first.unwrap_or_default(),
        n => format!("{} and {} more", first.unwrap_or_default(), n - 1),
    }
}

impl TensorsError {
    /// What reading these bytes failed with.
    fn reading(error: SafeTensorError, bytes: &[u8]) -> Self {
        // A header is JSON behind eight bytes with its length.
        let has_header = bytes.get(8).is_none_or(|&byte| byte == b'{');
        match error {
            SafeTensorError::InvalidHeaderLength | SafeTensorError::MetadataIncompleteBuffer
                if has_header =>
            {
                Self::CutShort
            }
            SafeTensorError::InvalidOffset(_) | SafeTensorError::TensorInvalidInfo => {
                Self::Format(error.to_string())
            }
            _ => Self::Format("it does not begin with a header of tensors".to_owned()),
        }
    }
}

/// The bytes of a safetensors file with these tensors, and with a note if there is one; the same
/// tensors give the same bytes, in whatever order they come.
///
/// # Errors
/// A tensor whose sizes and number of elements differ.
pub fn to_bytes(weights: &Weights, note: Option<&str>) -> Result<Vec<u8>, TensorsError> {
    let mut views = Vec::with_capacity(weights.len());
    for (name, tensor) in weights {
        if !tensor.is_full() {
            return Err(TensorsError::Sizes(name.clone()));
        }
        let dims = tensor.dims.iter().map(|&dim| dim as usize).collect();
        views.push((name.as_str(), Shaped { dims, elements: &tensor.elements }));
    }
    let metadata = note.map(|note| HashMap::from([(NOTE.to_owned(), note.to_owned())]));
    safetensors::serialize(views, metadata).map_err(|e| TensorsError::Format(e.to_string()))
}

/// The tensors of a safetensors file, in the order of their names; counters of batches, as PyTorch
/// writes them, are left out.
///
/// # Errors
/// The bytes are no safetensors file, or hold elements of another type than those of [`DType`].
pub fn from_bytes(bytes: &[u8]) -> Result<Weights, TensorsError> {
    read(bytes, &DType::ALL)
}

/// As [`from_bytes`], for a file of 32-bit floats.
///
/// # Errors
/// The bytes are no safetensors file, or hold other than 32-bit floats.
pub fn floats_from_bytes(bytes: &[u8]) -> Result<Weights, TensorsError> {
    read(bytes, &[DType::F32])
}

fn read(bytes: &[u8], asked: &[DType]) -> Result<Weights, TensorsError> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| TensorsError::reading(e, bytes))?;
    let mut views: Vec<(String, TensorView<'_>)> = file.tensors();
    views.retain(|(name, _)| !is_batch_counter(name));
    views.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let (mut weights, mut others) = (Weights::with_capacity(views.len()), Vec::new());
    for (name, view) in views {
        match dtype_of(view.dtype()).filter(|dtype| asked.contains(dtype)) {
            Some(dtype) => {
                let tensor = tensor(&view, dtype);
                weights.insert(name.clone(), tensor.ok_or(TensorsError::Sizes(name))?);
            }
            None => others.push(Typed { name, dtype: view.dtype().to_string() }),
        }
    }
    if others.is_empty() { Ok(weights) } else { Err(TensorsError::Types(others)) }
}

/// The note of a safetensors file, if it has one.
///
/// # Errors
/// The bytes are no safetensors file.
pub fn note(bytes: &[u8]) -> Result<Option<String>, TensorsError> {
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|e| TensorsError::reading(e, bytes))?;
    Ok(metadata.metadata().as_ref().and_then(|all| all.get(NOTE)).cloned())
}

/// A tensor of the file; `None` if its sizes do not fit into 32 bits.
fn tensor(view: &TensorView<'_>, dtype: DType) -> Option<Tensor> {
    let dims = view.shape().iter().map(|&dim| u32::try_from(dim).ok()).collect::<Option<_>>()?;
    Some(Tensor { dims, elements: Elements::from_le_bytes(dtype, view.data()) })
}

fn dtype_in_file(dtype: DType) -> Dtype {
    match dtype {
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::I8 => Dtype::I8,
        DType::U8 => Dtype::U8,
        DType::I32 => Dtype::I32,
        DType::I64 => Dtype::I64,
    }
}

fn dtype_of(in_file: Dtype) -> Option<DType> {
    DType::ALL.into_iter().find(|&dtype| dtype_in_file(dtype) == in_file)
}

struct Shaped<'a> {
    dims: Vec<usize>,
    elements: &'a Elements,
}

impl View for Shaped<'_> {
    fn dtype(&self) -> Dtype {
        dtype_in_file(self.elements.dtype())
    }

    fn shape(&self) -> &[usize] {
        &self.dims
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.elements.to_le_bytes().into()
    }

    fn data_len(&self) -> usize {
        self.elements.len() * self.elements.dtype().bytes()
    }
}
