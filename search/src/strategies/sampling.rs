//! Uniform draws from the networks of a space that keep its requirements.

use nas_analysis::{Draw, Sampler, SamplerWithin};
use nas_ir::diagram::Entangled;
use nas_ir::{Assignment, Checked, Limit, Space};
use rand::RngCore;

use crate::error::RunError;

/// What is said where no network can be drawn.
pub(super) fn uncounted(space: &Space, entangled: &Entangled) -> RunError {
    RunError::Uncounted { space: space.name.clone(), decisions: space.entanglement(entangled) }
}

/// What draws networks.
#[allow(clippy::large_enum_variant, reason = "a search has one of it")]
pub(super) enum Sampling<'s> {
    /// From all networks of a space that requires nothing.
    Free(Sampler),
    /// From those that keep the requirements.
    Within(SamplerWithin<'s>),
}

impl<'s> Sampling<'s> {
    /// What draws the networks of a space.
    pub(super) fn new(space: &'s Checked<Space>) -> Result<Self, RunError> {
        let uncounted = |entangled| uncounted(space, &entangled);
        let limits: Vec<Limit> = space.requirements.iter().map(|r| r.limit.clone()).collect();
        if limits.is_empty() {
            return Sampler::new(space).map(Self::Free).map_err(uncounted);
        }
        SamplerWithin::new(space, &limits).map(Self::Within).map_err(uncounted)
    }

    /// One network.
    pub(super) fn draw(&self, mut rng: &mut dyn RngCore) -> Result<Assignment, RunError> {
        match self {
            Self::Free(sampler) if sampler.is_empty() => Err(RunError::NoneKept),
            Self::Free(sampler) => Ok(sampler.draw(&mut rng)),
            Self::Within(sampler) => match sampler.draw(rng) {
                Draw::Network(assignment) => Ok(assignment),
                Draw::NoneLeft | Draw::GaveUp(_) => Err(RunError::NoneKept),
            },
        }
    }
}
