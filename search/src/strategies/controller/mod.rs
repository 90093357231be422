//! The strategy `controller`: a policy that draws networks learns to draw good ones, by the gradient of
//! REINFORCE (Williams 1992), as the controller of Zoph and Le (2017) does. Theirs is a recurrent network; this
//! one has a probability for each candidate of each decision, so that what decisions do together is not
//! learned.

mod schema;

use nas_ir::recipe::Recipe;
use nas_ir::{Assignment, Checked, Space};
use rand::distr::weighted::WeightedIndex;
use rand::{Rng, RngCore};

use self::schema::Settings;
use super::black_box::{self, Known, Proposer};
use crate::error::RunError;
use crate::strategy::Search;

pub use self::schema::SCHEMA;
pub(super) use super::black_box::{reads, refused};

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    let logits = space.decisions.iter().map(|decision| vec![0.0; decision.candidates.len()]);
    let (settings, logits) = (Settings::of(recipe)?, logits.collect());
    let (baseline, spread, told) = (0.0, 0.0, 0);
    black_box::search(space, recipe, Controller { settings, logits, baseline, spread, told })
}

struct Controller {
    settings: Settings,
    /// Of each candidate of each decision.
    logits: Vec<Vec<f64>>,
    /// The mean of the scores, the last ones counting most.
    baseline: f64,
    /// The mean of their squared distances from it.
    spread: f64,
    /// How many scores were told.
    told: u32,
}

/// How many networks are drawn in search of one that was not tried.
const DRAWS: usize = 100;

impl Proposer for Controller {
    fn propose(
        &mut self,
        known: &Known<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Option<Assignment>, RunError> {
        let policy: Vec<Vec<f64>> = self.logits.iter().map(|logits| softmax(logits)).collect();
        for _ in 0..DRAWS {
            let candidates = policy.iter().map(|shares| {
                WeightedIndex::new(shares).map_or(0, |weighted| rng.sample(weighted))
            });
            let drawn = known.networks.assigned(&candidates.collect::<Vec<usize>>());
            if let Some(drawn) = drawn.filter(|drawn| known.is_untried(drawn)) {
                return Ok(Some(drawn));
            }
        }
        known.draw(rng)
    }

    fn tell(&mut self, known: &Known<'_>) {
        let Some(last) = known.tried.last() else { return };
        let Settings { rate, memory, entropy } = self.settings;
        let distance = last.fitness - self.baseline;
        if self.told > 0 {
            let advantage = distance / self.spread.sqrt().max(distance.abs() / 3.0).max(1e-12);
            for (logits, place) in
                self.logits.iter_mut().zip(known.networks.places(&last.assignment))
            {
                let Some(chosen) = place else { continue };
                let shares = softmax(logits);
                let disorder: f64 = shares.iter().map(|share| -share * share.ln()).sum();
                for (candidate, (logit, share)) in logits.iter_mut().zip(&shares).enumerate() {
                    let toward = f64::from(candidate == chosen) - share;
                    let even = -share * (share.ln() + disorder);
                    *logit += rate * (advantage * toward + entropy * even);
                }
            }
        }
        // Of the first scores the mean, then one that forgets.
        self.told = self.told.saturating_add(1);
        let keeps = memory.min(1.0 - 1.0 / f64::from(self.told));
        self.spread = keeps * (self.spread + (1.0 - keeps) * distance * distance);
        self.baseline += (1.0 - keeps) * distance;
    }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = logits.iter().map(|logit| (logit - most).exp().max(1e-12)).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}
