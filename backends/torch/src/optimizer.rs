//! Stochastic gradient descent on the parameters that a step touched.

use std::collections::BTreeMap;

use nas_ir::Weights;
use tch::{Tensor, no_grad};

use crate::error::TorchError;
use crate::parameters::{Parameters, fitting, plain};
use crate::program::ParameterId;

/// Momentum and weight decay as in PyTorch: `v = momentum * v + g + decay * w; w = w - rate * v`.
/// Tensors that a step did not touch (of candidates that did not run) keep value and momentum; of
/// one that was read in part, the rest moves on without a gradient.
pub(crate) struct Sgd {
    momentum: f64,
    decay: f64,
    /// Gradients of a larger norm, over all tensors together, are scaled down to it.
    clip: Option<f64>,
    /// The velocity v of each element of [`Parameters::flat`].
    velocity: Tensor,
}

/// Names in a saved state begin with it; the tensor's name follows.
const VELOCITY: &str = "optimizer/velocity/";

/// The gradients of one loss or of the sum of several, one after the other, so that what one of them keeps for its
/// gradient is gone before the next is evaluated. Each with the first element of its tensor in [`Parameters::flat`].
#[derive(Default)]
pub(crate) struct Gradients(BTreeMap<ParameterId, (Tensor, i64)>);

impl Gradients {
    /// Adds the gradient of `loss` with respect to these of the parameters. They must require gradients; those that
    /// `loss` does not depend on have none of it.
    pub(crate) fn add(
        &mut self,
        parameters: &Parameters,
        read: impl IntoIterator<Item = ParameterId>,
        loss: &Tensor,
    ) -> Result<(), TorchError> {
        let touched = parameters.all_trainable(read)?;
        if touched.is_empty() || !loss.requires_grad() {
            return Ok(());
        }
        let tensors: Vec<&Tensor> = touched.iter().map(|(_, tensor, _)| *tensor).collect();
        let gradients = Tensor::f_run_backward(&[loss], &tensors, false, false)?;
        for (gradient, (id, _, start)) in gradients.into_iter().zip(touched) {
            if !gradient.defined() {
                continue;
            }
            let sum = match self.0.remove(&id) {
                Some((before, _)) => no_grad(|| before.f_add(&gradient))?,
                None => gradient,
            };
            self.0.insert(id, (sum, start));
        }
        Ok(())
    }

    /// That of a parameter, if a loss depends on it.
    #[cfg(test)]
    pub(crate) fn of(&self, id: ParameterId) -> Option<&Tensor> {
        self.0.get(&id).map(|(gradient, _)| gradient)
    }
}

/// A run of neighbouring elements: where it begins in `flat` and among the gradients, its length.
struct Stretch {
    start: i64,
    from: i64,
    len: i64,
}

impl Sgd {
    pub(crate) fn new(
        parameters: &Parameters,
        momentum: f64,
        decay: f64,
        clip: Option<f64>,
    ) -> Result<Self, TorchError> {
        let velocity = parameters.flat().f_zeros_like()?;
        Ok(Self { momentum, decay, clip, velocity })
    }

    /// One step down the gradient of `loss` with respect to these of the parameters. They must
    /// require gradients; those that `loss` does not depend on stay.
    pub(crate) fn step(
        &mut self,
        parameters: &Parameters,
        read: impl IntoIterator<Item = ParameterId>,
        loss: &Tensor,
        rate: f64,
    ) -> Result<(), TorchError> {
        let mut gradients = Gradients::default();
        gradients.add(parameters, read, loss)?;
        self.step_down(parameters, &gradients, rate)
    }

    /// One step down these gradients.
    pub(crate) fn step_down(
        &mut self,
        parameters: &Parameters,
        gradients: &Gradients,
        rate: f64,
    ) -> Result<(), TorchError> {
        if gradients.0.is_empty() {
            return Ok(());
        }
        no_grad(|| {
            let mut parts = Vec::new();
            let mut stretches: Vec<Stretch> = Vec::new();
            let mut from = 0;
            for (gradient, start) in gradients.0.values() {
                parts.push(gradient.f_reshape([-1])?);
                let len = gradient.numel() as i64;
                match stretches.last_mut() {
                    Some(last) if last.start + last.len == *start => last.len += len,
                    _ => stretches.push(Stretch { start: *start, from, len }),
                }
                from += len;
            }
            let mut gradient = Tensor::f_cat(&parts, 0)?;
            self.clip_norm(&mut gradient)?;
            stretches.iter().try_for_each(|part| self.descend(parameters, &gradient, part, rate))
        })
    }

    /// The gradient of `loss` with respect to these of the parameters, in the places of [`Parameters::flat`] and 0 where
    /// it does not depend on them, and with respect to `other`.
    pub(crate) fn gradient(
        &self,
        parameters: &Parameters,
        read: impl IntoIterator<Item = ParameterId>,
        loss: &Tensor,
        other: &Tensor,
    ) -> Result<(Tensor, Tensor), TorchError> {
        let touched = parameters.all_trainable(read)?;
        let tensors: Vec<&Tensor> = touched.iter().map(|(_, tensor, _)| *tensor).collect();
        let all: Vec<&Tensor> = tensors.iter().copied().chain([other]).collect();
        let mut gradients = Tensor::f_run_backward(&[loss], &all, false, false)?;
        let by_other = gradients.pop().filter(Tensor::defined);
        no_grad(|| {
            let flat = parameters.flat().f_zeros_like()?;
            for (gradient, (_, tensor, start)) in gradients.iter().zip(&touched) {
                if gradient.defined() {
                    let mut part = flat.f_narrow(0, *start, tensor.numel() as i64)?;
                    part.f_copy_(&gradient.f_reshape([-1])?)?;
                }
            }
            Ok((flat, by_other.map_or_else(|| other.f_zeros_like(), Ok)?))
        })
    }

    /// What a step down this gradient would take from the weights at a rate of 1.
    pub(crate) fn direction(
        &self,
        parameters: &Parameters,
        gradient: &Tensor,
    ) -> Result<Tensor, TorchError> {
        no_grad(|| {
            let mut gradient = gradient.f_detach_copy()?;
            self.clip_norm(&mut gradient)?;
            let _ = gradient.f_add_(&self.velocity.f_mul_scalar(self.momentum)?)?;
            Ok(gradient.f_add(&parameters.flat().f_mul_scalar(self.decay)?)?)
        })
    }

    fn clip_norm(&self, gradient: &mut Tensor) -> Result<(), TorchError> {
        let Some(clip) = self.clip else { return Ok(()) };
        let norm = gradient.f_norm()?.f_double_value(&[])?;
        if norm > clip {
            let _ = gradient.f_mul_scalar_(clip / norm)?;
        }
        Ok(())
    }

    fn descend(
        &self,
        parameters: &Parameters,
        gradient: &Tensor,
        stretch: &Stretch,
        rate: f64,
    ) -> Result<(), TorchError> {
        let Stretch { start, from, len } = *stretch;
        let mut weights = parameters.flat().f_narrow(0, start, len)?;
        let mut velocity = self.velocity.f_narrow(0, start, len)?;
        let _ = velocity.f_mul_scalar_(self.momentum)?;
        let _ = velocity.f_add_(&gradient.f_narrow(0, from, len)?)?;
        let _ = velocity.f_add_(&weights.f_mul_scalar(self.decay)?)?;
        let _ = weights.f_sub_(&velocity.f_mul_scalar(rate)?)?;
        Ok(())
    }

    /// Adds the velocity of each tensor to `weights`.
    pub(crate) fn save(
        &self,
        parameters: &Parameters,
        weights: &mut Weights,
    ) -> Result<(), TorchError> {
        self.each(parameters, |name, dims, velocity| {
            weights.insert(name, plain(&velocity, dims)?);
            Ok(())
        })
    }

    /// Takes from `weights` what `save` put there.
    pub(crate) fn load(
        &mut self,
        parameters: &Parameters,
        weights: &Weights,
    ) -> Result<(), TorchError> {
        self.each(parameters, |name, dims, _| fitting(weights, &name, dims).map(|_| ()))?;
        self.each(parameters, |name, dims, mut velocity| {
            let values = fitting(weights, &name, dims)?;
            velocity.f_copy_(&Tensor::f_from_slice(values)?)?;
            Ok(())
        })
    }

    /// Calls `act` with the name in a state, the sizes and the velocity of each trainable tensor.
    fn each(
        &self,
        parameters: &Parameters,
        mut act: impl FnMut(String, &[u32], Tensor) -> Result<(), TorchError>,
    ) -> Result<(), TorchError> {
        for (id, spec) in parameters.specs() {
            let Some((_, start)) = parameters.trainable(id)? else { continue };
            let velocity = self.velocity.f_narrow(0, start, spec.elements())?;
            act(format!("{VELOCITY}{}", spec.name), &spec.dims, velocity)?;
        }
        Ok(())
    }
}
