//! How well a network does: what turns a trial into a score, and the passes over the data that all
//! training is made of.

use std::ops::ControlFlow;

use miette::Diagnostic;

use crate::error::{Failure, Fault, RunError};
use crate::trial::Trial;

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
    /// All of them: where no choices learn, and in a warm-up.
    All,
    /// The share for the weights, where choices learn on the rest.
    Weights,
    /// That rest.
    Choices,
}

/// One pass over training images: each image of the part once, in batches, with one step of an
/// optimiser for each batch. What a pass does is a function of it, of the state of what is trained and
/// of the recipe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pass {
    /// The images.
    pub part: Part,
    /// The epoch, from 0; decides order and augmentation.
    pub epoch: u32,
    /// Learning rate at the start of the pass and at its end; moves linearly between.
    pub learning_rate: [f64; 2],
    /// By what the rates of drop paths are multiplied.
    pub drop_path: f64,
}

/// The mean over a pass.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct PassReport {
    /// Task loss.
    pub loss: f64,
    /// Expected cost of the sampled networks, in units of the measure; 0 where a single network is
    /// trained.
    pub cost: f64,
}

/// What ends training or scoring early.
#[derive(Debug)]
pub enum Stop<E = Fault> {
    /// `OnStep` said so.
    Interrupted,
    /// It failed.
    Failed(E),
}

/// What ends a part of a run early: a backend, or the run itself, may be at fault.
pub type Halt = Stop<Failure>;

impl<E: Diagnostic + Send + Sync + 'static> Stop<E> {
    /// The same, whatever the backend.
    #[must_use]
    pub fn boxed(self) -> Stop {
        match self {
            Self::Interrupted => Stop::Interrupted,
            Self::Failed(error) => Stop::Failed(Fault::from(error)),
        }
    }
}

impl Halt {
    /// The backend failed.
    #[must_use]
    pub fn backend(fault: Fault) -> Self {
        Self::Failed(Failure::Backend(fault))
    }
}

impl From<RunError> for Halt {
    fn from(error: RunError) -> Self {
        Self::Failed(Failure::Run(error))
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Interrupted => Self::Interrupted,
            Stop::Failed(fault) => Self::backend(fault),
        }
    }
}

/// The images on which a network is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// For choosing.
    Val,
    /// For the last word.
    Test,
}

/// Finds out how well networks do.
pub trait Evaluator {
    /// The score of the network of a trial on the validation images, after what its budget allows. The
    /// same trial has the same score, whatever was evaluated before.
    ///
    /// # Errors
    /// Interrupted, the backend failed, or training left the numbers.
    fn evaluate(&mut self, trial: &Trial, on_step: OnStep<'_>) -> Result<Metrics, Halt>;
}
