//! The settings of `strategy gdas`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Bounds, Field, Kind, StrategySchema};
use nas_ir::recipe::{Anneal, Law, NoSetting, Recipe};

use crate::shared::Mixing;
use crate::strategies::relaxing::schema::{
    IN_TURNS, PRUNE_BELOW, RELATIONS, Settings, Turns, sections,
};

/// The settings of `strategy gdas`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "gdas",
    doc: "runs one candidate of each decision, drawn by the Gumbel-max trick, whose gradient is that of the \
          softmax (GDAS, Dong and Yang 2019); weights and choices learn in turns, batch by batch. Then it scores networks drawn from the \
          probabilities with the supernet's weights",
    sections: &sections("how candidates are drawn", &[TEMPERATURE, PRUNE_BELOW], IN_TURNS),
    relations: RELATIONS,
};

const TEMPERATURE: Field = Field {
    name: "temperature",
    kind: Kind::Anneal {
        bounds: Bounds::above(0.0, 1000.0),
        default: Anneal { from: 10.0, to: 0.1, law: Law::Linear },
    },
    doc: "temperature of the softmax, as that of `strategy gumbel`",
};

/// The values of the settings of a recipe.
pub(super) fn settings(recipe: &Recipe) -> Result<Settings, NoSetting> {
    let turns = Turns::Steps { is_unrolled: false };
    let temperature = recipe.settings.anneal(STRATEGY, TEMPERATURE.name)?;
    Ok(Settings { temperature: Some(temperature), ..Settings::of(recipe, Mixing::Hard, turns)? })
}
