//! What a search needs from whatever trains: supernets and single networks. No torch here.

use nas_ir::{Network, Weights};

use crate::error::Fault;
use crate::evaluator::{OnStep, Pass, Split, Stop};
use crate::metrics::Metrics;
use crate::proxy::{Measured, Proxy, Undefined};
use crate::shared::{Relaxation, Relaxed, SharedWeights, Sharing};
use crate::work::Work;

/// One network in training. What a pass does is a function of the state, the [`Pass`] and the recipe.
pub trait TrainableNetwork {
    /// One pass over training images; returns the mean loss.
    ///
    /// # Errors
    /// As [`SharedWeights::train`].
    fn train(&mut self, pass: &Pass, on_step: OnStep<'_>) -> Result<f64, Stop>;

    /// Scores it. Changes nothing that `state` gives.
    ///
    /// # Errors
    /// As [`SharedWeights::train`].
    fn score(&mut self, split: Split, on_step: OnStep<'_>) -> Result<Metrics, Stop>;

    /// Takes weights to begin with, before any training.
    ///
    /// # Errors
    /// They are of another network; then nothing is changed.
    fn load(&mut self, weights: &Weights) -> Result<(), Fault>;

    /// What its passes and scores have taken since it was made.
    fn work(&self) -> Work;

    /// The weights that are scored, by name: those that training moves, or their averages.
    ///
    /// # Errors
    /// Failed to read them from the device.
    fn weights(&self) -> Result<Weights, Fault>;

    /// Weights by name, and optimiser state under names that begin with `optimizer/`.
    ///
    /// # Errors
    /// Failed to read it from the device.
    fn state(&self) -> Result<Weights, Fault>;

    /// Puts back what `state` gave.
    ///
    /// # Errors
    /// The state is of another network.
    fn restore(&mut self, state: &Weights) -> Result<(), Fault>;
}

/// Zero-cost proxies, on one batch of images.
pub trait Proxies {
    /// What some proxies say of a network with fresh weights: a function of it, of the batch and of the recipe. Of the
    /// first that has no value for it, why.
    ///
    /// # Errors
    /// It cannot be evaluated.
    fn measure(
        &self,
        network: &Network,
        proxies: &[Proxy],
    ) -> Result<Result<Measured, Undefined>, Fault>;
}

/// Makes what a run trains, for one space and one recipe.
pub trait Backend {
    /// The supernet of the space, freshly initialised, to be trained on networks that are given.
    ///
    /// # Errors
    /// The space cannot be trained so.
    fn shared(&self, sharing: Sharing) -> Result<Box<dyn SharedWeights>, Fault>;

    /// The supernet of the space, freshly initialised, with relaxed choices.
    ///
    /// # Errors
    /// The space cannot be trained so.
    fn relaxed(&self, relaxation: &Relaxation) -> Result<Box<dyn Relaxed>, Fault>;

    /// A network, freshly initialised, to be trained as the recipe's `retrain` says.
    ///
    /// # Errors
    /// It cannot be trained.
    fn network(&self, network: Network) -> Result<Box<dyn TrainableNetwork>, Fault>;

    /// What computes proxies on one batch of so many training images, or of all if there are fewer.
    ///
    /// # Errors
    /// The data cannot be read.
    fn proxies(&self, images: u32) -> Result<Box<dyn Proxies>, Fault>;

    /// How many images a pass over all training images has.
    ///
    /// # Errors
    /// The data cannot be read.
    fn training_images(&self) -> Result<u64, Fault>;

    /// Whether there are test images, on which the result of a run is scored.
    fn has_test(&self) -> bool;
}
