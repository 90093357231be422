//! Networks drawn uniformly from those of a space that read their input and keep its requirements, and
//! further limits.

use nas_analysis::{Draw, Sampler, SamplerWithin};
use nas_ir::diagram::Entangled;
use nas_ir::requirement::Requirement;
use nas_ir::{Assignment, Checked, Limit, Measure, Space};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::render::report::Failure;

/// Networks drawn uniformly from those of a space that keep its requirements, without end; the same
/// seed draws the same ones.
///
/// # Errors
/// The decisions are too entangled to be counted.
pub fn draw<'s>(
    space: &'s Checked<Space>,
    seed: u64,
) -> Result<impl Iterator<Item = Result<Assignment, Failure>> + use<'s>, Failure> {
    draw_within(space, seed, &[])
}

/// As [`draw`], whatever the space requires.
///
/// # Errors
/// The decisions are too entangled to be counted, or no network reads its input.
pub fn draw_any(
    space: &Checked<Space>,
    seed: u64,
) -> Result<impl Iterator<Item = Assignment> + use<>, Failure> {
    let sampler = Sampler::new(space).map_err(entangled(space))?;
    if sampler.is_empty() {
        return Err(none_reads(space));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Ok(std::iter::repeat_with(move || sampler.draw(&mut rng)))
}

/// As [`draw`], within further limits.
///
/// # Errors
/// The decisions are too entangled to be counted.
pub(crate) fn draw_within<'s>(
    space: &'s Checked<Space>,
    seed: u64,
    limits: &[Requirement],
) -> Result<Box<dyn Iterator<Item = Result<Assignment, Failure>> + 's>, Failure> {
    let requirements: Vec<&Requirement> = known_requirements(space).chain(limits).collect();
    if requirements.is_empty() {
        return Ok(Box::new(draw_any(space, seed)?.map(Ok)));
    }
    let mut texts: Vec<&str> = requirements.iter().map(|r| r.text.as_str()).collect();
    texts.dedup();
    let claim = texts.join(" and ");
    let limits: Vec<Limit> = requirements.iter().map(|r| r.limit.clone()).collect();
    let sampler = SamplerWithin::new(space, &limits).map_err(entangled(space))?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Ok(Box::new(std::iter::repeat_with(move || match sampler.draw(&mut rng) {
        Draw::Network(assignment) => Ok(assignment),
        Draw::NoneLeft if space.leaves_out_constant() => {
            Err(Failure::held(format!("no network that reads its input keeps `{claim}`")))
        }
        Draw::NoneLeft => Err(Failure::held(format!("no network keeps `{claim}`"))),
        Draw::GaveUp(tries) => Err(Failure::held(format!(
            "none of {tries} networks that were drawn keeps `{claim}`: those that do, if there are any, are too rare to be drawn"
        ))),
    })))
}

pub(super) fn none_reads(space: &Space) -> Failure {
    Failure::held(format!("no network of `{}` reads its input", space.name))
}

fn entangled(space: &Space) -> impl Fn(Entangled) -> Failure {
    |error| Failure::held(space.entanglement(&error))
}

/// The requirements of a space of which it can be told whether a network keeps them. What latencies
/// must be, a space without a table leaves to the targets of its searches.
pub fn known_requirements(space: &Space) -> impl Iterator<Item = &Requirement> {
    space.requirements.iter().filter(|requirement| !lacks_table(space, requirement))
}

/// Whether a requirement limits latencies that nothing tells.
pub fn lacks_table(space: &Space, requirement: &Requirement) -> bool {
    space.device.latency.is_none() && requirement.reads(Measure::Latency)
}
