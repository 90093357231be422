//! The settings of `strategy bayesian`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Field, Kind, Relation, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::strategies::sections::black_box;

/// The settings of `strategy bayesian`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "bayesian",
    doc: "tries the network whose expected improvement on the best is greatest, as a Gaussian process over \
          the choices predicts it (Bayesian optimisation, as BANANAS of White et al. 2021, whose predictor is \
          an ensemble of neural networks)",
    sections: &black_box(
        "what is known at the beginning, and which networks are considered",
        &[START, DRAWS],
    ),
    relations: &[Relation::KeepsOfSample, Relation::CommandGiven],
};

const START: Field = Field {
    name: "start",
    kind: Kind::count(1, 10),
    doc: "networks drawn at random to begin with",
};

const DRAWS: Field = Field {
    name: "draws",
    kind: Kind::count(1, 50),
    doc: "networks drawn at random that are considered beside the neighbours of the best",
};

/// The values of these settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) start: usize,
    pub(super) draws: usize,
}

impl Settings {
    /// Those of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        let count = |field: Field| recipe.settings.count(STRATEGY, field.name);
        let (start, draws) = (count(START)?, count(DRAWS)?);
        Ok(Self { start: start as usize, draws: draws as usize })
    }
}
