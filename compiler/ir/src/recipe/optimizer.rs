//! Optimisers of weights: which there are, and their settings.

use serde::Serialize;

use super::anneal::{Anneal, Law};
use super::schema::{Bounds, Field, Kind};

/// What makes a step of a gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum.
    Sgd,
    /// Adam (Kingma and Ba 2015, algorithm 1); weight decay is part of the gradient.
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).
    Adamw,
    /// RMSProp (Tieleman and Hinton 2012), not centred; weight decay is part of the gradient.
    Rmsprop,
    /// LAMB (You et al. 2020, algorithm 2).
    Lamb,
}

/// A setting that only some optimisers have.
struct Special {
    field: &'static str,
    of: &'static [Optimizer],
}

/// The settings that only some optimisers have.
const SPECIAL: &[Special] = &[
    Special { field: MOMENTUM.name, of: &[Optimizer::Sgd, Optimizer::Rmsprop] },
    Special { field: BETA1.name, of: MOMENTS },
    Special { field: BETA2.name, of: MOMENTS },
    Special { field: SMOOTHING.name, of: &[Optimizer::Rmsprop] },
    Special {
        field: EPSILON.name,
        of: &[Optimizer::Adam, Optimizer::Adamw, Optimizer::Rmsprop, Optimizer::Lamb],
    },
];

/// Those with moments of the gradient.
const MOMENTS: &[Optimizer] = &[Optimizer::Adam, Optimizer::Adamw, Optimizer::Lamb];

impl Optimizer {
    /// Each by its word, the default first.
    pub const NAMED: [(&'static str, Self); 5] = [
        ("sgd", Self::Sgd),
        ("adam", Self::Adam),
        ("adamw", Self::Adamw),
        ("rmsprop", Self::Rmsprop),
        ("lamb", Self::Lamb),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        let found = Self::NAMED.iter().find(|(_, optimizer)| *optimizer == self);
        found.map(|(word, _)| *word).unwrap_or_default()
    }

    /// The optimisers that have a setting which this one has not; `None` where it has it.
    #[must_use]
    pub fn lacks(self, field: &str) -> Option<&'static [Self]> {
        let special = SPECIAL.iter().find(|special| special.field == field);
        special.map(|special| special.of).filter(|of| !of.contains(&self))
    }

    /// A field with the default that it has with this optimiser.
    #[must_use]
    pub fn kind(self, field: &Field) -> Kind {
        match (self, field.name, field.kind) {
            (Self::Sgd, ..) => field.kind,
            (_, "rate", Kind::Anneal { bounds, .. }) => {
                let default = Anneal { from: 0.001, to: 0.0, law: Law::Cosine };
                Kind::Anneal { bounds, default }
            }
            (Self::Rmsprop, "momentum", Kind::Real { bounds, .. })
            | (Self::Adam | Self::Rmsprop, "decay", Kind::Real { bounds, .. }) => {
                Kind::Real { bounds, default: 0.0 }
            }
            (Self::Adamw | Self::Lamb, "decay", Kind::Real { bounds, .. }) => {
                Kind::Real { bounds, default: 0.01 }
            }
            (Self::Lamb, "epsilon", Kind::Real { bounds, .. }) => {
                Kind::Real { bounds, default: 1e-6 }
            }
            _ => field.kind,
        }
    }
}

/// The optimiser.
pub const OPTIMIZER: Field = Field {
    name: "optimizer",
    kind: Kind::Word(&["sgd", "adam", "adamw", "rmsprop", "lamb"]),
    doc: "what makes the steps; it may stand before the brace, as in `weights adamw { … }`. `sgd`: stochastic gradient \
          descent; `adam`: Kingma and Ba 2015; `adamw`: with decoupled decay, Loshchilov and Hutter 2019; `rmsprop`: \
          Tieleman and Hinton 2012; `lamb`: You et al. 2020. All compute as PyTorch does, `lamb` as its paper",
};

/// Learning rate.
pub const RATE: Field = Field {
    name: "rate",
    kind: Kind::Anneal {
        bounds: Bounds::closed(0.0, 100.0),
        default: Anneal { from: 0.05, to: 0.0, law: Law::Cosine },
    },
    doc: "learning rate, from the start of the first epoch after the warm-up to the end of the last. Of other optimisers \
          than `sgd` it is `0.001 -> 0 cosine` where it is not given",
};

/// Momentum.
pub const MOMENTUM: Field = Field {
    name: "momentum",
    kind: Kind::Real { bounds: Bounds::below(0.0, 1.0), default: 0.9 },
    doc: "momentum of `sgd` and `rmsprop`; of `rmsprop` 0 where it is not given",
};

/// Decay of the first moment.
pub const BETA1: Field = Field {
    name: "beta1",
    kind: Kind::Real { bounds: Bounds::below(0.0, 1.0), default: 0.9 },
    doc: "decay of the first moment of `adam`, `adamw` and `lamb`",
};

/// Decay of the second moment.
pub const BETA2: Field = Field {
    name: "beta2",
    kind: Kind::Real { bounds: Bounds::below(0.0, 1.0), default: 0.999 },
    doc: "decay of the second moment of `adam`, `adamw` and `lamb`",
};

/// Decay of the mean square.
pub const SMOOTHING: Field = Field {
    name: "smoothing",
    kind: Kind::Real { bounds: Bounds::below(0.0, 1.0), default: 0.99 },
    doc: "decay of the mean square of `rmsprop`",
};

/// Beside what is divided by.
pub const EPSILON: Field = Field {
    name: "epsilon",
    kind: Kind::Real { bounds: Bounds::inside(0.0, 1.0), default: 1e-8 },
    doc: "what `adam`, `adamw`, `rmsprop` and `lamb` add to the root that they divide by; of `lamb` 1e-6 where it is not \
          given",
};

/// Weight decay.
pub const DECAY: Field = Field {
    name: "decay",
    kind: Kind::Real { bounds: Bounds::closed(0.0, 1.0), default: 1e-4 },
    doc: "weight decay. Where it is not given, it is 0 of `adam` and `rmsprop`, and 0.01 of `adamw` and `lamb`",
};
