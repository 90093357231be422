//! The strategy `nsga2` (Deb et al. 2002): a population of which those survive that no other dominates, and among equals
//! those that stand alone; in each generation as many networks are made of it as it has.

mod schema;
mod selection;

use nas_ir::recipe::Recipe;
use nas_ir::{Assignment, Checked, Space};
use rand::seq::IndexedRandom;
use rand::{Rng, RngCore};

use self::schema::Settings;
use self::selection::{Fitness, fitness};
use super::black_box::{self, Known, Proposer, Tried};
use crate::error::RunError;
use crate::strategy::Search;

pub use self::schema::SCHEMA;
pub(super) use super::black_box::{reads, refused_by_none as refused};

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    let settings = Settings::of(recipe)?;
    black_box::search(space, recipe, Nsga2 { settings, parents: Vec::new(), told: 0 })
}

struct Nsga2 {
    settings: Settings,
    /// The population at the start of this generation, the fittest first.
    parents: Vec<(Tried, Fitness)>,
    /// Networks tried in this generation.
    told: usize,
}

/// How often a child is made that was tried before, or is none of the space's, until one is drawn at random.
const ATTEMPTS: usize = 200;

impl Proposer for Nsga2 {
    fn propose(
        &mut self,
        known: &Known<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Option<Assignment>, RunError> {
        for _ in 0..ATTEMPTS {
            let (Some(one), Some(other)) = (self.tournament(rng), self.tournament(rng)) else {
                break;
            };
            let child = self.child(known, [one, other], rng);
            let child = known.networks.assigned(&child);
            if let Some(child) = child.filter(|child| known.is_untried(child)) {
                return Ok(Some(child));
            }
        }
        known.draw(rng)
    }

    fn tell(&mut self, known: &Known<'_>) {
        self.told += 1;
        if self.told < self.settings.population {
            return;
        }
        let children = known.tried.iter().rev().take(self.told).rev().cloned();
        let parents = self.parents.drain(..).map(|(parent, _)| parent);
        let all: Vec<Tried> = parents.chain(children).collect();
        let values: Vec<&[f64]> = all.iter().map(|tried| tried.values.as_slice()).collect();
        let fitness = fitness(&values);
        let mut ranked: Vec<(Tried, Fitness)> = all.into_iter().zip(fitness).collect();
        ranked.sort_by(|(_, a), (_, b)| a.fitter_first(b));
        ranked.truncate(self.settings.population);
        self.parents = ranked;
        self.told = 0;
    }
}

impl Nsga2 {
    /// The fitter of two of the population.
    fn tournament(&self, mut rng: &mut dyn RngCore) -> Option<&Tried> {
        let [one, other] = [self.parents.choose(&mut rng)?, self.parents.choose(&mut rng)?];
        let is_first = one.1.fitter_first(&other.1).is_le();
        Some(if is_first { &one.0 } else { &other.0 })
    }

    /// Which candidate a child of two takes of each decision: of one of them where both have the decision, of the one that
    /// has it where the other does not, and any where neither does; then each changes with a chance of one in their number.
    fn child(&self, known: &Known<'_>, parents: [&Tried; 2], rng: &mut dyn RngCore) -> Vec<usize> {
        let [one, other] = parents.map(|parent| known.networks.places(&parent.assignment));
        let crosses = rng.random_bool(self.settings.crossover);
        let widths = known.networks.widths();
        let changes = 1.0 / widths.len().max(1) as f64;
        let genes = one.into_iter().zip(other).zip(&widths);
        let of = |((one, other), &width): ((Option<usize>, Option<usize>), &usize)| {
            let taken = if crosses && rng.random_bool(0.5) { other.or(one) } else { one.or(other) };
            let taken = taken.unwrap_or_else(|| rng.random_range(0..width.max(1)));
            if width > 1 && rng.random_bool(changes) {
                // One of the others, all as probable.
                (taken + rng.random_range(1..width)) % width
            } else {
                taken
            }
        };
        genes.map(of).collect()
    }
}
