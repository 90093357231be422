//! What evaluates trials: the weights of a supernet, training of their own, or a table.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use nas_ir::recipe::{NoSetting, Patience, Recipe};
use nas_ir::{Checked, Space};
use nas_passes::specialise;

use crate::backend::{Backend, TrainableNetwork};
use crate::error::RunError;
use crate::evaluator::{
    Evaluation, Evaluator, Halt, OnBeat, OnStep, Part, Pass, Rate, Split, Step, Stop,
};
use crate::finite::Figure;
use crate::metrics::Metrics;
use crate::record::Choices;
use crate::shared::{Beside, Exam, SharedWeights};
use crate::strategies;
use crate::table::ScoreTable;
use crate::trial::Trial;
use crate::work::Work;

/// Scores networks with the weights of a supernet, some beside each other; those that have a budget of their own, after
/// training by that.
pub(super) struct Inherited<'s, 'j, S: ?Sized> {
    supernet: &'s mut S,
    /// How many networks are scored beside each other, if any are.
    at_once: Option<usize>,
    /// Those that are being scored, in order; without a thread where none could be made.
    begun: VecDeque<Option<Begun>>,
    is_stopped: Arc<AtomicBool>,
    /// When the last score was found.
    last: Instant,
    /// The epochs that it was trained for.
    epochs: u32,
    from_scratch: FromScratch<'j>,
}

impl<'s, 'j, S: SharedWeights + ?Sized> Inherited<'s, 'j, S> {
    pub(super) fn new(
        supernet: &'s mut S,
        at_once: Option<usize>,
        epochs: u32,
        from_scratch: FromScratch<'j>,
    ) -> Self {
        let (begun, is_stopped, last) = (VecDeque::new(), Arc::default(), Instant::now());
        Self { supernet, at_once, begun, is_stopped, last, epochs, from_scratch }
    }
}

/// How long a step is waited for before it is told that one is.
const BEAT: Duration = Duration::from_millis(100);

/// A network whose score a thread finds.
struct Begun {
    began: Instant,
    steps: Receiver<Step>,
    thread: JoinHandle<Result<(Metrics, Work), Stop>>,
}

impl Begun {
    /// `None` where the system makes no thread.
    fn new(exam: Exam, is_stopped: &Arc<AtomicBool>) -> Option<Self> {
        let (told, steps) = channel();
        let (began, is_stopped) = (Instant::now(), Arc::clone(is_stopped));
        let find = move || {
            exam(&mut |step| {
                // Nobody may be left to hear of it.
                let _ = told.send(step);
                match is_stopped.load(Ordering::Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })
        };
        let thread = Builder::new().name("score".to_owned()).spawn(find).ok()?;
        Some(Self { began, steps, thread })
    }

    /// Waits for the score of the trial of this number.
    fn end(self, number: u32, on_beat: OnBeat<'_>) -> Result<(Metrics, Work), Halt> {
        loop {
            let beat = match self.steps.recv_timeout(BEAT) {
                Ok(step) => Some((number, step)),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if on_beat(beat).is_break() {
                return Err(Halt::Interrupted);
            }
        }
        match self.thread.join() {
            Ok(score) => Ok(score?),
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// Ends the scores that are being found.
impl<S: ?Sized> Drop for Inherited<'_, '_, S> {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        for begun in self.begun.drain(..).flatten() {
            let _ = begun.thread.join();
        }
    }
}

impl<S: SharedWeights + ?Sized> Evaluator for Inherited<'_, '_, S> {
    fn jobs(&self) -> usize {
        self.at_once.unwrap_or(1)
    }

    fn begin(&mut self, _: u32, trial: &Trial) -> Result<(), Halt> {
        if self.at_once.is_some_and(|networks| networks > 1) && trial.budget.is_none() {
            let exam = self.supernet.exam(&trial.assignment, Beside::Others);
            let exam = exam.map_err(Halt::backend)?;
            self.begun.push_back(Begun::new(exam, &self.is_stopped));
        }
        Ok(())
    }

    fn evaluate(
        &mut self,
        number: u32,
        trial: &Trial,
        on_beat: OnBeat<'_>,
    ) -> Result<Evaluation, Halt> {
        if !trial.budget.is_none() {
            return self.from_scratch.evaluate(number, trial, on_beat);
        }
        // Of scores that are found beside each other each has the time that it was waited for.
        let (began, (score, work)) = match self.begun.pop_front().flatten() {
            Some(begun) => (begun.began.max(self.last), begun.end(number, on_beat)?),
            None => {
                let beside = self.at_once.map_or(Beside::Nothing, |_| Beside::Others);
                let (began, exam) = (Instant::now(), self.supernet.exam(&trial.assignment, beside));
                let mut on_step = |step| on_beat(Some((number, step)));
                (began, exam.map_err(Halt::backend)?(&mut on_step)?)
            }
        };
        self.last = Instant::now();
        let seconds = (self.last - began).as_secs_f64();
        let epoch = self.epochs.saturating_sub(1);
        let what = "the score with inherited weights";
        let figure = Figure { what, epoch, setting: "weights.rate" };
        Ok(Evaluation { score: Ok(figure.check_score(score)?), seconds, work, epoch: None })
    }
}

/// Trains each network from fresh weights for the epochs of its budget, as the recipe's `retrain`
/// says; for fewer where `score.patience` ends it.
pub(super) struct FromScratch<'j> {
    space: &'j Checked<Space>,
    recipe: &'j Recipe,
    backend: &'j dyn Backend,
    patience: Patience,
}

impl<'j> FromScratch<'j> {
    pub(super) fn new(
        space: &'j Checked<Space>,
        recipe: &'j Recipe,
        backend: &'j dyn Backend,
    ) -> Result<Self, NoSetting> {
        Ok(Self { space, recipe, backend, patience: strategies::patience(recipe)? })
    }

    /// One epoch.
    fn train(
        &self,
        network: &mut dyn TrainableNetwork,
        epoch: u32,
        epochs: u32,
        on_step: OnStep<'_>,
    ) -> Result<(), Halt> {
        let retrain = &self.recipe.retrain;
        let rate = retrain.training.learning_rate(retrain.epochs);
        let learning_rate = Rate::over(rate, epoch, epochs);
        let drop_path = retrain.drop_path.start(epoch, epochs);
        let pass = Pass { part: Part::All, epoch, learning_rate, drop_path };
        let loss = network.train(&pass, on_step)?;
        figure("the loss of a trial", epoch).check(&[loss])?;
        Ok(())
    }

    /// A network after all epochs.
    fn trained(
        &self,
        network: &mut dyn TrainableNetwork,
        epochs: u32,
        on_step: OnStep<'_>,
    ) -> Result<Metrics, Halt> {
        for epoch in 0..epochs {
            self.train(network, epoch, epochs, &mut *on_step)?;
        }
        let score = network.score(Split::Val, on_step)?;
        Ok(figure("the score of a trial", epochs.saturating_sub(1)).check_score(score)?)
    }

    /// A network after its best epoch, of equals the first, with which one that was.
    fn trained_with_patience(
        &self,
        network: &mut dyn TrainableNetwork,
        epochs: u32,
        on_step: OnStep<'_>,
    ) -> Result<(Metrics, u32), Halt> {
        let (mut scores, mut best) = (Vec::new(), None::<(Metrics, u32)>);
        for epoch in 0..epochs {
            self.train(network, epoch, epochs, &mut *on_step)?;
            let score = network.score(Split::Ranking, &mut *on_step)?;
            let score = figure("the score of a trial", epoch).check_score(score)?;
            scores.push(score.fitness());
            if best.as_ref().is_none_or(|(best, _)| score.is_better_than(best)) {
                best = Some((score, epoch));
            }
            if self.patience.is_over(scores.iter().copied()) {
                break;
            }
        }
        let score = match best {
            Some(best) => best,
            None => (network.score(Split::Ranking, on_step)?, 0),
        };
        Ok(score)
    }
}

/// A figure of a training.
fn figure(what: &'static str, epoch: u32) -> Figure {
    Figure { what, epoch, setting: "retrain.rate" }
}

/// Looks scores up.
pub(super) struct FromTable<'j> {
    pub(super) space: &'j Checked<Space>,
    pub(super) table: &'j ScoreTable,
}

impl Evaluator for FromTable<'_> {
    fn evaluate(&mut self, _: u32, trial: &Trial, _: OnBeat<'_>) -> Result<Evaluation, Halt> {
        let began = Instant::now();
        let choices: Choices =
            specialise(self.space, &trial.assignment).choices.into_iter().collect();
        let score = self.table.score(&choices).cloned();
        let shown = || choices.iter().map(|(path, name)| format!("`{path}` = {name}"));
        let unscored = || RunError::Unscored { choices: shown().collect::<Vec<_>>().join(", ") };
        Ok(Evaluation::since(began, Ok(score.ok_or_else(unscored)?), Work::default()))
    }
}

impl Evaluator for FromScratch<'_> {
    fn evaluate(
        &mut self,
        number: u32,
        trial: &Trial,
        on_beat: OnBeat<'_>,
    ) -> Result<Evaluation, Halt> {
        let began = Instant::now();
        let mut on_step = |step: Step| on_beat(Some((number, step)));
        let network = specialise(self.space, &trial.assignment);
        let mut network = self.backend.network(network).map_err(Halt::backend)?;
        let (trained, epochs) = (network.as_mut(), trial.budget.epochs);
        let (score, epoch) = if self.patience.is_never() {
            (self.trained(trained, epochs, &mut on_step)?, None)
        } else {
            let (score, epoch) = self.trained_with_patience(trained, epochs, &mut on_step)?;
            (score, Some(epoch))
        };
        Ok(Evaluation { epoch, ..Evaluation::since(began, Ok(score), network.work()) })
    }
}
