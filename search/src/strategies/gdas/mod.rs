//! The strategy `gdas` (Dong and Yang 2019): one candidate of each decision runs, drawn by the Gumbel-max trick;
//! its gradient is that of the softmax.

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

/// Decisions of which its gradient tells nothing.
pub(super) fn refused(space: &Checked<Space>, _: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    Ok(relaxing::told_nothing(space, "strategy gdas"))
}

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    relaxing::search(space, recipe, settings(recipe)?)
}
