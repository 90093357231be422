//! The settings of `strategy proxyless`.

use nas_ir::recipe::common::{DATA, RETRAIN, STRATEGY, WEIGHTS};
use nas_ir::recipe::schema::{Kinds, Relation, Section, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::shared::Mixing;
use crate::strategies::relaxing::schema::{
    DRAWS, IN_TURNS, OPTIMIZER, PRUNE_BELOW, Settings, Turns,
};

/// The settings of `strategy proxyless`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "proxyless",
    doc: "trains the weights on one candidate of each decision, drawn from the probabilities, and the choices on \
          two, of which binary gates let one through (ProxylessNAS, Cai et al. 2019, equations 2 to 4); then scores \
          networks drawn from the probabilities with the supernet's weights",
    sections: &[
        Section {
            name: STRATEGY,
            kinds: Kinds::Strategy,
            doc: "which candidates leave the search",
            fields: &[PRUNE_BELOW],
        },
        DATA,
        WEIGHTS,
        OPTIMIZER,
        IN_TURNS,
        DRAWS,
        RETRAIN,
    ],
    relations: &[Relation::WarmupEnds, Relation::KeepsOfSample],
};

/// The values of the settings of a recipe.
pub(super) fn settings(recipe: &Recipe) -> Result<Settings, NoSetting> {
    Settings::of(recipe, Mixing::TwoPaths, Turns::Steps { is_unrolled: false })
}
