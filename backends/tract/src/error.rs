//! What keeps a model from running.

use miette::Diagnostic;
use nas_ir::{DType, Tensor};
use thiserror::Error;

/// Why a model was not loaded, not run, or not compared.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum TractError {
    /// tract does not load the model: not ONNX, an unknown operator, shapes that contradict.
    #[error("tract does not load the model: {reason}")]
    #[diagnostic(
        code(nas::tract::load),
        help(
            "give a file that `nasc export` wrote; other files may use operators that tract lacks"
        )
    )]
    Load {
        /// What tract said, from the outside in.
        reason: String,
    },
    /// An input or output is not a tensor of numbers whose sizes are known.
    #[error("`{name}` is {found}, and not numbers of fixed sizes")]
    #[diagnostic(
        code(nas::tract::port),
        help("give the sizes that the file leaves open, or export it for fixed ones")
    )]
    Port {
        /// The input or output.
        name: String,
        /// Its element type and shape.
        found: String,
    },
    /// The tensors given are not the model's inputs or outputs.
    #[error("{what} {found}, and the model needs {needed}")]
    #[diagnostic(
        code(nas::tract::tensors),
        help("give one tensor for each input and output of the model, in its order")
    )]
    Tensors {
        /// Which tensor or tensors.
        what: String,
        /// What they are.
        found: String,
        /// What they should be.
        needed: String,
    },
    /// tract failed while it ran the model.
    #[error("tract failed: {reason}")]
    #[diagnostic(
        code(nas::internal::tract_run),
        help("this is a bug in nasc or in tract; please report it with the model")
    )]
    Run {
        /// What tract said, from the outside in.
        reason: String,
    },
}

/// The sizes of a tensor and what it holds, in words.
pub(crate) fn described(tensor: &Tensor) -> String {
    let elements = format!("{:?} with {} elements", tensor.dims, tensor.elements.len());
    match tensor.dtype() {
        DType::F32 => elements,
        other => format!("{elements} of {other}"),
    }
}

/// The most characters of what tract says: it may write out all operands of a node.
const TOLD: usize = 600;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl TractError {
    pub(crate) fn load(error: impl std::fmt::Display) -> Self {
        Self::Load { reason: shortened(&format!("{error:#}")) }
    }

    pub(crate) fn run(error: impl std::fmt::Display) -> Self {
        Self::Run { reason: shortened(&format!("{error:#}")) }
    }
}
