//! The strategy `controller`: a policy that draws networks learns to draw good ones, as the controllers of Zoph and Le
//! (2017), NASNet (Zoph et al. 2018) and MnasNet (Tan et al. 2019) do.

mod learner;
mod lstm;
mod policy;
mod schema;

use nas_ir::liveness::Liveness;
use nas_ir::recipe::Recipe;
use nas_ir::{Assignment, Checked, Space};
use rand::distr::weighted::WeightedIndex;
use rand::{Rng, RngCore};

use self::learner::Learner;
use self::policy::{Policy, Walk};
use self::schema::Settings;
use super::black_box::{self, Known, Proposer};
use crate::error::RunError;
use crate::random::{Purpose, generator};
use crate::strategy::Search;

pub use self::schema::SCHEMA;
pub(super) use super::black_box::{reads, refused};

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    let settings = Settings::of(recipe)?;
    let widths: Vec<usize> = space.decisions.iter().map(|of| of.candidates.len()).collect();
    let mut rng = generator(recipe.seed, Purpose::Policy);
    let policy = Policy::new(&widths, settings.units, &mut rng);
    let learner = Learner::new(policy, settings);
    let controller = Controller { space, liveness: space.liveness().ok(), learner };
    black_box::search(space, recipe, controller)
}

struct Controller<'s> {
    space: &'s Checked<Space>,
    /// When each decision makes a difference. Where that is too entangled to be known, all are drawn.
    liveness: Option<&'s Liveness>,
    learner: Learner,
}

/// How many networks are drawn in search of one that was not tried.
const DRAWS: usize = 100;

impl Controller<'_> {
    /// Candidates of all decisions. Those that make no difference, by what was drawn before them, are not drawn: their
    /// first candidate stands for them.
    fn draw(&self, rng: &mut dyn RngCore) -> Vec<usize> {
        let mut walk = Walk::default();
        let mut assignment = self.space.first_assignment();
        for (id, _) in self.space.decision_ids() {
            let matters = self.liveness.is_none_or(|liveness| {
                *liveness.conditions.value(liveness.decision(id), &assignment) > 0
            });
            if matters {
                self.learner.policy.go_on(&mut walk, id.index(), |shares| {
                    let candidate =
                        WeightedIndex::new(shares).map_or(0, |weighted| rng.sample(weighted));
                    assignment.set(id, candidate);
                    candidate
                });
            }
        }
        self.space.decision_ids().map(|(id, _)| assignment.get(id)).collect()
    }
}

impl Proposer for Controller<'_> {
    fn propose(
        &mut self,
        known: &Known<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Option<Assignment>, RunError> {
        for _ in 0..DRAWS {
            let drawn = known.networks.assigned(&self.draw(rng));
            if let Some(drawn) = drawn.filter(|drawn| known.is_untried(drawn)) {
                return Ok(Some(drawn));
            }
        }
        known.draw(rng)
    }

    fn tell(&mut self, known: &Known<'_>) {
        let Some(last) = known.tried.last() else { return };
        let places = known.networks.places(&last.assignment).into_iter().enumerate();
        let choices = places.filter_map(|(decision, place)| Some((decision, place?))).collect();
        self.learner.tell(choices, last.fitness);
    }
}
