//! How weights learn, of a supernet and of a network alike: the optimiser, its rate, and what goes with it.

use serde::Serialize;

use super::anneal::{Anneal, LearningRate};
use super::optimizer::{
    BETA1, BETA2, DECAY, EPSILON, MOMENTUM, OPTIMIZER, Optimizer, RATE, SMOOTHING,
};
use super::schema::{Bounds, CountDefault, Field, Kind};
use super::settings::{NoSetting, Settings};

/// How weights learn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Training {
    /// What makes the steps.
    pub optimizer: Optimizer,
    /// Learning rate after the warm-up.
    pub rate: Anneal,
    /// Epochs in which the rate rises.
    pub warmup: u32,
    /// Momentum of [`Optimizer::Sgd`] and [`Optimizer::Rmsprop`].
    pub momentum: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Decay of the mean square of [`Optimizer::Rmsprop`].
    pub smoothing: f64,
    /// Beside what is divided by.
    pub epsilon: f64,
    /// Weight decay.
    pub decay: f64,
    /// Batches whose gradients make one step.
    pub accumulate: u32,
    /// Decay of the mean of the weights that is scored and kept; 0 where the weights themselves are.
    pub ema: f64,
    /// Which weights stay as they are: patterns of their names.
    pub freeze: Option<String>,
    /// The file of the weights to begin with.
    pub weights_from: Option<String>,
    /// What fresh kernels are drawn from.
    pub initial: Initialisation,
    /// With what numbers values are computed.
    pub precision: TrainingPrecision,
}

/// With what numbers the values of a training are computed; weights are floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainingPrecision {
    /// Floats of 32 bits.
    #[default]
    Fp32,
    /// Convolutions and products read and write bfloat16, of 16 bits; what needs more has 32 (Micikevicius et al. 2018). Or, where
    /// layers are computed together, what they keep for their gradients has 16.
    Bf16,
}

impl TrainingPrecision {
    /// Each by its word, the default first.
    pub const NAMED: [(&'static str, Self); 2] = [("fp32", Self::Fp32), ("bf16", Self::Bf16)];
}

/// What fresh kernels are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Initialisation {
    /// Normal numbers of the variance 2 / fan-out (He et al. 2015, equation 14).
    #[default]
    He,
    /// Uniform numbers within `1 / sqrt(fan-in)` of 0, as PyTorch's convolutions and linear layers begin.
    Pytorch,
}

impl Initialisation {
    /// Each by its word, the default first.
    pub const NAMED: [(&'static str, Self); 2] = [("he", Self::He), ("pytorch", Self::Pytorch)];
}

impl Training {
    /// What the settings of a section say.
    ///
    /// # Errors
    /// It lacks one.
    pub(super) fn of(settings: &Settings, section: &'static str) -> Result<Self, NoSetting> {
        let real = |field: Field| settings.real(section, field.name);
        Ok(Self {
            optimizer: settings.word(section, OPTIMIZER.name, &Optimizer::NAMED)?,
            rate: settings.anneal(section, RATE.name)?,
            warmup: settings.count(section, WARMUP.name)?,
            momentum: real(MOMENTUM)?,
            beta1: real(BETA1)?,
            beta2: real(BETA2)?,
            smoothing: real(SMOOTHING)?,
            epsilon: real(EPSILON)?,
            decay: real(DECAY)?,
            accumulate: settings.count(section, ACCUMULATE.name)?,
            ema: real(EMA)?,
            freeze: settings.text(section, FREEZE.name)?,
            weights_from: settings.text(section, WEIGHTS_FROM.name)?,
            initial: settings.word(section, INITIAL.name, &Initialisation::NAMED)?,
            precision: settings.word(section, PRECISION.name, &TrainingPrecision::NAMED)?,
        })
    }

    /// The learning rate over a training for which the recipe has so many epochs; a shorter one goes through all of
    /// it, too.
    #[must_use]
    pub fn learning_rate(&self, epochs: u32) -> LearningRate {
        let warmup = f64::from(self.warmup) / f64::from(epochs.max(1));
        LearningRate { anneal: self.rate, warmup: warmup.min(1.0) }
    }
}

/// Epochs in which the rate rises.
pub const WARMUP: Field = Field {
    name: "warmup",
    kind: Kind::Count { least: 0, most: Kind::MOST, default: CountDefault::Is(0) },
    doc: "epochs at the start, of those in all, in which the rate rises in equal steps from 0 to its first value \
          (Goyal et al. 2017); a shorter training, as of a trial, has the same share of it",
};

/// Batches of a step.
pub const ACCUMULATE: Field = Field {
    name: "accumulate",
    kind: Kind::count(1, 1),
    doc: "batches of which one step is made, with the mean of their gradients; what is left at the end of an epoch makes a \
          step of its own. Batch norm sees one batch at a time",
};

/// Decay of the mean of the weights.
pub const EMA: Field = Field {
    name: "ema",
    kind: Kind::Real { bounds: Bounds::below(0.0, 1.0), default: 0.0 },
    doc: "decay, for each step, of a moving average of the weights and of the statistics of batch norm: the averages are \
          what is scored, kept and exported. After `n` steps it is at most `(1 + n) / (10 + n)`, so that a short \
          training does not end at its first weights. With 0 there is none",
};

/// What does not learn.
pub const FREEZE: Field = Field {
    name: "freeze",
    kind: Kind::Text { otherwise: "nothing", example: "stem/**" },
    doc: "which weights stay as they are, by their names in `weights.safetensors`: `*` stands for anything but `/`, \
          `**` for anything; several patterns have commas between them. The statistics of batch norm go on",
};

/// What fresh kernels are drawn from.
pub const INITIAL: Field = Field {
    name: "initial",
    kind: Kind::Word(&["he", "pytorch"]),
    doc: "what fresh kernels are drawn from. `he`: normal numbers of the variance 2 / fan-out (He et al. 2015); `pytorch`: \
          uniform ones within 1 / sqrt(fan-in) of 0, with which PyTorch's layers begin. The latter are smaller, so that \
          batch norms let the same rate move them further: a training of few epochs gets further by it",
};

/// With what numbers values are computed.
pub const PRECISION: Field = Field {
    name: "precision",
    kind: Kind::Word(&["fp32", "bf16"]),
    doc: "with what numbers values are computed; weights are floats of 32 bits. With `bf16`, convolutions and products on a GPU \
          read and write bfloat16, which has their range and 7 bits behind the point, in half of the memory; what needs more \
          precision, such as the loss, computes with 32 bits. A processor that computes layers together does so with 32 bits, and \
          keeps what they make in bfloat16 until their gradients are computed: less memory in little more time. With \
          `--no-fuse` it computes as a GPU does, most of them more slowly",
};

/// What to begin with.
pub const WEIGHTS_FROM: Field = Field {
    name: "weights_from",
    kind: Kind::Text { otherwise: "fresh weights", example: "weights.safetensors" },
    doc: "a safetensors file with weights to begin with, relative to the file of the recipe, by name and size. What the \
          file lacks begins fresh; how much that is is told",
};
