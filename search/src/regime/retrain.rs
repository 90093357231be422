//! The picked network, trained from scratch; or a given one, from given weights.

use std::time::Instant;

use super::derive::{network_of, sound};
use super::{Halt, Run, count, finite};
use crate::error::RunError;
use crate::evaluator::{Backend, Part, Pass, Split, Trainee};
use crate::event::{Event, Phase, Work};
use crate::metrics::Metrics;
use crate::record::{Candidate, Choices, Goal, Record, RetrainEpoch, RunResult, Status};
use crate::store::{Store, damaged, names, state};

/// What names of optimiser state begin with.
const OPTIMIZER: &str = "optimizer/";

/// The epochs of the retraining whose state is on disk.
pub(super) fn epochs_done(store: &Store) -> Result<u32, RunError> {
    state::done(store, names::TRAINEE)
}

impl<B: Backend> Run<'_, '_, B> {
    /// Trains the assignment that is on disk, keeps its best epoch and scores that.
    pub(super) fn retrain(&mut self) -> Result<RunResult, Halt<B::Error>> {
        let choices: Choices = self.store.read_json(names::ASSIGNMENT)?;
        let network = network_of(self.job.space, self.job.specialise, &choices)?;
        let cost = nas_analysis::costs(&network);
        let mut trainee = self.job.backend.trainee(network).map_err(Halt::backend)?;
        self.train(&mut trainee)?;
        let best = state::read(self.store, names::BEST)?
            .ok_or_else(|| damaged(names::BEST, "it is missing"))?;
        trainee.restore(&best.weights).map_err(Halt::backend)?;
        let epoch = best.done.saturating_sub(1);
        let test = trainee.score(Split::Test, &mut self.progress.steps(Work::Test, epoch))?;
        self.progress.check()?;
        let test = sound(test, "the test score", epoch, "retrain.rate")?;
        let (inherited, val) = (self.inherited()?, self.best_val()?);
        let weights =
            best.weights.into_iter().filter(|(name, _)| !name.starts_with(OPTIMIZER)).collect();
        let bytes =
            nas_safetensors::to_bytes(&weights, None).map_err(|e| damaged(names::WEIGHTS, e))?;
        self.store.write(names::WEIGHTS, &bytes)?;
        let space = self.store.run().space.clone();
        let result = RunResult { space, choices, cost, inherited, epoch, val, test };
        let of = self.recipe().retrain.epochs;
        self.store.write_json(names::STATUS, &Status { phase: Phase::Done, done: of, of })?;
        self.store.write_json(names::RESULT, &result)?;
        self.clear()?;
        Ok(result)
    }

    fn train(&mut self, trainee: &mut B::Trainee) -> Result<(), Halt<B::Error>> {
        let mut done = 0;
        if let Some(state) = state::read(self.store, names::TRAINEE)? {
            trainee.restore(&state.weights).map_err(Halt::backend)?;
            done = state.done;
            // A crash may have come between the state and its copy as the best one.
            if self.best() == Some(done) && state::done(self.store, names::BEST)? != done {
                state::write(self.store, names::BEST, &state.weights, done)?;
            }
        } else if let Some(bytes) = self.store.read(names::INITIAL)? {
            let initial = nas_safetensors::from_bytes(&bytes);
            let initial = initial.map_err(|e| damaged(names::INITIAL, e))?;
            trainee.load(&initial).map_err(Halt::backend)?;
        }
        let epochs = self.recipe().retrain.epochs;
        self.begin(Phase::Retrain, done, epochs)?;
        for epoch in done..epochs {
            let since = Instant::now();
            let record = self.train_epoch(trainee, epoch)?;
            self.keep_trained(trainee, record, since)?;
            self.progress.check()?;
        }
        Ok(())
    }

    fn train_epoch(
        &mut self,
        trainee: &mut B::Trainee,
        epoch: u32,
    ) -> Result<RetrainEpoch, Halt<B::Error>> {
        let recipe = self.job.recipe;
        let rate = recipe.retrain.rate.over(epoch, recipe.retrain.epochs);
        let [drop_path, _] = recipe.retrain.drop_path.over(epoch, recipe.retrain.epochs);
        let pass = Pass { part: Part::All, epoch, rate, temperature: 1.0, drop_path };
        let report = trainee.train(&pass, &mut self.progress.steps(Work::Train, epoch))?;
        self.progress.check()?;
        let train = finite(report, "the loss of the retraining", epoch, "retrain.rate")?;
        let val = trainee.score(Split::Val, &mut self.progress.steps(Work::Val, epoch))?;
        self.progress.check()?;
        let val = sound(val, "the validation score", epoch, "retrain.rate")?;
        Ok(RetrainEpoch { epoch, rate, train, val })
    }

    /// Writes an epoch down, as the search does.
    fn keep_trained(
        &mut self,
        trainee: &B::Trainee,
        record: RetrainEpoch,
        since: Instant,
    ) -> Result<(), Halt<B::Error>> {
        let (epoch, of) = (record.epoch, self.recipe().retrain.epochs);
        let done = epoch.saturating_add(1);
        let weights = trainee.state().map_err(Halt::backend)?;
        let line = Record::Retrain(record.clone());
        self.store.append(names::HISTORY, &line)?;
        self.history.push(line);
        state::write(self.store, names::TRAINEE, &weights, done)?;
        let best = self.best() == Some(done);
        if best {
            state::write(self.store, names::BEST, &weights, done)?;
        }
        self.store.write_json(names::STATUS, &Status { phase: Phase::Retrain, done, of })?;
        let seconds = self.time(Phase::Retrain, epoch, since)?;
        self.progress.tell(Event::Retrained { record: &record, best, seconds });
        Ok(())
    }

    /// The epochs of the retraining that are on disk.
    pub(super) fn retrained(&self) -> impl Iterator<Item = &RetrainEpoch> {
        self.history.iter().filter_map(|record| match record {
            Record::Retrain(epoch) => Some(epoch),
            Record::Search(_) => None,
        })
    }

    /// The number of epochs after which the validation metrics were best; the first of equals.
    fn best(&self) -> Option<u32> {
        let mut best: Option<(u32, &Metrics)> = None;
        for (i, record) in self.retrained().enumerate() {
            if best.is_none_or(|(_, val)| record.val.is_better_than(val)) {
                best = Some((count(i).saturating_add(1), &record.val));
            }
        }
        best.map(|(done, _)| done)
    }

    fn best_val(&self) -> Result<Metrics, RunError> {
        let best = self.best().unwrap_or_default().saturating_sub(1);
        let record = self.retrained().find(|record| record.epoch == best);
        record
            .map(|record| record.val.clone())
            .ok_or_else(|| damaged(names::HISTORY, "it has no retraining"))
    }

    /// The validation score of the picked network with inherited weights.
    fn inherited(&self) -> Result<Option<Metrics>, RunError> {
        if self.store.run().goal == Goal::Retrain {
            return Ok(None);
        }
        let candidates: Vec<Candidate> = self.store.read_json(names::CANDIDATES)?;
        let best = candidates.into_iter().next();
        let best = best.ok_or_else(|| damaged(names::CANDIDATES, "it is empty"))?;
        Ok(Some(best.score))
    }
}
