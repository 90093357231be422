//! The strategy `proxyless` (ProxylessNAS, Cai et al. 2019, section 3.2): the weights learn on one path drawn from
//! the probabilities, the choices on two, of which binary gates let one through, or (section 3.3.2) by the losses of
//! whole networks.

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

/// What it cannot sum.
pub(super) fn refused(space: &Checked<Space>, recipe: &Recipe) -> Result<Vec<Refusal>, NoSetting> {
    Ok(match settings(recipe)?.mixing {
        Mixing::Reinforce { .. } => Vec::new(),
        _ => relaxing::several_shapes(
            space,
            "gradient = gates",
            "`gradient = reinforce` in the strategy",
        ),
    })
}

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    relaxing::search(space, recipe, settings(recipe)?)
}
