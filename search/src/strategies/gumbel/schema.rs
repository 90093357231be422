//! The settings of `strategy gumbel`.

use nas_ir::recipe::common::{DATA, EPOCHS, RETRAIN, SCHEDULE, SEED, STRATEGY, WEIGHTS};
use nas_ir::recipe::schema::{
    Bounds, CountDefault, Field, Kind, Kinds, Relation, Section, StrategySchema,
};
use nas_ir::recipe::{Anneal, Law, NoSetting, Recipe};

use crate::shared::{Adam, Mixing};
use crate::strategies::sections::{DERIVE, KEEP};

/// The name of the section of the logits' optimiser.
const CHOICES: &str = "choices";
/// The words of `mixing`, the first being the default.
const MIXING: &[&str] = &["soft", "hard"];

/// The settings of `strategy gumbel`.
pub static SCHEMA: StrategySchema = StrategySchema {
    name: "gumbel",
    doc: "trains a supernet and the probabilities of its candidates in turns, the candidates mixed \
          by the Gumbel-softmax of Jang et al. 2017, as FBNet and SqueezeNAS do; then scores \
          networks drawn from the probabilities with the supernet's weights",
    sections: &[
        Section {
            name: STRATEGY,
            kinds: Kinds::Strategy,
            doc: "how candidates are mixed while searching; `gumbel` is the Gumbel-softmax of Jang \
                  et al. 2017, as FBNet and SqueezeNAS use it",
            fields: &[TEMPERATURE, PRUNE_BELOW, MIXING_FIELD],
        },
        DATA,
        WEIGHTS,
        Section {
            name: CHOICES,
            kinds: Kinds::OneOf(&["adam"]),
            doc: "the optimiser of the candidates' logits: Adam (Kingma and Ba 2015)",
            fields: &[LEARNING_RATE, BETA1, BETA2, DECAY],
        },
        Section {
            name: SCHEDULE,
            kinds: Kinds::None,
            doc: "how long the search lasts, and on which training images",
            fields: &[EPOCHS, WARMUP, ALTERNATE, SPLIT, SEED],
        },
        Section {
            name: DERIVE,
            kinds: Kinds::None,
            doc: "how the network is picked after the search",
            fields: &[SAMPLE, KEEP],
        },
        RETRAIN,
    ],
    relations: &[Relation::WarmupEnds, Relation::KeepsOfSample],
};

const TEMPERATURE: Field = Field {
    name: "temperature",
    kind: Kind::Anneal {
        bounds: Bounds::above(0.0, 1000.0),
        default: Anneal { from: 5.0, to: 1.0, law: Law::Exponential },
    },
    doc: "temperature of the Gumbel-softmax: its first value during the warm-up and in the first \
          epoch after it, its last value in the last epoch",
};

const PRUNE_BELOW: Field = Field {
    name: "prune_below",
    kind: Kind::Real { bounds: Bounds::below(0.0, 0.5), default: 0.005 },
    doc: "a candidate whose probability falls below this after an epoch is pruned for good, never \
          the most probable one of a decision; 0 prunes none",
};

const MIXING_FIELD: Field = Field {
    name: "mixing",
    kind: Kind::Word(MIXING),
    doc: "`soft`: all candidates run and their outputs are summed with sampled weights; `hard`: one \
          sampled candidate runs, with a straight-through gradient",
};

const LEARNING_RATE: Field = Field {
    name: "rate",
    kind: Kind::Real { bounds: Bounds::above(0.0, 100.0), default: 0.05 },
    doc: "learning rate. A logit moves by at most about this in one step, so few images (few \
          steps) need a higher one",
};

const BETA1: Field = Field {
    name: "beta1",
    kind: Kind::Real { bounds: Bounds::below(0.0, 1.0), default: 0.9 },
    doc: "decay of the first moment",
};

const BETA2: Field = Field {
    name: "beta2",
    kind: Kind::Real { bounds: Bounds::below(0.0, 1.0), default: 0.999 },
    doc: "decay of the second moment",
};

const DECAY: Field = Field {
    name: "decay",
    kind: Kind::Real { bounds: Bounds::closed(0.0, 1.0), default: 5e-4 },
    doc: "weight decay of the logits",
};

const WARMUP: Field = Field {
    name: "warmup",
    kind: Kind::Count {
        least: 0,
        most: Kind::MOST,
        default: CountDefault::Of {
            words: "a quarter of the epochs",
            other: (SCHEDULE, "epochs"),
            rule: |epochs| epochs / 4,
        },
    },
    doc: "epochs at the start, of those in all, in which only the weights learn",
};

const ALTERNATE: Field = Field {
    name: "alternate",
    kind: Kind::Word(&["epoch"]),
    doc: "after what weights and choices take turns; `epoch` is the only way there is",
};

const SPLIT: Field = Field {
    name: "split",
    kind: Kind::Real { bounds: Bounds::inside(0.0, 1.0), default: 0.8 },
    doc: "share of the training images for the weights; the choices learn on the rest",
};

const SAMPLE: Field = Field {
    name: "sample",
    kind: Kind::count(1, 20),
    doc: "networks drawn from the learned probabilities and scored on the validation images with \
          inherited weights; the most probable one is always the first",
};

/// The values of these settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Settings {
    /// Temperature of the Gumbel-softmax, over the epochs after the warm-up.
    pub(super) temperature: Anneal,
    /// A candidate whose probability falls below this is pruned.
    pub(super) prune_below: f64,
    /// How candidates are mixed.
    pub(super) mixing: Mixing,
    /// Learning rate of the logits.
    pub(super) learning_rate: f64,
    /// Their optimiser.
    pub(super) optimizer: Adam,
    /// Epochs at the start in which only weights learn.
    pub(super) warmup: u32,
    /// Share of the training images for the weights.
    pub(super) split: f64,
    /// Networks drawn from the learned probabilities.
    pub(super) sample: u32,
    /// How many of them are kept.
    pub(super) keep: u32,
}

impl Settings {
    /// Those of a recipe.
    pub(super) fn of(recipe: &Recipe) -> Result<Self, NoSetting> {
        let settings = &recipe.settings;
        let mixing = [("soft", Mixing::Soft), ("hard", Mixing::Hard)];
        Ok(Self {
            temperature: settings.anneal(STRATEGY, TEMPERATURE.name)?,
            prune_below: settings.real(STRATEGY, PRUNE_BELOW.name)?,
            mixing: settings.word(STRATEGY, MIXING_FIELD.name, &mixing)?,
            learning_rate: settings.real(CHOICES, LEARNING_RATE.name)?,
            optimizer: Adam {
                beta1: settings.real(CHOICES, BETA1.name)?,
                beta2: settings.real(CHOICES, BETA2.name)?,
                decay: settings.real(CHOICES, DECAY.name)?,
            },
            warmup: settings.count(SCHEDULE, WARMUP.name)?,
            split: settings.real(SCHEDULE, SPLIT.name)?,
            sample: settings.count(DERIVE, SAMPLE.name)?,
            keep: settings.count(DERIVE, KEEP.name)?,
        })
    }
}
