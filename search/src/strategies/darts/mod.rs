//! The strategy `darts` (Liu et al. 2019): all candidates run, and their outputs are summed by the softmax of their
//! logits, without noise. Weights and choices learn in turns, batch by batch (algorithm 1).

mod schema;

use nas_ir::recipe::{NoSetting, Recipe};
use nas_ir::{Checked, Space};

use self::schema::settings;
use super::relaxing;
use crate::error::{Refusal, RunError};
use crate::strategy::{Reads, Search};

pub use self::schema::SCHEMA;

/// A share of the images for the weights, the rest for the choices.
pub(super) fn reads(recipe: &Recipe) -> Result<Reads, NoSetting> {
    Ok(relaxing::reads(&settings(recipe)?))
}

/// What it cannot sum.
pub(super) fn refused(space: &Checked<Space>, _: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    Ok(relaxing::several_shapes(space, "strategy darts", relaxing::SAMPLED))
}

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    relaxing::search(space, recipe, settings(recipe)?)
}
