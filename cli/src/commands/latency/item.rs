//! A model to measure.

use std::path::PathBuf;

/// A model to measure.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// By what its figures are kept.
    pub(super) key: String,
    /// Its ONNX file.
    pub(super) model: PathBuf,
    /// The shapes of its inputs, with a batch of one.
    pub(super) shapes: Vec<Vec<u32>>,
}
