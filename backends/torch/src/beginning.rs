//! Weights to begin with, as far as they fit what is trained.

use nas_ir::Weights;

use crate::error::TorchError;
use crate::parameters::fitting;
use crate::program::ParameterSpec;

/// Weights to begin with, where the recipe names some: `weights_from`.
#[derive(Debug, Clone, Default)]
pub struct Beginnings {
    /// Of the supernet.
    pub weights: Option<Weights>,
    /// Of networks that are trained on their own.
    pub retrain: Option<Weights>,
}

/// How far weights fit what is trained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitting {
    /// Tensors that are taken.
    pub taken: usize,
    /// Tensors that begin fresh: the weights have none of this name and size.
    pub fresh: Vec<String>,
    /// Tensors of the weights that are not taken.
    pub unused: Vec<String>,
}

impl Fitting {
    /// How far weights fit what trains these tensors.
    ///
    /// # Errors
    /// Not one fits.
    pub(crate) fn of(specs: &[ParameterSpec], weights: &Weights) -> Result<Self, TorchError> {
        let fits = |spec: &&ParameterSpec| fitting(weights, &spec.name, &spec.dims).is_ok();
        let (taken, fresh): (Vec<_>, Vec<_>) = specs.iter().partition(fits);
        let is_unused = |name: &&String| !taken.iter().any(|spec| spec.name == **name);
        let fitting = Self {
            taken: taken.len(),
            fresh: fresh.iter().map(|spec| spec.name.clone()).collect(),
            unused: weights.keys().filter(is_unused).cloned().collect(),
        };
        if let (0, Some(needed)) = (fitting.taken, fitting.fresh.first().cloned()) {
            let found = fitting.unused.first().cloned().unwrap_or_default();
            return Err(TorchError::NothingFits { needed, found });
        }
        Ok(fitting)
    }
}
