//! The picked network, trained from scratch; or a given one, from given weights.

use std::time::Instant;

use super::at_work::{AtWork, count};
use crate::backend::TrainableNetwork;
use crate::error::RunError;
use crate::evaluator::{Halt, Part, Pass, PassReport, Rate, Split};
use crate::event::{Event, StepKind};
use crate::finite::Figure;
use crate::metrics::Metrics;
use crate::record::{
    Choices, Front, Goal, Phase, Record, RetrainEpoch, RunResult, RunWork, Status, Trained,
    TriedNetwork,
};
use crate::store::state::{self, State};
use crate::store::{damaged, names};
use crate::work::Work;

impl AtWork<'_, '_> {
    /// Trains the assignment that is on disk, keeps its best epoch and scores that.
    pub(super) fn retrain(&mut self) -> Result<RunResult, Halt> {
        let choices: Choices = self.store.read_json(names::ASSIGNMENT)?;
        let network = self.job.network_of(&choices)?;
        let mut trained = self.backend()?.network(network).map_err(Halt::backend)?;
        self.train(trained.as_mut())?;
        let best = state::read(self.store, names::BEST)?
            .ok_or_else(|| damaged(names::BEST, "it is missing"))?;
        trained.restore(&best.weights).map_err(Halt::backend)?;
        let epoch = best.done.saturating_sub(1);
        let test = self.test(trained.as_mut(), epoch)?;
        let val = self.best_val()?;
        let weights = trained.weights().map_err(Halt::backend)?;
        let bytes =
            nas_safetensors::to_bytes(&weights, None).map_err(|e| damaged(names::WEIGHTS, e))?;
        self.store.write(names::WEIGHTS, &bytes)?;
        let weights = nas_files::sha256(&bytes);
        Ok(self.conclude(Some(Trained { epoch, val, test, weights }))?)
    }

    /// The score of what was trained on the test images, if there are any.
    fn test(
        &mut self,
        trained: &mut dyn TrainableNetwork,
        epoch: u32,
    ) -> Result<Option<Metrics>, Halt> {
        if !self.backend()?.has_test() {
            return Ok(None);
        }
        let test = trained.score(Split::Test, &mut self.progress.steps(StepKind::Test, epoch))?;
        self.progress.check()?;
        Ok(Some(figure("the test score", epoch).check_score(test)?))
    }

    /// Writes down the result: the assignment that is on disk, and what came of its training.
    pub(super) fn conclude(&mut self, trained: Option<Trained>) -> Result<RunResult, RunError> {
        let choices: Choices = self.store.read_json(names::ASSIGNMENT)?;
        let cost = nas_analysis::costs(&self.job.network_of(&choices)?);
        let space = self.store.run().space.clone();
        let best = self.trial()?;
        let trial = best.as_ref().and_then(|best| best.score().cloned());
        let trial_epoch = best.as_ref().and_then(|best| best.epoch);
        let budget = best.map(|best| best.budget).unwrap_or_default();
        let of = count(self.retrained().count());
        let work = self.work()?;
        let result = RunResult { space, choices, cost, trial, budget, trial_epoch, work, trained };
        self.store.set_status(&Status { phase: Phase::Done, done: of, of })?;
        self.store.write_json(names::RESULT, &result)?;
        self.clear()?;
        Ok(result)
    }

    /// What the run took.
    fn work(&self) -> Result<RunWork, RunError> {
        let trials = self.store.records()?.trials()?;
        let trials: Work = trials.iter().map(|trial| trial.work).sum();
        let retrain = self.retrained().map(|epoch| epoch.work).sum();
        Ok(RunWork { search: self.learned() + trials, retrain })
    }

    /// The result of a run that is done, whose files are all there and belong together.
    pub(super) fn finished(&mut self) -> Result<RunResult, RunError> {
        let result: RunResult = self.store.read_json(names::RESULT)?;
        let choices: Choices = self.store.read_json(names::ASSIGNMENT)?;
        if choices != result.choices {
            return Err(damaged(names::ASSIGNMENT, "it is not the network of the result"));
        }
        if result.trial.is_some() && self.recipe().objective.goals.len() > 1 {
            self.store.read_json::<Front>(names::FRONT)?;
        }
        let Some(trained) = &result.trained else { return Ok(result) };
        let weights = self.store.read(names::WEIGHTS)?;
        let weights = weights.ok_or_else(|| damaged(names::WEIGHTS, "it is missing"))?;
        if nas_files::sha256(&weights) != trained.weights {
            return Err(damaged(names::WEIGHTS, "it does not hold what the run wrote"));
        }
        let kept = count(self.store.records()?.epochs()?.len());
        let all = self.searched()?.saturating_add(self.recipe().retrain.epochs);
        self.read_history(kept.min(all))?;
        if kept < all && !self.is_stopped() {
            return Err(damaged(names::RECORDS, format!("it has {kept} epochs of {all}")));
        }
        if self.best_val()? != trained.val {
            return Err(damaged(names::RECORDS, "its best epoch is not that of the result"));
        }
        Ok(result)
    }

    fn train(&mut self, trained: &mut dyn TrainableNetwork) -> Result<(), Halt> {
        let mut done = 0;
        if let Some(state) = state::read(self.store, names::TRAINEE)? {
            trained.restore(&state.weights).map_err(Halt::backend)?;
            done = state.done;
            self.restore_best(&state)?;
        } else if let Some(bytes) = self.store.read(names::INITIAL)? {
            let initial = nas_safetensors::floats_from_bytes(&bytes);
            let initial = initial.map_err(|e| damaged(names::INITIAL, e))?;
            trained.load(&initial).map_err(Halt::backend)?;
        }
        let epochs = self.recipe().retrain.epochs;
        self.begin(Phase::Retrain, done, epochs)?;
        for epoch in done..epochs {
            if self.is_stopped() {
                self.progress.tell(Event::StoppedEarly { done: epoch });
                self.progress.check()?;
                break;
            }
            let since = Instant::now();
            let record = self.train_epoch(trained, epoch)?;
            self.keep_trained(trained, record, since)?;
            self.progress.check()?;
        }
        Ok(())
    }

    /// Whether `retrain.patience` ends the training behind the epochs that are on disk.
    fn is_stopped(&self) -> bool {
        let values = self.retrained().map(|epoch| epoch.val.fitness());
        self.recipe().retrain.patience.is_over(values)
    }

    /// Sees that the best epoch so far is on disk; a crash may have come between the state and its copy as
    /// the best one.
    fn restore_best(&mut self, state: &State) -> Result<(), RunError> {
        let best = self.best();
        let kept = state::read(self.store, names::BEST)?.map(|kept| kept.done);
        if kept == best {
            return Ok(());
        }
        if best != Some(state.done) {
            return Err(damaged(names::BEST, "it is not of the best epoch of the history"));
        }
        state::write(self.store, names::BEST, &state.weights, state.done)
    }

    fn train_epoch(
        &mut self,
        trained: &mut dyn TrainableNetwork,
        epoch: u32,
    ) -> Result<RetrainEpoch, Halt> {
        let retrain = &self.recipe().retrain;
        let rate = retrain.training.learning_rate(retrain.epochs);
        let learning_rate = Rate::over(rate, epoch, retrain.epochs);
        let drop_path = retrain.drop_path.start(epoch, retrain.epochs);
        let pass = Pass { part: Part::All, epoch, learning_rate, drop_path };
        let before = trained.work();
        let loss = trained.train(&pass, &mut self.progress.steps(StepKind::Train, epoch))?;
        self.progress.check()?;
        figure("the loss of the retraining", epoch).check(&[loss])?;
        let val = trained.score(Split::Val, &mut self.progress.steps(StepKind::Val, epoch))?;
        self.progress.check()?;
        let val = figure("the validation score", epoch).check_score(val)?;
        let train = PassReport { loss, cost: 0.0 };
        let (work, learning_rate) = (trained.work().since(before), learning_rate.ends());
        Ok(RetrainEpoch { epoch, learning_rate, train, val, work })
    }

    /// Writes an epoch down, as the search does.
    fn keep_trained(
        &mut self,
        trained: &dyn TrainableNetwork,
        record: RetrainEpoch,
        since: Instant,
    ) -> Result<(), Halt> {
        let (done, of) = (record.epoch.saturating_add(1), self.recipe().retrain.epochs);
        let weights = trained.state().map_err(Halt::backend)?;
        let seconds = since.elapsed().as_secs_f64();
        let kept = Record::Retrain(record.clone());
        self.store.add_epoch(&kept, seconds, &Status { phase: Phase::Retrain, done, of })?;
        self.history.push(kept);
        let best = self.best() == Some(done);
        let both = [names::TRAINEE, names::BEST];
        let names = if best { &both[..] } else { &both[..1] };
        state::write_later(self.store, names, weights, done)?;
        self.progress.tell(Event::Retrained { record: &record, best, seconds });
        Ok(())
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
            .ok_or_else(|| damaged(names::RECORDS, "it has no retraining"))
    }

    /// The picked network as a trial, if a search found it.
    pub(super) fn trial(&self) -> Result<Option<TriedNetwork>, RunError> {
        if self.store.run().goal == Goal::Retrain {
            return Ok(None);
        }
        let candidates: Vec<TriedNetwork> = self.store.read_json(names::CANDIDATES)?;
        let best = candidates.into_iter().next();
        let best = best.ok_or_else(|| damaged(names::CANDIDATES, "it is empty"))?;
        let tried = self.store.records()?.trials()?;
        if !tried.contains(&best) {
            return Err(damaged(names::CANDIDATES, "its best network is none that was tried"));
        }
        if self.store.read_json::<Choices>(names::ASSIGNMENT)? != best.choices {
            return Err(damaged(names::ASSIGNMENT, "it is not the best of the candidates"));
        }
        Ok(Some(best))
    }
}

/// A figure of the retraining.
fn figure(what: &'static str, epoch: u32) -> Figure {
    Figure { what, epoch, setting: "retrain.rate" }
}
