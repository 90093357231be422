//! The settings of `strategy controller`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Bounds, Field, Kind, Relation, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::strategies::sections::black_box;

/// The settings of `strategy controller`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "controller",
    doc: "draws networks from a policy that learns from their scores, by REINFORCE (Williams 1992; Zoph and Le \
          2017, whose policy is a recurrent network, where this one has a probability for each candidate)",
    sections: &black_box("how the policy learns", &[RATE, MEMORY, ENTROPY]),
    relations: &[Relation::KeepsOfSample, Relation::CommandGiven],
};

const RATE: Field = Field {
    name: "learning",
    kind: Kind::Real { bounds: Bounds::above(0.0, 10.0), default: 0.2 },
    doc: "by what the logits move for a network one standard deviation above the mean of the scores",
};

const MEMORY: Field = Field {
    name: "memory",
    kind: Kind::Real { bounds: Bounds::below(0.0, 1.0), default: 0.95 },
    doc: "what the mean of the scores, the baseline, keeps of itself at each network",
};

const ENTROPY: Field = Field {
    name: "entropy",
    kind: Kind::Real { bounds: Bounds::closed(0.0, 10.0), default: 0.05 },
    doc: "weight of the entropy of the policy beside the score, which keeps it from one network",
};

/// The values of these settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Settings {
    pub(super) rate: f64,
    pub(super) memory: f64,
    pub(super) entropy: f64,
}

impl Settings {
    /// Those of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        let real = |field: Field| recipe.settings.real(STRATEGY, field.name);
        Ok(Self { rate: real(RATE)?, memory: real(MEMORY)?, entropy: real(ENTROPY)? })
    }
}
