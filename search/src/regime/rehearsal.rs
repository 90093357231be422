//! A rehearsal: a few steps of each kind that a run will make, on networks that are thrown away, to tell beforehand how
//! long all of them take. Everything is done twice: at first images are decoded and kernels made, which are there from
//! then on.

use std::time::{Duration, Instant};

use indexmap::IndexMap;
use nas_analysis::costs::costs_without_peak;
use nas_ir::recipe::common::SCHEDULE;
use nas_ir::{Assignment, Metric, Network};
use nas_passes::specialise;
use rand::Rng;

use super::at_work::{Job, Scores};
use super::short::{Short, Taken, shortly};
use crate::backend::{Backend, TrainableNetwork};
use crate::error::RunError;
use crate::evaluator::{Halt, Part, Pass, Rate, Split};
use crate::event::{OnEvent, StepKind};
use crate::metrics::Metrics;
use crate::progress::Progress;
use crate::random::{Purpose, generator};
use crate::record::{TriedNetwork, Verdict};
use crate::shared::{Beside, SharedWeights};
use crate::store::{Store, names};
use crate::strategies;
use crate::strategy::{Method, OneShot, Outcome, ProxySettings, Scorer, Strategy, Turn};
use crate::trial::Trial;
use crate::work::Work;

/// How long the parts of a run take: of each how many there are, and all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// Epochs of a supernet.
    pub learning: (u32, Duration),
    /// Networks that are scored without training of their own.
    pub scoring: (u32, Duration),
    /// Networks that are trained to be scored.
    pub trials: (u32, Duration),
    /// Epochs of the retraining, each with its validation, and the test.
    pub retraining: (u32, Duration),
}

impl Times {
    /// All of it.
    #[must_use]
    pub fn whole(&self) -> Duration {
        self.learning.1 + self.scoring.1 + self.trials.1 + self.retraining.1
    }
}

/// The most trials that are played through to see what a strategy asks for, and for how long.
const PLAYED: u32 = 1_000;
const PLAYING: Duration = Duration::from_secs(2);

/// Does a few steps of each kind that a run will make which begins in this store. `None` where nothing is trained.
///
/// # Errors
/// Told to stop, or as [`super::run`].
pub fn rehearse(
    job: &Job<'_>,
    store: &Store,
    on_event: OnEvent<'_>,
) -> Result<Option<Times>, Halt> {
    let Scores::Training(backend) = job.scores else { return Ok(None) };
    let mut rehearsal = Rehearsal { job, backend, progress: Progress::new(on_event) };
    let mut times = Times::default();
    let network = if store.has(names::ASSIGNMENT) {
        job.network_of(&store.read_json(names::ASSIGNMENT)?)?
    } else {
        let typical = strategies::typical(job.space, job.recipe)?;
        rehearsal.search(&typical, &mut times)?;
        specialise(job.space, &typical)
    };
    times.retraining = rehearsal.retraining(network)?;
    Ok(Some(times))
}

struct Rehearsal<'r, 'j> {
    job: &'r Job<'j>,
    backend: &'j dyn Backend,
    progress: Progress<'r>,
}

/// What a strategy asks for.
#[derive(Debug, Default)]
struct Asked {
    /// Networks without training of their own.
    untrained: u32,
    /// Networks with such.
    trained: u32,
    /// The epochs of these.
    epochs: u32,
}

impl Rehearsal<'_, '_> {
    fn search(&mut self, typical: &Assignment, times: &mut Times) -> Result<(), Halt> {
        let Job { space, recipe, .. } = *self.job;
        let rng = &mut generator(recipe.seed, Purpose::Learned);
        match strategies::search(space, recipe)?.method {
            Method::Relaxed(relaxation, mut strategy) => {
                let supernet = self.backend.relaxed(&relaxation).map_err(Halt::backend)?;
                let mut supernet = Short::new(supernet);
                times.learning = self.learning(|turn| {
                    strategy.epoch(&mut supernet, turn)?;
                    Ok(supernet.taken())
                })?;
                strategy.learned(&supernet, rng)?;
                let score = self.inherited(&mut supernet, strategy.as_ref(), typical)?;
                self.derive(strategy.as_mut(), score, typical, times)
            }
            Method::Shared(sharing, mut strategy) => {
                let supernet = self.backend.shared(sharing).map_err(Halt::backend)?;
                let mut supernet = Short::new(supernet);
                times.learning = self.learning(|turn| {
                    strategy.epoch(&mut supernet, turn)?;
                    Ok(supernet.taken())
                })?;
                strategy.learned(&supernet, rng)?;
                let score = self.inherited(&mut supernet, strategy.as_ref(), typical)?;
                self.derive(strategy.as_mut(), score, typical, times)
            }
            Method::Alone(mut strategy, scorer) => {
                let each = match scorer {
                    Scorer::Proxies(settings) => self.proxies(&settings, typical)?,
                    Scorer::Training | Scorer::Table | Scorer::Command(_) => Duration::ZERO,
                };
                self.derive(strategy.as_mut(), each, typical, times)
            }
        }
    }

    /// All epochs of a supernet: its first and its last are begun, and between them it goes from the one to the other, at
    /// once after a warm-up.
    fn learning(
        &mut self,
        mut epoch: impl FnMut(Turn<'_, '_>) -> Result<Taken, Halt>,
    ) -> Result<(u32, Duration), Halt> {
        let recipe = self.job.recipe;
        let epochs = recipe.schedule.epochs;
        let mut one = |number: u32| -> Result<Duration, Halt> {
            let (began, seed) = (Instant::now(), recipe.seed);
            let rng = &mut generator(seed, Purpose::Epoch(number));
            let taken = epoch(Turn { epoch: number, rng, progress: &mut self.progress })?;
            Ok(began.elapsed().saturating_sub(taken.short) + taken.whole)
        };
        let first = twice(|| one(0))?;
        let last = twice(|| one(epochs.saturating_sub(1)))?;
        let warmup = recipe.settings.count(SCHEDULE, "warmup").unwrap_or(epochs / 2);
        let warmup = warmup.min(epochs);
        let all = first.again * warmup + last.again * (epochs - warmup);
        Ok((epochs, all + first.more))
    }

    /// The score of a network with the weights of a supernet: its share of the time, where others are scored beside it.
    fn inherited<S: SharedWeights + ?Sized, O: OneShot<S> + ?Sized>(
        &mut self,
        supernet: &mut Short<S>,
        strategy: &O,
        typical: &Assignment,
    ) -> Result<Duration, Halt> {
        let (beside, at_once) = match strategy.is_independent() {
            true => (Beside::Others, supernet.share_out(strategy.trials() as usize)),
            false => (Beside::Nothing, 1),
        };
        let score = twice(|| {
            let exam = supernet.exam(typical, beside).map_err(Halt::backend)?;
            let on_step = &mut self.progress.steps(StepKind::Score, 0);
            Ok(shortly(on_step, exam)?.taken.whole)
        });
        Ok(score?.again.div_f64(at_once as f64))
    }

    /// The trials of a strategy, of which those without training of their own take so long each.
    fn derive(
        &mut self,
        strategy: &mut dyn Strategy,
        untrained: Duration,
        typical: &Assignment,
        times: &mut Times,
    ) -> Result<(), Halt> {
        let asked = self.play(strategy)?;
        times.scoring = (asked.untrained, untrained * asked.untrained);
        if asked.trained > 0 {
            let has_patience =
                !strategies::patience(self.job.recipe).map_err(RunError::from)?.is_never();
            let network = specialise(self.job.space, typical);
            let mut network = self.backend.network(network).map_err(Halt::backend)?;
            let epoch = twice(|| self.epoch(network.as_mut()))?;
            let (split, scores) = match has_patience {
                true => (Split::Ranking, asked.epochs),
                false => (Split::Val, asked.trained),
            };
            let score = twice(|| self.score(network.as_mut(), split))?;
            let all = epoch.again * asked.epochs + score.again * scores;
            times.trials = (asked.trained, all + epoch.more + score.more);
        }
        Ok(())
    }

    /// What a strategy asks for, told that its networks do so or so well.
    fn play(&mut self, strategy: &mut dyn Strategy) -> Result<Asked, Halt> {
        let Job { space, recipe, .. } = *self.job;
        let goals = recipe.objective.goals.len().max(1);
        let (mut asked, mut number, began) = (Asked::default(), 0, Instant::now());
        while number == 0 || number < PLAYED && began.elapsed() < PLAYING {
            let rng = &mut generator(recipe.seed, Purpose::Trial(number));
            let Some(trial) = strategy.ask(rng)? else { return Ok(asked) };
            let epochs = trial.budget.epochs;
            asked.epochs = asked.epochs.saturating_add(epochs);
            asked.untrained += u32::from(epochs == 0);
            asked.trained += u32::from(epochs > 0);
            let network = specialise(space, &trial.assignment);
            let value: f64 = rng.random();
            strategy.tell(&outcome(trial, network, number, vec![value; goals]));
            number += 1;
        }
        // The others are as those were.
        let share = f64::from(strategy.trials().max(number)) / f64::from(number);
        let scaled = |count: u32| (f64::from(count) * share) as u32;
        let Asked { untrained, trained, epochs } = asked;
        let [untrained, trained, epochs] = [untrained, trained, epochs].map(scaled);
        Ok(Asked { untrained, trained, epochs })
    }

    /// What the score of a network by proxies takes.
    fn proxies(&self, settings: &ProxySettings, typical: &Assignment) -> Result<Duration, Halt> {
        let proxies = self.backend.proxies(settings.images).map_err(Halt::backend)?;
        let network = specialise(self.job.space, typical);
        let began = Instant::now();
        let _ = proxies.measure(&network, &settings.proxies).map_err(Halt::backend)?;
        Ok(began.elapsed())
    }

    fn retraining(&mut self, network: Network) -> Result<(u32, Duration), Halt> {
        let mut network = self.backend.network(network).map_err(Halt::backend)?;
        let epoch = twice(|| self.epoch(network.as_mut()))?;
        let val = twice(|| self.score(network.as_mut(), Split::Val))?;
        let test = match self.backend.has_test() {
            true => self.score(network.as_mut(), Split::Test)?,
            false => Duration::ZERO,
        };
        let epochs = self.job.recipe.retrain.epochs;
        Ok((epochs, (epoch.again + val.again) * epochs + epoch.more + val.more + test))
    }

    fn epoch(&mut self, network: &mut dyn TrainableNetwork) -> Result<Duration, Halt> {
        let retrain = &self.job.recipe.retrain;
        let rate = retrain.training.learning_rate(retrain.epochs);
        let learning_rate = Rate::over(rate, 0, retrain.epochs);
        let drop_path = retrain.drop_path.start(0, retrain.epochs);
        let pass = Pass { part: Part::All, epoch: 0, learning_rate, drop_path };
        let on_step = &mut self.progress.steps(StepKind::Train, 0);
        Ok(shortly(on_step, |on_step| network.train(&pass, on_step))?.taken.whole)
    }

    fn score(
        &mut self,
        network: &mut dyn TrainableNetwork,
        split: Split,
    ) -> Result<Duration, Halt> {
        let kind = if split == Split::Test { StepKind::Test } else { StepKind::Val };
        let on_step = &mut self.progress.steps(kind, 0);
        Ok(shortly(on_step, |on_step| network.score(split, on_step))?.taken.whole)
    }
}

/// What something takes that was done before, and how much more the first time.
struct Twice {
    again: Duration,
    more: Duration,
}

/// Does something twice.
fn twice(mut work: impl FnMut() -> Result<Duration, Halt>) -> Result<Twice, Halt> {
    let (first, again) = (work()?, work()?);
    Ok(Twice { again, more: first.saturating_sub(again) })
}

/// What a strategy is told of a network that does so well.
fn outcome(trial: Trial, network: Network, number: u32, values: Vec<f64>) -> Outcome {
    let Trial { assignment, budget, drawn, uniform } = trial;
    let value = values.first().copied().unwrap_or_default();
    let score = Metrics::measured(Metric::Accuracy.into(), value, IndexMap::new());
    let cost = costs_without_peak(&network);
    let choices = network.choices.into_iter().collect();
    let (verdict, epoch, work) = (Verdict::Score(score), None, Work::default());
    let network =
        TriedNetwork { number, drawn, uniform, choices, cost, verdict, budget, epoch, work };
    Outcome { assignment, network, values: Some(values) }
}
