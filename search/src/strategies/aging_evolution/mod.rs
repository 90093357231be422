//! The strategy `aging_evolution` (Real et al. 2019, algorithm 1): a population that forgets its oldest. Of a
//! few of its networks, drawn at random, the best is changed in one choice, and the child is tried.

mod schema;

use nas_ir::recipe::Recipe;
use nas_ir::{Assignment, Checked, Space};
use rand::{Rng, RngCore};

use self::schema::Settings;
use super::black_box::{self, Known, Proposer, Tried};
use crate::error::RunError;
use crate::strategy::Search;

pub use self::schema::SCHEMA;
pub(super) use super::black_box::{reads, refused};

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    black_box::search(space, recipe, AgingEvolution(Settings::of(recipe)?))
}

struct AgingEvolution(Settings);

/// How many parents are asked for a child that was not tried, before one is drawn.
const PARENTS: usize = 20;

impl Proposer for AgingEvolution {
    fn propose(
        &mut self,
        known: &Known<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Option<Assignment>, RunError> {
        let Settings { population, tournament } = self.0;
        if known.tried.len() < population {
            return known.draw(rng);
        }
        let alive = known.tried.get(known.tried.len() - population..).unwrap_or_default();
        for _ in 0..PARENTS {
            let drawn = (0..tournament).filter_map(|_| alive.get(rng.random_range(0..alive.len())));
            let best = drawn.max_by(|a, b| a.fitness.total_cmp(&b.fitness));
            let Some(Tried { assignment, .. }) = best else { break };
            let mut children = known.networks.neighbours(assignment, rng);
            if let Some(child) = children.find(|child| known.is_untried(child)) {
                return Ok(Some(child));
            }
        }
        known.draw(rng)
    }
}
