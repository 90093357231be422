//! What is set to zero in training, drawn from streams of the seed.

use rand::Rng;
use tch::Tensor;

use crate::error::TorchError;
use crate::layout::on;
use crate::random::{Moment, Purpose, stream};

/// Where the numbers of a training step come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Noise {
    pub(crate) seed: u64,
    pub(crate) moment: Moment,
    /// By what the rates of drop paths are multiplied.
    pub(crate) drop_path: f64,
}

/// A dropout.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Dropout {
    /// The probability of a zero.
    pub(crate) p: f64,
    pub(crate) unit: Unit,
}

/// What is set to zero together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// An element.
    Element,
    /// A channel of a picture.
    Channel,
    /// All of a picture; `p` is then a rate that grows with training ([`Noise::drop_path`]).
    Picture,
}

impl Dropout {
    /// Zeros with probability `p`, all else divided by `1 - p`; without noise, `x` itself. What is
    /// drawn depends on the noise and on the path of the node.
    pub(crate) fn run(
        self,
        x: Tensor,
        noise: Option<Noise>,
        node: &str,
    ) -> Result<Tensor, TorchError> {
        let Some(Noise { seed, moment, drop_path }) = noise else { return Ok(x) };
        let (apart, p) = match self.unit {
            Unit::Element => (x.dim(), self.p),
            Unit::Channel => (2, self.p),
            Unit::Picture => (1, self.p * drop_path),
        };
        let sizes = x.size().into_iter().enumerate();
        let sizes: Vec<i64> =
            sizes.map(|(axis, size)| if axis < apart { size } else { 1 }).collect();
        let count = usize::try_from(sizes.iter().product::<i64>());
        let count = count.map_err(|_| TorchError::broken("a tensor of a negative size"))?;
        let mut rng = stream(seed, Purpose::Dropout { moment, node });
        let factor = (1.0 / (1.0 - p)) as f32;
        let draw = || if rng.random::<f64>() < p { 0.0 } else { factor };
        let mask: Vec<f32> = std::iter::repeat_with(draw).take(count).collect();
        let mask = Tensor::f_from_slice(&mask)?.f_view(sizes.as_slice())?;
        Ok(x.f_mul(&on(x.device(), mask)?)?)
    }
}
