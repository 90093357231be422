//! The supernet of a space in training: what a search asks of shared weights, on libtorch.

use std::sync::Arc;

use nas_data::Loader;
use nas_ir::{Assignment, Checked, DecisionId, Space, Weights};
use nas_search::evaluator::{OnStep, Part, Pass, PassReport, Split, Stop};
use nas_search::objective::Penalty;
use nas_search::shared::{self, Beside, InTurns, Paths, Relaxed, SharedWeights};
use nas_search::work::Work;
use nas_search::{Fault, Metrics};

use crate::error::TorchError;
use crate::forecast::Forecast;
use crate::loaders::Loaders;
use crate::mixture::Mixture;
use crate::network::TorchNetwork;
use crate::passes::{Exam, TrainBatch, train, train_in_turns};
use crate::threads::use_threads;
use crate::upload::Upload;

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
    pub(crate) seats: Seats,
    pub(crate) work: Work,
}

/// How networks are scored beside each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seats {
    /// How many at most: as many as take half of the memory of a step, of which more is left over between them.
    most: usize,
    /// How many of these at once: as many as the memory is enough for that a run may take. Each has as many threads all the same,
    /// on which last digits may depend.
    within: usize,
    /// All threads.
    threads: u32,
    /// Those that each has.
    each: u32,
}

impl Seats {
    /// Those of a supernet whose training takes so much, and so much within the memory that it may take; `ahead` are the bytes of
    /// pictures that wait for a score. There are `most` at most.
    pub(crate) fn new([whole, within]: [Forecast; 2], ahead: u64, most: u32, threads: u32) -> Self {
        let fits = |forecast: Forecast| {
            let each = forecast.scoring.saturating_add(ahead).max(1);
            usize::try_from(forecast.step / 2 / each)
                .unwrap_or(usize::MAX)
                .clamp(1, most.max(1) as usize)
        };
        Self { most: fits(whole), within: fits(within), threads, each: threads }
    }
}

impl TorchSupernet {
    /// The running statistics of the supernet come from many networks at once; those of the network
    /// are estimated anew over a few training batches.
    fn inherited(&mut self, assignment: &Assignment) -> Result<Inherited, TorchError> {
        let own = self.estimate > 0;
        let network = self.mixture.inherit(&self.space, assignment, own)?;
        let trained_on = self.loaders.part(self.trained_on)?;
        let estimate = self.estimate.min(trained_on.batches());
        let own = own.then(|| (trained_on.clone(), estimate));
        let ranking = self.loaders.ranking()?.clone();
        Ok(Inherited { network, own, ranking, upload: self.loaders.upload() })
    }

    /// Lets the weights learn, or fixes them.
    fn let_weights_learn(&self, learn: bool) -> Result<(), Stop> {
        let set = self.mixture.parameters.require_gradients(learn);
        set.map_err(|error| Stop::Failed(error.into()))
    }
}

/// A network with weights of the supernet, and the images on which it is scored.
struct Inherited {
    network: TorchNetwork,
    /// Over how many batches of which images its running statistics are estimated.
    own: Option<(Loader, usize)>,
    ranking: Loader,
    upload: Upload,
}

impl Inherited {
    fn score(self, on_step: OnStep<'_>) -> Result<(Metrics, Work), Stop<TorchError>> {
        let Self { network, own, ranking, upload } = self;
        let of = own.as_ref().map_or(0, |(_, batches)| *batches) + ranking.batches();
        let mut exam = Exam::new(upload, of, on_step);
        if let Some((images, batches)) = own {
            exam.estimate(&network, images.epoch(0).take(batches))?;
        }
        let metrics = exam.score(&mut &network, Split::Ranking, ranking.epoch(0))?;
        Ok((metrics, Work::forward(exam.images)))
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

    fn exam(&mut self, assignment: &Assignment, beside: Beside) -> Result<shared::Exam, Fault> {
        let inherited = self.inherited(assignment).map_err(Fault::from)?;
        let Seats { threads, each, .. } = self.seats;
        Ok(Box::new(move |on_step| {
            if beside == Beside::Others {
                use_threads(each);
            }
            let score = inherited.score(on_step).map_err(Stop::boxed);
            // libtorch gives the number of one thread to those that are made after.
            use_threads(threads);
            score
        }))
    }

    fn share_out(&mut self, networks: usize) -> usize {
        let Seats { most, within, threads, .. } = self.seats;
        let beside = most.min(networks).max(1);
        self.seats.each = (threads / u32::try_from(beside).unwrap_or(u32::MAX)).max(1);
        beside.min(within)
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
