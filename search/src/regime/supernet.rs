//! Warm-up and search: weights and choices take turns, hopeless candidates go.

use std::time::Instant;

use nas_ir::{DecisionId, Weights};

use super::{Halt, Run, finite};
use crate::error::RunError;
use crate::evaluator::{Backend, Part, Pass, Supernet};
use crate::event::{Event, Phase, Work};
use crate::record::{Dropped, Record, SearchEpoch, Status};
use crate::store::{Store, names, state};

/// The epochs of the search whose state is on disk.
pub(super) fn epochs_done(store: &Store) -> Result<u32, RunError> {
    state::done(store, names::SUPERNET)
}

impl<B: Backend> Run<'_, '_, B> {
    /// The supernet after the search.
    pub(super) fn search(&mut self) -> Result<B::Supernet, Halt<B::Error>> {
        let mut supernet = self.job.backend.supernet().map_err(Halt::backend)?;
        let mut done = 0;
        if let Some(state) = state::read(self.store, names::SUPERNET)? {
            supernet.restore(&state.weights).map_err(Halt::backend)?;
            done = state.done;
        }
        let epochs = self.recipe().schedule.epochs;
        if done < epochs {
            self.begin(Phase::Search, done, epochs)?;
        }
        for epoch in done..epochs {
            let since = Instant::now();
            let record = self.epoch(&mut supernet, epoch)?;
            let weights = supernet.state().map_err(Halt::backend)?;
            self.keep(record, &weights, since)?;
            self.progress.check()?;
        }
        Ok(supernet)
    }

    fn epoch(
        &mut self,
        supernet: &mut B::Supernet,
        epoch: u32,
    ) -> Result<SearchEpoch, Halt<B::Error>> {
        let recipe = self.job.recipe;
        let schedule = recipe.schedule;
        let warming = epoch < schedule.warmup;
        let temperature = recipe.strategy.temperature.at(
            epoch.saturating_sub(schedule.warmup),
            schedule.epochs.saturating_sub(schedule.warmup),
        );
        let rate = recipe.weights.rate.over(epoch, schedule.epochs);
        let part = if warming { Part::All } else { Part::Weights };
        let pass = Pass { part, epoch, rate, temperature, drop_path: 1.0 };
        let report =
            supernet.train_weights(&pass, &mut self.progress.steps(Work::Weights, epoch))?;
        self.progress.check()?;
        let weights = finite(report, "the loss of the weights", epoch, "weights.rate")?;
        let choices = if warming {
            None
        } else {
            let rate = [recipe.choices.rate; 2];
            let pass = Pass { part: Part::Choices, epoch, rate, temperature, drop_path: 1.0 };
            let report =
                supernet.train_choices(&pass, &mut self.progress.steps(Work::Choices, epoch))?;
            self.progress.check()?;
            Some(finite(report, "the loss of the choices", epoch, "choices.rate")?)
        };
        let probabilities = self.probabilities(supernet)?;
        let dropped =
            if warming { Vec::new() } else { self.prune(supernet, epoch, &probabilities) };
        let entropy = mean_entropy(&probabilities);
        Ok(SearchEpoch {
            epoch,
            temperature,
            rate,
            weights,
            choices,
            entropy,
            probabilities,
            dropped,
        })
    }

    /// Writes an epoch down. The state counts: a line of the history without its state is
    /// dropped when the run goes on.
    fn keep(
        &mut self,
        record: SearchEpoch,
        weights: &Weights,
        since: Instant,
    ) -> Result<(), Halt<B::Error>> {
        let (done, of) = (record.epoch.saturating_add(1), self.recipe().schedule.epochs);
        let line = Record::Search(record);
        self.store.append(names::HISTORY, &line)?;
        state::write(self.store, names::SUPERNET, weights, done)?;
        self.store.write_json(names::STATUS, &Status { phase: Phase::Search, done, of })?;
        let seconds = self.time(Phase::Search, done.saturating_sub(1), since)?;
        if let Record::Search(record) = &line {
            self.progress.tell(Event::EpochDone { record, seconds });
        }
        self.history.push(line);
        Ok(())
    }

    /// The probability of each candidate of each decision.
    pub(super) fn probabilities(&self, supernet: &B::Supernet) -> Result<Vec<Vec<f64>>, RunError> {
        let table = supernet.probabilities();
        let decisions = &self.job.space.decisions;
        if table.len() != decisions.len() {
            let why = format!("{} rows for {} decisions", table.len(), decisions.len());
            return Err(RunError::Probabilities { why });
        }
        for (row, decision) in table.iter().zip(decisions) {
            let sound =
                row.iter().all(|p| p.is_finite() && *p >= 0.0) && row.iter().any(|p| *p > 0.0);
            if row.len() != decision.candidates.len() || !sound {
                return Err(RunError::Probabilities { why: format!("{}: {row:?}", decision.path) });
            }
        }
        Ok(table)
    }

    /// Drops the candidates that became improbable, never the most probable one of a decision.
    fn prune(
        &mut self,
        supernet: &mut B::Supernet,
        epoch: u32,
        probabilities: &[Vec<f64>],
    ) -> Vec<Dropped> {
        let below = self.recipe().strategy.prune_below;
        let mut dropped = Vec::new();
        for ((id, decision), row) in self.job.space.decision_ids().zip(probabilities) {
            let best = most_probable(row);
            for (candidate, (name, &probability)) in decision.candidates.iter().zip(row).enumerate()
            {
                if probability >= below || candidate == best || self.is_dropped(id, name) {
                    continue;
                }
                supernet.drop_candidate(id, candidate);
                let (decision, candidate) = (decision.path.clone(), name.clone());
                dropped.push(Dropped { decision, candidate, probability });
            }
        }
        for dropped in &dropped {
            self.progress.tell(Event::Dropped { epoch, dropped });
        }
        dropped
    }

    /// Whether an earlier epoch dropped a candidate.
    fn is_dropped(&self, decision: DecisionId, candidate: &str) -> bool {
        let path = self.job.space.decision(decision).map(|d| d.path.as_str());
        self.history.iter().any(|record| match record {
            Record::Search(epoch) => epoch
                .dropped
                .iter()
                .any(|d| Some(d.decision.as_str()) == path && d.candidate == candidate),
            Record::Retrain(_) => false,
        })
    }
}

/// The index of the largest; the first of equals.
pub(super) fn most_probable(row: &[f64]) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (i, &probability) in row.iter().enumerate() {
        if probability > best.1 {
            best = (i, probability);
        }
    }
    best.0
}

/// Mean over the rows of `-sum p ln p`, in nats.
fn mean_entropy(rows: &[Vec<f64>]) -> f64 {
    let entropy =
        |row: &Vec<f64>| -> f64 { row.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum() };
    if rows.is_empty() { 0.0 } else { rows.iter().map(entropy).sum::<f64>() / rows.len() as f64 }
}
