//! The settings of `strategy tpe`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Bounds, Field, Kind, Relation, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::strategies::sections::black_box;

/// The settings of `strategy tpe`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "tpe",
    doc: "tries what the good networks have more often than the others: tree-structured Parzen estimators \
          (Bergstra et al. 2011), one for each decision",
    sections: &black_box(
        "which networks are the good ones, and how many are drawn of their like",
        &[START, GOOD, DRAWS],
    ),
    relations: &[Relation::KeepsOfSample, Relation::CommandGiven],
};

const START: Field = Field {
    name: "start",
    kind: Kind::count(1, 10),
    doc: "networks drawn at random to begin with",
};

const GOOD: Field = Field {
    name: "good",
    kind: Kind::Real { bounds: Bounds::inside(0.0, 1.0), default: 0.15 },
    doc: "share of the networks that are the good ones, the quantile gamma of the paper",
};

const DRAWS: Field =
    Field { name: "draws", kind: Kind::count(1, 24), doc: "networks drawn for each that is tried" };

/// The values of these settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Settings {
    pub(super) start: usize,
    pub(super) good: f64,
    pub(super) draws: usize,
}

impl Settings {
    /// Those of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        let settings = &recipe.settings;
        Ok(Self {
            start: settings.count(STRATEGY, START.name)? as usize,
            good: settings.real(STRATEGY, GOOD.name)?,
            draws: settings.count(STRATEGY, DRAWS.name)? as usize,
        })
    }
}
