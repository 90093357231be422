//! Tensors by name as the bytes of a safetensors file, and back.

use std::borrow::Cow;
use std::collections::HashMap;

use nas_compiler::weights::{Tensor, Weights};
use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorView, View};
use thiserror::Error;

/// The key of the note in the file's metadata. One key only: with several, their order in the
/// file would be random.
const NOTE: &str = "nasc";

/// Bytes that are not the tensors asked for.
#[derive(Debug, Error)]
pub enum TensorsError {
    /// The bytes are no safetensors file.
    #[error("not a safetensors file: {0}")]
    Format(String),
    /// A tensor holds something other than 32-bit floats.
    #[error("tensor `{name}` holds {dtype}, not 32-bit floats")]
    Type {
        /// The tensor.
        name: String,
        /// What it holds.
        dtype: String,
    },
    /// A tensor is larger than a tensor can be, or its elements do not fill its sizes.
    #[error("the sizes of tensor `{0}` and its elements do not fit")]
    Sizes(String),
}

/// The bytes of a safetensors file with these tensors; the same tensors give the same bytes,
/// in whatever order they come.
///
/// # Errors
/// A tensor whose sizes and number of elements differ.
pub fn to_bytes(weights: &Weights) -> Result<Vec<u8>, TensorsError> {
    to_bytes_with_note(weights, None)
}

/// As [`to_bytes`], with a note that [`note`] reads back.
///
/// # Errors
/// As [`to_bytes`].
pub fn to_bytes_with_note(weights: &Weights, note: Option<&str>) -> Result<Vec<u8>, TensorsError> {
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

/// The tensors of a safetensors file, in the order of their names.
///
/// # Errors
/// The bytes are no safetensors file, or hold other than 32-bit floats.
pub fn from_bytes(bytes: &[u8]) -> Result<Weights, TensorsError> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| TensorsError::Format(e.to_string()))?;
    let mut views: Vec<(String, TensorView<'_>)> = file.tensors();
    views.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    views.into_iter().map(|(name, view)| Ok((name.clone(), tensor(name, &view)?))).collect()
}

/// The note of a safetensors file, if it has one.
///
/// # Errors
/// The bytes are no safetensors file.
pub fn note(bytes: &[u8]) -> Result<Option<String>, TensorsError> {
    let (_, metadata): (usize, Metadata) =
        SafeTensors::read_metadata(bytes).map_err(|e| TensorsError::Format(e.to_string()))?;
    Ok(metadata.metadata().as_ref().and_then(|all| all.get(NOTE)).cloned())
}

fn tensor(name: String, view: &TensorView<'_>) -> Result<Tensor, TensorsError> {
    if view.dtype() != Dtype::F32 {
        return Err(TensorsError::Type { name, dtype: view.dtype().to_string() });
    }
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
