//! What the optimisers make of a gradient. All but LAMB compute what PyTorch's of that name do.

use nas_ir::recipe::{Optimizer, Training};
use nas_kernels::Sgd;
use tch::Tensor;

use crate::error::TorchError;

/// How a step comes from a gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// `v = momentum * v + g + decay * w`, along `v`.
    Sgd { momentum: f64, decay: f64 },
    /// Adam (Kingma and Ba 2015, algorithm 1) on `g + decay * w`; decoupled, on `g`, along `decay * w` as well
    /// (Loshchilov and Hutter 2019, algorithm 2).
    Adam { moments: Moments, decay: f64, is_decoupled: bool },
    /// `s = smoothing * s + (1 - smoothing) * h^2` of `h = g + decay * w`; along `v = momentum * v + h / (sqrt(s) +
    /// epsilon)` (Tieleman and Hinton 2012).
    RmsProp { smoothing: f64, momentum: f64, epsilon: f64, decay: f64 },
    /// LAMB (You et al. 2020, algorithm 2, the norm of a tensor as it is): along what Adam says plus `decay * w`, as
    /// long as the tensor is.
    Lamb { moments: Moments, decay: f64 },
}

/// What Adam keeps of gradients, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moments {
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) epsilon: f64,
}

impl From<&Training> for Rule {
    fn from(training: &Training) -> Self {
        let &Training { momentum, beta1, beta2, smoothing, epsilon, decay, .. } = training;
        let moments = Moments { beta1, beta2, epsilon };
        match training.optimizer {
            Optimizer::Sgd => Self::Sgd { momentum, decay },
            Optimizer::Adam => Self::Adam { moments, decay, is_decoupled: false },
            Optimizer::Adamw => Self::Adam { moments, decay, is_decoupled: true },
            Optimizer::Rmsprop => Self::RmsProp { smoothing, momentum, epsilon, decay },
            Optimizer::Lamb => Self::Lamb { moments, decay },
        }
    }
}

impl Rule {
    /// What it keeps of every element, by name.
    pub(crate) fn kept(self) -> &'static [&'static str] {
        match self {
            Self::Sgd { .. } => &["velocity"],
            Self::Adam { .. } | Self::Lamb { .. } => &["mean", "square"],
            Self::RmsProp { .. } => &["square", "velocity"],
        }
    }

    /// Whether it depends on how many steps there were.
    pub(crate) fn counts(self) -> bool {
        matches!(self, Self::Adam { .. } | Self::Lamb { .. })
    }

    /// Whether it sees a whole tensor at once, and not each element for itself.
    pub(crate) fn is_by_tensor(self) -> bool {
        matches!(self, Self::Lamb { .. })
    }

    /// The same as one pass over weights, where there is one.
    pub(crate) fn sgd(self, rate: f64) -> Option<Sgd> {
        match self {
            Self::Sgd { momentum, decay } => {
                Some(Sgd { momentum: momentum as f32, decay: decay as f32, rate: rate as f32 })
            }
            Self::Adam { .. } | Self::RmsProp { .. } | Self::Lamb { .. } => None,
        }
    }

    /// Along what the weights move down at a rate of 1, in the step of this number, from 1. Changes what is kept of
    /// them.
    pub(crate) fn direction(
        self,
        weights: &Tensor,
        gradient: &Tensor,
        kept: &mut [Tensor],
        step: u32,
    ) -> Result<Tensor, TorchError> {
        match (self, kept) {
            (Self::Sgd { momentum, decay }, [velocity]) => {
                let _ = velocity.f_mul_scalar_(momentum)?;
                let _ = velocity.f_add_(gradient)?;
                let _ = velocity.f_add_(&weights.f_mul_scalar(decay)?)?;
                Ok(velocity.shallow_clone())
            }
            (Self::Adam { moments, decay, is_decoupled: false }, [mean, square]) => {
                moments.direction(&decayed(gradient, weights, decay)?, [mean, square], step)
            }
            (Self::Adam { moments, decay, is_decoupled: true }, [mean, square]) => {
                let direction = moments.direction(gradient, [mean, square], step)?;
                decayed(&direction, weights, decay)
            }
            (Self::RmsProp { smoothing, momentum, epsilon, decay }, [square, velocity]) => {
                let gradient = decayed(gradient, weights, decay)?;
                move_toward(square, &gradient.f_square()?, smoothing)?;
                let scaled = gradient.f_div(&square.f_sqrt()?.f_add_scalar(epsilon)?)?;
                let _ = velocity.f_mul_scalar_(momentum)?;
                let _ = velocity.f_add_(&scaled)?;
                Ok(velocity.shallow_clone())
            }
            (Self::Lamb { moments, decay }, [mean, square]) => {
                let direction = moments.direction(gradient, [mean, square], step)?;
                let direction = decayed(&direction, weights, decay)?;
                let (of_weights, of_direction) = (length(weights)?, length(&direction)?);
                let is_moving = of_weights > 0.0 && of_direction > 0.0;
                let trust = if is_moving { of_weights / of_direction } else { 1.0 };
                Ok(direction.f_mul_scalar(trust)?)
            }
            _ => Err(TorchError::broken("an optimiser keeps something else")),
        }
    }
}

impl Moments {
    /// `m / (sqrt(v) + epsilon)` of the moments without their bias to 0.
    fn direction(
        self,
        gradient: &Tensor,
        [mean, square]: [&mut Tensor; 2],
        step: u32,
    ) -> Result<Tensor, TorchError> {
        let Self { beta1, beta2, epsilon } = self;
        move_toward(mean, gradient, beta1)?;
        move_toward(square, &gradient.f_square()?, beta2)?;
        let unbiased = |beta: f64| 1.0 - beta.powf(f64::from(step));
        let root = square.f_div_scalar(unbiased(beta2))?.f_sqrt()?;
        let mean = mean.f_div_scalar(unbiased(beta1))?;
        Ok(mean.f_div(&root.f_add_scalar(epsilon)?)?)
    }
}

/// `kept = share * kept + (1 - share) * new`.
fn move_toward(kept: &mut Tensor, new: &Tensor, share: f64) -> Result<(), TorchError> {
    let _ = kept.f_mul_scalar_(share)?;
    let _ = kept.f_add_(&new.f_mul_scalar(1.0 - share)?)?;
    Ok(())
}

/// With weight decay.
fn decayed(gradient: &Tensor, weights: &Tensor, decay: f64) -> Result<Tensor, TorchError> {
    if decay == 0.0 {
        return Ok(gradient.shallow_clone());
    }
    Ok(gradient.f_add(&weights.f_mul_scalar(decay)?)?)
}

fn length(tensor: &Tensor) -> Result<f64, TorchError> {
    Ok(tensor.f_norm()?.f_double_value(&[])?)
}
