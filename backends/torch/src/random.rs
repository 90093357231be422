//! Random numbers that depend on the seed and on what they are for, never on who asks first.

use nas_ir::fnv::fnv1a;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// The initial values of a tensor.
    Weight { name: &'a str },
    /// The Gumbel noise of a decision in a step.
    Noise { moment: Moment, decision: usize },
    /// What a node sets to zero in a step.
    Dropout { moment: Moment, node: &'a str },
    /// With which others the images of a step are blended, and how.
    Blend { moment: Moment },
    /// Random pictures for an input.
    Picture { input: usize },
}

/// A step of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Whether it is a step of the choices; the weights have noise of their own.
    pub(crate) choices: bool,
    /// The epoch.
    pub(crate) epoch: u32,
    /// The step of the pass.
    pub(crate) step: usize,
}

/// The stream for a purpose: seed and purpose are the key of the cipher.
pub(crate) fn stream(seed: u64, purpose: Purpose<'_>) -> ChaCha8Rng {
    let words = match purpose {
        Purpose::Weight { name } => [seed, 0, fnv1a(name.as_bytes()), name.len() as u64],
        Purpose::Noise { moment, decision } => {
            let Moment { choices, epoch, step } = moment;
            let what = 1 + u64::from(choices) + ((decision as u64) << 8);
            [seed, what, u64::from(epoch), step as u64]
        }
        Purpose::Dropout { moment, node } => {
            let Moment { choices, epoch, step } = moment;
            let when = (u64::from(epoch) << 32) ^ step as u64;
            [seed, 3 + u64::from(choices), fnv1a(node.as_bytes()), when]
        }
        Purpose::Picture { input } => [seed, 5, input as u64, 0],
        Purpose::Blend { moment } => {
            let Moment { choices, epoch, step } = moment;
            [seed, 6 + u64::from(choices), u64::from(epoch), step as u64]
        }
    };
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&u64::to_le_bytes(word));
    }
    ChaCha8Rng::from_seed(key)
}

/// `count` normal numbers of mean 0 (Box and Muller 1958).
pub(crate) fn normal(rng: &mut impl Rng, std: f64, count: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        let radius = std * (-2.0 * open(rng).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
        values.extend([(radius * cos) as f32, (radius * sin) as f32]);
    }
    values.truncate(count);
    values
}

/// `count` uniform numbers within a bound of 0.
pub(crate) fn uniform(rng: &mut impl Rng, bound: f64, count: usize) -> Vec<f32> {
    (0..count).map(|_| (bound * (2.0 * open(rng) - 1.0)) as f32).collect()
}

/// `count` numbers of the standard Gumbel distribution, `-ln(-ln u)`.
pub(crate) fn gumbel(rng: &mut impl Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| -(-open(rng).ln()).ln() as f32).collect()
}

/// Uniform in (0, 1), both ends excluded.
fn open(rng: &mut impl Rng) -> f64 {
    (rng.random::<f64>() + 2f64.powi(-54)).min(1.0 - 2f64.powi(-53))
}
