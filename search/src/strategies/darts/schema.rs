//! The settings of `strategy darts`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Field, Kind, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::shared::Mixing;
use crate::strategies::relaxing::schema::{
    IN_TURNS, PRUNE_BELOW, RELATIONS, Settings, Turns, sections,
};

/// The settings of `strategy darts`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "darts",
    doc: "sums the outputs of all candidates by the softmax of their logits, and trains weights and logits in \
          turns, batch by batch (DARTS, Liu et al. 2019); then scores networks drawn from the probabilities with the supernet's \
          weights",
    sections: &sections("how the gradient of the choices is told", &[ORDER, PRUNE_BELOW], IN_TURNS),
    relations: RELATIONS,
};

const ORDER: Field = Field {
    name: "order",
    kind: Kind::Word(&["first", "second"]),
    doc: "`first`: the choices learn for the weights as they are; `second`: for the weights after one more step, \
          which takes four passes instead of one (equations 6 to 8 of the paper)",
};

/// The values of the settings of a recipe.
pub(super) fn settings(recipe: &Recipe) -> Result<Settings, NoSetting> {
    let orders = [("first", false), ("second", true)];
    let is_unrolled = recipe.settings.word(STRATEGY, ORDER.name, &orders)?;
    Settings::of(recipe, Mixing::Softmax, Turns::Steps { is_unrolled })
}
