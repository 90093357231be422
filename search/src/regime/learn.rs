//! Search: a strategy trains its supernet, epoch by epoch, and then has its networks tried.

use std::time::Instant;

use nas_ir::Weights;
use rand::RngCore;

use super::at_work::{AtWork, Scores};
use super::evaluators::{FromScratch, FromTable, Inherited};
use super::proxies::ByProxies;
use crate::command::CommandScorer;
use crate::error::RunError;
use crate::evaluator::Halt;
use crate::event::Event;
use crate::random::{Purpose, generator};
use crate::record::{Phase, Record, SearchEpoch, Status};
use crate::shared::SharedWeights;
use crate::store::{names, state};
use crate::strategy::{Method, OneShot, Scorer, Turn};

impl AtWork<'_, '_> {
    /// Lets a strategy search; the best network that it finds is on disk then.
    pub(super) fn search(&mut self, method: Method<'_>, keep: u32) -> Result<(), Halt> {
        match method {
            Method::Relaxed(relaxation, mut strategy) => {
                let mut supernet = self.backend()?.relaxed(&relaxation).map_err(Halt::backend)?;
                self.one_shot(strategy.as_mut(), supernet.as_mut(), keep)
            }
            Method::Shared(sharing, mut strategy) => {
                let mut supernet = self.backend()?.shared(sharing).map_err(Halt::backend)?;
                self.one_shot(strategy.as_mut(), supernet.as_mut(), keep)
            }
            Method::Alone(mut strategy, Scorer::Training) => {
                let (space, recipe, backend) = (self.job.space, self.recipe(), self.backend()?);
                let mut evaluator =
                    FromScratch::new(space, recipe, backend).map_err(RunError::from)?;
                self.derive(strategy.as_mut(), &mut evaluator, keep)
            }
            Method::Alone(mut strategy, Scorer::Proxies(settings)) => {
                let (space, recipe, backend) = (self.job.space, self.recipe(), self.backend()?);
                let from_scratch =
                    FromScratch::new(space, recipe, backend).map_err(RunError::from)?;
                let proxies = backend.proxies(settings.images).map_err(Halt::backend)?;
                let mut evaluator = ByProxies::new(space, proxies, settings, from_scratch);
                self.derive(strategy.as_mut(), &mut evaluator, keep)
            }
            Method::Alone(mut strategy, Scorer::Command(settings)) => {
                let Scores::Command(exports) = self.job.scores else {
                    return Err(RunError::NoCommand.into());
                };
                let seed = self.recipe().seed;
                // Half of what 32 bits hold: every generator takes it.
                let seed = |number| generator(seed, Purpose::Command(number)).next_u32() >> 1;
                let trials = self.store.absolute(names::TRIALS)?;
                let space = self.job.space;
                let mut evaluator = CommandScorer::new(space, settings, exports, trials, &seed);
                self.derive(strategy.as_mut(), &mut evaluator, keep)
            }
            Method::Alone(mut strategy, Scorer::Table) => {
                let Scores::Known(table) = self.job.scores else {
                    return Err(RunError::NoTable.into());
                };
                let mut evaluator = FromTable { space: self.job.space, table };
                self.derive(strategy.as_mut(), &mut evaluator, keep)
            }
        }
    }

    fn one_shot<S: SharedWeights + ?Sized>(
        &mut self,
        strategy: &mut dyn OneShot<S>,
        supernet: &mut S,
        keep: u32,
    ) -> Result<(), Halt> {
        self.learn(strategy, supernet)?;
        let recipe = self.recipe();
        strategy.learned(supernet, &mut generator(recipe.seed, Purpose::Learned))?;
        let (space, backend) = (self.job.space, self.backend()?);
        let from_scratch = FromScratch::new(space, recipe, backend).map_err(RunError::from)?;
        // Which networks a budget allows is known one by one.
        let is_free = self.allowance(strategy.reserved())?.is_none();
        let at_once = (is_free && strategy.is_independent())
            .then(|| supernet.share_out(strategy.trials() as usize));
        let mut evaluator = Inherited::new(supernet, at_once, recipe.schedule.epochs, from_scratch);
        self.derive(strategy, &mut evaluator, keep)
    }

    fn learn<S: SharedWeights + ?Sized>(
        &mut self,
        strategy: &mut dyn OneShot<S>,
        supernet: &mut S,
    ) -> Result<(), Halt> {
        let mut done = 0;
        if let Some(state) = state::read(self.store, names::SUPERNET)? {
            supernet.restore(&state.weights).map_err(Halt::backend)?;
            done = state.done;
        }
        let (epochs, seed) = (self.recipe().schedule.epochs, self.recipe().seed);
        if done < epochs {
            self.begin(Phase::Search, done, epochs)?;
        }
        for epoch in done..epochs {
            if self.is_last(strategy.reserved())? {
                let work = self.learned();
                self.progress.tell(Event::Spent { work });
                return self.progress.check();
            }
            let since = Instant::now();
            let rng = &mut generator(seed, Purpose::Epoch(epoch));
            let turn = Turn { epoch, rng, progress: &mut self.progress };
            let before = supernet.work();
            let mut record = strategy.epoch(supernet, turn)?;
            record.work = supernet.work().since(before);
            let weights = supernet.state().map_err(Halt::backend)?;
            self.keep(record, weights, since)?;
            self.progress.check()?;
        }
        Ok(())
    }

    /// Whether the budget of the search has no room for another epoch like the last one. Of the first it is not known.
    fn is_last(&self, finals: u64) -> Result<bool, Halt> {
        let Some(Record::Search(last)) = self.history.last() else { return Ok(false) };
        let next = self.learned() + last.work;
        Ok(self.allowance(finals)?.is_some_and(|allowance| next.thirds() > allowance))
    }

    /// Writes an epoch down. The state counts: an epoch of the history without its state is dropped when the run goes
    /// on.
    fn keep(&mut self, record: SearchEpoch, weights: Weights, since: Instant) -> Result<(), Halt> {
        let (done, of) = (record.epoch.saturating_add(1), self.recipe().schedule.epochs);
        let seconds = since.elapsed().as_secs_f64();
        let epoch = Record::Search(record);
        self.store.add_epoch(&epoch, seconds, &Status { phase: Phase::Search, done, of })?;
        state::write_later(self.store, &[names::SUPERNET], weights, done)?;
        if let Record::Search(record) = &epoch {
            self.progress.tell(Event::EpochDone { record, seconds });
        }
        self.history.push(epoch);
        Ok(())
    }
}
