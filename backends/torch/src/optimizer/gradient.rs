//! The gradient of one or several batches with respect to the parameters that they read.

use tch::{Tensor, no_grad};

use crate::error::TorchError;
use crate::gathered::Gathering;
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

/// Gradients in the making, with respect to some parameters: opened before what they are of is evaluated, so that blocks of layers
/// add theirs where they belong.
pub(crate) struct Descent<'p> {
    /// The parameters, each with its first element in [`Parameters::flat`].
    touched: Vec<(ParameterId, &'p Tensor, i64)>,
    gathering: Option<Gathering>,
    /// Where nothing is gathered, what autograd said.
    sum: Option<Gradient>,
}

impl<'p> Descent<'p> {
    /// With respect to these of the parameters, which must require gradients.
    pub(crate) fn open(
        parameters: &'p Parameters,
        read: impl IntoIterator<Item = ParameterId>,
    ) -> Result<Self, TorchError> {
        let touched = parameters.all_trainable(read)?;
        let tensors: Vec<&Tensor> = touched.iter().map(|(_, tensor, _)| *tensor).collect();
        let gathering = Gathering::open(&tensors)?;
        Ok(Self { touched, gathering, sum: None })
    }

    /// The gradients of a loss that was evaluated before, all by autograd.
    #[cfg(test)]
    pub(crate) fn of(
        parameters: &'p Parameters,
        read: impl IntoIterator<Item = ParameterId>,
        loss: &Tensor,
    ) -> Result<Gradients, TorchError> {
        let touched = parameters.all_trainable(read)?;
        let mut descent = Self { touched, gathering: None, sum: None };
        descent.add(loss)?;
        descent.close()
    }

    /// Adds the gradient of a loss. Parameters that it does not depend on have none of it.
    pub(crate) fn add(&mut self, loss: &Tensor) -> Result<(), TorchError> {
        if self.touched.is_empty() || !loss.requires_grad() {
            return Ok(());
        }
        let Some(gathering) = &self.gathering else {
            let all: Vec<usize> = (0..self.touched.len()).collect();
            let gradients = self.by_autograd(loss, &all, None)?;
            self.sum = match (self.sum.take(), self.gradient(gradients)?) {
                (Some(sum), Some(gradient)) => Some(Gradient { batches: 1, ..sum.plus(gradient)? }),
                (sum, gradient) => sum.or(gradient),
            };
            return Ok(());
        };
        let (asked, anchor) = gathering.asked();
        let gradients = self.by_autograd(loss, &asked, anchor.as_ref())?;
        no_grad(|| gradients.iter().try_for_each(|(number, own)| gathering.add(*number, own)))
    }

    /// What autograd says of parameters by their numbers, without those that the loss does not depend on.
    fn by_autograd(
        &self,
        loss: &Tensor,
        asked: &[usize],
        anchor: Option<&Tensor>,
    ) -> Result<Vec<(usize, Tensor)>, TorchError> {
        let tensors = asked.iter().filter_map(|&number| self.touched.get(number));
        let tensors: Vec<&Tensor> = tensors.map(|(_, tensor, _)| *tensor).chain(anchor).collect();
        let gradients = Tensor::f_run_backward(&[loss], &tensors, false, false)?;
        let gradients = asked.iter().copied().zip(gradients);
        Ok(gradients.filter(|(_, gradient)| gradient.defined()).collect())
    }

    /// The gradient of parameters by their numbers.
    fn gradient(&self, gradients: Vec<(usize, Tensor)>) -> Result<Option<Gradient>, TorchError> {
        let (numbers, values): (Vec<usize>, Vec<Tensor>) = gradients.into_iter().unzip();
        if numbers.is_empty() {
            return Ok(None);
        }
        let values = no_grad(|| {
            let flat = values.iter().map(|values| values.f_reshape([-1]));
            Ok::<_, TorchError>(Tensor::f_cat(&flat.collect::<Result<Vec<_>, _>>()?, 0)?)
        })?;
        Ok(Some(Gradient { parts: self.parts(&numbers), values, batches: 1 }))
    }

    fn parts(&self, numbers: &[usize]) -> Vec<Part> {
        let touched = numbers.iter().filter_map(|&number| self.touched.get(number));
        let part = |&(id, tensor, start): &(ParameterId, &Tensor, i64)| Part {
            id,
            start,
            len: tensor.numel() as i64,
        };
        touched.map(part).collect()
    }

    /// The gradients of all losses that were added.
    pub(crate) fn close(mut self) -> Result<Gradients, TorchError> {
        let Some(gathering) = self.gathering.take() else {
            return Ok(Gradients { sum: self.sum.take() });
        };
        let (numbers, values) = gathering.close()?;
        let parts = self.parts(&numbers);
        let sum = (!parts.is_empty()).then_some(Gradient { parts, values, batches: 1 });
        Ok(Gradients { sum })
    }
}

impl Gradients {
    /// The sum with those of another loss of the same batch.
    pub(crate) fn plus(self, other: Self) -> Result<Self, TorchError> {
        let sum = match (self.sum, other.sum) {
            (Some(sum), Some(other)) => Some(Gradient { batches: 1, ..sum.plus(other)? }),
            (sum, other) => sum.or(other),
        };
        Ok(Self { sum })
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
