//! What the files of a run directory hold.

use std::fmt;

use indexmap::IndexMap;
use nas_ir::Costs;
use serde::{Deserialize, Serialize};

use crate::evaluator::PassReport;
use crate::metrics::Metrics;
use crate::trial::Budget;
use crate::work::Work;

/// The parts of a run, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The weights of the supernet learn, and its choices where it has any.
    Search,
    /// Networks are tried.
    Derive,
    /// The best one is trained from scratch.
    Retrain,
    /// All is done.
    Done,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Search => "search",
            Phase::Derive => "derive",
            Phase::Retrain => "retrain",
            Phase::Done => "done",
        })
    }
}

/// The candidate of each decision that the network has, by path: what `--arch` reads.
pub type Choices = IndexMap<String, String>;

/// What a run is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// Find a network, and train it.
    Search,
    /// Train a given network.
    Retrain,
}

/// `run.json`: what the run is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The version of this layout.
    pub format: u32,
    /// What it is to do.
    pub goal: Goal,
    /// The space as it was asked for: `darts(width = 36)`.
    pub space: String,
    /// Whether the space is without what its target cannot run.
    #[serde(default)]
    pub drop_unsupported: bool,
    /// The name of the recipe.
    pub recipe: String,
    /// The seed.
    pub seed: u64,
    /// Versions of what ran and the number of its threads, by name: with others the last digits of
    /// a result may differ.
    pub versions: IndexMap<String, String>,
    /// The names of the source files, as under `sources/`.
    pub sources: Vec<String>,
}

/// A version that is not the recorded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionChange {
    /// Of what.
    pub name: String,
    /// In the run; `None` if it did not say.
    pub recorded: Option<String>,
    /// Now; `None` if there is none.
    pub now: Option<String>,
}

/// Where the run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The phase.
    pub phase: Phase,
    /// Epochs of the phase (networks, when deriving) that are done.
    pub done: u32,
    /// Epochs of the phase (networks, when deriving) in all.
    pub of: u32,
}

/// An epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "lowercase")]
pub enum Record {
    /// Of the search.
    Search(SearchEpoch),
    /// Of the retraining.
    Retrain(RetrainEpoch),
}

/// An epoch of the search. What only relaxed choices have is left out where there are none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchEpoch {
    /// Which, from 0, warm-up included.
    pub epoch: u32,
    /// Temperature of the Gumbel-softmax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Learning rate of the weights at the start and at the end.
    #[serde(rename = "rate")]
    pub learning_rate: [f64; 2],
    /// The pass of the weights.
    pub weights: PassReport,
    /// The pass of the choices; `None` in the warm-up, and where there are none.
    pub choices: Option<PassReport>,
    /// Mean over the decisions of the entropy of their probabilities, in nats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entropy: Option<f64>,
    /// The probability of each candidate of each decision after the epoch, before pruning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<Vec<Vec<f64>>>,
    /// The candidates pruned after the epoch.
    #[serde(default, rename = "dropped", skip_serializing_if = "Option::is_none")]
    pub pruned: Option<Vec<Pruned>>,
    /// The images that it took.
    #[serde(default, skip_serializing_if = "Work::is_none")]
    pub work: Work,
}

/// A candidate that was taken out of the search for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pruned {
    /// The path of its decision.
    pub decision: String,
    /// Its name.
    pub candidate: String,
    /// Its last probability.
    pub probability: f64,
}

/// An epoch of the retraining.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetrainEpoch {
    /// Which, from 0.
    pub epoch: u32,
    /// Learning rate at the start and at the end.
    #[serde(rename = "rate")]
    pub learning_rate: [f64; 2],
    /// The pass.
    pub train: PassReport,
    /// The score on the validation images.
    pub val: Metrics,
    /// The images that it took.
    #[serde(default, skip_serializing_if = "Work::is_none")]
    pub work: Work,
}

/// A wall time, apart because it is different each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// The phase.
    pub phase: Phase,
    /// The epoch of the phase, or the number of the drawn network, from 0.
    pub number: u32,
    /// How long it took.
    pub seconds: f64,
}

/// A network that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriedNetwork {
    /// Its number in the order of the trials, from 0; where choices were trained, 0 is the most
    /// probable one.
    pub number: u32,
    /// How often it was drawn; the most probable one counts as drawn once more.
    pub drawn: u32,
    /// Whether it was drawn uniformly from the space, whatever was learned so far.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uniform: bool,
    /// What it chooses.
    pub choices: Choices,
    /// What it costs.
    pub cost: Costs,
    /// How well it does, or why that is not known.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What it took, if it was trained on its own; else it was scored with inherited weights.
    #[serde(default, skip_serializing_if = "Budget::is_none")]
    pub budget: Budget,
    /// The epoch of its training, from 0, whose score it has: the best one, where `score.patience` has it scored after each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// The images that it took.
    #[serde(default, skip_serializing_if = "Work::is_none")]
    pub work: Work,
}

impl TriedNetwork {
    /// Its score, unless its trial failed.
    #[must_use]
    pub fn score(&self) -> Option<&Metrics> {
        match &self.verdict {
            Verdict::Score(score) => Some(score),
            Verdict::Failed(_) => None,
        }
    }
}

/// What came of a trial: `"score": {…}` or `"failed": "it took longer than 60 s"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The score of the network on the validation data.
    Score(Metrics),
    /// It has none, in words.
    Failed(String),
}

/// `front.json`: what came of a search for several goals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Front {
    /// The goals, as the recipe has them with all numbers computed.
    pub goals: Vec<String>,
    /// The worst value of each goal among the networks that were tried with the greatest budget: the reference point.
    pub reference: Vec<f64>,
    /// The volume of what is worse than a network of the front, and better than the reference point, in the product of
    /// the units of the goals.
    pub hypervolume: f64,
    /// The networks of which none that was tried is better by every goal, the best by the first goal first.
    pub networks: Vec<FrontNetwork>,
}

/// A network of a front.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrontNetwork {
    /// What it reaches of each goal.
    pub values: Vec<f64>,
    /// The network.
    #[serde(flatten)]
    pub network: TriedNetwork,
}

/// `result.json`: what came of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The space as it was asked for.
    pub space: String,
    /// What the network chooses.
    pub choices: Choices,
    /// What it costs.
    pub cost: Costs,
    /// Its validation score as a trial, where it was found by a search: with inherited weights, after
    /// the training that its budget allowed, as a command found, or as it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Metrics>,
    /// What that trial took; nothing with inherited weights, or where it was known.
    #[serde(default, skip_serializing_if = "Budget::is_none")]
    pub budget: Budget,
    /// The epoch of that trial, from 0, whose score it has, where it was scored after each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_epoch: Option<u32>,
    /// What the run took, as far as it is images that went through networks here.
    #[serde(default, skip_serializing_if = "RunWork::is_none")]
    pub work: RunWork,
    /// What came of its training; none where nothing was trained here.
    #[serde(flatten)]
    pub trained: Option<Trained>,
}

/// What a run took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunWork {
    /// All supernet epochs and all trials.
    pub search: Work,
    /// The training of the result, with its validation after each epoch.
    pub retrain: Work,
}

impl RunWork {
    /// Whether nothing was done.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.search.is_none() && self.retrain.is_none()
    }

    /// How many trainings of the result, each as long as that was and without its validation, the search is worth; `None` where
    /// nothing was trained.
    #[must_use]
    pub fn trainings(&self) -> Option<f64> {
        let trained = self.retrain.backward as f64;
        (trained > 0.0).then(|| self.search.images() / trained)
    }
}

/// What came of the training of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trained {
    /// The epoch of the retraining whose weights are kept, from 0: the first with the best mIoU on
    /// the validation images.
    pub epoch: u32,
    /// The score of these weights on the validation images, by which they were picked.
    pub val: Metrics,
    /// Their score on the test images, which picked nothing; none where the data set has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Metrics>,
    /// The SHA-256 of the file that holds them, in hexadecimal digits.
    pub weights: String,
}
