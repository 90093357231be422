//! The settings of `strategy proxyless`.

use nas_ir::recipe::schema::StrategySchema;
use nas_ir::recipe::{NoSetting, Recipe};

use crate::shared::Mixing;
use crate::strategies::relaxing::schema::{
    IN_TURNS, PRUNE_BELOW, RELATIONS, Settings, Turns, sections,
};

/// The settings of `strategy proxyless`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "proxyless",
    doc: "trains the weights on one candidate of each decision, drawn from the probabilities, and the choices on \
          two, of which binary gates let one through (ProxylessNAS, Cai et al. 2019, equations 2 to 4); then scores \
          networks drawn from the probabilities with the supernet's weights",
    sections: &sections("which candidates leave the search", &[PRUNE_BELOW], IN_TURNS),
    relations: RELATIONS,
};

/// The values of the settings of a recipe.
pub(super) fn settings(recipe: &Recipe) -> Result<Settings, NoSetting> {
    Settings::of(recipe, Mixing::TwoPaths, Turns::Steps { is_unrolled: false })
}
