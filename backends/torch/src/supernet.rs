//! The supernet of a space in training: what a search asks of shared weights, on libtorch.

use std::sync::Arc;

use nas_ir::{Assignment, Checked, DecisionId, Space, Weights};
use nas_search::evaluator::{OnStep, Part, Pass, PassReport, Split, Stop};
use nas_search::objective::Penalty;
use nas_search::shared::{InTurns, Paths, Relaxed, SharedWeights};
use nas_search::work::Work;
use nas_search::{Fault, Metrics};

use crate::error::TorchError;
use crate::loaders::Loaders;
use crate::mixture::Mixture;
use crate::passes::{Exam, TrainBatch, failed, train, train_in_turns};

/// The supernet of a space: every candidate with weights of its own, those of elastic decisions
/// with parts of the same.
///
/// Its state holds, beside the weights by name, `optimizer/…`, and where choices are relaxed
/// `choices/PATH` (logits) and `dropped/PATH` (1 for a pruned candidate).
pub struct TorchSupernet {
    pub(crate) space: Arc<Checked<Space>>,
    pub(crate) mixture: Mixture,
    pub(crate) loaders: Loaders,
    /// The images that the weights learn on.
    pub(crate) trained_on: Part,
    /// Batches over which the running statistics of a network are estimated that is scored; with 0 it has those of the supernet.
    pub(crate) estimate: usize,
    pub(crate) work: Work,
}

impl TorchSupernet {
    /// The running statistics of the supernet come from many networks at once; those of the network
    /// are estimated anew over a few training batches.
    fn score_inherited(
        &mut self,
        assignment: &Assignment,
        on_step: OnStep<'_>,
    ) -> Result<Metrics, Stop<TorchError>> {
        let own = self.estimate > 0;
        let network = self.mixture.inherit(&self.space, assignment, own).map_err(failed)?;
        let (loaders, part) = (&mut self.loaders, self.trained_on);
        let estimate = self.estimate.min(loaders.part(part).map_err(failed)?.batches());
        let of = estimate + loaders.ranking().map_err(failed)?.batches();
        let mut exam = Exam::new(loaders, of, on_step);
        if own {
            let batches = loaders.part(part).map_err(failed)?.epoch(0).take(estimate);
            exam.estimate(&network, batches)?;
        }
        let batches = loaders.ranking().map_err(failed)?.epoch(0);
        let metrics = exam.score(&mut &network, Split::Ranking, batches)?;
        self.work += Work::forward(exam.images);
        Ok(metrics)
    }

    /// Lets the weights learn, or fixes them.
    fn let_weights_learn(&self, learn: bool) -> Result<(), Stop> {
        let set = self.mixture.parameters.require_gradients(learn);
        set.map_err(|error| Stop::Failed(error.into()))
    }
}

impl SharedWeights for TorchSupernet {
    fn steps(&mut self, part: Part) -> Result<usize, Fault> {
        Ok(self.loaders.part(part).map_err(Fault::from)?.batches())
    }

    fn train(&mut self, pass: &Pass, paths: &Paths, on_step: OnStep<'_>) -> Result<f64, Stop> {
        self.let_weights_learn(true)?;
        let Self { space, mixture, loaders, work, .. } = self;
        let report = train(loaders, pass, on_step, |batch| {
            let networks = paths.steps.get(batch.step).map_or(&[][..], Vec::as_slice);
            *work += Work::training(batch.count()).times(networks.len() as u64);
            Ok((mixture.path_step(space, batch, networks, paths.lesson)?, 0.0))
        });
        Ok(report.map_err(Stop::boxed)?.loss)
    }

    fn score(&mut self, assignment: &Assignment, on_step: OnStep<'_>) -> Result<Metrics, Stop> {
        self.score_inherited(assignment, on_step).map_err(Stop::boxed)
    }

    fn work(&self) -> Work {
        self.work
    }

    fn state(&self) -> Result<Weights, Fault> {
        self.mixture.state().map_err(Fault::from)
    }

    fn restore(&mut self, state: &Weights) -> Result<(), Fault> {
        self.mixture.restore(state).map_err(Fault::from)
    }
}

impl Relaxed for TorchSupernet {
    fn train_mixed(
        &mut self,
        pass: &Pass,
        temperature: f64,
        penalty: &Penalty,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop> {
        self.let_weights_learn(true)?;
        let Self { mixture, loaders, work, .. } = self;
        let (cost, _) = penalty.expected(&mixture.choices.probabilities());
        let report = train(loaders, pass, on_step, |batch| {
            *work += Work::training(batch.count());
            Ok((mixture.weight_step(&TrainBatch { temperature, ..*batch })?, cost))
        });
        report.map_err(Stop::boxed)
    }

    fn train_choices(
        &mut self,
        pass: &Pass,
        temperature: f64,
        penalty: &Penalty,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop> {
        self.let_weights_learn(false)?;
        let Self { space, mixture, loaders, work, .. } = self;
        let expected = |probabilities: &[Vec<f64>]| penalty.expected(probabilities);
        let report = train(loaders, pass, on_step, |batch| {
            *work += mixture.choice_work(batch.count());
            let batch = TrainBatch { temperature, ..*batch };
            mixture.choice_step(space, &batch, penalty.factor(), &expected)
        });
        report.map_err(Stop::boxed)
    }

    fn train_in_turns(
        &mut self,
        turns: &InTurns,
        penalty: &Penalty,
        on_step: OnStep<'_>,
    ) -> Result<[PassReport; 2], Stop> {
        let Self { space, mixture, loaders, work, .. } = self;
        let expected = |probabilities: &[Vec<f64>]| penalty.expected(probabilities);
        let report = train_in_turns(loaders, turns, on_step, |[weights, choices]| {
            // To look a step ahead takes that step, and two gradients for a difference of second order.
            let steps = if turns.is_unrolled { 4 } else { 1 };
            *work += Work::training(weights.count()).times(steps);
            *work += mixture.choice_work(choices.count());
            mixture.parameters.require_gradients(turns.is_unrolled)?;
            let of_choices = if turns.is_unrolled {
                mixture.unrolled_choice_step([weights, choices], penalty.factor(), &expected)?
            } else {
                mixture.choice_step(space, choices, penalty.factor(), &expected)?
            };
            mixture.parameters.require_gradients(true)?;
            Ok([(mixture.weight_step(weights)?, of_choices.1), of_choices])
        });
        report.map_err(Stop::boxed)
    }

    fn probabilities(&self) -> Vec<Vec<f64>> {
        self.mixture.choices.probabilities()
    }

    fn prune(&mut self, decision: DecisionId, candidate: usize) {
        self.mixture.choices.prune(decision.index(), candidate);
    }

    fn is_pruned(&self, decision: DecisionId, candidate: usize) -> bool {
        self.mixture.choices.is_pruned(decision, candidate)
    }
}
