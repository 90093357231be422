//! Supernets: one set of weights that all networks of a space share.
//!
//! A supernet with [`SharedWeights`] is trained on networks that a strategy picks, and scores any
//! network with its part of the weights. A [`Relaxed`] one also has a logit for each candidate of
//! each decision, and mixes the candidates by them, so that the choices can be trained by gradients.

use nas_ir::{Assignment, DecisionId, Weights};

use crate::error::Fault;
use crate::evaluator::{OnStep, Part, Pass, PassReport, Stop};
use crate::metrics::Metrics;
use crate::objective::Penalty;
use crate::work::Work;

/// The score of a network on the validation images, to be found by whichever thread calls it, with what it takes.
///
/// # Errors
/// As [`SharedWeights::train`].
pub type Exam = Box<dyn FnOnce(OnStep<'_>) -> Result<(Metrics, Work), Stop> + Send>;

/// What else computes while a network is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// Nothing: it has all threads.
    Nothing,
    /// The scores of other networks: it has its share of the threads ([`SharedWeights::share_out`]).
    Others,
}

/// A supernet in training. What a pass does is a function of the state, the [`Pass`], its other
/// arguments and the recipe, so that a run that goes on from a state does what it would have done.
pub trait SharedWeights {
    /// The steps of a pass over a part of the images.
    ///
    /// # Errors
    /// Unreadable data.
    fn steps(&mut self, part: Part) -> Result<usize, Fault>;

    /// One pass of weight steps, each down the gradient of the summed loss of some networks. Returns the mean task
    /// loss of a network, by the labels.
    ///
    /// # Errors
    /// Interrupted, or failed (a loss that is not a number, unreadable data).
    fn train(&mut self, pass: &Pass, paths: &Paths, on_step: OnStep<'_>) -> Result<f64, Stop>;

    /// Has a network scored with the supernet's weights as they are. Changes nothing that `state` gives.
    ///
    /// # Errors
    /// Unreadable data, or the weights cannot be read.
    fn exam(&mut self, assignment: &Assignment, beside: Beside) -> Result<Exam, Fault>;

    /// Shares the threads out to so many networks that are to be scored beside each other; how many of these may be at once, at
    /// least one.
    fn share_out(&mut self, networks: usize) -> usize;

    /// What its passes have taken since it was made.
    fn work(&self) -> Work;

    /// Everything that training changes: weights, optimiser state, and of a relaxed supernet the
    /// logits and which candidates are pruned.
    ///
    /// # Errors
    /// Failed to read it from the device.
    fn state(&self) -> Result<Weights, Fault>;

    /// Puts back what `state` gave.
    ///
    /// # Errors
    /// The state is of another supernet.
    fn restore(&mut self, state: &Weights) -> Result<(), Fault>;
}

/// What networks have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sharing {
    /// Whether a smaller elastic kernel is what a matrix that learns makes of the centre of the next larger one
    /// (once-for-all, Cai et al. 2020, section 3.3), and not just that centre.
    pub transforms: bool,
}

/// The networks on which shared weights learn in a pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Paths {
    /// Those of each step, at least one.
    pub steps: Vec<Vec<Assignment>>,
    /// What they learn from.
    pub lesson: Lesson,
}

/// What the networks of a step learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    /// The labels: the loss of the task.
    Labels,
    /// The first from the labels, and the others from what the first answers, which the gradient does not reach: by
    /// the Kullback-Leibler divergence of their probabilities from its own, or the distance of their values (in-place
    /// distillation, Yu and Huang 2019, section 3.3; Yu et al. 2020).
    First,
}

/// A supernet whose choices are relaxed to probabilities: the softmax of the logits of a decision,
/// over the candidates that are not pruned.
pub trait Relaxed: SharedWeights {
    /// One pass of weight steps, the candidates mixed by samples from the probabilities at a
    /// temperature (Jang et al. 2017). Reports the expected cost before the pass.
    ///
    /// # Errors
    /// As [`SharedWeights::train`].
    fn train_mixed(
        &mut self,
        pass: &Pass,
        temperature: f64,
        penalty: &Penalty,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop>;

    /// One pass of choice steps, the weights fixed: down the gradient of the task loss plus the
    /// penalty.
    ///
    /// # Errors
    /// As [`SharedWeights::train`].
    fn train_choices(
        &mut self,
        pass: &Pass,
        temperature: f64,
        penalty: &Penalty,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop>;

    /// A pass of both in turns: for each batch of the weights' images a step of the choices on a batch of theirs, and
    /// then one of the weights. Where a part of the images is through before the weights' is, it begins again.
    /// Reports of the weights and of the choices.
    ///
    /// # Errors
    /// As [`SharedWeights::train`].
    fn train_in_turns(
        &mut self,
        turns: &InTurns,
        penalty: &Penalty,
        on_step: OnStep<'_>,
    ) -> Result<[PassReport; 2], Stop>;

    /// The probability of each candidate of each decision; 0 for those that are pruned.
    fn probabilities(&self) -> Vec<Vec<f64>>;

    /// Takes a candidate out for good.
    fn prune(&mut self, decision: DecisionId, candidate: usize);

    /// Whether a candidate was taken out.
    fn is_pruned(&self, decision: DecisionId, candidate: usize) -> bool;
}

/// A pass in which weights and choices take turns after every batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InTurns {
    /// That of the weights.
    pub pass: Pass,
    /// Temperature of the mixture.
    pub temperature: f64,
    /// Learning rate of the choices.
    pub choices: f64,
    /// Whether the choices go down the gradient of the loss after one step of the weights (DARTS, Liu et al. 2019,
    /// equations 6 to 8).
    pub is_unrolled: bool,
}

/// How a relaxed supernet is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relaxation {
    /// How candidates are mixed.
    pub mixing: Mixing,
    /// The optimiser of the logits.
    pub optimizer: Adam,
    /// Share of the training images for the weights; the choices learn on the rest.
    pub split: f64,
}

/// How candidates are mixed while searching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mixing {
    /// Every candidate runs; their outputs are summed with sampled weights.
    Soft,
    /// One sampled candidate runs for each decision; its gradient is straight-through.
    Hard,
    /// As [`Self::Soft`], but of a decision on numbers of channels the candidate of the most runs for all, and what
    /// reads the channels sees each times the sampled weights of the candidates that have it (FBNetV2, Wan et al. 2020,
    /// equations 2 to 4).
    Masked,
    /// Every candidate runs; their outputs are summed with the probabilities (DARTS, Liu et al. 2019, equation 2).
    Softmax,
    /// Weights learn on one candidate of each decision, drawn from the probabilities; choices on two, drawn likewise, of
    /// which binary gates let one through (ProxylessNAS, Cai et al. 2019, equations 2 to 4).
    TwoPaths,
    /// Weights learn on one candidate of each decision, drawn from the probabilities; choices by the losses of whole
    /// networks, drawn likewise and held against each other (REINFORCE, Williams 1992; ProxylessNAS, Cai et al. 2019,
    /// section 3.3.2).
    Reinforce {
        /// How many networks a step of the choices draws; at least two.
        networks: u32,
    },
}

/// Adam (Kingma and Ba 2015), but for its learning rate, which passes have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Weight decay.
    pub decay: f64,
}
