//! The strategy `controller`: a policy that draws networks learns to draw good ones, as the controllers of Zoph and Le
//! (2017), NASNet (Zoph et al. 2018) and MnasNet (Tan et al. 2019) do.

mod learner;
mod lstm;
mod policy;
mod schema;

use nas_ir::diagram::Top;
use nas_ir::liveness::Liveness;
use nas_ir::recipe::{NoSetting, Recipe};
use nas_ir::{Assignment, Checked, DecisionId, Space};
use rand::distr::weighted::WeightedIndex;
use rand::{Rng, RngCore};

use self::learner::Learner;
use self::policy::{Policy, Walk};
use self::schema::Settings;
use super::black_box::{self, Known, Proposer};
use super::warmup;
use crate::error::{Refusal, RunError};
use crate::random::{Purpose, generator};
use crate::strategy::Search;

pub use self::schema::SCHEMA;
pub(super) use super::black_box::reads;

/// What any black box refuses, and a warm-up: its networks are drawn by the policy.
pub(super) fn refused(space: &Checked<Space>, recipe: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    let refused = black_box::refused(space, recipe)?;
    Ok(refused.into_iter().chain(warmup::refused(recipe)?).collect())
}

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
    let liveness = space.liveness().ok();
    let controller = Controller { space, liveness, learner, open: Vec::new() };
    black_box::search(space, recipe, controller)
}

struct Controller<'s> {
    space: &'s Checked<Space>,
    /// When each decision makes a difference. Where that is too entangled to be known, all are drawn.
    liveness: Option<&'s Liveness>,
    learner: Learner,
    /// The networks that were drawn and of which nothing is told yet.
    open: Vec<Drawn>,
}

/// A network, and the walk of the policy that led to it.
struct Drawn {
    assignment: Assignment,
    walk: Choices,
}

/// Decisions in the order in which they were made, and the candidate of each.
type Choices = Vec<(usize, usize)>;

/// How many networks are drawn in search of one that was not tried.
const DRAWS: usize = 100;

impl Controller<'_> {
    /// Candidates of all decisions, and the walk that drew them. Decisions that make no difference, whatever is drawn after
    /// them, are not drawn: their first candidate stands for them.
    fn draw(&self, rng: &mut dyn RngCore) -> (Vec<usize>, Choices) {
        let mut walk = Walk::default();
        let mut assignment = self.space.first_assignment();
        let mut drawn = Choices::new();
        for (id, _) in self.space.decision_ids() {
            if !self.may_matter(id, &assignment) {
                continue;
            }
            self.learner.policy.go_on(&mut walk, id.index(), |shares| {
                let candidate =
                    WeightedIndex::new(shares).map_or(0, |weighted| rng.sample(weighted));
                assignment.set(id, candidate);
                drawn.push((id.index(), candidate));
                candidate
            });
        }
        (self.space.decision_ids().map(|(id, _)| assignment.get(id)).collect(), drawn)
    }

    /// Whether a decision can make a difference after those before it.
    fn may_matter(&self, id: DecisionId, before: &Assignment) -> bool {
        let Some(liveness) = self.liveness else { return true };
        let mut condition = liveness.decision(id);
        loop {
            match liveness.conditions.top(condition) {
                Top::Leaf(&value) => return value > 0,
                Top::Branch(decision, children) if decision.index() < id.index() => {
                    let Some(&child) = children.get(before.get(decision)) else { return true };
                    condition = child;
                }
                // A branch has children that differ.
                Top::Branch(..) => return true,
            }
        }
    }
}

impl Proposer for Controller<'_> {
    fn propose(
        &mut self,
        known: &Known<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Option<Assignment>, RunError> {
        for _ in 0..DRAWS {
            let (candidates, walk) = self.draw(rng);
            let drawn = known.networks.assigned(&candidates);
            if let Some(assignment) = drawn.filter(|drawn| known.is_untried(drawn)) {
                self.open.push(Drawn { assignment: assignment.clone(), walk });
                return Ok(Some(assignment));
            }
        }
        known.draw(rng)
    }

    fn tell(&mut self, known: &Known<'_>) {
        let Some(last) = known.tried.last() else { return };
        let open = self.open.iter().position(|drawn| drawn.assignment == last.assignment);
        let choices = match open.map(|place| self.open.remove(place)) {
            Some(drawn) => drawn.walk,
            // A network that the policy did not draw: what it chooses where that makes a difference.
            None => {
                let places = known.networks.places(&last.assignment).into_iter().enumerate();
                places.filter_map(|(decision, place)| Some((decision, place?))).collect()
            }
        };
        self.learner.tell(choices, last.fitness);
    }
}
