//! The settings of `strategy local_search`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Field, Kind, Relation, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::strategies::sections::black_box;

/// The settings of `strategy local_search`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "local_search",
    doc: "walks from a network to the first better one among those that differ from it in one choice, and \
          where none does, goes on from another drawn at random (White et al. 2021)",
    sections: &black_box("where the walk begins", &[START]),
    relations: &[Relation::KeepsOfSample, Relation::CommandGiven],
};

const START: Field = Field {
    name: "start",
    kind: Kind::count(1, 5),
    doc: "networks drawn at random, at the best of which the walk begins",
};

/// The values of these settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) start: usize,
}

impl Settings {
    /// Those of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        Ok(Self { start: recipe.settings.count(STRATEGY, START.name)? as usize })
    }
}
