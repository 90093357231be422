//! The strategy `tpe` (Bergstra et al. 2011): how often each candidate is among the good networks, and how
//! often among the others. Of networks drawn by the first, the one is tried that the second makes least
//! likely: the greatest `l(x) / g(x)` of the paper's section 4.

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
    black_box::search(space, recipe, Tpe { settings: Settings::of(recipe)?, places: Vec::new() })
}

struct Tpe {
    settings: Settings,
    /// What each network that was tried chooses, and how good it is.
    places: Vec<(Vec<Option<usize>>, f64)>,
}

/// What each candidate counts before any network has it.
const PRIOR: f64 = 1.0;

impl Proposer for Tpe {
    fn propose(
        &mut self,
        known: &Known<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Option<Assignment>, RunError> {
        let Settings { start, good, draws } = self.settings;
        if known.tried.len() < start {
            return known.draw(rng);
        }
        let mut ranked: Vec<&(Vec<Option<usize>>, f64)> = self.places.iter().collect();
        ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let count = ((ranked.len() as f64 * good).ceil() as usize).clamp(1, ranked.len());
        let (good, others) = ranked.split_at(count);
        let widths = known.networks.widths();
        let [good, others] = [good, others].map(|networks| shares(networks, &widths));
        let mut best: Option<(f64, Assignment)> = None;
        for _ in 0..draws {
            let candidates = good.iter().map(|shares| {
                WeightedIndex::new(shares).map_or(0, |weighted| rng.sample(weighted))
            });
            let candidates: Vec<usize> = candidates.collect();
            let Some(drawn) = known.networks.assigned(&candidates) else { continue };
            if !known.is_untried(&drawn) {
                continue;
            }
            let ratio = |((place, good), others): ((&Option<usize>, &Vec<f64>), &Vec<f64>)| {
                let of = |shares: &Vec<f64>| shares.get((*place)?).map(|share| share.ln());
                Some(of(good)? - of(others)?)
            };
            let places = known.networks.places(&drawn);
            let ratio: f64 = places.iter().zip(&good).zip(&others).filter_map(ratio).sum();
            if best.as_ref().is_none_or(|(most, _)| ratio > *most) {
                best = Some((ratio, drawn));
            }
        }
        match best {
            Some((_, best)) => Ok(Some(best)),
            None => known.draw(rng),
        }
    }

    fn tell(&mut self, known: &Known<'_>) {
        let last = known.tried.last();
        let places = last.map(|last| (known.networks.places(&last.assignment), last.fitness));
        self.places.extend(places);
    }
}

/// The share of each candidate of each decision among networks.
fn shares(networks: &[&(Vec<Option<usize>>, f64)], widths: &[usize]) -> Vec<Vec<f64>> {
    let of = |(decision, &width): (usize, &usize)| {
        let mut counts = vec![PRIOR; width];
        for (places, _) in networks {
            let place = places.get(decision).copied().flatten();
            if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
                *count += 1.0;
            }
        }
        let sum: f64 = counts.iter().sum();
        counts.into_iter().map(|count| count / sum).collect()
    };
    widths.iter().enumerate().map(of).collect()
}
