//! What is set to zero in training, drawn from streams of the seed.

use rand::Rng;
use tch::{TchError, Tensor};

use crate::lower::Site;
use crate::random::{Moment, Purpose, stream};

/// Where the numbers of a training step come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Noise {
    pub(crate) seed: u64,
    pub(crate) moment: Moment,
    /// By what the rates of drop paths are multiplied.
    pub(crate) drop_path: f64,
}

/// What is set to zero together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropped {
    Elements,
    Channels,
    Pictures,
}

/// Zeros with probability `p`, all else divided by `1 - p`; without noise, `x` itself.
pub(crate) fn dropped(
    x: Tensor,
    p: f64,
    what: Dropped,
    site: &Site<'_>,
) -> Result<Tensor, TchError> {
    let Some(Noise { seed, moment, drop_path }) = site.noise else { return Ok(x) };
    let (apart, p) = match what {
        Dropped::Elements => (x.dim(), p),
        Dropped::Channels => (2, p),
        Dropped::Pictures => (1, p * drop_path),
    };
    let sizes = x.size().into_iter().enumerate();
    let sizes: Vec<i64> = sizes.map(|(axis, size)| if axis < apart { size } else { 1 }).collect();
    let count = usize::try_from(sizes.iter().product::<i64>()).unwrap_or_default();
    let mut rng = stream(seed, Purpose::Dropout { moment, node: site.node });
    let factor = (1.0 / (1.0 - p)) as f32;
    let draw = || if rng.random::<f64>() < p { 0.0 } else { factor };
    let mask: Vec<f32> = std::iter::repeat_with(draw).take(count).collect();
    let mask = Tensor::f_from_slice(&mask)?.f_view(sizes.as_slice())?.f_to_device(x.device())?;
    x.f_mul(&mask)
}
