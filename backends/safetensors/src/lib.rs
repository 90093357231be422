//! Tensors by name as the bytes of a safetensors file, and back.

use std::borrow::Cow;
use std::collections::HashMap;

use nas_ir::tensor_name::is_batch_counter;
use nas_ir::{Tensor, Weights};
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
    /// Tensors hold something other than 32-bit floats.
    #[error("it holds other than 32-bit floats: {}", shown(.0))]
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
        let elements = tensor.dims.iter().try_fold(1_usize, |n, &d| n.checked_mul(d as usize));
        if elements != Some(tensor.data.len()) {
            return Err(TensorsError::Sizes(name.clone()));
        }
        let dims = tensor.dims.iter().map(|&dim| dim as usize).collect();
        views.push((name.as_str(), Floats { dims, data: &tensor.data }));
    }
    let metadata = note.map(|note| HashMap::from([(NOTE.to_owned(), note.to_owned())]));
    safetensors::serialize(views, metadata).map_err(|e| TensorsError::Format(e.to_string()))
}

/// The tensors of a safetensors file, in the order of their names; counters of batches, as PyTorch
/// writes them, are left out.
///
/// # Errors
/// The bytes are no safetensors file, or hold other than 32-bit floats.
pub fn from_bytes(bytes: &[u8]) -> Result<Weights, TensorsError> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| TensorsError::reading(e, bytes))?;
    let mut views: Vec<(String, TensorView<'_>)> = file.tensors();
    views.retain(|(name, _)| !is_batch_counter(name));
    views.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let others = views.iter().filter(|(_, view)| view.dtype() != Dtype::F32);
    let others: Vec<Typed> = others
        .map(|(name, view)| Typed { name: name.clone(), dtype: view.dtype().to_string() })
        .collect();
    if !others.is_empty() {
        return Err(TensorsError::Types(others));
    }
    views.into_iter().map(|(name, view)| Ok((name.clone(), tensor(name, &view)?))).collect()
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

fn tensor(name: String, view: &TensorView<'_>) -> Result<Tensor, TensorsError> {
    let dims = view.shape().iter().map(|&dim| u32::try_from(dim)).collect::<Result<_, _>>();
    let dims = dims.map_err(|_| TensorsError::Sizes(name))?;
    let (elements, _) = view.data().as_chunks::<4>();
    Ok(Tensor { dims, data: elements.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect() })
}

struct Floats<'a> {
    dims: Vec<usize>,
    data: &'a [f32],
}

impl View for Floats<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.dims
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.data.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn data_len(&self) -> usize {
        size_of_val(self.data)
    }
}
