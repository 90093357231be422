//! One network in training.

use nas_ir::Weights;
use nas_ir::recipe::Training;
use nas_search::backend::TrainableNetwork;
use nas_search::evaluator::{OnStep, Pass, PassReport, Split, Stop};
use nas_search::work::Work;
use nas_search::{Fault, Metrics};

use crate::error::{Phase, TorchError};
use crate::evaluation::Evaluation;
use crate::examples::{Example, examples};
use crate::learned::{LearnedParts, in_parts, learned};
use crate::loaders::Loaders;
use crate::network::TorchNetwork;
use crate::optimizer::{Descent, Gradients, Optimizer};
use crate::passes::{TrainBatch, failed, score, train};
use crate::patterns::Patterns;
use crate::schedule::Schedule;
use crate::statistics::Statistics;
use crate::teaching::Teaching;

/// One network in training.
pub struct TorchTrainable {
    network: TorchNetwork,
    /// What a training step evaluates.
    schedule: Schedule,
    optimizer: Optimizer,
    loaders: Loaders,
    /// Which statistics batch norms take in training.
    statistics: Statistics,
    /// What it learns from beside the targets.
    teaching: Option<Teaching>,
    work: Work,
}

impl TorchTrainable {
    /// A network to be trained so, on what these loaders give, and by a teacher if there is one.
    pub(crate) fn new(
        mut network: TorchNetwork,
        training: &Training,
        clip: Option<f64>,
        loaders: Loaders,
        teaching: Option<Teaching>,
    ) -> Result<Self, TorchError> {
        if let Some(freeze) = &training.freeze {
            network.parameters.freeze(&Patterns::of(freeze));
        }
        let network = network.training_in(training.precision);
        let schedule = Schedule::in_training(&network.program)?;
        let optimizer = Optimizer::new(&network.parameters, training, clip)?;
        let (statistics, work) = (Statistics::Learn, Work::default());
        Ok(Self { network, schedule, optimizer, loaders, statistics, teaching, work })
    }

    /// The same, whose batch norms keep their running statistics.
    pub(crate) fn with_fixed_statistics(self) -> Self {
        Self { statistics: Statistics::Running, ..self }
    }

    /// The network as it is now.
    #[must_use]
    pub fn network(&self) -> &TorchNetwork {
        &self.network
    }

    /// What the network says of so many images of a split, always the same ones; of all, if there are fewer.
    ///
    /// # Errors
    /// The images cannot be read, or memory is short.
    pub fn examples(&self, split: Split, count: usize) -> Result<Vec<Example>, TorchError> {
        examples(&self.network, &self.loaders, split, count)
    }

    fn train_pass(
        &mut self,
        pass: &Pass,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop<TorchError>> {
        let Self { network, schedule, optimizer, loaders, statistics, teaching, work } = self;
        network.parameters.require_gradients(true).map_err(failed)?;
        train(loaders, pass, on_step, |batch| {
            *work += Work::training(batch.count());
            let taught = teaching.as_ref().map(|teaching| teaching.of(batch.inputs)).transpose()?;
            let batch = &TrainBatch { taught: taught.as_ref(), ..*batch };
            let (gradients, learned) = gradients(network, schedule, *statistics, batch)?;
            optimizer.take_in(&network.parameters, gradients, batch.turn())?;
            Ok((learned.value(batch)?, 0.0))
        })
    }

    /// Takes weights to begin with, as far as they fit.
    pub(crate) fn begin_with(&mut self, weights: &Weights) -> Result<(), TorchError> {
        self.network.parameters.load_what_fits(weights)?;
        self.optimizer.begin(&self.network.parameters)
    }

    fn evaluated(&self) -> Result<Weights, TorchError> {
        let mut weights = Weights::new();
        self.optimizer.evaluated(&self.network.parameters).save(&mut weights)?;
        Ok(weights)
    }

    fn whole_state(&self) -> Result<Weights, TorchError> {
        let mut state = self.network.weights()?;
        self.optimizer.save(&self.network.parameters, &mut state)?;
        Ok(state)
    }
}

/// The gradients of a training step of a network that evaluates this, and what it learned from.
pub(crate) fn gradients(
    network: &TorchNetwork,
    schedule: &Schedule,
    statistics: Statistics,
    batch: &TrainBatch<'_>,
) -> Result<(Gradients, LearnedParts), TorchError> {
    let evaluation = Evaluation { schedule, ..network.evaluation(statistics) };
    let evaluations = [(None, evaluation)];
    let mut descent = Descent::open(&network.parameters, schedule.parameters(&network.program))?;
    let learn = |part: &TrainBatch<'_>, _| learned(&evaluations, part, Phase::Network);
    let learned = in_parts(batch, network.plan.parts, learn, |loss| descent.add(loss))?;
    Ok((descent.close()?, learned))
}

impl TrainableNetwork for TorchTrainable {
    fn train(&mut self, pass: &Pass, on_step: OnStep<'_>) -> Result<f64, Stop> {
        Ok(self.train_pass(pass, on_step).map_err(Stop::boxed)?.loss)
    }

    fn score(&mut self, split: Split, on_step: OnStep<'_>) -> Result<Metrics, Stop> {
        self.optimizer.exchange(&mut self.network.parameters);
        let scored = score(&mut self.loaders, &mut &self.network, split, on_step);
        self.optimizer.exchange(&mut self.network.parameters);
        let (metrics, images) = scored.map_err(Stop::boxed)?;
        self.work += Work::forward(images);
        Ok(metrics)
    }

    fn work(&self) -> Work {
        self.work
    }

    fn load(&mut self, weights: &Weights) -> Result<(), Fault> {
        self.network.load_evaluated(weights)?;
        Ok(self.optimizer.begin(&self.network.parameters)?)
    }

    fn weights(&self) -> Result<Weights, Fault> {
        Ok(self.evaluated()?)
    }

    fn state(&self) -> Result<Weights, Fault> {
        Ok(self.whole_state()?)
    }

    fn restore(&mut self, state: &Weights) -> Result<(), Fault> {
        self.network.load(state)?;
        Ok(self.optimizer.load(&self.network.parameters, state)?)
    }
}
