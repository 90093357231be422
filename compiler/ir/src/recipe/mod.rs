//! Search recipes: what a `search` item says, checked, with every default in one table.
//!
//! [`SECTIONS`] and [`MINIMIZE`] declare each setting once: its name, what values it takes, its
//! range, its default and what it means. The front end reads a `search` item against them;
//! diagnostics and the reference read the same rows.

mod anneal;
pub mod defaults;
pub mod table;

use serde::{Deserialize, Serialize};

use crate::measure::Measure;
pub use table::{Bounds, CountDefault, Field, Kind, Kinds, MINIMIZE, Minimize, SECTIONS, Section};

/// How a value moves from its first to its last epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Law {
    /// In equal steps.
    Linear,
    /// By an equal factor each epoch.
    Exponential,
    /// Half a cosine wave (Loshchilov and Hutter 2017, without restarts).
    Cosine,
}

/// A value that may change over the epochs: see [`Anneal::at`] and [`Anneal::over`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Anneal {
    /// In the first epoch, or at its start.
    pub from: f64,
    /// In the last epoch, or at its end.
    pub to: f64,
    /// How it moves between.
    pub law: Law,
}

/// `cross_entropy + factor * measure`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// What is added to the loss for one unit of the measure (one MAC, parameter, byte or
    /// nanosecond).
    pub factor: f64,
    /// What is measured.
    pub measure: Measure,
}

/// How candidates are mixed while searching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mixing {
    /// Every candidate runs; their outputs are summed with Gumbel-softmax weights.
    Soft,
    /// One sampled candidate runs for each decision; its gradient is straight-through.
    Hard,
}

/// The strategy `gumbel` (Jang et al. 2017; FBNet, SqueezeNAS).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gumbel {
    /// Temperature of the Gumbel-softmax.
    pub temperature: Anneal,
    /// A candidate whose probability falls below this is dropped for good.
    pub prune_below: f64,
    /// How candidates are mixed.
    pub mixing: Mixing,
}

/// Where images come from and what is done to them in training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// The folder with `train`, `val` and `test`; relative to the file of the recipe.
    pub path: String,
    /// Height and width of the random crop in training; `None` takes the space's input size.
    pub crop: Option<[u32; 2]>,
    /// Whether images are mirrored at random.
    pub flip: bool,
    /// Range of the random resize factor; `None` leaves the size.
    pub scale: Option<[f64; 2]>,
    /// Images in a training batch.
    pub batch: u32,
    /// Threads that decode ahead of the training step.
    pub workers: u32,
}

/// Stochastic gradient descent for the weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sgd {
    /// Learning rate.
    pub rate: Anneal,
    /// Momentum.
    pub momentum: f64,
    /// Weight decay.
    pub decay: f64,
}

/// Adam for the choices.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// Learning rate.
    pub rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Weight decay.
    pub decay: f64,
}

/// How long to search, and on what part of the training images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Epochs in all, warm-up included.
    pub epochs: u32,
    /// Epochs at the start in which only weights learn.
    pub warmup: u32,
    /// Share of the training images for the weights; the choices learn on the rest.
    pub split: f64,
}

/// How the network is picked after the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derive {
    /// Networks drawn from the learned probabilities.
    pub sample: u32,
    /// How many of them, ranked by validation score with inherited weights, are reported.
    pub keep: u32,
}

/// How the picked network is trained from scratch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Retrain {
    /// Epochs.
    pub epochs: u32,
    /// Learning rate of SGD.
    pub rate: Anneal,
    /// Momentum.
    pub momentum: f64,
    /// Weight decay.
    pub decay: f64,
    /// Images in a batch.
    pub batch: u32,
    /// By what the rates of drop paths are multiplied.
    pub drop_path: Anneal,
}

/// A search recipe: the checked content of a `search` item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Its name.
    pub name: String,
    /// The strategy.
    pub strategy: Gumbel,
    /// What is minimised.
    pub objective: Objective,
    /// The images.
    pub data: Data,
    /// The optimiser of the weights.
    pub weights: Sgd,
    /// The optimiser of the choices.
    pub choices: Adam,
    /// How long.
    pub schedule: Schedule,
    /// How the network is picked.
    pub derive: Derive,
    /// How it is trained.
    pub retrain: Retrain,
    /// Where all randomness comes from.
    pub seed: u64,
}
