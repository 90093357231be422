//! The settings of `strategy fbnetv2`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Bounds, Field, Kind, StrategySchema};
use nas_ir::recipe::{Anneal, Law, NoSetting, Recipe};

use crate::shared::Mixing;
use crate::strategies::relaxing::schema::{
    ALTERNATING, PRUNE_BELOW, RELATIONS, Settings, sections,
};

/// The settings of `strategy fbnetv2`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "fbnetv2",
    doc: "trains a supernet and the probabilities of its candidates in turns, as `gumbel` does, but runs what differs in \
          `elastic` numbers of channels once, with the most, and masks its channels by the sampled weights (FBNetV2, Wan \
          et al. 2020, section 3.1). Then it scores networks drawn from the probabilities with the supernet's weights",
    sections: &sections(
        "how candidates are mixed while searching",
        &[TEMPERATURE, PRUNE_BELOW],
        ALTERNATING,
    ),
    relations: RELATIONS,
};

const TEMPERATURE: Field = Field {
    name: "temperature",
    kind: Kind::Anneal {
        bounds: Bounds::above(0.0, 1000.0),
        default: Anneal { from: 5.0, to: 1.0, law: Law::Exponential },
    },
    doc: "temperature of the Gumbel-softmax, as that of `strategy gumbel`",
};

/// The values of the settings of a recipe.
pub(super) fn settings(recipe: &Recipe) -> Result<Settings, NoSetting> {
    let turns = Settings::alternate(recipe)?;
    let temperature = recipe.settings.anneal(STRATEGY, TEMPERATURE.name)?;
    Ok(Settings { temperature: Some(temperature), ..Settings::of(recipe, Mixing::Masked, turns)? })
}
