//! Derive: the networks that a strategy asks for are tried, and the best are kept.

use std::cmp::Ordering;
use std::collections::VecDeque;

use nas_ir::Assignment;
use nas_ir::recipe::Objective;
use nas_passes::specialise;

use super::at_work::{AtWork, count};
use crate::error::RunError;
use crate::evaluator::{Evaluator, FailedTrial, Halt};
use crate::event::Event;
use crate::front;
use crate::objective::{self, values};
use crate::random::{Purpose, generator};
use crate::record::{Choices, Front, FrontNetwork, Phase, Status, TriedNetwork, Verdict};
use crate::store::{damaged, names};
use crate::strategies;
use crate::strategy::{Outcome, Strategy};
use crate::trial::Trial;
use crate::work::Work;

/// How many trials may fail before any has a score.
const HOPELESS: usize = 3;

impl AtWork<'_, '_> {
    /// Tries, tells and ranks; writes the candidates and the best assignment.
    pub(super) fn derive(
        &mut self,
        strategy: &mut dyn Strategy,
        evaluator: &mut dyn Evaluator,
        keep: u32,
    ) -> Result<(), Halt> {
        let mut tried = self.try_all(strategy, evaluator)?;
        tried.retain(|outcome| outcome.values.is_some());
        tried.sort_by(|a, b| rank(a, b, &self.recipe().objective));
        if self.recipe().objective.goals.len() > 1 {
            tried = self.keep_front(tried)?;
        } else {
            tried.truncate(keep as usize);
        }
        let tried: Vec<TriedNetwork> = tried.into_iter().map(|outcome| outcome.network).collect();
        self.store.write_json(names::CANDIDATES, &tried)?;
        let best = tried.first().ok_or_else(|| damaged(names::RECORDS, "it has no score"))?;
        self.store.write_json(names::ASSIGNMENT, &best.choices)?;
        self.progress.tell(Event::Ranked { networks: &tried });
        self.progress.check()
    }

    /// Writes the front of ranked networks down, of those with the greatest budget; those that are on it.
    fn keep_front(&mut self, mut tried: Vec<Outcome>) -> Result<Vec<Outcome>, RunError> {
        let budget = tried.first().map(|best| best.network.budget);
        tried.retain(|outcome| Some(outcome.network.budget) == budget);
        let goals = &self.recipe().objective.goals;
        let values: Vec<Vec<f64>> =
            tried.iter().filter_map(|outcome| outcome.values.clone()).collect();
        let (places, worst) = (front::front(&values), front::worst(&values).unwrap_or_default());
        let hypervolume = front::hypervolume(&values, &worst);
        let as_written = |values: &[f64]| -> Vec<f64> {
            let pairs = goals.iter().zip(values);
            pairs.map(|(goal, value)| objective::turned(goal, *value)).collect()
        };
        let on_front = tried.into_iter().zip(values).enumerate();
        let on_front = on_front.filter(|(place, _)| places.contains(place)).map(|(_, on)| on);
        let on_front: Vec<(Outcome, Vec<f64>)> = on_front.collect();
        let networks = on_front.iter().map(|(outcome, values)| FrontNetwork {
            values: as_written(values),
            network: outcome.network.clone(),
        });
        let front = Front {
            goals: goals.iter().map(ToString::to_string).collect(),
            reference: as_written(&worst),
            hypervolume,
            networks: networks.collect(),
        };
        self.store.write_json(names::FRONT, &front)?;
        Ok(on_front.into_iter().map(|(outcome, _)| outcome).collect())
    }

    /// Everything that was tried, in order. As many trials are open as the evaluator takes at once; they are
    /// told in the order in which they were asked for, and right after each the next one is asked for.
    ///
    /// A run that goes on asks for all its trials again, from the first: of those that are on disk the strategy is told what
    /// came of them, as it was then, and so it comes to where it was.
    fn try_all(
        &mut self,
        strategy: &mut dyn Strategy,
        evaluator: &mut dyn Evaluator,
    ) -> Result<Vec<Outcome>, Halt> {
        let jobs = evaluator.jobs().max(1);
        let recorded = self.recorded()?;
        let on_disk = count(recorded.len());
        self.begin(Phase::Derive, on_disk, strategy.trials())?;
        let mut recorded = recorded.into_iter();
        let (mut tried, mut open) = (Vec::new(), VecDeque::new());
        let (mut asked, mut is_over, mut fault) = (0_u32, false, None);
        loop {
            self.keep_budget(strategy, &tried)?;
            while open.len() < jobs && !is_over {
                let rng = &mut generator(self.recipe().seed, Purpose::Trial(asked));
                let Some(trial) = strategy.ask(rng)? else {
                    // Those that are open may have to be told first.
                    is_over = open.is_empty();
                    break;
                };
                if asked >= on_disk {
                    evaluator.begin(asked, &trial)?;
                }
                open.push_back((asked, trial));
                asked = asked.saturating_add(1);
            }
            let Some((number, trial)) = open.pop_front() else { break };
            match recorded.next() {
                Some(network) => {
                    let outcome = self.recalled(trial, network)?;
                    strategy.tell(&outcome);
                    tried.push(outcome);
                }
                None => {
                    let (outcome, failed) = self.try_one(strategy, evaluator, number, trial)?;
                    tried.push(outcome);
                    fault = failed.or(fault);
                    self.progress.check()?;
                }
            }
            let is_hopeless = tried.len() >= HOPELESS || open.is_empty() && is_over;
            if is_hopeless && tried.iter().all(|outcome| outcome.values.is_none()) {
                break;
            }
        }
        if recorded.next().is_some() {
            return Err(
                damaged(names::RECORDS, "it has trials that the search does not ask for").into()
            );
        }
        match fault {
            Some(fault) if tried.iter().all(|outcome| outcome.values.is_none()) => {
                Err(fault.into())
            }
            _ => Ok(tried),
        }
    }

    /// Ends the search where its budget is spent, but for the finals, for which a part of it is kept; at least one network is
    /// tried.
    fn keep_budget(&mut self, strategy: &mut dyn Strategy, tried: &[Outcome]) -> Result<(), Halt> {
        if tried.is_empty() {
            return Ok(());
        }
        let trials: Work = tried.iter().map(|outcome| outcome.network.work).sum();
        let work = self.learned() + trials;
        let allowance = self.allowance(strategy.reserved())?;
        let is_spent = allowance.is_some_and(|allowance| work.thirds() >= allowance);
        if is_spent && strategy.conclude() {
            self.progress.tell(Event::Spent { work });
            self.progress.check()?;
        }
        Ok(())
    }

    /// The trials that are on disk. Those that failed before any had a score are tried again: what made them fail may be
    /// cured.
    fn recorded(&mut self) -> Result<Vec<TriedNetwork>, RunError> {
        let mut trials = self.store.records()?.trials()?;
        if trials.iter().all(|network| network.score().is_none()) {
            trials.clear();
        }
        self.store.keep_trials(trials.len())?;
        Ok(trials)
    }

    /// What is on disk of a trial that is asked for again.
    fn recalled(&self, trial: Trial, network: TriedNetwork) -> Result<Outcome, RunError> {
        let choices: Choices =
            specialise(self.job.space, &trial.assignment).choices.into_iter().collect();
        if network.choices != choices || network.budget != trial.budget {
            let why =
                format!("the search asks for another network as its trial {}", network.number);
            return Err(damaged(names::RECORDS, why));
        }
        self.judged(trial.assignment, network)
    }

    /// A network that was tried, and how good it is: by the objective, or as proxies say, of which no objective knows.
    fn judged(&self, assignment: Assignment, network: TriedNetwork) -> Result<Outcome, RunError> {
        let objective = &self.recipe().objective;
        let is_by_proxies =
            network.budget.is_none() && strategies::are_proxies_cheap(self.recipe())?;
        let values = network.score().map(|score| match is_by_proxies {
            true => Ok(vec![score.fitness()]),
            false => values(objective, score, &network.cost),
        });
        Ok(Outcome { assignment, values: values.transpose()?, network })
    }

    /// Tries a network, tells the strategy and writes it down; what to report of it, if it failed.
    fn try_one(
        &mut self,
        strategy: &mut dyn Strategy,
        evaluator: &mut dyn Evaluator,
        number: u32,
        trial: Trial,
    ) -> Result<(Outcome, Option<RunError>), Halt> {
        let evaluation = evaluator.evaluate(number, &trial, &mut self.progress.beats())?;
        self.progress.check()?;
        let (verdict, fault) = match evaluation.score {
            Ok(score) => (Verdict::Score(score), None),
            Err(FailedTrial { why, report }) => (Verdict::Failed(why), Some(report)),
        };
        let Trial { assignment, budget, drawn, uniform } = trial;
        let network = specialise(self.job.space, &assignment);
        let cost = nas_analysis::costs(&network);
        let choices = network.choices.into_iter().collect();
        let (epoch, work) = (evaluation.epoch, evaluation.work);
        let network =
            TriedNetwork { number, drawn, uniform, choices, cost, verdict, budget, epoch, work };
        let outcome = self.judged(assignment, network)?;
        strategy.tell(&outcome);
        let of = strategy.trials();
        let status = Status { phase: Phase::Derive, done: number.saturating_add(1), of };
        self.store.add_trial(&outcome.network, evaluation.seconds, &status)?;
        self.progress.tell(Event::Scored { number, of, network: &outcome.network });
        Ok((outcome, fault))
    }
}

/// Best first: those of the greatest budget before the others, and of one budget by the objective, or without one by the primary metric and then lower MACs; then earlier tried. Both have
/// values.
fn rank(a: &Outcome, b: &Outcome, objective: &Objective) -> Ordering {
    let value = |outcome: &Outcome| {
        let values = outcome.values.as_deref().unwrap_or_default();
        values.first().copied().unwrap_or(f64::NEG_INFINITY)
    };
    let macs = |outcome: &Outcome| {
        if objective.goals.is_empty() { outcome.network.cost.macs } else { 0 }
    };
    let by_budget = b.network.budget.epochs.cmp(&a.network.budget.epochs);
    let by_value = by_budget.then(value(b).total_cmp(&value(a)));
    by_value.then(macs(a).cmp(&macs(b))).then(a.network.number.cmp(&b.network.number))
}
