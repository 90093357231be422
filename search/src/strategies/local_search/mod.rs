//! The strategy `local_search` (White et al. 2021): from a network to the first that is better among those
//! that differ in one choice, and where none is, from another drawn at random.

mod schema;

use nas_ir::recipe::Recipe;
use nas_ir::{Assignment, Checked, Space};
use rand::RngCore;

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
    let Settings { start } = Settings::of(recipe)?;
    black_box::search(space, recipe, LocalSearch { start, here: None })
}

struct LocalSearch {
    /// Networks drawn at first; the walk begins at the best of them.
    start: usize,
    /// Where the walk is.
    here: Option<Tried>,
}

impl Proposer for LocalSearch {
    fn propose(
        &mut self,
        known: &Known<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Option<Assignment>, RunError> {
        if let Some(here) = self.here.as_ref().filter(|_| known.tried.len() >= self.start) {
            let mut near = known.networks.neighbours(&here.assignment, rng);
            if let Some(near) = near.find(|near| known.is_untried(near)) {
                return Ok(Some(near));
            }
        }
        known.draw(rng)
    }

    fn tell(&mut self, known: &Known<'_>) {
        let Some(last) = known.tried.last() else { return };
        let is_near = |here: &Tried| {
            let places = [here, last].map(|tried| known.networks.places(&tried.assignment));
            let [from, to] = &places;
            // What a change leaves idle, or makes matter, is none of its own.
            let differ = from.iter().zip(to).filter(|(a, b)| a.is_some() && b.is_some() && a != b);
            differ.count() == 1
        };
        let stays = self.here.as_ref().is_some_and(|here| {
            let is_start = known.tried.len() <= self.start;
            here.fitness >= last.fitness && (is_start || is_near(here))
        });
        if !stays {
            self.here = Some(last.clone());
        }
    }
}
