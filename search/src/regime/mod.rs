//! A whole search: a strategy and an evaluator at work over a [`Backend`], kept in a [`Store`].
//!
//! 1. Search: a strategy that is one-shot trains its supernet, epoch by epoch (`learn`).
//! 2. Derive: the networks that the strategy asks for are evaluated, several at once where a command does
//!    it, and it is told of each; the best are kept (`trials`).
//! 3. Retrain: the best is trained from scratch; the epoch with the best validation score is kept,
//!    and scored on the test images (`retrain`). Where scores are known or a command finds them, nothing
//!    is trained.
//!
//! A run whose goal is to retrain does the last step alone, with a given network. Before, it may be rehearsed, to tell how long
//! it will take.
//!
//! Everything is a function of the inputs and the recipe's seed. A run that was stopped, by a
//! callback or by a crash, goes on from its last finished epoch or trial and ends with the same bytes
//! as one that was not, as far as the backend is deterministic.
//!
//! [`Backend`]: crate::backend::Backend
//! [`Store`]: crate::store::Store

mod at_work;
mod evaluators;
mod learn;
mod proxies;
mod rehearsal;
mod retrain;
pub(crate) mod short;
mod trials;

use crate::error::Failure;
use crate::evaluator::Halt;
use crate::event::{Event, OnEvent};
use crate::record::{Phase, RunResult, Status};
use crate::store::{Store, names};
use crate::strategies;
use crate::strategy::Search;

use at_work::{AtWork, count};

pub use at_work::{Job, Scores};
pub use rehearsal::{Times, rehearse};

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// It is done.
    Finished(Box<RunResult>),
    /// The callback told it to stop; what is recorded here is on disk.
    Interrupted(Status),
}

/// Does the run, from the start or from where the store says that it is.
///
/// # Errors
/// The strategy refuses the space, the backend failed, training left the numbers, or the store could
/// not be written.
pub fn run(job: &Job<'_>, store: &mut Store, on_event: OnEvent<'_>) -> Result<End, Failure> {
    let mut run = AtWork::new(job, store, on_event);
    let ended = whole(&mut run);
    let written = run.store.settle();
    // What ended it is told first.
    if !matches!(ended, Err(Halt::Failed(_))) {
        written.map_err(Failure::Run)?;
    }
    match ended {
        Ok(result) => Ok(End::Finished(Box::new(result))),
        Err(Halt::Interrupted) => run.status().map(End::Interrupted).map_err(Failure::Run),
        Err(Halt::Failed(failure)) => Err(failure),
    }
}

fn whole(run: &mut AtWork<'_, '_>) -> Result<RunResult, Halt> {
    if run.store.has(names::RESULT) && run.goes_on()? {
        run.store.remove(names::RESULT)?;
    }
    if run.store.has(names::RESULT) {
        let result = run.finished()?;
        run.clear()?;
        run.tell_resumed(Phase::Done, 0)?;
        return Ok(result);
    }
    if run.store.has(names::ASSIGNMENT) {
        run.restore_retraining()?;
        run.tell_resumed(Phase::Retrain, count(run.retrained().count()))?;
    } else {
        let Search { method, keep } = strategies::search(run.job.space, run.job.recipe)?;
        run.restore_search()?;
        run.tell_resumed(Phase::Search, count(run.history.len()))?;
        run.search(method, keep)?;
    }
    let result = match run.job.scores {
        Scores::Training(_) => run.retrain()?,
        Scores::Known(_) | Scores::Command(_) => run.conclude(None)?,
    };
    run.progress.tell(Event::Done { result: &result });
    Ok(result)
}
