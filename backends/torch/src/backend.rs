//! What a search trains, on libtorch: the traits of `nas_search`.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use nas_analysis::ExpectedCost;
use nas_data::Dataset;
use nas_ir::recipe::Recipe;
use nas_ir::{Assignment, Checked, DecisionId, Network, Node, Shape, Space, Task, Weights};
use nas_search::Metrics;
use nas_search::evaluator::{
    Backend, OnStep, Part, Pass, PassReport, Split, Stop, Supernet, Trainee,
};
use tch::Device;

use crate::build::largest;
use crate::error::{Phase, TorchError};
use crate::loaders::Loaders;
use crate::lower::Statistics;
use crate::mixture::{Mixture, Settings, loss};
use crate::network::TorchNetwork;
use crate::optimizer::Sgd;
use crate::passes::{Exam, failed, score, train};
use crate::program::{Evaluation, Plan};
use crate::task::target_kind;

/// How a run uses the machine, and what the recipe does not say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Where tensors live.
    pub device: Device,
    /// Threads of libtorch's kernels; [`default_threads`] if `None`. Another number may change the
    /// last digits of a result.
    pub threads: Option<u32>,
    /// Gradients of the weights whose norm is larger are scaled down to it (DARTS uses 5).
    pub clip: Option<f64>,
    /// Training batches over which the statistics of batch norm are taken before a network is
    /// scored with the weights of the supernet; 0 takes the supernet's running statistics. On
    /// the land-cover set, inherited weights then score 0.36 rather than 0.31 mIoU after a hard
    /// search and 0.26 rather than 0.19 after a soft one; more than two batches change little.
    pub estimate: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { device: Device::Cpu, threads: None, clip: Some(5.0), estimate: 4 }
    }
}

/// Has the kernels that this thread starts run on as many threads, at least one.
pub(crate) fn use_threads(threads: u32) {
    tch::set_num_threads(i32::try_from(threads).unwrap_or(1).max(1));
}

/// Half of the cores that the process may use, at least one. The threads of a kernel wait for each
/// other without sleeping, so that one that gets no core holds up all: with two threads on two cores
/// that other programs use too, an epoch on the land-cover set takes 30 to 50 s, with one 6 to 9 s.
/// The other half is for the data loader and for other programs; on processors with two threads a
/// core it would add little.
#[must_use]
pub fn default_threads() -> u32 {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    u32::try_from(cores / 2).unwrap_or(u32::MAX).max(1)
}

/// Trains the networks of one space by one recipe.
pub struct TorchBackend {
    space: Arc<Checked<Space>>,
    recipe: Recipe,
    dataset: Dataset,
    options: Options,
    task: Task,
    input: Shape,
}

impl TorchBackend {
    /// A backend for a space, a recipe and an opened data set. Sets the number of libtorch's
    /// threads for the whole process. Reads no image yet.
    ///
    /// # Errors
    /// The space is for no task that is trained here, or the data set holds no targets for it.
    pub fn new(
        space: Arc<Checked<Space>>,
        recipe: Recipe,
        dataset: Dataset,
        options: Options,
    ) -> Result<Self, TorchError> {
        let (task, input) = trainable(&space)?;
        check_targets(&space, task, &dataset)?;
        use_threads(options.threads.unwrap_or_else(default_threads));
        Ok(Self { space, recipe, dataset, options, task, input })
    }

    fn loaders(&self, batch: u32) -> Loaders {
        let Self { dataset, recipe, task, input, options, .. } = self;
        Loaders::new(dataset, recipe, *task, *input, batch, options.device)
    }
}

/// What the space is for, and the largest shape of its input.
fn trainable(space: &Space) -> Result<(Task, Shape), TorchError> {
    let fault =
        |reason: &str| TorchError::Task { space: space.name.clone(), reason: reason.to_owned() };
    let task = match space.task {
        Some(task @ (Task::Segmentation { .. } | Task::Classification { .. })) => task,
        None => return Err(fault("it has no task")),
    };
    let inputs: Vec<&Node> = space.graph.inputs().map(|(_, node)| node).collect();
    let ([input], 1) = (inputs.as_slice(), space.graph.outputs().count()) else {
        return Err(fault("it has several inputs or outputs"));
    };
    let is_image = |shape: &Shape| shape.channels() == 3 && shape.spatial().is_some();
    if let Some(other) = input.shape.values().iter().find(|shape| !is_image(shape)) {
        return Err(fault(&format!("its input is {other}, no image")));
    }
    Ok((task, largest(&input.shape)))
}

/// Whether the data set holds what the task needs.
fn check_targets(space: &Space, task: Task, dataset: &Dataset) -> Result<(), TorchError> {
    let (needed, found) = (target_kind(task), dataset.kind);
    if needed == found {
        return Ok(());
    }
    let (space, task, root) = (space.name.clone(), task.describe(), dataset.root.clone());
    Err(TorchError::Targets { space, task, needed, root, found })
}

impl Backend for TorchBackend {
    type Error = TorchError;
    type Supernet = TorchSupernet;
    type Trainee = TorchTrainee;

    fn supernet(&self) -> Result<TorchSupernet, TorchError> {
        let Recipe { strategy, weights, choices, objective, seed, data, .. } = &self.recipe;
        let settings = Settings {
            mixing: strategy.mixing,
            adam: *choices,
            momentum: weights.momentum,
            decay: weights.decay,
            clip: self.options.clip,
            seed: *seed,
            device: self.options.device,
        };
        let mixture = Mixture::new(&self.space, settings)?;
        let expected = ExpectedCost::new(&self.space, objective.measure)
            .map_err(|reason| TorchError::entangled(&self.space, &reason))?;
        Ok(TorchSupernet {
            space: Arc::clone(&self.space),
            loaders: self.loaders(data.batch),
            factor: objective.factor,
            expected,
            mixture,
            options: self.options,
        })
    }

    fn trainee(&self, network: Network) -> Result<TorchTrainee, TorchError> {
        let Recipe { retrain, seed, .. } = &self.recipe;
        let Options { clip, device, .. } = self.options;
        let network = TorchNetwork::in_training(&network, self.input, *seed, device)?;
        let plan = Plan::in_training(&network.program);
        let sgd = Sgd::new(&network.parameters, retrain.momentum, retrain.decay, clip)?;
        Ok(TorchTrainee { network, plan, sgd, loaders: self.loaders(retrain.batch) })
    }
}

/// The supernet of a space: every candidate with weights of its own, those of elastic decisions
/// with parts of the same.
///
/// Its state holds, beside the weights by name, `choices/PATH` (logits), `dropped/PATH` (1 for a
/// dropped candidate) and `optimizer/…`.
pub struct TorchSupernet {
    space: Arc<Checked<Space>>,
    pub(crate) mixture: Mixture,
    loaders: Loaders,
    /// What one unit of the measure adds to the loss.
    factor: f64,
    expected: ExpectedCost,
    options: Options,
}

impl Supernet for TorchSupernet {
    type Error = TorchError;

    fn train_weights(
        &mut self,
        pass: &Pass,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop<TorchError>> {
        let Self { mixture, loaders, expected, .. } = self;
        mixture.parameters.require_gradients(true).map_err(failed)?;
        let (cost, _) = expected.evaluate(&mixture.choices.probabilities());
        train(loaders, pass, on_step, |batch| Ok((mixture.weight_step(batch)?, cost)))
    }

    fn train_choices(
        &mut self,
        pass: &Pass,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop<TorchError>> {
        let Self { mixture, loaders, expected, factor, .. } = self;
        mixture.parameters.require_gradients(false).map_err(failed)?;
        let expected = |probabilities: &[Vec<f64>]| expected.evaluate(probabilities);
        train(loaders, pass, on_step, |batch| mixture.choice_step(batch, *factor, &expected))
    }

    fn probabilities(&self) -> Vec<Vec<f64>> {
        self.mixture.choices.probabilities()
    }

    fn drop_candidate(&mut self, decision: DecisionId, candidate: usize) {
        self.mixture.choices.drop_candidate(decision.index(), candidate);
    }

    /// The running statistics of the supernet come from mixtures of candidates, which no network
    /// has; those of the network are estimated anew over a few training batches.
    fn score(
        &mut self,
        assignment: &Assignment,
        on_step: OnStep<'_>,
    ) -> Result<Metrics, Stop<TorchError>> {
        let own = self.options.estimate > 0;
        let network = self.mixture.inherit(&self.space, assignment, own).map_err(failed)?;
        let loaders = &mut self.loaders;
        let estimate =
            self.options.estimate.min(loaders.part(Part::Weights).map_err(failed)?.batches());
        let of = estimate + loaders.split(Split::Val).map_err(failed)?.batches();
        let mut exam = Exam::new(loaders, of, on_step);
        if own {
            let batches = loaders.part(Part::Weights).map_err(failed)?.epoch(0).take(estimate);
            exam.estimate(&network, batches)?;
        }
        exam.score(&network, loaders.split(Split::Val).map_err(failed)?.epoch(0))
    }

    fn state(&self) -> Result<Weights, TorchError> {
        self.mixture.state()
    }

    fn restore(&mut self, state: &Weights) -> Result<(), TorchError> {
        self.mixture.restore(state)
    }
}

/// One network in training.
pub struct TorchTrainee {
    network: TorchNetwork,
    /// How a training step evaluates it.
    plan: Plan,
    sgd: Sgd,
    loaders: Loaders,
}

impl TorchTrainee {
    /// The network as it is now.
    #[must_use]
    pub fn network(&self) -> &TorchNetwork {
        &self.network
    }
}

impl Trainee for TorchTrainee {
    type Error = TorchError;

    fn train(&mut self, pass: &Pass, on_step: OnStep<'_>) -> Result<PassReport, Stop<TorchError>> {
        let Self { network, plan, sgd, loaders } = self;
        network.parameters.require_gradients(true).map_err(failed)?;
        train(loaders, pass, on_step, |batch| {
            let evaluation = Evaluation { plan, ..network.evaluation(Statistics::Learn) };
            let (loss, value) = loss(&evaluation, batch, Phase::Network)?;
            let rows = network.program.weights(plan).into_iter();
            sgd.step(&network.parameters, rows, &loss, batch.rate)?;
            Ok((value, 0.0))
        })
    }

    fn score(&mut self, split: Split, on_step: OnStep<'_>) -> Result<Metrics, Stop<TorchError>> {
        score(&mut self.loaders, &self.network, split, on_step)
    }

    fn load(&mut self, weights: &Weights) -> Result<(), TorchError> {
        self.network.load_evaluated(weights)
    }

    fn state(&self) -> Result<Weights, TorchError> {
        let mut state = self.network.weights()?;
        self.sgd.save(&self.network.parameters, &mut state)?;
        Ok(state)
    }

    fn restore(&mut self, state: &Weights) -> Result<(), TorchError> {
        self.network.load(state)?;
        self.sgd.load(&self.network.parameters, state)
    }
}
