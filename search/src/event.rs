//! What a run tells while it works. Nothing here prints: the caller draws bars and lines.

use std::ops::ControlFlow;

use crate::evaluator::Step;
use crate::record::{
    Phase, Pruned, RetrainEpoch, RunResult, SearchEpoch, TriedNetwork, VersionChange,
};
use crate::work::Work;

/// What steps are steps of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// The supernet's weights learn.
    Weights,
    /// The choices learn.
    Choices,
    /// A network is tried.
    Score,
    /// The picked network learns.
    Train,
    /// The picked network is scored on the validation images.
    Val,
    /// The picked network is scored on the test images.
    Test,
}

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// An earlier run goes on.
    Resumed {
        /// The phase that it is in.
        phase: Phase,
        /// Epochs of the phase (networks, when deriving) that are done.
        done: u32,
        /// Versions that are not those of the recorded run: the result may differ in the last
        /// digits from that of a run without a break.
        versions: &'a [VersionChange],
        /// What else is not as the run began, and was taken over; a phrase each.
        changes: &'a [String],
    },
    /// A phase begins or goes on.
    PhaseBegan {
        /// Which.
        phase: Phase,
        /// Epochs (networks, when deriving) done before.
        done: u32,
        /// Epochs (networks, when deriving) in all.
        of: u32,
    },
    /// Nothing happened: it is asked from time to time whether to go on.
    Waiting,
    /// A step was done.
    Step {
        /// Of what.
        kind: StepKind,
        /// The epoch of the phase, or the number of the network, from 0.
        number: u32,
        /// How far.
        step: Step,
    },
    /// A candidate was taken out of the search for good.
    Pruned {
        /// The epoch, from 0.
        epoch: u32,
        /// Which one.
        pruned: &'a Pruned,
    },
    /// An epoch of the search is done and on disk.
    EpochDone {
        /// What came of it.
        record: &'a SearchEpoch,
        /// How long it took.
        seconds: f64,
    },
    /// A network was tried.
    Scored {
        /// Its number, from 0.
        number: u32,
        /// How many there are, as far as it is known.
        of: u32,
        /// How well it does, after what, and what it costs; or why its trial failed.
        network: &'a TriedNetwork,
    },
    /// The networks that were tried are ranked.
    Ranked {
        /// Those that are kept, best first; each has a score.
        networks: &'a [TriedNetwork],
    },
    /// An epoch of the retraining is done and on disk.
    Retrained {
        /// What came of it.
        record: &'a RetrainEpoch,
        /// Whether it is the best so far.
        best: bool,
        /// How long it took.
        seconds: f64,
    },
    /// The retraining made no progress for as many epochs as the recipe waits, and ended.
    StoppedEarly {
        /// How many epochs it had.
        done: u32,
    },
    /// The budget of the search is spent: no more networks are asked for, but for the finals.
    Spent {
        /// What the search took so far.
        work: Work,
    },
    /// The run is done.
    Done {
        /// What came of it.
        result: &'a RunResult,
    },
}

/// Called with each event; told to break, the run stops after the step in progress.
pub type OnEvent<'a> = &'a mut dyn FnMut(Event<'_>) -> ControlFlow<()>;
