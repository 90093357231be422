//! The seam of search strategies: they ask for networks to be tried and are told how well these do.
//!
//! What a strategy asks is a function of the recipe, of what it was told, and of the generators that it is given: one for
//! each trial, the same each time. So a run that was stopped asks again from the first trial, is told again what came of
//! those that are on disk, and goes on to the same end. Where several networks
//! are tried at once, up to N are open: their outcomes are told in the order in which they were asked for,
//! and the network of number i + N is asked for right after number i is told. So what is asked for is a
//! function of N and of the scores, whichever trial ends first. A strategy without
//! weight sharing is a [`Strategy`] and no more. One that is [`OneShot`] first trains a supernet,
//! epoch by epoch, and has its networks scored with the weights of that.

use nas_ir::Assignment;
use rand::RngCore;

use crate::command::CommandSettings;
use crate::error::RunError;
use crate::evaluator::Halt;
use crate::progress::Progress;
use crate::proxy::Proxy;
use crate::record::{SearchEpoch, TriedNetwork};
use crate::shared::{Relaxation, Relaxed, SharedWeights, Sharing};
use crate::trial::Trial;

/// Decides which networks are tried.
pub trait Strategy {
    /// The next network to try; `None` at the end, or where others are open, until one of these, or all, are told. Each trial has a generator of its own. Networks that were
    /// asked for before may still be open: nothing is told of them yet, and they are not asked for again.
    ///
    /// # Errors
    /// No network keeps the requirements of the space.
    fn ask(&mut self, rng: &mut dyn RngCore) -> Result<Option<Trial>, RunError>;

    /// What came of the network that was asked for first, of those that are open.
    fn tell(&mut self, outcome: &Outcome);

    /// How many trials there are in all, those before included; at most, where it is not yet known.
    fn trials(&self) -> u32;

    /// Asks for no more networks from now on, but for those of its finals: the budget of the search is spent. Whether
    /// it would have asked for others.
    fn conclude(&mut self) -> bool;

    /// Whether it asks for the same networks whatever it is told of them, so that they may be tried beside each other.
    fn is_independent(&self) -> bool {
        false
    }

    /// Epochs of training that its finals take, which the budget of the search leaves for them.
    fn reserved(&self) -> u64 {
        0
    }
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The network.
    pub assignment: Assignment,
    /// Its costs and its score, or that its trial failed, as they are recorded.
    pub network: TriedNetwork,
    /// How good it is by each goal of the recipe, turned so that more is better; by its primary metric where there
    /// are none. `None` where its trial failed.
    pub values: Option<Vec<f64>>,
}

/// A strategy that trains a supernet for `schedule.epochs`; then its trials are scored with the
/// weights of that. `S` is what it needs of a supernet.
pub trait OneShot<S: SharedWeights + ?Sized>: Strategy {
    /// One epoch. All that later epochs depend on is in the supernet.
    ///
    /// # Errors
    /// Interrupted, the backend failed, or training left the numbers.
    fn epoch(&mut self, supernet: &mut S, turn: Turn<'_, '_>) -> Result<SearchEpoch, Halt>;

    /// The supernet is trained: what it has learned decides the trials.
    ///
    /// # Errors
    /// No network keeps the requirements of the space.
    fn learned(&mut self, supernet: &S, rng: &mut dyn RngCore) -> Result<(), RunError>;
}

/// An epoch of a one-shot strategy.
pub struct Turn<'t, 'p> {
    /// The epoch, from 0.
    pub epoch: u32,
    /// A generator of its own.
    pub rng: &'t mut dyn RngCore,
    /// Whom to tell of steps, and who may stop it.
    pub progress: &'t mut Progress<'p>,
}

/// A strategy at work on a space, and what evaluates its trials.
pub enum Method<'s> {
    /// The weights of a supernet whose choices it trains too.
    Relaxed(Relaxation, Box<dyn OneShot<dyn Relaxed> + 's>),
    /// The weights of a supernet that it trains on networks of its choice.
    Shared(Sharing, Box<dyn OneShot<dyn SharedWeights> + 's>),
    /// No supernet: each network is scored on its own.
    Alone(Box<dyn Strategy + 's>, Scorer),
}

/// What scores networks without a supernet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scorer {
    /// Training from fresh weights, for as many epochs as the budget has.
    Training,
    /// What they show before any training.
    Proxies(ProxySettings),
    /// Known scores; then nothing is trained at all.
    Table,
    /// A command of the user's; then nothing is trained here.
    Command(CommandSettings),
}

/// By which proxies networks are scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxySettings {
    /// Which ones: one whose value is the score, or several that vote.
    pub proxies: Vec<Proxy>,
    /// The images of the batch that they are computed on.
    pub images: u32,
    /// The networks among which others are ranked by each of several proxies.
    pub others: Vec<Assignment>,
}

/// A search of a space, as its recipe asks for it.
pub struct Search<'s> {
    /// The strategy.
    pub method: Method<'s>,
    /// How many networks are kept, best first.
    pub keep: u32,
}

/// Of which training images a search takes batches of `data.batch`, beside those of the networks
/// that it trains on their own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reads {
    /// None: it trains no supernet.
    Nothing,
    /// All of them for the weights.
    All,
    /// A share for the weights and the rest for the choices.
    Parts {
        /// The share.
        weights: f64,
    },
}
