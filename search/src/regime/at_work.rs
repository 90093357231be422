//! A run at work: its store, whom it tells, and the epochs that are on disk.

use std::time::Instant;

use nas_ir::recipe::Recipe;
use nas_ir::{Checked, Space};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::backend::Backend;
use crate::error::RunError;
use crate::evaluator::Halt;
use crate::event::{Event, OnEvent};
use crate::progress::Progress;
use crate::record::{Goal, Phase, Record, RetrainEpoch, Status, Timing};
use crate::store::{Store, names};
use crate::strategies;
use crate::strategy::Reads;

/// What a run needs.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The space.
    pub space: &'a Checked<Space>,
    /// The recipe.
    pub recipe: &'a Recipe,
    /// What trains.
    pub backend: &'a dyn Backend,
}

/// What random numbers of a run are for; backends have streams of their own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// What a supernet has learned, made into networks.
    Learned,
    /// The epoch of a supernet.
    Epoch(u32),
    /// The trial of this number.
    Trial(u32),
}

/// The generator for a purpose.
pub(super) fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(match purpose {
        Purpose::Learned => 1,
        Purpose::Epoch(epoch) => (1 << 32) | u64::from(epoch),
        Purpose::Trial(number) => (2 << 32) | u64::from(number),
    });
    random
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

    /// Epochs of search before the retraining.
    pub(super) fn searched(&self) -> Result<u32, RunError> {
        Ok(match (self.store.run().goal, strategies::reads(self.recipe())?) {
            (Goal::Retrain, _) | (Goal::Search, Reads::Nothing) => 0,
            (Goal::Search, Reads::All | Reads::Parts { .. }) => self.recipe().schedule.epochs,
        })
    }

    /// Reads the epochs of which the state is on disk, and drops those that a crash left ahead
    /// of it.
    pub(super) fn restore_history(&mut self, done: u32) -> Result<(), RunError> {
        self.store.keep_lines(names::HISTORY, done as usize)?;
        self.history = self.store.lines(names::HISTORY)?;
        Ok(())
    }

    pub(super) fn tell_resumed(&mut self, phase: Phase, done: u32) -> Result<(), Halt> {
        if self.store.is_resumed() {
            let versions = self.store.version_changes();
            self.progress.tell(Event::Resumed { phase, done, versions });
        }
        self.progress.check()
    }

    /// Where the run is, as last written.
    pub(super) fn status(&self) -> Result<Status, RunError> {
        if self.store.read(names::STATUS)?.is_some() {
            return self.store.read_json(names::STATUS);
        }
        let (phase, of) = match (self.store.run().goal, self.searched()?) {
            (Goal::Retrain, _) => (Phase::Retrain, self.recipe().retrain.epochs),
            (Goal::Search, 0) => (Phase::Derive, 0),
            (Goal::Search, epochs) => (Phase::Search, epochs),
        };
        Ok(Status { phase, done: 0, of })
    }

    pub(super) fn begin(&mut self, phase: Phase, done: u32, of: u32) -> Result<(), Halt> {
        self.store.write_json(names::STATUS, &Status { phase, done, of })?;
        self.progress.tell(Event::PhaseBegan { phase, done, of });
        self.progress.check()
    }

    pub(super) fn time(
        &mut self,
        phase: Phase,
        number: u32,
        since: Instant,
    ) -> Result<f64, RunError> {
        let seconds = since.elapsed().as_secs_f64();
        self.store.append(names::TIMING, &Timing { phase, number, seconds })?;
        Ok(seconds)
    }

    /// The epochs of the retraining that are on disk.
    pub(super) fn retrained(&self) -> impl Iterator<Item = &RetrainEpoch> {
        self.history.iter().filter_map(|record| match record {
            Record::Retrain(epoch) => Some(epoch),
            Record::Search(_) => None,
        })
    }

    /// Removes what only a run that goes on needs.
    pub(super) fn clear(&mut self) -> Result<(), RunError> {
        self.store.remove(names::TRAINEE)?;
        self.store.remove(names::BEST)
    }
}

/// A number of epochs or networks; the recipe's are all `u32`.
pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
