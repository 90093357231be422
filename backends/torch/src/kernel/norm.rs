//! Batch norm.

use nas_ir::ops;
use tch::Tensor;

use crate::error::TorchError;
use crate::fused::{Chain, Norm};
use crate::statistics::Statistics;

/// A batch norm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BatchNorm {
    momentum: f64,
    eps: f64,
}

impl BatchNorm {
    pub(crate) fn new(op: &ops::BatchNorm) -> Self {
        Self { momentum: op.momentum, eps: op.eps }
    }

    /// The same behind the last convolution of a chain.
    pub(crate) fn of_chain(
        &self,
        chain: Chain,
        weights: &[Tensor],
        statistics: Statistics,
    ) -> Result<Chain, TorchError> {
        let own = |tensors: [&Tensor; 2]| tensors.map(Tensor::shallow_clone);
        let (learned, running) = match weights {
            [mean, variance] => (None, own([mean, variance])),
            [scale, shift, mean, variance] => (Some(own([scale, shift])), own([mean, variance])),
            _ => return Err(TorchError::broken("a batch norm without its tensors")),
        };
        let Self { momentum, eps } = *self;
        chain.normalised(Norm { learned, running, statistics, momentum, eps })
    }

    /// `weights` are running mean and variance, after scale and shift if it has them.
    pub(crate) fn run(
        &self,
        x: &Tensor,
        weights: &[Tensor],
        statistics: Statistics,
    ) -> Result<Tensor, TorchError> {
        let (affine, [mean, variance]) = match weights {
            [mean, variance] => (None, [mean, variance]),
            [scale, shift, mean, variance] => (Some((scale, shift)), [mean, variance]),
            _ => return Err(TorchError::broken("a batch norm without its tensors")),
        };
        let (training, running, momentum) = match statistics {
            Statistics::Running => (false, true, 0.0),
            Statistics::Batch => (true, false, 0.0),
            Statistics::Learn => (true, true, self.momentum),
            Statistics::Average { seen } => (true, true, 1.0 / (f64::from(seen) + 1.0)),
        };
        let (mean, variance) = (running.then_some(mean), running.then_some(variance));
        let (scale, shift) = affine.unzip();
        Ok(x.f_batch_norm(scale, shift, mean, variance, training, momentum, self.eps, true)?)
    }
}
