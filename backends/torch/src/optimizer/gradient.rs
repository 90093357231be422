//! The gradient of one or several batches with respect to the parameters that they read.

use tch::{Tensor, no_grad};

use crate::error::TorchError;
use crate::parameters::Parameters;
use crate::program::ParameterId;

/// A part of [`Parameters::flat`]: where one tensor begins there, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) id: ParameterId,
    pub(super) start: i64,
    pub(super) len: i64,
}

/// The gradients of some tensors, one after the other.
pub(super) struct Gradient {
    /// The tensors, in their order in [`Parameters::flat`].
    pub(super) parts: Vec<Part>,
    pub(super) values: Tensor,
    /// Of how many batches it is the sum.
    batches: u32,
}

impl Gradient {
    /// Of `loss` with respect to these of the parameters, without those that it does not depend on; `None` where it
    /// depends on none.
    pub(super) fn of(
        loss: &Tensor,
        parameters: &Parameters,
        read: impl IntoIterator<Item = ParameterId>,
    ) -> Result<Option<Self>, TorchError> {
        let touched = parameters.all_trainable(read)?;
        if touched.is_empty() || !loss.requires_grad() {
            return Ok(None);
        }
        let tensors: Vec<&Tensor> = touched.iter().map(|(_, tensor, _)| *tensor).collect();
        let gradients = Tensor::f_run_backward(&[loss], &tensors, false, false)?;
        no_grad(|| {
            let (mut parts, mut values) = (Vec::new(), Vec::new());
            for (gradient, (id, tensor, start)) in gradients.iter().zip(&touched) {
                if gradient.defined() {
                    values.push(gradient.f_reshape([-1])?);
                    parts.push(Part { id: *id, start: *start, len: tensor.numel() as i64 });
                }
            }
            if parts.is_empty() {
                return Ok(None);
            }
            Ok(Some(Self { parts, values: Tensor::f_cat(&values, 0)?, batches: 1 }))
        })
    }

    /// The sum with that of other batches, which may have read other tensors.
    pub(super) fn plus(self, other: Self) -> Result<Self, TorchError> {
        let mut parts: Vec<Part> = self.parts.iter().chain(&other.parts).copied().collect();
        parts.sort_by_key(|part| part.start);
        parts.dedup();
        let elements: i64 = parts.iter().map(|part| part.len).sum();
        no_grad(|| {
            let values = Tensor::f_zeros([elements], (other.values.kind(), other.values.device()))?;
            for gradient in [&self, &other] {
                let mut from = 0;
                let mut at = 0;
                let mut left = gradient.parts.iter().peekable();
                for part in &parts {
                    if left.next_if_eq(&part).is_some() {
                        let own = gradient.values.f_narrow(0, from, part.len)?;
                        let _ = values.f_narrow(0, at, part.len)?.f_add_(&own)?;
                        from += part.len;
                    }
                    at += part.len;
                }
            }
            Ok(Self { parts, values, batches: self.batches + other.batches })
        })
    }

    /// The mean over the batches; of a larger norm than `clip`, over all tensors together, scaled down to it.
    pub(super) fn mean(mut self, clip: Option<f64>) -> Result<Self, TorchError> {
        no_grad(|| {
            if self.batches > 1 {
                let _ = self.values.f_div_scalar_(f64::from(self.batches))?;
            }
            clip_norm(&mut self.values, clip)?;
            Ok(self)
        })
    }
}

/// The gradient of the losses of one batch, summed one after the other, so that what one of them keeps for its gradient is
/// gone before the next is evaluated.
#[derive(Default)]
pub(crate) struct Gradients {
    pub(super) sum: Option<Gradient>,
}

impl Gradients {
    /// Adds the gradient of `loss` with respect to these of the parameters. They must require gradients; those that
    /// `loss` does not depend on have none of it.
    pub(crate) fn add(
        &mut self,
        parameters: &Parameters,
        read: impl IntoIterator<Item = ParameterId>,
        loss: &Tensor,
    ) -> Result<(), TorchError> {
        let gradient = Gradient::of(loss, parameters, read)?;
        self.sum = match (self.sum.take(), gradient) {
            (Some(sum), Some(gradient)) => Some(Gradient { batches: 1, ..sum.plus(gradient)? }),
            (sum, gradient) => sum.or(gradient),
        };
        Ok(())
    }

    /// Those of the parameters that a loss depends on, each one element after the other.
    pub(crate) fn parts(&self) -> Result<Vec<(ParameterId, Tensor)>, TorchError> {
        let Some(Gradient { parts, values, .. }) = &self.sum else { return Ok(Vec::new()) };
        let mut from = 0;
        let parts = parts.iter().map(|&Part { id, len, .. }| {
            let own = values.f_narrow(0, from, len)?;
            from += len;
            Ok((id, own))
        });
        parts.collect()
    }

    /// That of a parameter, one element after the other, if a loss depends on it.
    #[cfg(test)]
    pub(crate) fn of(&self, id: ParameterId) -> Option<Tensor> {
        self.parts().unwrap().into_iter().find(|(part, _)| *part == id).map(|(_, own)| own)
    }
}

/// Scales a gradient of a larger norm than `clip` down to it.
pub(super) fn clip_norm(gradient: &mut Tensor, clip: Option<f64>) -> Result<(), TorchError> {
    let Some(clip) = clip else { return Ok(()) };
    if gradient.device().is_cuda() {
        // Without waiting for the norm.
        let factor = gradient.f_norm()?.f_reciprocal()?.f_mul_scalar(clip)?.f_clamp_max(1.0)?;
        let _ = gradient.f_mul_(&factor)?;
        return Ok(());
    }
    let norm = gradient.f_norm()?.f_double_value(&[])?;
    if norm > clip {
        let _ = gradient.f_mul_scalar_(clip / norm)?;
    }
    Ok(())
}
