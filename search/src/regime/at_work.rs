//! A run at work: its store, whom it tells, and the epochs that are on disk.

use nas_ir::recipe::Recipe;
use nas_ir::{Checked, Network, Space};
use nas_passes::{from_choices, specialise};

use crate::backend::Backend;
use crate::command::Exports;
use crate::error::RunError;
use crate::evaluator::Halt;
use crate::event::{Event, OnEvent};
use crate::progress::Progress;
use crate::record::{Choices, Goal, Phase, Record, RetrainEpoch, Status};
use crate::store::{Store, damaged, names, state};
use crate::strategies;
use crate::strategy::Reads;
use crate::table::ScoreTable;
use crate::work::Work;

/// What a run needs.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The space.
    pub space: &'a Checked<Space>,
    /// The recipe.
    pub recipe: &'a Recipe,
    /// Where scores come from.
    pub scores: Scores<'a>,
}

impl Job<'_> {
    /// The network of the choices that the run holds.
    pub(super) fn network_of(&self, choices: &Choices) -> Result<Network, RunError> {
        let chosen = choices.iter().map(|(path, candidate)| (path.as_str(), candidate.as_str()));
        let assignment = from_choices(self.space, chosen)
            .map_err(|_| damaged(names::ASSIGNMENT, "the space has no such network"))?;
        Ok(specialise(self.space, &assignment))
    }
}

/// Where the scores of networks come from.
#[derive(Clone, Copy)]
pub enum Scores<'a> {
    /// What trains.
    Training(&'a dyn Backend),
    /// They are known.
    Known(&'a ScoreTable),
    /// A command finds them.
    Command(Exports<'a>),
}

/// A run at work.
pub(super) struct AtWork<'r, 'j> {
    pub(super) job: &'r Job<'j>,
    pub(super) store: &'r mut Store,
    pub(super) progress: Progress<'r>,
    /// The epochs that are on disk.
    pub(super) history: Vec<Record>,
}

impl<'r, 'j> AtWork<'r, 'j> {
    pub(super) fn new(job: &'r Job<'j>, store: &'r mut Store, on_event: OnEvent<'r>) -> Self {
        Self { job, store, progress: Progress::new(on_event), history: Vec::new() }
    }

    pub(super) fn recipe(&self) -> &'j Recipe {
        self.job.recipe
    }

    /// What trains.
    pub(super) fn backend(&self) -> Result<&'j dyn Backend, RunError> {
        match self.job.scores {
            Scores::Training(backend) => Ok(backend),
            Scores::Known(_) | Scores::Command(_) => Err(RunError::NoBackend),
        }
    }

    /// Epochs of a supernet before the retraining: those of the schedule, or as many as the budget of the search left.
    pub(super) fn searched(&self) -> Result<u32, RunError> {
        Ok(match (self.store.run().goal, strategies::reads(self.recipe())?) {
            (Goal::Retrain, _) | (Goal::Search, Reads::Nothing) => 0,
            (Goal::Search, Reads::All | Reads::Parts { .. }) => {
                let epochs = self.recipe().schedule.epochs;
                if strategies::budget(self.recipe())?.is_none()
                    || !self.store.has(names::ASSIGNMENT)
                {
                    return Ok(epochs);
                }
                let records = self.store.records()?.epochs()?;
                let is_of_search = |record: &&Record| matches!(record, Record::Search(_));
                count(records.iter().filter(is_of_search).count()).min(epochs)
            }
        })
    }

    /// What the search may take, in thirds of an image that is trained on, so that its finals, of so many epochs in all, are
    /// left enough; `None` where nothing limits it.
    pub(super) fn allowance(&self, finals: u64) -> Result<Option<u64>, Halt> {
        let Scores::Training(backend) = self.job.scores else { return Ok(None) };
        let budget = strategies::budget(self.recipe()).map_err(RunError::from)?;
        let Some(budget) = budget else { return Ok(None) };
        let images = backend.training_images().map_err(Halt::backend)?;
        let finals = Work::training(images).times(finals);
        Ok(Some(budget.saturating_mul(3).saturating_sub(finals.thirds())))
    }

    /// Reads the epochs of the search that are on disk: those of its state, and none of a retraining.
    pub(super) fn restore_search(&mut self) -> Result<(), RunError> {
        let epochs = self.store.records()?.epochs()?;
        if epochs.iter().any(|record| matches!(record, Record::Retrain(_))) {
            return Err(damaged(names::ASSIGNMENT, "it is missing"));
        }
        self.restore_history(names::SUPERNET, 0)
    }

    /// Reads the epochs that are on disk, of a search that is done and of the state of the retraining.
    pub(super) fn restore_retraining(&mut self) -> Result<(), RunError> {
        if self.store.has(names::WEIGHTS) && !self.store.has(names::TRAINEE) {
            return Err(damaged(names::RESULT, "it is missing"));
        }
        self.trial()?;
        self.restore_history(names::TRAINEE, self.searched()?)
    }

    /// Reads the epochs before the phase of a state, and those of which it is; drops the one that a crash
    /// may have left ahead of it.
    fn restore_history(&mut self, state: &str, before: u32) -> Result<(), RunError> {
        let done = before.saturating_add(state::done(self.store, state)?);
        let kept = count(self.store.records()?.epochs()?.len());
        if kept > done.saturating_add(1) {
            let why = format!("it is of {done} epochs, and `{}` of {kept}", names::RECORDS);
            return Err(damaged(state, why));
        }
        self.read_history(done)
    }

    /// Reads the first epochs of the history, and drops the others.
    pub(super) fn read_history(&mut self, epochs: u32) -> Result<(), RunError> {
        self.history = self.store.keep_epochs(epochs as usize)?;
        self.check_order()
    }

    /// The epochs of the search stand in their order, and behind them those of the retraining.
    fn check_order(&self) -> Result<(), RunError> {
        let searched = self.searched()?;
        for (at, record) in (0..).zip(&self.history) {
            let place = match record {
                Record::Search(epoch) if epoch.epoch < searched => Some(epoch.epoch),
                Record::Search(_) => None,
                Record::Retrain(epoch) => epoch.epoch.checked_add(searched),
            };
            if place != Some(at) {
                return Err(damaged(names::RECORDS, format!("it has no epoch {at}")));
            }
        }
        Ok(())
    }

    pub(super) fn tell_resumed(&mut self, phase: Phase, done: u32) -> Result<(), Halt> {
        if self.store.is_resumed() {
            let (versions, changes) = (self.store.version_changes(), self.store.changes());
            self.progress.tell(Event::Resumed { phase, done, versions, changes });
        }
        self.progress.check()
    }

    /// Where the run is, as last written.
    pub(super) fn status(&self) -> Result<Status, RunError> {
        if let Some(status) = self.store.records()?.status()? {
            return Ok(status);
        }
        let (phase, of) = match (self.store.run().goal, self.searched()?) {
            (Goal::Retrain, _) => (Phase::Retrain, self.recipe().retrain.epochs),
            (Goal::Search, 0) => (Phase::Derive, 0),
            (Goal::Search, epochs) => (Phase::Search, epochs),
        };
        Ok(Status { phase, done: 0, of })
    }

    pub(super) fn begin(&mut self, phase: Phase, done: u32, of: u32) -> Result<(), Halt> {
        self.store.set_status(&Status { phase, done, of })?;
        self.progress.tell(Event::PhaseBegan { phase, done, of });
        self.progress.check()
    }

    /// What the epochs of the search that are on disk took.
    pub(super) fn learned(&self) -> Work {
        let epochs = self.history.iter().map(|record| match record {
            Record::Search(epoch) => epoch.work,
            Record::Retrain(_) => Work::default(),
        });
        epochs.sum()
    }

    /// The epochs of the retraining that are on disk.
    pub(super) fn retrained(&self) -> impl Iterator<Item = &RetrainEpoch> {
        self.history.iter().filter_map(|record| match record {
            Record::Retrain(epoch) => Some(epoch),
            Record::Search(_) => None,
        })
    }

    /// Whether a run that was done is to go on: more epochs are asked for than its state has.
    pub(super) fn goes_on(&self) -> Result<bool, RunError> {
        let done = state::done(self.store, names::TRAINEE)?;
        Ok(done > 0 && done < self.recipe().retrain.epochs)
    }

    /// Removes what only a run that goes on needs, if it cannot be asked to go on for longer.
    pub(super) fn clear(&mut self) -> Result<(), RunError> {
        if self.recipe().retrain.is_open_ended() {
            return Ok(());
        }
        self.store.remove(names::TRAINEE)?;
        self.store.remove(names::BEST)
    }
}

/// A number of epochs or networks; the recipe's are all `u32`.
pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
