//! The settings of `strategy controller`.

use nas_ir::recipe::common::STRATEGY;
use nas_ir::recipe::schema::{Bounds, CountDefault, Field, Kind, Relation, StrategySchema};
use nas_ir::recipe::{NoSetting, Recipe};

use crate::strategies::sections::black_box;

/// The settings of `strategy controller`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "controller",
    doc: "draws networks from a policy that learns from their scores, by proximal policy optimisation (Schulman et al. \
          2017), as NASNet and MnasNet were found, or by REINFORCE (Williams 1992; Zoph and Le 2017), which is that with \
          one pass. The policy is a recurrent network, or has a probability for each candidate",
    sections: &black_box(
        "the policy, and how it learns",
        &[UNITS, RATE, BATCH, PASSES, CLIP, MEMORY, ENTROPY],
    ),
    relations: &[Relation::KeepsOfSample, Relation::CommandGiven],
};

const UNITS: Field = Field {
    name: "units",
    kind: Kind::Count { least: 0, most: 1024, default: CountDefault::Is(0) },
    doc: "units of the recurrent network (an LSTM; NASNet has 100), which draws a decision by those before it. With 0 there \
          is none: each candidate has a probability whatever else is chosen, so that what decisions do together is not learned",
};

const RATE: Field = Field {
    name: "learning",
    kind: Kind::Real { bounds: Bounds::above(0.0, 10.0), default: 0.2 },
    doc: "learning rate of the policy, by Adam (Kingma and Ba 2015): about by how much a parameter moves in a step. A recurrent \
          network wants a lower one, such as 0.01",
};

const BATCH: Field = Field {
    name: "batch",
    kind: Kind::count(1, 1),
    doc: "networks after which the policy learns, from them together",
};

const PASSES: Field = Field {
    name: "passes",
    kind: Kind::Count { least: 1, most: 1000, default: CountDefault::Is(1) },
    doc: "steps that the policy makes on a batch. More than one use it better, as far as `clip` lets them",
};

const CLIP: Field = Field {
    name: "clip",
    kind: Kind::Real { bounds: Bounds::above(0.0, 1.0), default: 0.2 },
    doc: "by what share the probability of a choice may change on one batch before it has no gradient any more",
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
    pub(super) units: usize,
    pub(super) rate: f64,
    pub(super) batch: usize,
    pub(super) passes: u32,
    pub(super) clip: f64,
    pub(super) memory: f64,
    pub(super) entropy: f64,
}

impl Settings {
    /// Those of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        let real = |field: Field| recipe.settings.real(STRATEGY, field.name);
        let count = |field: Field| recipe.settings.count(STRATEGY, field.name);
        Ok(Self {
            units: count(UNITS)? as usize,
            rate: real(RATE)?,
            batch: count(BATCH)? as usize,
            passes: count(PASSES)?,
            clip: real(CLIP)?,
            memory: real(MEMORY)?,
            entropy: real(ENTROPY)?,
        })
    }
}
