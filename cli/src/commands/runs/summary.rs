//! A run in a few figures.

use std::fmt;
use std::path::{Path, PathBuf};

use nas_ir::Costs;
use nas_search::record::{Choices, Run, RunResult, Status, Trained, TriedNetwork};
use nas_search::store::Recorded;
use nas_search::{Metrics, Phase};
use serde::Serialize;

use crate::render::report::Failure;

/// A run in a few figures.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// Its folder.
    pub(super) run: PathBuf,
    pub(super) state: State,
    /// None where one network is trained.
    pub(super) strategy: Option<String>,
    pub(super) space: String,
    pub(super) seed: u64,
    /// Networks that were tried.
    pub(super) trials: usize,
    /// The network that the run ended with, or the best one so far.
    pub(super) best: Option<Best>,
    /// What its epochs and trials took, whichever ran side by side.
    pub(super) seconds: f64,
}

/// Where a run is.
#[derive(Debug, Serialize)]
pub(super) struct State {
    /// None before its first phase.
    #[serde(flatten)]
    status: Option<Status>,
    /// Whether a process works on it.
    at_work: bool,
    /// Whether its result is written, which is the last thing that it does.
    #[serde(skip)]
    has_ended: bool,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.at_work { "at work" } else { "stopped" };
        match self.status {
            Some(Status { phase: Phase::Done, .. }) if self.has_ended => f.write_str("done"),
            Some(Status { phase: Phase::Done, .. }) => write!(f, "{how}, at its end"),
            Some(Status { phase, done, of }) => write!(f, "{how}, {phase} {done}/{of}"),
            None => write!(f, "{how}, begun"),
        }
    }
}

/// The network that a run ended with, or the best one so far by the primary metric.
#[derive(Debug, Serialize)]
pub(super) struct Best {
    pub(super) choices: Choices,
    pub(super) cost: Costs,
    /// Its score as a trial.
    pub(super) trial: Option<Metrics>,
    /// Epochs of training of its own in that trial.
    pub(super) epochs: u32,
    /// Its score on the validation images after it was trained.
    pub(super) val: Option<Metrics>,
    /// The same on the test images.
    pub(super) test: Option<Metrics>,
}

impl Summary {
    /// Of a run as it is now.
    ///
    /// # Errors
    /// The folder holds no run, or one that is damaged.
    pub(super) fn of(dir: &Path) -> Result<(Self, Recorded), Failure> {
        let recorded = Recorded::open(dir).map_err(Failure::problem)?;
        let trials = recorded.trials().map_err(Failure::problem)?;
        let timings = recorded.timings().map_err(Failure::problem)?;
        let status = recorded.status().map_err(Failure::problem)?;
        let Run { space, seed, .. } = recorded.run();
        let best = match recorded.result() {
            Some(result) => Some(Best::ended(result)),
            None => best_of(trials.iter()),
        };
        let summary = Self {
            run: dir.to_owned(),
            state: State {
                status,
                at_work: recorded.is_at_work(),
                has_ended: recorded.result().is_some(),
            },
            strategy: recorded.strategy(),
            space: space.clone(),
            seed: *seed,
            trials: trials.len(),
            best,
            seconds: timings.iter().map(|timing| timing.seconds).sum(),
        };
        Ok((summary, recorded))
    }

    /// What it took, in hours, minutes and seconds.
    pub(super) fn time(&self) -> String {
        let seconds = self.seconds.round() as u64;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        format!("{hours}:{minutes:02}:{:02}", seconds % 60)
    }
}

impl Best {
    fn ended(result: &RunResult) -> Self {
        let RunResult { choices, cost, trial, budget, trained, .. } = result.clone();
        let (val, test) = trained.map(|Trained { val, test, .. }| (val, test)).unzip();
        Self { choices, cost, trial, epochs: budget.epochs, val, test: test.flatten() }
    }
}

/// The best by the metric that ranks, of those that were trained for the most epochs; the first of equals.
fn best_of<'t>(tried: impl Iterator<Item = &'t TriedNetwork>) -> Option<Best> {
    let mut best: Option<(&TriedNetwork, &Metrics)> = None;
    for network in tried {
        let Some(score) = network.score() else { continue };
        let is_better = best.is_none_or(|(other, its)| {
            let [own, others] = [network, other].map(|network| network.budget.epochs);
            own > others || own == others && score.is_better_than(its)
        });
        if is_better {
            best = Some((network, score));
        }
    }
    best.map(|(network, score)| Best {
        choices: network.choices.clone(),
        cost: network.cost,
        trial: Some(score.clone()),
        epochs: network.budget.epochs,
        val: None,
        test: None,
    })
}
