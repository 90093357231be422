//! A whole search: SqueezeNAS's regime (Shaw et al. 2019, section 4) over any [`Backend`].
//!
//! 1. Warm-up: for `schedule.warmup` epochs only the weights learn, on all training images.
//! 2. Then, each epoch, a pass of the weights on their share of the images and a pass of the
//!    choices on the rest, at a temperature that falls from epoch to epoch; a candidate whose
//!    probability is then below `strategy.prune_below` is dropped for good.
//! 3. `derive.sample` networks are drawn from the probabilities and scored with inherited
//!    weights; the best `derive.keep` are kept.
//! 4. The best is trained from scratch; the epoch with the best validation score is kept, and
//!    scored on the test images.
//!
//! A run whose goal is to retrain does the last step alone, with a given network.
//!
//! Everything is a function of the inputs and the recipe's seed. A run that was stopped, by a
//! callback or by a crash, goes on from its last finished epoch and ends with the same bytes as
//! one that was not, as far as the backend is deterministic.

mod derive;
mod progress;
mod retrain;
mod supernet;

use std::time::Instant;

use nas_ir::diagram::Entangled;
use nas_ir::recipe::Recipe;
use nas_ir::{Assignment, Network, Space};

use crate::error::RunError;
use crate::evaluator::{Backend, PassReport, Stop};
use crate::event::{Event, OnEvent, Phase};
use crate::record::{Choices, Goal, Record, RunResult, Status, Timing};
use crate::store::{Store, names};
use progress::Progress;

/// What a run needs.
pub struct Job<'a, B> {
    /// The space.
    pub space: &'a Space,
    /// The recipe.
    pub recipe: &'a Recipe,
    /// What trains.
    pub backend: &'a B,
    /// The network of an assignment; its `choices` leave out what it makes unreachable.
    pub specialise: &'a dyn Fn(&Assignment) -> Network,
    /// Where the space has requirements: the network of the highest score among those that keep
    /// them, if there is one.
    pub best_kept: Option<&'a BestKept<'a>>,
}

/// From scores, a row a decision and an entry a candidate, to the network of the highest sum.
pub type BestKept<'a> = dyn Fn(&[Vec<f64>]) -> Result<Option<Assignment>, Entangled> + 'a;

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is done.
    Finished(Box<RunResult>),
    /// The callback told it to stop; what is recorded here is on disk.
    Interrupted(Status),
}

/// Why a run ended before its end.
#[derive(Debug)]
pub enum Failure<E> {
    /// The run or its directory is at fault.
    Run(RunError),
    /// The backend is.
    Backend(E),
}

/// What ends a phase early.
#[derive(Debug)]
enum Halt<E> {
    Interrupted,
    Failed(Failure<E>),
}

impl<E> Halt<E> {
    fn backend(error: E) -> Self {
        Halt::Failed(Failure::Backend(error))
    }
}

impl<E> From<RunError> for Halt<E> {
    fn from(error: RunError) -> Self {
        Halt::Failed(Failure::Run(error))
    }
}

impl<E> From<Stop<E>> for Halt<E> {
    fn from(stop: Stop<E>) -> Self {
        match stop {
            Stop::Interrupted => Halt::Interrupted,
            Stop::Failed(error) => Halt::backend(error),
        }
    }
}

/// Does the run, from the start or from where the store says that it is.
///
/// # Errors
/// The backend failed, training left the numbers, or the store could not be written.
pub fn run<B: Backend>(
    job: &Job<'_, B>,
    store: &mut Store,
    on_event: OnEvent<'_>,
) -> Result<Outcome, Failure<B::Error>> {
    let mut run = Run { job, store, progress: Progress::new(on_event), history: Vec::new() };
    match run.whole() {
        Ok(result) => Ok(Outcome::Finished(Box::new(result))),
        Err(Halt::Interrupted) => run.status().map(Outcome::Interrupted).map_err(Failure::Run),
        Err(Halt::Failed(failure)) => Err(failure),
    }
}

/// A run at work.
struct Run<'r, 'j, B> {
    job: &'r Job<'j, B>,
    store: &'r mut Store,
    progress: Progress<'r>,
    /// The epochs that are on disk.
    history: Vec<Record>,
}

impl<B: Backend> Run<'_, '_, B> {
    fn whole(&mut self) -> Result<RunResult, Halt<B::Error>> {
        if self.store.read(names::RESULT)?.is_some() {
            let result = self.store.read_json(names::RESULT)?;
            self.clear()?;
            self.tell_resumed(Phase::Done)?;
            return Ok(result);
        }
        let derived = self.store.read(names::ASSIGNMENT)?.is_some();
        self.restore_history(derived)?;
        self.tell_resumed(if derived { Phase::Retrain } else { Phase::Search })?;
        if !derived {
            let supernet = self.search()?;
            self.derive(supernet)?;
        }
        let result = self.retrain()?;
        self.progress.tell(Event::Done { result: &result });
        Ok(result)
    }

    fn recipe(&self) -> &Recipe {
        self.job.recipe
    }

    /// Epochs of search before the retraining.
    fn searched(&self) -> u32 {
        match self.store.run().goal {
            Goal::Search => self.recipe().schedule.epochs,
            Goal::Retrain => 0,
        }
    }

    /// Reads the epochs of which the state is on disk, and drops those that a crash left ahead
    /// of it.
    fn restore_history(&mut self, derived: bool) -> Result<(), RunError> {
        let done = if derived {
            let retrained = retrain::epochs_done(self.store)?;
            self.searched().saturating_add(retrained)
        } else {
            supernet::epochs_done(self.store)?
        };
        self.store.keep_lines(names::HISTORY, done as usize)?;
        self.history = self.store.lines(names::HISTORY)?;
        Ok(())
    }

    fn tell_resumed(&mut self, phase: Phase) -> Result<(), Halt<B::Error>> {
        if self.store.is_resumed() {
            let done = match phase {
                Phase::Retrain => self.retrained().count(),
                Phase::Search | Phase::Derive => self.history.len(),
                Phase::Done => 0,
            };
            let (done, versions) = (count(done), self.store.version_changes());
            self.progress.tell(Event::Resumed { phase, done, versions });
        }
        self.progress.check()
    }

    /// Where the run is, as last written.
    fn status(&self) -> Result<Status, RunError> {
        if self.store.read(names::STATUS)?.is_none() {
            let (phase, of) = match self.store.run().goal {
                Goal::Search => (Phase::Search, self.recipe().schedule.epochs),
                Goal::Retrain => (Phase::Retrain, self.recipe().retrain.epochs),
            };
            return Ok(Status { phase, done: 0, of });
        }
        self.store.read_json(names::STATUS)
    }

    fn begin(&mut self, phase: Phase, done: u32, of: u32) -> Result<(), Halt<B::Error>> {
        self.store.write_json(names::STATUS, &Status { phase, done, of })?;
        self.progress.tell(Event::PhaseBegan { phase, done, of });
        self.progress.check()
    }

    fn time(&mut self, phase: Phase, number: u32, since: Instant) -> Result<f64, RunError> {
        let seconds = since.elapsed().as_secs_f64();
        self.store.append(names::TIMING, &Timing { phase, number, seconds })?;
        Ok(seconds)
    }

    /// Removes what only a run that goes on needs.
    fn clear(&mut self) -> Result<(), RunError> {
        self.store.remove(names::TRAINEE)?;
        self.store.remove(names::BEST)
    }
}

/// What a network chooses, as a map.
fn choices(network: &Network) -> Choices {
    network.choices.iter().cloned().collect()
}

/// A number of epochs or networks; the recipe's are all `u32`.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The report of a pass, unless it holds what is no number.
fn finite(
    report: PassReport,
    what: &'static str,
    epoch: u32,
    setting: &'static str,
) -> Result<PassReport, RunError> {
    if report.loss.is_finite() && report.cost.is_finite() {
        Ok(report)
    } else {
        Err(RunError::Diverged { what, epoch, setting })
    }
}
