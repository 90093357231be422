//! What a search needs from whatever trains: weights, choices, metrics. No torch here.

use std::ops::ControlFlow;

use nas_ir::{Assignment, DecisionId, Network, Weights};

use crate::metrics::Metrics;

/// How far a pass over the data is. A pass reports after each step and stops at the next
/// step when told to break.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Steps done.
    pub done: usize,
    /// Steps of the pass.
    pub of: usize,
    /// Mean loss of the pass so far.
    pub loss: f64,
}

/// Called after each step.
pub type OnStep<'a> = &'a mut dyn FnMut(Step) -> ControlFlow<()>;

/// Which part of the training images a pass reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of them (warm-up, retraining).
    All,
    /// The share for the weights.
    Weights,
    /// The share for the choices.
    Choices,
}

/// One pass over training images.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pass {
    /// The images.
    pub part: Part,
    /// The epoch, from 0; decides order and augmentation.
    pub epoch: u32,
    /// Learning rate at the start of the pass and at its end; moves linearly between.
    pub rate: [f64; 2],
    /// Temperature of the Gumbel-softmax.
    pub temperature: f64,
    /// By what the rates of drop paths are multiplied.
    pub drop_path: f64,
}

/// The mean over a pass.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct PassReport {
    /// Task loss.
    pub loss: f64,
    /// Expected cost of the sampled networks, in units of the measure.
    pub cost: f64,
}

/// What stops an evaluator.
#[derive(Debug)]
pub enum Stop<E> {
    /// `OnStep` said so.
    Interrupted,
    /// It failed.
    Failed(E),
}

/// The images on which a network is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// For choosing.
    Val,
    /// For the last word.
    Test,
}

/// A supernet in training. A pass is a function of the state, the [`Pass`] and the recipe, so that
/// a run that goes on from a state does what it would have done.
pub trait Supernet {
    /// What it fails with.
    type Error;

    /// One pass of weight steps.
    ///
    /// # Errors
    /// Interrupted, or failed (a loss that is not a number, unreadable data).
    fn train_weights(
        &mut self,
        pass: &Pass,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop<Self::Error>>;

    /// One pass of choice steps.
    ///
    /// # Errors
    /// As `train_weights`.
    fn train_choices(
        &mut self,
        pass: &Pass,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop<Self::Error>>;

    /// The probability of each candidate of each decision: softmax over those not dropped, 0
    /// for those dropped.
    fn probabilities(&self) -> Vec<Vec<f64>>;

    /// Drops a candidate for good.
    fn drop_candidate(&mut self, decision: DecisionId, candidate: usize);

    /// Scores a network with the supernet's weights on the validation images. Changes nothing
    /// that `state` gives.
    ///
    /// # Errors
    /// As `train_weights`.
    fn score(
        &mut self,
        assignment: &Assignment,
        on_step: OnStep<'_>,
    ) -> Result<Metrics, Stop<Self::Error>>;

    /// Everything that training changes: weights, choices, dropped candidates, optimiser state.
    ///
    /// # Errors
    /// Failed to read it from the device.
    fn state(&self) -> Result<Weights, Self::Error>;

    /// Puts back what `state` gave.
    ///
    /// # Errors
    /// The state is of another supernet.
    fn restore(&mut self, state: &Weights) -> Result<(), Self::Error>;
}

/// One network in training. A pass is a function of the state, the [`Pass`] and the recipe.
pub trait Trainee {
    /// What it fails with.
    type Error;

    /// One pass over all training images.
    ///
    /// # Errors
    /// As [`Supernet::train_weights`].
    fn train(&mut self, pass: &Pass, on_step: OnStep<'_>) -> Result<PassReport, Stop<Self::Error>>;

    /// Scores it. Changes nothing that `state` gives.
    ///
    /// # Errors
    /// As [`Supernet::train_weights`].
    fn score(&mut self, split: Split, on_step: OnStep<'_>) -> Result<Metrics, Stop<Self::Error>>;

    /// Takes weights to begin with, before any training.
    ///
    /// # Errors
    /// They are of another network; then nothing is changed.
    fn load(&mut self, weights: &Weights) -> Result<(), Self::Error>;

    /// Weights by name, and optimiser state under names that begin with `optimizer/`.
    ///
    /// # Errors
    /// Failed to read it from the device.
    fn state(&self) -> Result<Weights, Self::Error>;

    /// Puts back what `state` gave.
    ///
    /// # Errors
    /// The state is of another network.
    fn restore(&mut self, state: &Weights) -> Result<(), Self::Error>;
}

/// Makes what a run trains.
pub trait Backend {
    /// What it fails with.
    type Error;
    /// Its supernet.
    type Supernet: Supernet<Error = Self::Error>;
    /// Its network.
    type Trainee: Trainee<Error = Self::Error>;

    /// The supernet of the space, freshly initialised.
    ///
    /// # Errors
    /// Unreadable data.
    fn supernet(&self) -> Result<Self::Supernet, Self::Error>;

    /// A network, freshly initialised.
    ///
    /// # Errors
    /// Unreadable data.
    fn trainee(&self, network: Network) -> Result<Self::Trainee, Self::Error>;
}
