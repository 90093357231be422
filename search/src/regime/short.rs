//! Passes that end after a few steps, by which it is told how long whole ones take.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use nas_ir::{Assignment, DecisionId, Weights};

use crate::error::Fault;
use crate::evaluator::{OnStep, Part, Pass, PassReport, Step, Stop};
use crate::objective::Penalty;
use crate::shared::{Beside, Exam, InTurns, Paths, Relaxed, SharedWeights};
use crate::work::Work;

/// Steps that are not counted: memory is taken and plans are made in them.
const WARM: usize = 2;
/// Steps that are: as many as take so long together, at least and at most so many.
const TIMED: [usize; 2] = [6, 10];
const TAKING: Duration = Duration::from_millis(200);
/// After so long from the first step on, one that counts is enough.
const LONG: Duration = Duration::from_secs(10);

/// What short passes took, and what whole ones would take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Taken {
    pub(crate) short: Duration,
    pub(crate) whole: Duration,
}

/// What came of a short pass.
pub(crate) struct Ended<T> {
    /// What it reports, if it had so few steps that it was not cut.
    pub(crate) report: Option<T>,
    /// The mean loss of its steps.
    pub(crate) loss: f64,
    pub(crate) taken: Taken,
}

/// Does the first steps of a pass.
///
/// # Errors
/// Told to stop, or as the pass.
pub(crate) fn shortly<T>(
    on_step: OnStep<'_>,
    pass: impl FnOnce(OnStep<'_>) -> Result<T, Stop>,
) -> Result<Ended<T>, Stop> {
    let began = Instant::now();
    let (mut warm, mut last, mut is_stopped) = (None, None, false);
    let report = pass(&mut |step: Step| {
        let now = Instant::now();
        is_stopped = on_step(step).is_break();
        if step.done == WARM {
            warm = Some(now);
        }
        last = Some((step, now));
        let timed = step.done.saturating_sub(WARM);
        let [least, most] = TIMED;
        let is_told = warm.is_some_and(|warm| now.duration_since(warm) >= TAKING);
        let is_enough = timed >= most
            || timed >= least && is_told
            || timed > 0 && now.duration_since(began) >= LONG;
        if is_stopped || is_enough && step.done < step.of {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    let short = began.elapsed();
    let report = match report {
        Ok(report) => Some(report),
        Err(Stop::Interrupted) if !is_stopped => None,
        Err(stop) => return Err(stop),
    };
    let whole = match (&report, warm, last) {
        (None, Some(warm), Some((Step { done, of, .. }, now))) if done > WARM => {
            now.duration_since(warm).mul_f64(of as f64 / (done - WARM) as f64)
        }
        _ => short,
    };
    let loss = last.map_or(0.0, |(step, _)| step.loss);
    Ok(Ended { report, loss, taken: Taken { short, whole } })
}

/// A supernet whose passes are cut short.
pub(crate) struct Short<S: ?Sized> {
    supernet: Box<S>,
    taken: Taken,
}

impl<S: ?Sized> Short<S> {
    pub(crate) fn new(supernet: Box<S>) -> Self {
        Self { supernet, taken: Taken::default() }
    }

    /// What its passes took since this was asked for.
    pub(crate) fn taken(&mut self) -> Taken {
        std::mem::take(&mut self.taken)
    }

    fn pass<T>(
        &mut self,
        on_step: OnStep<'_>,
        pass: impl FnOnce(&mut S, OnStep<'_>) -> Result<T, Stop>,
        cut: impl FnOnce(f64) -> T,
    ) -> Result<T, Stop> {
        let Ended { report, loss, taken } =
            shortly(on_step, |on_step| pass(self.supernet.as_mut(), on_step))?;
        self.taken.short += taken.short;
        self.taken.whole += taken.whole;
        Ok(report.unwrap_or_else(|| cut(loss)))
    }
}

/// The report of a pass that was cut.
fn report(loss: f64) -> PassReport {
    PassReport { loss, cost: 0.0 }
}

impl<S: SharedWeights + ?Sized> SharedWeights for Short<S> {
    fn steps(&mut self, part: Part) -> Result<usize, Fault> {
        self.supernet.steps(part)
    }

    fn train(&mut self, pass: &Pass, paths: &Paths, on_step: OnStep<'_>) -> Result<f64, Stop> {
        self.pass(on_step, |supernet, on_step| supernet.train(pass, paths, on_step), |loss| loss)
    }

    fn exam(&mut self, assignment: &Assignment, beside: Beside) -> Result<Exam, Fault> {
        self.supernet.exam(assignment, beside)
    }

    fn share_out(&mut self, networks: usize) -> usize {
        self.supernet.share_out(networks)
    }

    fn work(&self) -> Work {
        self.supernet.work()
    }

    fn state(&self) -> Result<Weights, Fault> {
        self.supernet.state()
    }

    fn restore(&mut self, state: &Weights) -> Result<(), Fault> {
        self.supernet.restore(state)
    }
}

impl Relaxed for Short<dyn Relaxed> {
    fn train_mixed(
        &mut self,
        pass: &Pass,
        temperature: f64,
        penalty: &Penalty,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop> {
        let train = |supernet: &mut (dyn Relaxed + 'static), on_step: OnStep<'_>| {
            supernet.train_mixed(pass, temperature, penalty, on_step)
        };
        self.pass(on_step, train, report)
    }

    fn train_choices(
        &mut self,
        pass: &Pass,
        temperature: f64,
        penalty: &Penalty,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop> {
        let train = |supernet: &mut (dyn Relaxed + 'static), on_step: OnStep<'_>| {
            supernet.train_choices(pass, temperature, penalty, on_step)
        };
        self.pass(on_step, train, report)
    }

    fn train_in_turns(
        &mut self,
        turns: &InTurns,
        penalty: &Penalty,
        on_step: OnStep<'_>,
    ) -> Result<[PassReport; 2], Stop> {
        let train = |supernet: &mut (dyn Relaxed + 'static), on_step: OnStep<'_>| {
            supernet.train_in_turns(turns, penalty, on_step)
        };
        self.pass(on_step, train, |loss| [report(loss); 2])
    }

    fn probabilities(&self) -> Vec<Vec<f64>> {
        self.supernet.probabilities()
    }

    fn prune(&mut self, decision: DecisionId, candidate: usize) {
        self.supernet.prune(decision, candidate);
    }

    fn is_pruned(&self, decision: DecisionId, candidate: usize) -> bool {
        self.supernet.is_pruned(decision, candidate)
    }
}
