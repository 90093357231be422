//! How well a network does: what turns a trial into a score, and the passes over the data that all
//! training is made of.

use std::ops::ControlFlow;
use std::time::Instant;

use miette::Diagnostic;
use nas_ir::recipe::{Anneal, LearningRate};

use crate::error::{Failure, Fault, RunError};
use crate::trial::Trial;

use crate::metrics::Metrics;
use crate::work::Work;

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
    /// The learning rate of its steps.
    pub learning_rate: Rate,
    /// By what the rates of drop paths are multiplied.
    pub drop_path: f64,
}

/// A learning rate over one pass of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    whole: LearningRate,
    /// Which pass this is, from 0.
    pass: u32,
    /// Passes of the training.
    of: u32,
}

impl Rate {
    /// That of a pass, from 0, of so many that a training has.
    #[must_use]
    pub fn over(whole: LearningRate, pass: u32, of: u32) -> Self {
        Self { whole, pass, of: of.max(1) }
    }

    /// One that stays.
    #[must_use]
    pub fn constant(rate: f64) -> Self {
        Self::over(LearningRate { anneal: Anneal::constant(rate), warmup: 0.0 }, 0, 1)
    }

    /// The rate after a share of the pass, 0 to 1.
    #[must_use]
    pub fn at(&self, share: f64) -> f64 {
        self.whole.at((f64::from(self.pass) + share) / f64::from(self.of))
    }

    /// The rates at the start and at the end of the pass.
    #[must_use]
    pub fn ends(&self) -> [f64; 2] {
        [self.at(0.0), self.at(1.0)]
    }
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
    /// Those of these on which networks are compared with each other: as many as the recipe says.
    Ranking,
    /// For the last word.
    Test,
}

/// Called with each step of a trial and the number of the trial; where a trial goes on without a step, with
/// none from time to time. Told to break, an evaluator stops.
pub type OnBeat<'a> = &'a mut dyn FnMut(Option<(u32, Step)>) -> ControlFlow<()>;

/// Finds out how well networks do.
pub trait Evaluator {
    /// How many trials may be open at once, begun and not yet evaluated: one, unless they run beside each
    /// other.
    fn jobs(&self) -> usize {
        1
    }

    /// Begins the trial of this number, if it runs beside others. They begin in the order of their numbers.
    ///
    /// # Errors
    /// What the trial needs cannot be made.
    fn begin(&mut self, number: u32, trial: &Trial) -> Result<(), Halt> {
        let _ = (number, trial);
        Ok(())
    }

    /// What came of the trial that was begun first and not yet evaluated, after what its budget allows. The
    /// same trial has the same score, whatever was evaluated before or beside it.
    ///
    /// # Errors
    /// Interrupted, the backend failed, or training left the numbers.
    fn evaluate(
        &mut self,
        number: u32,
        trial: &Trial,
        on_beat: OnBeat<'_>,
    ) -> Result<Evaluation, Halt>;
}

/// What came of a trial.
#[derive(Debug)]
pub struct Evaluation {
    /// The score on the validation data.
    pub score: Result<Metrics, FailedTrial>,
    /// How long it took.
    pub seconds: f64,
    /// The images that it took.
    pub work: Work,
    /// The epoch of its training, from 0, whose score this is, where several were scored.
    pub epoch: Option<u32>,
}

/// A trial without a score, after which others may have one.
#[derive(Debug)]
pub struct FailedTrial {
    /// Why, in words that are recorded: "it took longer than 60 s".
    pub why: String,
    /// What ends the run, if no other trial does better.
    pub report: RunError,
}

impl Evaluation {
    /// A score that was found since then, or that there is none, and the images that it took.
    #[must_use]
    pub fn since(began: Instant, score: Result<Metrics, FailedTrial>, work: Work) -> Self {
        Self { score, seconds: began.elapsed().as_secs_f64(), work, epoch: None }
    }
}
