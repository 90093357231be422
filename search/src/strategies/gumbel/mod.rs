//! The strategy `gumbel`: SqueezeNAS's search (Shaw et al. 2019, section 4), and FBNet's (Wu et al. 2019).

mod schema;

use nas_ir::recipe::{NoSetting, Recipe};
use nas_ir::{Checked, Space};

use self::schema::settings;
use super::relaxing;
use crate::error::{Refusal, RunError};
use crate::shared::Mixing;
use crate::strategy::{Reads, Search};

pub use self::schema::SCHEMA;

/// A share of the images for the weights, the rest for the choices.
pub(super) fn reads(recipe: &Recipe) -> Result<Reads, NoSetting> {
    Ok(relaxing::reads(&settings(recipe)?))
}

/// What soft mixing cannot sum, and of what the gradient of hard mixing tells nothing.
pub(super) fn refused(space: &Checked<Space>, recipe: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    Ok(match settings(recipe)?.mixing {
        Mixing::Hard => relaxing::told_nothing(space, "mixing = hard"),
        _ => relaxing::several_shapes(space, "mixing = soft", relaxing::SAMPLED),
    })
}

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    relaxing::search(space, recipe, settings(recipe)?)
}
