//! What runs models for whoever makes them compute with integers.

use nas_ir::{Model, Tensor};

/// What runs a model: its outputs, for a tensor of each input.
pub type Run<'r, E> = dyn FnMut(&Model, &[Tensor]) -> Result<Vec<Tensor>, E> + 'r;
