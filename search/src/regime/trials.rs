//! Derive: the networks that a strategy asks for are tried, and the best are kept.

use std::cmp::Ordering;
use std::time::Instant;

use nas_ir::Measure;
use nas_passes::{from_choices, specialise};
use serde_json::Value;

use super::at_work::{AtWork, Purpose, count, generator};
use crate::error::RunError;
use crate::evaluator::{Evaluator, Halt};
use crate::event::{Event, StepKind};
use crate::record::{Phase, Status, TrialLine, TriedNetwork};
use crate::store::{damaged, names};
use crate::strategy::{Outcome, Strategy};
use crate::trial::Trial;

impl AtWork<'_, '_> {
    /// Tries, tells and ranks; writes the candidates and the best assignment.
    pub(super) fn derive(
        &mut self,
        strategy: &mut dyn Strategy,
        evaluator: &mut dyn Evaluator,
        keep: u32,
    ) -> Result<(), Halt> {
        let mut tried = self.restore_trials(strategy)?;
        self.begin(Phase::Derive, count(tried.len()), strategy.trials())?;
        loop {
            let number = count(tried.len());
            let rng = &mut generator(self.recipe().seed, Purpose::Trial(number));
            let Some(trial) = strategy.ask(rng)? else { break };
            let of = strategy.trials();
            tried.push(self.try_one(strategy, evaluator, trial, number, of)?);
            self.progress.check()?;
        }
        tried.sort_by(|a, b| rank(a, b, self.recipe().objective.measure));
        tried.truncate(keep as usize);
        self.store.write_json(names::CANDIDATES, &tried)?;
        let best = tried.first().ok_or_else(|| damaged(names::SCORES, "it is empty"))?;
        self.store.write_json(names::ASSIGNMENT, &best.choices)?;
        self.progress.tell(Event::Ranked { networks: &tried });
        self.progress.check()
    }

    /// The trials that are on disk; the strategy goes on behind them.
    fn restore_trials(
        &mut self,
        strategy: &mut dyn Strategy,
    ) -> Result<Vec<TriedNetwork>, RunError> {
        let lines: Vec<TrialLine> = self.store.lines(names::SCORES)?;
        self.store.keep_lines(names::SCORES, lines.len())?;
        let state = lines.last().map_or(Value::Null, |line| line.state.clone());
        let outcomes = lines.into_iter().map(|line| {
            let chosen = line.network.choices.iter();
            let chosen = chosen.map(|(path, candidate)| (path.as_str(), candidate.as_str()));
            let assignment = from_choices(self.job.space, chosen)
                .map_err(|_| damaged(names::SCORES, "the space has no such network"))?;
            Ok(Outcome { assignment, network: line.network })
        });
        let outcomes = outcomes.collect::<Result<Vec<Outcome>, RunError>>()?;
        let restored = strategy.restore(&outcomes, &state);
        restored.map_err(|why| damaged(names::SCORES, why))?;
        Ok(outcomes.into_iter().map(|outcome| outcome.network).collect())
    }

    fn try_one(
        &mut self,
        strategy: &mut dyn Strategy,
        evaluator: &mut dyn Evaluator,
        trial: Trial,
        number: u32,
        of: u32,
    ) -> Result<TriedNetwork, Halt> {
        let since = Instant::now();
        let network = specialise(self.job.space, &trial.assignment);
        let cost = nas_analysis::costs(&network);
        let score =
            evaluator.evaluate(&trial, &mut self.progress.steps(StepKind::Score, number))?;
        self.progress.check()?;
        let Trial { assignment, budget, drawn } = trial;
        let choices = network.choices.into_iter().collect();
        let network = TriedNetwork { number, drawn, choices, cost, score, budget };
        let outcome = Outcome { assignment, network };
        strategy.tell(&outcome);
        let line = TrialLine { network: outcome.network, state: strategy.state() };
        self.store.append(names::SCORES, &line)?;
        let status = Status { phase: Phase::Derive, done: number.saturating_add(1), of };
        self.store.write_json(names::STATUS, &status)?;
        self.time(Phase::Derive, number, since)?;
        self.progress.tell(Event::Scored { number, of, network: &line.network });
        Ok(line.network)
    }
}

/// Best first: by the primary metric, then lower cost, then earlier tried.
fn rank(a: &TriedNetwork, b: &TriedNetwork, measure: Measure) -> Ordering {
    let cost = |network: &TriedNetwork| network.cost.of(measure);
    let by_score = a.score.best_first(&b.score);
    by_score.then(cost(a).cmp(&cost(b))).then(a.number.cmp(&b.number))
}
