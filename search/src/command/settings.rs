//! What a recipe says of its command, and what a run must bring beside it.

use std::path::Path;
use std::time::Duration;

use nas_ir::recipe::Template;
use nas_ir::{ClassMetric, Model, Network};

use crate::error::Fault;
use crate::metrics::{CONFUSION, DIRECTION, Ranking};

/// The key that says after how many epochs metrics were measured.
pub(super) const EPOCH: &str = "epoch";

/// The command of a recipe, and how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSettings {
    /// The command line.
    pub command: Template,
    /// By which of its metrics networks are ranked.
    pub ranking: Ranking,
    /// The other metrics without which there is no score: those that the objective reads, by their keys.
    pub needed: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
    /// How often it is run once more where it fails.
    pub retries: u32,
    /// How many of them run side by side.
    pub jobs: usize,
}

impl CommandSettings {
    /// The keys that an object has which counts, that of the metric that ranks first.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let others = self.needed.iter().map(String::as_str);
        std::iter::once(self.ranking.metric.key()).chain(others)
    }

    /// Whether a key of what is printed can be that of a metric, and not of what is said about others.
    #[must_use]
    pub fn may_rank(key: &str) -> bool {
        ![EPOCH, DIRECTION, CONFUSION].contains(&key) && ClassMetric::named(key).is_none()
    }
}

/// What a run brings for the commands of its recipe.
#[derive(Clone, Copy)]
pub struct Exports<'a> {
    /// The folder that commands are run in: that of the file of the recipe.
    pub folder: &'a Path,
    /// A network with the fresh weights of a seed.
    pub fresh: &'a dyn Fn(Network, u64) -> Result<Model, Fault>,
    /// The bytes of a model as ONNX.
    pub onnx: &'a dyn Fn(Model) -> Result<Vec<u8>, Fault>,
}
