//! The settings of `strategy gumbel`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Field, Kind, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::shared::Mixing;
use crate::strategies::relaxing::schema::{
    ALTERNATING, PRUNE_BELOW, RELATIONS, Settings, TEMPERATURE, sections,
};

/// The settings of `strategy gumbel`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "gumbel",
    doc: "trains a supernet and the probabilities of its candidates in turns, the candidates mixed \
          by the Gumbel-softmax of Jang et al. 2017, as FBNet and SqueezeNAS do; then scores \
          networks drawn from the probabilities with the supernet's weights",
    sections: &sections(
        "how candidates are mixed while searching; `gumbel` is the Gumbel-softmax of Jang \
                  et al. 2017, as FBNet and SqueezeNAS use it",
        &[TEMPERATURE, PRUNE_BELOW, MIXING],
        ALTERNATING,
    ),
    relations: RELATIONS,
};

const MIXING: Field = Field {
    name: "mixing",
    kind: Kind::Word(&["soft", "hard"]),
    doc: "`soft`: all candidates run and their outputs are summed with sampled weights; `hard`: one \
          sampled candidate runs, with a straight-through gradient",
};

/// The values of the settings of a recipe.
pub(super) fn settings(recipe: &Recipe) -> Result<Settings, NoSetting> {
    let mixing = [("soft", Mixing::Soft), ("hard", Mixing::Hard)];
    let mixing = recipe.settings.word(STRATEGY, MIXING.name, &mixing)?;
    let temperature = recipe.settings.anneal(STRATEGY, TEMPERATURE.name)?;
    Ok(Settings {
        temperature: Some(temperature),
        ..Settings::of(recipe, mixing, Settings::alternate(recipe)?)?
    })
}
