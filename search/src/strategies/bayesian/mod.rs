//! The strategy `bayesian`: a Gaussian process over the choices predicts how good a network is and how sure
//! that is; of the neighbours of the best networks and of some drawn at random, the one is tried whose
//! expected improvement is greatest. BANANAS (White et al. 2021) does the same with an ensemble of neural
//! predictors for the process; NASBOT (Kandasamy et al. 2018) with another distance between networks.

mod process;
mod schema;

use nas_ir::recipe::Recipe;
use nas_ir::{Assignment, Checked, Space};
use rand::RngCore;

use self::process::{Fit, Point, Process};
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
    let settings = Settings::of(recipe)?;
    black_box::search(space, recipe, Bayesian { settings, points: Vec::new(), fit: Fit::default() })
}

struct Bayesian {
    settings: Settings,
    /// What each network that was tried chooses.
    points: Vec<Point>,
    /// What the process is like: a function of these and of their scores.
    fit: Fit,
}

/// How many of the best networks have their neighbours considered.
const BEST: usize = 4;

impl Proposer for Bayesian {
    fn propose(
        &mut self,
        known: &Known<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Option<Assignment>, RunError> {
        let Settings { start, draws } = self.settings;
        if known.tried.len() < start {
            return known.draw(rng);
        }
        let mut ranked: Vec<&Tried> = known.tried.iter().collect();
        ranked.sort_by(|a, b| b.fitness.total_cmp(&a.fitness));
        let mut considered = Vec::new();
        for best in ranked.iter().take(BEST) {
            considered.extend(known.networks.neighbours(&best.assignment, rng));
        }
        for _ in 0..draws {
            considered.push(known.networks.draw(rng)?);
        }
        let values: Vec<f64> = known.tried.iter().map(|tried| tried.fitness).collect();
        self.fit = self.fit.renewed(&self.points, &values);
        let process = Process::of(&self.points, &values, self.fit);
        let mut best: Option<(f64, Assignment)> = None;
        for network in considered.into_iter().filter(|network| known.is_untried(network)) {
            let improvement = process.improvement(&known.networks.places(&network));
            if best.as_ref().is_none_or(|(most, _)| improvement > *most) {
                best = Some((improvement, network));
            }
        }
        match best {
            Some((_, best)) => Ok(Some(best)),
            None => known.draw(rng),
        }
    }

    fn tell(&mut self, known: &Known<'_>) {
        let last = known.tried.last();
        self.points.extend(last.map(|last| known.networks.places(&last.assignment)));
    }
}
