//! The moving average of parameters, which is scored and kept in their place.

use nas_ir::{Tensor as Plain, Weights};

use crate::error::TorchError;
use crate::parameters::{Parameters, fitting};

/// Names in a saved state begin with it; the tensor's name follows.
const AVERAGE: &str = "optimizer/average/";
/// How many steps are averaged, in a saved state.
const UPDATES: &str = "optimizer/updates";

/// An exponential moving average of all parameters, running statistics among them.
pub(crate) struct Average {
    decay: f64,
    updates: u32,
    /// The averages.
    pub(crate) parameters: Parameters,
}

impl Average {
    /// One that begins at these parameters.
    pub(super) fn new(parameters: &Parameters, decay: f64) -> Result<Self, TorchError> {
        Ok(Self { decay, updates: 0, parameters: parameters.copied()? })
    }

    /// Takes the parameters after a step in: `a = d * a + (1 - d) * w`, where `d` is the decay, and after `n` steps at
    /// most `(1 + n) / (10 + n)`, as in TensorFlow's `ExponentialMovingAverage`.
    pub(super) fn update(&mut self, parameters: &Parameters) -> Result<(), TorchError> {
        let steps = f64::from(self.updates);
        let decay = self.decay.min((1.0 + steps) / (10.0 + steps));
        self.updates = self.updates.saturating_add(1);
        self.parameters.move_toward(parameters, 1.0 - decay)
    }

    /// Begins anew at these parameters.
    pub(super) fn begin(&mut self, parameters: &Parameters) -> Result<(), TorchError> {
        self.updates = 0;
        self.parameters.move_toward(parameters, 1.0)
    }

    pub(super) fn save(&self, weights: &mut Weights) -> Result<(), TorchError> {
        let mut averages = Weights::new();
        self.parameters.save(&mut averages)?;
        weights.extend(
            averages.into_iter().map(|(name, tensor)| (format!("{AVERAGE}{name}"), tensor)),
        );
        weights.insert(UPDATES.to_owned(), Plain::of_floats([1], vec![self.updates as f32]));
        Ok(())
    }

    pub(super) fn load(&mut self, weights: &Weights) -> Result<(), TorchError> {
        let updates = fitting(weights, UPDATES, &[1])?;
        let updates = updates.first().copied().unwrap_or_default() as u32;
        let named = weights.iter().filter_map(|(name, tensor)| {
            Some((name.strip_prefix(AVERAGE)?.to_owned(), tensor.clone()))
        });
        self.parameters.load(&named.collect())?;
        self.updates = updates;
        Ok(())
    }
}
