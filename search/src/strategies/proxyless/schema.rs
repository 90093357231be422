//! The settings of `strategy proxyless`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{CountDefault, Field, Kind, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::shared::Mixing;
use crate::strategies::relaxing::schema::{
    IN_TURNS, PRUNE_BELOW, RELATIONS, Settings, Turns, sections,
};

/// The settings of `strategy proxyless`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "proxyless",
    doc: "trains the weights on one candidate of each decision, drawn from the probabilities, and the choices on \
          two, of which binary gates let one through, or by the losses of whole networks (ProxylessNAS, Cai et al. \
          2019, sections 3.2 and 3.3.2); then scores networks drawn from the probabilities with the supernet's weights",
    sections: &sections(
        "how the choices learn, and which candidates leave the search",
        &[GRADIENT, NETWORKS, PRUNE_BELOW],
        IN_TURNS,
    ),
    relations: RELATIONS,
};

const GRADIENT: Field = Field {
    name: "gradient",
    kind: Kind::Word(&["gates", "reinforce"]),
    doc: "how the choices learn. `gates`: two candidates of each decision run, and binary gates let one through; they \
          must have one shape. `reinforce`: `networks` whole networks are drawn for each batch, one candidate of each decision, \
          and held against each other by their losses, which takes no gradient through the network and any shapes",
};

const NETWORKS: Field = Field {
    name: "networks",
    kind: Kind::Count { least: 2, most: 1000, default: CountDefault::Is(4) },
    doc: "networks that are drawn for each batch of the choices where `gradient = reinforce`",
};

/// The values of the settings of a recipe.
pub(super) fn settings(recipe: &Recipe) -> Result<Settings, NoSetting> {
    let networks = recipe.settings.count(STRATEGY, NETWORKS.name)?;
    let mixing = [("gates", Mixing::TwoPaths), ("reinforce", Mixing::Reinforce { networks })];
    let mixing = recipe.settings.word(STRATEGY, GRADIENT.name, &mixing)?;
    Settings::of(recipe, mixing, Turns::Steps { is_unrolled: false })
}
