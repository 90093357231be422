//! The settings of `strategy aging_evolution`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Field, Kind, Relation, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::strategies::sections::black_box;

/// The settings of `strategy aging_evolution`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "aging_evolution",
    doc: "changes the best of a few networks of a population that forgets its oldest, as AmoebaNet was found \
          (Real et al. 2019, algorithm 1); a network that was tried is not tried again",
    sections: &black_box(
        "the population (P of the paper) and the tournament (S)",
        &[POPULATION, TOURNAMENT],
    ),
    relations: &[Relation::KeepsOfSample, Relation::CommandGiven],
};

const POPULATION: Field = Field {
    name: "population",
    kind: Kind::count(1, 20),
    doc: "networks that are remembered, the last ones; so many are drawn at random to begin with",
};

const TOURNAMENT: Field = Field {
    name: "tournament",
    kind: Kind::count(1, 5),
    doc: "networks drawn of these, the best of which is changed",
};

/// The values of these settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) population: usize,
    pub(super) tournament: usize,
}

impl Settings {
    /// Those of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        let count = |field: Field| recipe.settings.count(STRATEGY, field.name);
        let (population, tournament) = (count(POPULATION)?, count(TOURNAMENT)?);
        Ok(Self { population: population as usize, tournament: tournament as usize })
    }
}
