//! What a run directory holds: the names of its files, and what a run is of.

use std::path::Path;

use indexmap::IndexMap;
use nas_ir::recipe::Recipe;
use nas_ir::{Space, Weights};
use serde_json::Value;

use crate::error::RunError;
use crate::record::{Choices, Goal, Run};

/// Names of the files that this crate reads and writes.
pub mod names {
    /// Held by the process that works on the run.
    pub const LOCK: &str = "nasc.lock";
    /// The folder of the sources.
    pub const SOURCES: &str = "sources";
    /// See [`crate::record::Run`].
    pub const RUN: &str = "run.json";
    /// The recipe.
    pub const RECIPE: &str = "recipe.json";
    /// The space.
    pub const SPACE: &str = "space.txt";
    /// The files of the data set.
    pub const DATA: &str = "data.json";
    /// The weights to begin with.
    pub const INITIAL: &str = "initial.safetensors";
    /// The candidates of each decision.
    pub const DECISIONS: &str = "decisions.json";
    /// The epochs, trials and times: a database of SQLite.
    pub const RECORDS: &str = "run.sqlite";
    /// The state of the supernet.
    pub const SUPERNET: &str = "supernet.safetensors";
    /// The folder of the folders of the trials that a command scores: see [`crate::command`].
    pub const TRIALS: &str = "trials";
    /// See [`crate::record::TriedNetwork`].
    pub const CANDIDATES: &str = "candidates.json";
    /// See [`crate::record::Front`].
    pub const FRONT: &str = "front.json";
    /// See [`crate::record::Choices`].
    pub const ASSIGNMENT: &str = "assignment.json";
    /// The state of the retraining.
    pub const TRAINEE: &str = "trainee.safetensors";
    /// The best state of the retraining.
    pub const BEST: &str = "best.safetensors";
    /// The retrained weights.
    pub const WEIGHTS: &str = "weights.safetensors";
    /// See [`crate::record::RunResult`].
    pub const RESULT: &str = "result.json";

    /// What is written before [`RUN`]: all that a folder may hold whose run was not begun for good.
    pub(crate) const BEFORE: [&str; 8] =
        [LOCK, SOURCES, RECIPE, SPACE, DECISIONS, DATA, INITIAL, ASSIGNMENT];
    /// What is written after it alone.
    pub(crate) const AFTER: [&str; 9] =
        [RECORDS, SUPERNET, TRIALS, CANDIDATES, FRONT, TRAINEE, BEST, WEIGHTS, RESULT];
}

/// The version of the layout.
pub(super) const FORMAT: u32 = 6;

/// What a run is of. Two runs of equal inputs on equal versions give equal files.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The space as it was asked for: `darts(width = 36)`.
    pub space_ref: &'a str,
    /// The space.
    pub space: &'a Space,
    /// Whether the space is without what its target cannot run.
    pub drop_unsupported: bool,
    /// The files that it was made of: relative name and bytes.
    pub sources: &'a [(String, Vec<u8>)],
    /// The network to train; `None` to search for one.
    pub start: Option<Start<'a>>,
    /// The recipe.
    pub recipe: &'a Recipe,
    /// The files of the data set: path from its folder with `/` between folders, and SHA-256.
    pub data: &'a [(String, String)],
    /// Versions of what runs: `("nasc", "0.1.0")`.
    pub versions: &'a [(String, String)],
}

/// What a retraining begins with.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// What the network chooses.
    pub choices: &'a Choices,
    /// Its weights; `None` for fresh ones.
    pub weights: Option<&'a Weights>,
}

impl Inputs<'_> {
    pub(super) fn run(&self) -> Run {
        Run {
            format: FORMAT,
            goal: if self.start.is_some() { Goal::Retrain } else { Goal::Search },
            space: self.space_ref.to_owned(),
            drop_unsupported: self.drop_unsupported,
            recipe: self.recipe.name.clone(),
            seed: self.recipe.seed,
            versions: self.versions.iter().cloned().collect(),
            sources: self.sources.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    pub(super) fn decisions(&self) -> IndexMap<&str, &[String]> {
        let decisions = self.space.decisions.iter();
        decisions.map(|d| (d.path.as_str(), d.candidates.as_slice())).collect()
    }

    pub(super) fn data(&self) -> IndexMap<String, String> {
        self.data.iter().cloned().collect()
    }

    /// The bytes of the initial weights.
    pub(super) fn initial(&self) -> Result<Option<Vec<u8>>, RunError> {
        let weights = self.start.and_then(|start| start.weights);
        let bytes = weights.map(|weights| nas_safetensors::to_bytes(weights, None));
        bytes.transpose().map_err(|e| damaged(names::INITIAL, e))
    }
}

pub(super) fn source_name(name: &str) -> String {
    format!("{}/{name}", names::SOURCES)
}

pub(crate) fn damaged(file: &str, why: impl ToString) -> RunError {
    RunError::Damaged { file: file.to_owned(), why: why.to_string() }
}

/// What `run.json` in a folder says, if it is of this layout.
pub(super) fn of_layout(dir: &Path, run: Value) -> Result<Run, RunError> {
    let format = run.get("format").and_then(Value::as_u64);
    if format.is_some_and(|format| format != u64::from(FORMAT)) {
        return Err(RunError::Layout { dir: dir.to_owned() });
    }
    serde_json::from_value(run).map_err(|e| damaged(names::RUN, e))
}
