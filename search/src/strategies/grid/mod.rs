//! The strategy `grid`: every network of the space, in the order of their choices.

mod refusal;
mod schema;

use nas_ir::recipe::{NoSetting, Recipe};
use nas_ir::{Assignment, Checked, Space};
use rand::RngCore;

use self::refusal::networks;
use super::black_box::{self, Known, Proposer, Trials};
use super::sections::keep;
use super::warmup;
use crate::error::{Refusal, RunError};
use crate::strategy::Search;

pub use self::schema::SCHEMA;
pub(super) use super::black_box::reads;

/// A space of more networks than can be tried, and a warm-up.
pub(super) fn refused(space: &Checked<Space>, recipe: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    let warmup = warmup::refused(recipe)?;
    Ok(networks(space).err().into_iter().chain(warmup).collect())
}

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    let trials = Trials { sample: networks(space).unwrap_or_default(), keep: keep(recipe)? };
    black_box::search_for(space, recipe, trials, Grid)
}

struct Grid;

impl Proposer for Grid {
    fn is_independent(&self) -> bool {
        true
    }

    fn propose(
        &mut self,
        known: &Known<'_>,
        _: &mut dyn RngCore,
    ) -> Result<Option<Assignment>, RunError> {
        let last = known.tried.last().map(|tried| &tried.assignment);
        let next = known.networks.behind(last).find(|network| known.is_untried(network));
        if next.is_none() && known.is_fresh() { Err(RunError::NoneKept) } else { Ok(next) }
    }
}
