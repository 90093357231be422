//! `nasc sample`: networks drawn uniformly from a space.

use nas_compiler::analyse::Sampler;
use nas_compiler::{Assignment, Checked, Space};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::report::Failure;

/// Networks drawn uniformly, without end; the same seed draws the same ones.
///
/// # Errors
/// The decisions are too entangled to be counted.
pub fn draw(
    space: &Checked<Space>,
    seed: u64,
) -> Result<impl Iterator<Item = Assignment> + use<>, Failure> {
    let sampler = Sampler::new(space).map_err(|error| Failure::input(error.to_string()))?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Ok(std::iter::repeat_with(move || sampler.draw(&mut rng)))
}
