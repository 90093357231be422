//! The settings of `strategy fbnetv2`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::StrategySchema;
use nas_ir::recipe::{NoSetting, Recipe};

use crate::shared::Mixing;
use crate::strategies::relaxing::schema::{
    ALTERNATING, PRUNE_BELOW, RELATIONS, Settings, TEMPERATURE, sections,
};

/// The settings of `strategy fbnetv2`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "fbnetv2",
    doc: "trains a supernet and the probabilities of its candidates in turns, as `gumbel` does, but runs what differs in \
          `elastic` numbers of channels once, with the most, and masks its channels by the sampled weights (FBNetV2, Wan \
          et al. 2020, section 3.1). Of one decision on the sizes of maps, such as the resolution of the input, each candidate runs \
          for itself, and their outputs are summed (section 3.2). Then it scores networks drawn from the probabilities with the supernet's weights",
    sections: &sections(
        "how candidates are mixed while searching",
        &[TEMPERATURE, PRUNE_BELOW],
        ALTERNATING,
    ),
    relations: RELATIONS,
};

/// The values of the settings of a recipe.
pub(super) fn settings(recipe: &Recipe) -> Result<Settings, NoSetting> {
    let turns = Settings::alternate(recipe)?;
    let temperature = recipe.settings.anneal(STRATEGY, TEMPERATURE.name)?;
    Ok(Settings { temperature: Some(temperature), ..Settings::of(recipe, Mixing::Masked, turns)? })
}
