//! What evaluates trials: the weights of a supernet, training of their own, or a table.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use nas_ir::recipe::{NoSetting, Patience, Recipe};
use nas_ir::{Checked, Space, fault};
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
    jobs: usize,
    /// Those that are being scored, in order, where several may be.
    begun: VecDeque<Begun>,
    /// The epochs that it was trained for.
    epochs: u32,
    from_scratch: FromScratch<'j>,
}

impl<'s, 'j, S: SharedWeights + ?Sized> Inherited<'s, 'j, S> {
    pub(super) fn new(
        supernet: &'s mut S,
        jobs: usize,
        epochs: u32,
        from_scratch: FromScratch<'j>,
    ) -> Self {
        Self { supernet, jobs, begun: VecDeque::new(), epochs, from_scratch }
    }
}

/// A network whose score a thread finds.
struct Begun {
    steps: Receiver<Step>,
    is_stopped: Arc<AtomicBool>,
    /// Gives the score, what it took, and how many seconds.
    thread: Option<JoinHandle<Scored>>,
}

type Scored = (Result<(Metrics, Work), Stop>, f64);

impl Begun {
    fn new(exam: Exam) -> Self {
        let (told, steps) = channel();
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&is_stopped);
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            let score = exam(&mut |step| {
                // Nobody may be left to hear of it.
                let _ = told.send(step);
                match stopped.load(Ordering::Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            (score, began.elapsed().as_secs_f64())
        });
        Self { steps, is_stopped, thread: Some(thread) }
    }

    /// Waits for the score.
    fn end(mut self, on_step: OnStep<'_>) -> Result<(Metrics, Work, f64), Halt> {
        for step in &self.steps {
            if on_step(step).is_break() {
                return Err(Halt::Interrupted);
            }
        }
        let Some(thread) = self.thread.take() else { fault("a score that was found twice") };
        match thread.join() {
            Ok((score, seconds)) => {
                let (score, work) = score?;
                Ok((score, work, seconds))
            }
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// Ends its thread with it.
impl Drop for Begun {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl<S: SharedWeights + ?Sized> Evaluator for Inherited<'_, '_, S> {
    fn jobs(&self) -> usize {
        self.jobs
    }

    fn begin(&mut self, _: u32, trial: &Trial) -> Result<(), Halt> {
        if self.jobs > 1 && trial.budget.is_none() {
            let exam = self.supernet.exam(&trial.assignment, Beside::Others);
            self.begun.push_back(Begun::new(exam.map_err(Halt::backend)?));
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
        let mut on_step = |step| on_beat(Some((number, step)));
        let (score, work, seconds) = match self.begun.pop_front() {
            Some(begun) => begun.end(&mut on_step)?,
            None => {
                let began = Instant::now();
                let exam = self.supernet.exam(&trial.assignment, Beside::Nothing);
                let (score, work) = exam.map_err(Halt::backend)?(&mut on_step)?;
                (score, work, began.elapsed().as_secs_f64())
            }
        };
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
