//! The strategy `fbnetv2` (Wan et al. 2020): the Gumbel-softmax of `gumbel`, with masks for numbers of channels.
//!
//! A block `b` with a decision among numbers of channels runs once, with the most of them, and its result is
//! `y = b(x) * sum over i of g_i * 1_i` (section 3.1, equations 2 to 4): `g` is a sample of the Gumbel-softmax over the
//! candidates, and `1_i` has ones for the channels of candidate i and zeros for the rest. So a step costs as much however
//! many numbers there are. Of a resolution each candidate runs for itself, as in the paper (section 3.2), which subsamples the
//! input and spreads the results out again to sum them; here images are resized, and the outputs summed.

mod refusal;
mod schema;

use nas_ir::recipe::{NoSetting, Recipe};
use nas_ir::{Checked, Space};

use self::refusal::unmasked;
use self::schema::settings;
use super::relaxing;
use crate::error::{Refusal, RunError};
use crate::strategy::{Reads, Search};

pub use self::schema::SCHEMA;

/// A share of the images for the weights, the rest for the choices.
pub(super) fn reads(recipe: &Recipe) -> Result<Reads, NoSetting> {
    Ok(relaxing::reads(&settings(recipe)?))
}

/// Decisions on shapes that no mask stands for, but one on sizes.
pub(super) fn refused(space: &Checked<Space>, _: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    Ok(unmasked(space))
}

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    relaxing::search(space, recipe, settings(recipe)?)
}
