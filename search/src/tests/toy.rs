//! A backend that is arithmetic: each candidate has a quality, and the choices must find the
//! best by sampled gradients, as a real supernet does.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;

use nas_grammar::Source;
use nas_ir::recipe::{Anneal, Law, Recipe, StrategySchema, Value};
use nas_ir::{
    Assignment, Checked, ClassMetric, DecisionId, Metric, Model, Network, Space, Task, TaskMetrics,
    Tensor, Weights,
};
use nas_passes::specialise;
use nas_testing::assignments;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::backend::{Backend, Proxies, TrainableNetwork};
use crate::command::Exports;
use crate::error::Fault as Problem;
use crate::evaluator::{OnStep, Part, Pass, PassReport, Rate, Split, Step, Stop};
use crate::metrics::Metrics;
use crate::objective::Penalty;
use crate::proxy::{Measured, Proxy, Undefined};
use crate::record::{Choices, TriedNetwork, Verdict};
use crate::regime::{Job, Scores};
use crate::shared::{Beside, Exam, InTurns, Paths, Relaxation, Relaxed, SharedWeights, Sharing};
use crate::strategies::{self, gumbel};
use crate::strategy::Outcome;
use crate::table::ScoreTable;
use crate::trial::Trial;
use crate::work::Work;

/// Steps of a pass.
const STEPS: usize = 2;
/// Networks that are scored beside each other.
const JOBS: usize = 2;
/// Images of a step.
const BATCH: u64 = 10;
/// Images of a pass.
pub(super) const IMAGES: u64 = BATCH * STEPS as u64;

/// A network whose only weight is its seed.
fn fresh(network: Network, seed: u64) -> Result<Model, Problem> {
    let mut weights = Weights::new();
    weights.insert("seed".to_owned(), Tensor::of_floats([1, 1], vec![seed as f32]));
    Ok(Model { network, weights })
}

/// What stands for an ONNX file: the operators of a model, and its weight.
fn onnx(model: Model) -> Result<Vec<u8>, Problem> {
    let seed = model.weights["seed"].floats().unwrap()[0];
    let choices: Vec<String> =
        model.network.choices.iter().map(|(path, name)| format!("{path}={name}")).collect();
    Ok(format!("{seed} {}\n", choices.join(" ")).into_bytes())
}

#[derive(Debug, PartialEq, thiserror::Error, miette::Diagnostic)]
#[error("{0}")]
pub(super) struct ToyError(pub(super) &'static str);

/// A made-up space and what its candidates are worth.
#[derive(Clone)]
pub(super) struct Toy {
    pub(super) space: Rc<Checked<Space>>,
    pub(super) recipe: Recipe,
    /// Quality of each candidate of each decision.
    quality: Rc<Vec<Vec<f32>>>,
    /// What its networks are judged by.
    pub(super) metrics: TaskMetrics,
    /// What the backend does wrong.
    pub(super) fault: Rc<Cell<Fault>>,
    /// Whether there are test images.
    pub(super) has_test: bool,
    /// Passes of training that were begun.
    pub(super) passes: Rc<Cell<usize>>,
    /// A score for each network, from its first use on.
    table: Rc<OnceCell<ScoreTable>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    None,
    /// The loss of the choices is not a number.
    Diverges,
    /// The pass of the weights fails.
    Fails,
    /// The table of probabilities has a row too few.
    ShortTable,
    /// The last step does not heed that it should stop.
    Deaf,
}

/// Quality and MACs of five candidates.
pub(super) type Worth = [(f32, u32); 5];

/// Four decisions; in each another candidate is best and another one cheap.
pub(super) fn worths() -> Vec<Worth> {
    let worth = |d: u16| {
        let quality =
            |c: u16| if c == (2 * d + 1) % 5 { 1.0 } else { 0.1 * f32::from((c * 3 + d) % 5) };
        let macs = |c: u16| if c == (d + 3) % 5 { 10 } else { 100 + 10 * u32::from(c) };
        [0, 1, 2, 3, 4].map(|c| (quality(c), macs(c)))
    };
    (0..4).map(worth).collect()
}

/// A choice among convolutions of one pixel, which cost as many MACs as their kernels have taps;
/// `then` follows the first.
fn choice(worth: &Worth, then: &str) -> String {
    let candidate = |(c, (_, macs)): (usize, &(f32, u32))| {
        format!("c{c}: conv(1, kernel = (1, {macs})){}", if c == 0 { then } else { "" })
    };
    let candidates: Vec<String> = worth.iter().enumerate().map(candidate).collect();
    format!("choose op {{ {} }}", candidates.join("\n"))
}

/// The space of this text, which must be without fault.
pub(super) fn space(text: &str) -> Checked<Space> {
    Checked::clone(&nas_testing::space(Source::new("toy.nas", text)))
}

impl Toy {
    pub(super) fn new() -> Self {
        Self::of(&worths(), "")
    }

    /// A decision for each worth, one after the other, under this requirement.
    pub(super) fn of(worths: &[Worth], require: &str) -> Self {
        let blocks = worths.iter().enumerate();
        let blocks =
            blocks.map(|(d, worth)| format!("block u{d}(x) {{ x -> {} }}\n", choice(worth, "")));
        let steps: String = (0..worths.len()).map(|d| format!(" -> u{d}")).collect();
        let text = format!(
            "{}space toy {{ input x: [1, 1, 1]\n output y = x -> relu{steps}\n {require} }}",
            blocks.collect::<String>(),
        );
        let quality = worths.iter().map(|worth| worth.map(|(quality, _)| quality).to_vec());
        Self::with(space(&text), quality.collect())
    }

    /// The second decision exists only if the first takes its first candidate.
    pub(super) fn nested() -> Self {
        let worths = worths();
        let [outer, inner, rest @ ..] = worths.as_slice() else { unreachable!() };
        let rest: Vec<String> = rest.iter().map(|worth| choice(worth, "")).collect();
        let text = format!(
            "block inner(x) {{ x -> {} }}\nblock outer(x) {{ x -> {} }}\n\
             space toy {{ input x: [1, 1, 1]\n output y = x -> outer -> {} }}",
            choice(inner, ""),
            choice(outer, " -> inner"),
            rest.join(" -> "),
        );
        let quality = worths.iter().map(|worth| worth.map(|(quality, _)| quality).to_vec());
        Self::with(space(&text), quality.collect())
    }

    /// A space whose candidates are worth anything.
    pub(super) fn any(space: Checked<Space>) -> Self {
        let rows = space.decisions.iter().enumerate();
        let quality = rows.map(|(d, decision)| {
            (0..decision.candidates.len()).map(|c| ((c * 3 + d) % 5) as f32 / 5.0).collect()
        });
        let quality = quality.collect();
        Self::with(space, quality)
    }

    pub(super) fn with(space: Checked<Space>, quality: Vec<Vec<f32>>) -> Self {
        let mut recipe = Recipe::default_for("toy", &gumbel::SCHEMA).unwrap();
        recipe.schedule.epochs = 30;
        recipe.retrain.epochs = 5;
        recipe.retrain.drop_path = Anneal { from: 0.0, to: 1.0, law: Law::Linear };
        let mut toy = Self {
            space: Rc::new(space),
            recipe,
            metrics: Task::Segmentation { classes: 2, ignore: 255 }.metrics(),
            quality: Rc::new(quality),
            fault: Rc::new(Cell::new(Fault::None)),
            has_test: true,
            passes: Rc::new(Cell::new(0)),
            table: Rc::default(),
        };
        toy.set("schedule", "warmup", Value::Count(3));
        toy.set("choices", "rate", Value::Real(0.3));
        toy
    }

    /// A run short enough to be stopped everywhere.
    pub(super) fn short() -> Self {
        let mut toy = Self::new();
        toy.recipe.schedule.epochs = 4;
        toy.recipe.retrain.epochs = 3;
        toy.set("schedule", "warmup", Value::Count(1));
        toy.set("choices", "rate", Value::Real(0.1));
        toy.set("strategy", "prune_below", Value::Real(0.12));
        toy.set("derive", "sample", Value::Count(4));
        toy.set("derive", "keep", Value::Count(2));
        toy
    }

    /// Gives a setting of the strategy a value.
    pub(super) fn set(&mut self, section: &'static str, field: &'static str, value: Value) {
        self.recipe.settings.set(section, field, value);
    }

    /// The same with another recipe.
    pub(super) fn searched_by(&self, recipe: Recipe) -> Self {
        Self { recipe, passes: Rc::default(), ..self.clone() }
    }

    /// The name of the strategy.
    pub(super) fn strategy(&self) -> &'static StrategySchema {
        self.recipe.strategy
    }

    /// A run of it, scored as its recipe says.
    pub(super) fn job(&self) -> Job<'_> {
        let scores = if strategies::is_by_command(&self.recipe).unwrap() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
            Scores::Command(Exports { folder, fresh: &fresh, onnx: &onnx })
        } else if strategies::table(&self.recipe).unwrap().is_some() {
            Scores::Known(self.table.get_or_init(|| self.known()))
        } else {
            Scores::Training(self)
        };
        Job { space: &self.space, recipe: &self.recipe, scores }
    }

    /// What comes of a trial whose network is worth so much.
    pub(super) fn outcome(&self, number: u32, trial: Trial, value: f64) -> Outcome {
        let Trial { assignment, budget, drawn, uniform } = trial;
        let network = self.network(&assignment);
        let score = serde_json::from_value(serde_json::json!({ "miou": value })).unwrap();
        let network = TriedNetwork {
            number,
            drawn,
            uniform,
            cost: nas_analysis::costs(&network),
            choices: network.choices.into_iter().collect(),
            verdict: Verdict::Score(score),
            budget,
            epoch: None,
            work: Work::default(),
        };
        Outcome { assignment, network, values: Some(vec![value]) }
    }

    /// The score of each network: what its candidates are worth.
    fn known(&self) -> ScoreTable {
        let lines = assignments(&self.space, 5_000).unwrap().into_iter().map(|assignment| {
            let choices: Choices = self.network(&assignment).choices.into_iter().collect();
            let worth = self.space.decision_ids().map(|(id, decision)| {
                let counts = choices.contains_key(&decision.path);
                if counts { self.quality[id.index()][assignment.get(id)] } else { 0.0 }
            });
            let miou = worth.sum::<f32>() / 10.0;
            serde_json::json!({ "choices": choices, "score": { "miou": miou } }).to_string()
        });
        let lines: BTreeSet<String> = lines.collect();
        let text: Vec<String> = lines.into_iter().collect();
        ScoreTable::read("toy", text.join("\n").as_bytes()).unwrap()
    }

    pub(super) fn network(&self, assignment: &Assignment) -> Network {
        specialise(&self.space, assignment)
    }

    /// Mean over the choices of a network, which is 1 where there are none.
    fn mean(&self, network: &Network, of: impl Fn(usize, usize) -> f32) -> f32 {
        let each = network.choices.iter().map(|(path, name)| {
            let d = self.space.decisions.iter().position(|d| d.path == *path).unwrap();
            let c = self.space.decisions[d].candidates.iter().position(|c| c == name).unwrap();
            of(d, c)
        });
        let count = network.choices.len();
        if count == 0 { 1.0 } else { each.sum::<f32>() / count as f32 }
    }

    /// The metrics of a network that is so good.
    fn score(&self, miou: f64) -> Metrics {
        let value = |metric| match metric {
            Metric::Accuracy | Metric::F1 => Some(miou.sqrt()),
            Metric::Loss => Some(1.0 - miou),
            _ => Some(miou),
        };
        let by_class = |metric| match metric {
            ClassMetric::Iou => vec![Some(miou), None],
            _ => Vec::new(),
        };
        Metrics::new(self.metrics, value, by_class).unwrap()
    }

    fn random(&self, pass: &Pass, step: usize) -> ChaCha8Rng {
        let part = match pass.part {
            Part::All => 0,
            Part::Weights => 1,
            Part::Choices => 2,
        };
        let mut random = ChaCha8Rng::seed_from_u64(self.recipe.seed);
        random.set_stream(1000 * u64::from(pass.epoch) + 10 * part + step as u64);
        random
    }

    fn begin_pass(&self) {
        self.passes.set(self.passes.get() + 1);
    }

    fn supernet(&self, is_relaxed: bool) -> ToySupernet {
        let zeros: Vec<Vec<f32>> = self.quality.iter().map(|row| vec![0.0; row.len()]).collect();
        ToySupernet {
            toy: self.clone(),
            work: Work::default(),
            is_relaxed,
            skill: 0.0,
            practice: zeros.clone(),
            logits: zeros.clone(),
            moments: zeros.clone(),
            pruned: zeros,
        }
    }
}

/// Calls back after a step.
fn report(toy: &Toy, on_step: OnStep<'_>, done: usize, loss: f64) -> Result<(), Stop> {
    let flow = on_step(Step { done, of: STEPS, loss });
    let deaf = toy.fault.get() == Fault::Deaf && done == STEPS;
    if flow == ControlFlow::Break(()) && !deaf { Err(Stop::Interrupted) } else { Ok(()) }
}

fn floats(weights: &Weights, name: &str) -> Vec<f32> {
    weights[name].clone().into_floats().unwrap()
}

fn tensor(data: &[f32]) -> Tensor {
    Tensor::of_floats([data.len() as u32], data.to_vec())
}

/// A supernet in training: a skill that all networks share, how often each candidate was trained, and
/// the logits.
struct ToySupernet {
    toy: Toy,
    work: Work,
    is_relaxed: bool,
    skill: f32,
    practice: Vec<Vec<f32>>,
    logits: Vec<Vec<f32>>,
    moments: Vec<Vec<f32>>,
    pruned: Vec<Vec<f32>>,
}

impl ToySupernet {
    /// The probability of each candidate of each decision.
    fn table(&self) -> Vec<Vec<f64>> {
        let row = |d| self.softmax(d, || 0.0, 1.0).into_iter().map(f64::from).collect();
        (0..self.logits.len()).map(row).collect()
    }

    fn softmax(&self, d: usize, mut noise: impl FnMut() -> f32, temperature: f32) -> Vec<f32> {
        let raw: Vec<f32> = self.logits[d]
            .iter()
            .zip(&self.pruned[d])
            .map(|(logit, pruned)| {
                let value = ((logit + noise()) / temperature).exp();
                if *pruned > 0.0 { 0.0 } else { value }
            })
            .collect();
        let sum: f32 = raw.iter().sum();
        raw.iter().map(|value| value / sum).collect()
    }

    fn weight_step(&mut self, pass: &Pass, step: usize, on_step: OnStep<'_>) -> Result<f64, Stop> {
        if self.toy.fault.get() == Fault::Fails {
            return Err(Stop::Failed(ToyError("out of memory")).boxed());
        }
        let noise: f32 = self.toy.random(pass, step).random();
        self.skill += pass.learning_rate.at(0.0) as f32 * (1.0 - self.skill) * noise;
        let loss = f64::from(1.0 - self.skill);
        report(&self.toy, on_step, step + 1, loss)?;
        Ok(loss)
    }

    /// The tables that are of the state, by name.
    fn tables(&mut self) -> Vec<(&'static str, &mut Vec<Vec<f32>>)> {
        if self.is_relaxed {
            vec![
                ("logits", &mut self.logits),
                ("optimizer", &mut self.moments),
                ("pruned", &mut self.pruned),
            ]
        } else {
            vec![("practice", &mut self.practice)]
        }
    }
}

impl SharedWeights for ToySupernet {
    fn steps(&mut self, _: Part) -> Result<usize, Problem> {
        Ok(STEPS)
    }

    fn train(&mut self, pass: &Pass, paths: &Paths, on_step: OnStep<'_>) -> Result<f64, Stop> {
        assert_eq!((pass.part, paths.steps.len()), (Part::All, STEPS));
        self.toy.begin_pass();
        let mut loss = 0.0;
        for (step, networks) in paths.steps.iter().enumerate() {
            assert!(!networks.is_empty());
            self.work += Work::training(BATCH).times(networks.len() as u64);
            for assignment in networks {
                let ids = self.toy.space.decision_ids().map(|(id, _)| id);
                ids.for_each(|id| self.practice[id.index()][assignment.get(id)] += 1.0);
            }
            loss = self.weight_step(pass, step, on_step)?;
        }
        Ok(loss)
    }

    fn exam(&mut self, assignment: &Assignment, _: Beside) -> Result<Exam, Problem> {
        let network = self.toy.network(assignment);
        let practised = |d: usize, c: usize| match self.is_relaxed {
            true => self.toy.quality[d][c],
            false => self.toy.quality[d][c] * (1.0 - 0.5_f32.powf(self.practice[d][c])),
        };
        let miou = f64::from(self.skill * self.toy.mean(&network, practised));
        let (score, is_deaf) = (self.toy.score(miou), self.toy.fault.get() == Fault::Deaf);
        Ok(Box::new(move |on_step| {
            let step = Step { done: STEPS, of: STEPS, loss: 1.0 - miou };
            match on_step(step) {
                ControlFlow::Break(()) if !is_deaf => Err(Stop::Interrupted),
                _ => Ok((score, Work::forward(IMAGES))),
            }
        }))
    }

    fn share_out(&mut self, networks: usize) -> usize {
        JOBS.min(networks).max(1)
    }

    fn work(&self) -> Work {
        self.work
    }

    fn state(&self) -> Result<Weights, Problem> {
        let mut copy = self.toy.supernet(self.is_relaxed);
        (copy.practice, copy.logits) = (self.practice.clone(), self.logits.clone());
        (copy.moments, copy.pruned) = (self.moments.clone(), self.pruned.clone());
        let mut state = Weights::new();
        state.insert("skill".to_owned(), Tensor::of_floats([], vec![self.skill]));
        for (name, table) in copy.tables() {
            for (d, row) in table.iter().enumerate() {
                state.insert(format!("{name}/{d}"), tensor(row));
            }
        }
        Ok(state)
    }

    fn restore(&mut self, state: &Weights) -> Result<(), Problem> {
        self.skill = floats(state, "skill")[0];
        for (name, table) in self.tables() {
            for (d, row) in table.iter_mut().enumerate() {
                *row = floats(state, &format!("{name}/{d}"));
            }
        }
        Ok(())
    }
}

impl Relaxed for ToySupernet {
    fn train_mixed(
        &mut self,
        pass: &Pass,
        _: f64,
        penalty: &Penalty,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop> {
        assert_ne!(pass.part, Part::Choices);
        self.toy.begin_pass();
        let (cost, _) = penalty.expected(&self.table());
        self.work += Work::training(IMAGES);
        let mut loss = 0.0;
        for step in 0..STEPS {
            loss = self.weight_step(pass, step, on_step)?;
        }
        Ok(PassReport { loss, cost })
    }

    fn train_choices(
        &mut self,
        pass: &Pass,
        temperature: f64,
        penalty: &Penalty,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop> {
        assert_eq!(pass.part, Part::Choices);
        self.toy.begin_pass();
        self.work += Work::training(IMAGES);
        let mut loss = 0.0;
        let mut cost = 0.0;
        for step in 0..STEPS {
            let mut random = self.toy.random(pass, step);
            let by_probability;
            (cost, by_probability) = penalty.expected(&self.table());
            for (d, by_candidate) in by_probability.iter().enumerate() {
                let mut gumbel = || -(-random.random_range(1e-6_f32..1.0).ln()).ln();
                let weights = self.softmax(d, &mut gumbel, temperature as f32);
                let costs = by_candidate.iter().map(|cost| (penalty.factor() * cost) as f32);
                let utility: Vec<f32> =
                    self.toy.quality[d].iter().zip(costs).map(|(q, cost)| q - cost).collect();
                let mean: f32 = weights.iter().zip(&utility).map(|(w, u)| w * u).sum();
                loss -= mean;
                for c in 0..weights.len() {
                    let gradient = weights[c] * (utility[c] - mean);
                    self.moments[d][c] = 0.5 * self.moments[d][c] + gradient;
                    self.logits[d][c] +=
                        10.0 * pass.learning_rate.at(0.0) as f32 * self.moments[d][c];
                }
            }
            report(&self.toy, on_step, step + 1, f64::from(loss))?;
        }
        let diverges = self.toy.fault.get() == Fault::Diverges && pass.epoch == 5;
        let loss = if diverges { f64::NAN } else { f64::from(loss) };
        Ok(PassReport { loss, cost })
    }

    fn train_in_turns(
        &mut self,
        turns: &InTurns,
        penalty: &Penalty,
        on_step: OnStep<'_>,
    ) -> Result<[PassReport; 2], Stop> {
        let InTurns { pass, temperature, choices, .. } = *turns;
        let weights = self.train_mixed(&pass, temperature, penalty, on_step)?;
        let pass = Pass { part: Part::Choices, learning_rate: Rate::constant(choices), ..pass };
        Ok([weights, self.train_choices(&pass, temperature, penalty, on_step)?])
    }

    fn probabilities(&self) -> Vec<Vec<f64>> {
        let mut table = self.table();
        if self.toy.fault.get() == Fault::ShortTable {
            table.pop();
        }
        table
    }

    fn prune(&mut self, decision: DecisionId, candidate: usize) {
        let pruned = &mut self.pruned[decision.index()][candidate];
        assert_eq!(*pruned, 0.0, "pruned twice");
        *pruned = 1.0;
    }

    fn is_pruned(&self, decision: DecisionId, candidate: usize) -> bool {
        self.pruned[decision.index()][candidate] > 0.0
    }
}

/// A network in training: a weight that nears its quality, better after even epochs.
struct ToyNetwork {
    toy: Toy,
    quality: f32,
    weight: f32,
    epochs: f32,
    work: Work,
}

impl TrainableNetwork for ToyNetwork {
    fn train(&mut self, pass: &Pass, on_step: OnStep<'_>) -> Result<f64, Stop> {
        self.toy.begin_pass();
        // Paths are dropped more and more, from the first epoch on, unless the recipe says otherwise.
        let stays = self.toy.recipe.retrain.drop_path.stays();
        assert!(stays || (pass.drop_path > 0.0) == (pass.epoch > 0));
        for step in 0..STEPS {
            let noise: f32 = self.toy.random(pass, step).random();
            self.weight +=
                5.0 * pass.learning_rate.at(0.0) as f32 * (self.quality - self.weight) * noise;
            report(&self.toy, on_step, step + 1, f64::from(1.0 - self.weight))?;
        }
        self.epochs += 1.0;
        self.work += Work::training(IMAGES);
        Ok(f64::from(1.0 - self.weight))
    }

    fn score(&mut self, split: Split, on_step: OnStep<'_>) -> Result<Metrics, Stop> {
        let luck = if self.epochs % 2.0 == 0.0 { 0.0 } else { 0.3 };
        let base = f64::from(self.weight * (1.0 - luck));
        let miou = if split == Split::Test { 0.9 * base } else { base };
        report(&self.toy, on_step, STEPS, 1.0 - miou)?;
        self.work += Work::forward(IMAGES);
        Ok(self.toy.score(miou))
    }

    fn work(&self) -> Work {
        self.work
    }

    fn weights(&self) -> Result<Weights, Problem> {
        Ok(Weights::from_iter([(
            "y.weight".to_owned(),
            Tensor::of_floats([1, 1], vec![self.weight]),
        )]))
    }

    fn load(&mut self, weights: &Weights) -> Result<(), Problem> {
        self.weight = floats(weights, "y.weight")[0];
        Ok(())
    }

    fn state(&self) -> Result<Weights, Problem> {
        let mut state = Weights::new();
        state.insert("y.weight".to_owned(), Tensor::of_floats([1, 1], vec![self.weight]));
        state.insert("optimizer/epochs".to_owned(), tensor(&[self.epochs]));
        Ok(state)
    }

    fn restore(&mut self, state: &Weights) -> Result<(), Problem> {
        self.weight = floats(state, "y.weight")[0];
        self.epochs = floats(state, "optimizer/epochs")[0];
        Ok(())
    }
}

impl Backend for Toy {
    fn shared(&self, _: Sharing) -> Result<Box<dyn SharedWeights>, Problem> {
        Ok(Box::new(self.supernet(false)))
    }

    fn relaxed(&self, _: &Relaxation) -> Result<Box<dyn Relaxed>, Problem> {
        Ok(Box::new(self.supernet(true)))
    }

    fn network(&self, network: Network) -> Result<Box<dyn TrainableNetwork>, Problem> {
        let quality = self.mean(&network, |d, c| self.quality[d][c]);
        let (toy, work) = (self.clone(), Work::default());
        Ok(Box::new(ToyNetwork { toy, quality, weight: 0.0, epochs: 0.0, work }))
    }

    fn has_test(&self) -> bool {
        self.has_test
    }

    fn proxies(&self, images: u32) -> Result<Box<dyn Proxies>, Problem> {
        Ok(Box::new(ToyProxies { toy: self.clone(), images }))
    }

    fn training_images(&self) -> Result<u64, Problem> {
        Ok(IMAGES)
    }
}

/// Proxies that guess: one says what a network is worth, in other units, and all others what it costs.
struct ToyProxies {
    toy: Toy,
    images: u32,
}

impl Proxies for ToyProxies {
    fn measure(
        &self,
        network: &Network,
        proxies: &[Proxy],
    ) -> Result<Result<Measured, Undefined>, Problem> {
        let worth = f64::from(self.toy.mean(network, |d, c| self.toy.quality[d][c]));
        let macs = nas_analysis::costs(network).macs as f64;
        let mut measured = Measured { values: Vec::new(), work: Work::default() };
        for &proxy in proxies {
            measured.work += Work::forward(self.images.into());
            measured.values.push(match proxy {
                Proxy::Synflow => 100.0 * worth - 40.0,
                Proxy::Naswot if network.choices.first().is_some_and(|(_, name)| name == "c0") => {
                    let (why, work) = ("it takes c0".to_owned(), measured.work);
                    return Ok(Err(Undefined { proxy, why, work }));
                }
                _ => macs,
            });
        }
        Ok(Ok(measured))
    }
}
