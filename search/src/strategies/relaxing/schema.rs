//! Settings that strategies have in common which train choices by gradients.

use nas_ir::recipe::common::{
    DATA, EPOCHS, LOSS, METRICS, RETRAIN, SCHEDULE, SEED, STRATEGY, WEIGHTS,
};
use nas_ir::recipe::schema::{Bounds, CountDefault, Field, Kind, Kinds, Relation, Section};
use nas_ir::recipe::{Anneal, Law, NoSetting, Recipe};

use crate::shared::{Adam, Mixing};
use crate::strategies::sections::{BUDGET, DERIVE, FINAL_EPOCHS, FINALISTS, KEEP};

/// The name of the section of the logits' optimiser.
const CHOICES: &str = "choices";

/// The sections of such a strategy, with its own settings and what these are about, and that of its schedule.
pub(in crate::strategies) const fn sections(
    doc: &'static str,
    fields: &'static [Field],
    schedule: Section,
) -> [Section; 9] {
    let own = Section { name: STRATEGY, kinds: Kinds::Strategy, doc, fields };
    [own, METRICS, DATA, LOSS, WEIGHTS, OPTIMIZER, schedule, DRAWS, RETRAIN]
}

/// What must hold between these settings.
pub(in crate::strategies) const RELATIONS: &[Relation] =
    &[Relation::WarmupEnds, Relation::KeepsOfSample];

/// The temperature of the Gumbel-softmax.
pub(in crate::strategies) const TEMPERATURE: Field = Field {
    name: "temperature",
    kind: Kind::Anneal {
        bounds: Bounds::above(0.0, 1000.0),
        default: Anneal { from: 5.0, to: 1.0, law: Law::Exponential },
    },
    doc: "temperature of the Gumbel-softmax: its first value during the warm-up and in the first \
          epoch after it, its last value in the last epoch",
};

/// The section of the logits' optimiser.
const OPTIMIZER: Section = Section {
    name: CHOICES,
    kinds: Kinds::OneOf(&["adam"]),
    doc: "the optimiser of the candidates' logits: Adam (Kingma and Ba 2015)",
    fields: &[LEARNING_RATE, BETA1, BETA2, DECAY],
};

/// The section of the schedule where weights and choices take turns after every batch.
pub(in crate::strategies) const IN_TURNS: Section = Section {
    name: SCHEDULE,
    kinds: Kinds::None,
    doc: "how long the search lasts, and on which training images",
    fields: &[EPOCHS, WARMUP, SPLIT, SEED],
};

/// The same where the recipe says when they take turns.
pub(in crate::strategies) const ALTERNATING: Section =
    Section { fields: &[EPOCHS, WARMUP, ALTERNATE, SPLIT, SEED], ..IN_TURNS };

/// The section of what is drawn from the probabilities.
const DRAWS: Section = Section {
    name: DERIVE,
    kinds: Kinds::None,
    doc: "how the network is picked after the search",
    fields: &[SAMPLE, KEEP, FINALISTS, FINAL_EPOCHS, BUDGET],
};

/// The bound under which candidates are pruned; a field of the strategy's own section.
pub(in crate::strategies) const PRUNE_BELOW: Field = Field {
    name: "prune_below",
    kind: Kind::Real { bounds: Bounds::below(0.0, 0.5), default: 0.005 },
    doc: "a candidate whose probability falls below this after an epoch is pruned for good, never \
          the most probable one of a decision; 0 prunes none",
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
    kind: Kind::Word(&["epoch", "step"]),
    doc: "after what weights and choices take turns: after a pass over their images, or after every batch",
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

/// When weights and choices take turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::strategies) enum Turns {
    /// After a pass over their images.
    Epochs,
    /// After every batch.
    Steps {
        /// Whether the choices look one step of the weights ahead (DARTS, second order).
        is_unrolled: bool,
    },
}

/// The values of these settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::strategies) struct Settings {
    /// Temperature of the mixture, over the epochs after the warm-up; none where the probabilities mix as they are.
    pub(in crate::strategies) temperature: Option<Anneal>,
    /// A candidate whose probability falls below this is pruned.
    pub(in crate::strategies) prune_below: f64,
    /// How candidates are mixed.
    pub(in crate::strategies) mixing: Mixing,
    /// When weights and choices take turns.
    pub(in crate::strategies) turns: Turns,
    /// Learning rate of the logits.
    pub(in crate::strategies) learning_rate: f64,
    /// Their optimiser.
    pub(in crate::strategies) optimizer: Adam,
    /// Epochs at the start in which only weights learn.
    pub(in crate::strategies) warmup: u32,
    /// Share of the training images for the weights.
    pub(in crate::strategies) split: f64,
    /// Networks drawn from the learned probabilities.
    pub(in crate::strategies) sample: u32,
    /// How many of them are kept.
    pub(in crate::strategies) keep: u32,
}

impl Settings {
    /// When they take turns, where the recipe says it.
    pub(in crate::strategies) fn alternate(recipe: &Recipe) -> Result<Turns, NoSetting> {
        let turns = [("epoch", Turns::Epochs), ("step", Turns::Steps { is_unrolled: false })];
        recipe.settings.word(SCHEDULE, ALTERNATE.name, &turns)
    }

    /// Those of a recipe that mixes so and takes turns then.
    pub(in crate::strategies) fn of(
        recipe: &Recipe,
        mixing: Mixing,
        turns: Turns,
    ) -> Result<Self, NoSetting> {
        let settings = &recipe.settings;
        Ok(Self {
            temperature: None,
            prune_below: settings.real(STRATEGY, PRUNE_BELOW.name)?,
            mixing,
            turns,
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
