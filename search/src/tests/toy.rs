//! A backend that is arithmetic: each candidate has a quality, and the choices must find the
//! best by sampled gradients, as a real supernet does.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use nas_ir::network::{NetworkNode, Port};
use nas_ir::ops::{Conv, Padding};
use nas_ir::recipe::{Anneal, Law, Objective, Recipe};
use nas_ir::{
    Assignment, ClassMetric, Decision, DecisionId, Measure, Metric, Network, Op, Shape, Space,
    Task, TaskMetrics, Tensor, Weights,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::evaluator::{
    Backend, OnStep, Part, Pass, PassReport, Split, Step, Stop, Supernet, Trainee,
};
use crate::metrics::Metrics;

/// Steps of a pass.
const STEPS: usize = 2;

#[derive(Debug, PartialEq)]
pub(super) struct ToyError(pub(super) &'static str);

/// A made-up space and what its candidates are worth.
pub(super) struct Toy {
    pub(super) space: Space,
    pub(super) recipe: Recipe,
    /// Quality and MACs of each candidate of each decision.
    pub(super) worth: Vec<Vec<(f32, u32)>>,
    /// What its networks are judged by.
    pub(super) metrics: TaskMetrics,
    /// A decision that exists only if decision 0 takes candidate 0.
    pub(super) nested: Option<usize>,
    /// What the backend does wrong.
    pub(super) fault: Cell<Fault>,
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

impl Toy {
    /// Four decisions of five candidates; in each another one is best and another one cheap.
    pub(super) fn new() -> Self {
        let worth: Vec<Vec<(f32, u32)>> = (0..4_u16)
            .map(|d| {
                let quality =
                    |c| if c == (2 * d + 1) % 5 { 1.0 } else { 0.1 * f32::from((c * 3 + d) % 5) };
                let macs = |c| if c == (d + 3) % 5 { 10 } else { 100 + 10 * u32::from(c) };
                (0..5).map(|c| (quality(c), macs(c))).collect()
            })
            .collect();
        let decisions = (0..4).map(|d| Decision {
            path: format!("unit.{d}/op"),
            label: "op".to_owned(),
            choice: nas_ir::Choice::Parts,
            candidates: (0..5).map(|c| format!("c{c}")).collect(),
            origin: None,
        });
        let space =
            Space { name: "toy".to_owned(), decisions: decisions.collect(), ..Space::default() };
        let mut recipe = Recipe::default_for("toy");
        recipe.objective = Objective { factor: 0.0, measure: Measure::Macs };
        recipe.schedule.epochs = 30;
        recipe.schedule.warmup = 3;
        recipe.choices.rate = 0.3;
        recipe.retrain.epochs = 5;
        recipe.retrain.drop_path = Anneal { from: 0.0, to: 1.0, law: Law::Linear };
        let metrics = Task::Segmentation { classes: 2, ignore: 255 }.metrics();
        Self { space, recipe, worth, metrics, nested: None, fault: Cell::new(Fault::None) }
    }

    /// A run short enough to be stopped everywhere.
    pub(super) fn short() -> Self {
        let mut toy = Self::new();
        toy.recipe.schedule.epochs = 4;
        toy.recipe.schedule.warmup = 1;
        toy.recipe.choices.rate = 0.1;
        toy.recipe.strategy.prune_below = 0.12;
        toy.recipe.derive.sample = 4;
        toy.recipe.derive.keep = 2;
        toy.recipe.retrain.epochs = 3;
        toy
    }

    pub(super) fn network(&self, assignment: &Assignment) -> Network {
        let ids: Vec<DecisionId> = self.space.decision_ids().map(|(id, _)| id).collect();
        let mut choices = Vec::new();
        let mut macs = 0;
        for (d, decision) in self.space.decisions.iter().enumerate() {
            if self.nested == Some(d) && assignment.get(ids[0]) != 0 {
                continue;
            }
            let candidate = assignment.get(ids[d]);
            choices.push((decision.path.clone(), decision.candidates[candidate].clone()));
            macs += self.worth[d][candidate].1;
        }
        // A pointwise convolution of one pixel costs as many MACs as it has input channels.
        let conv = Conv {
            out: 1,
            kernel: [1, 1],
            stride: [1, 1],
            dilation: [1, 1],
            groups: NonZeroU32::MIN,
            bias: false,
            padding: Padding { before: [0, 0], after: [0, 0] },
        };
        let node = |name: &str, op, inputs, channels| NetworkNode {
            name: name.to_owned(),
            op,
            inputs,
            shape: Shape::map(channels, 1, 1),
        };
        let nodes =
            vec![node("x", None, vec![], macs), node("y", Some(Op::Conv(conv)), vec![0], 1)];
        let port = |name: &str, node| vec![Port { name: name.to_owned(), node }];
        let (inputs, outputs) = (port("x", 0), port("y", 1));
        let space = "toy".to_owned();
        Network { space, choices, nodes, inputs, outputs, ..Network::default() }
    }

    /// Mean quality of the choices, from 0 to 1.
    fn quality(&self, choices: &[(String, String)]) -> f32 {
        let each = choices.iter().map(|(path, name)| {
            let d = self.space.decisions.iter().position(|d| d.path == *path).unwrap();
            let c = self.space.decisions[d].candidates.iter().position(|c| c == name).unwrap();
            self.worth[d][c].0
        });
        // A network without choices is as good as it can be.
        if choices.is_empty() { 1.0 } else { each.sum::<f32>() / choices.len() as f32 }
    }

    /// The metrics of a network that is so good.
    fn score(&self, miou: f64) -> Metrics {
        let value = |metric| match metric {
            Metric::Miou => miou,
            Metric::Accuracy => miou.sqrt(),
            Metric::Loss => 1.0 - miou,
        };
        let by_class = |metric| match metric {
            ClassMetric::Iou => vec![Some(miou), None],
        };
        Metrics::new(self.metrics, value, by_class)
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
}

/// Calls back after a step.
fn report<E>(toy: &Toy, on_step: OnStep<'_>, done: usize, loss: f64) -> Result<(), Stop<E>> {
    let flow = on_step(Step { done, of: STEPS, loss });
    let deaf = toy.fault.get() == Fault::Deaf && done == STEPS;
    if flow == ControlFlow::Break(()) && !deaf { Err(Stop::Interrupted) } else { Ok(()) }
}

fn tensor(data: &[f32]) -> Tensor {
    Tensor { dims: vec![data.len() as u32], data: data.to_vec() }
}

/// A supernet in training: a skill that all networks share, and the logits.
pub(super) struct ToySupernet<'t> {
    toy: &'t Toy,
    skill: f32,
    logits: Vec<Vec<f32>>,
    moments: Vec<Vec<f32>>,
    dropped: Vec<Vec<f32>>,
}

impl<'t> ToySupernet<'t> {
    fn new(toy: &'t Toy) -> Self {
        let zeros: Vec<Vec<f32>> = toy.worth.iter().map(|row| vec![0.0; row.len()]).collect();
        let (logits, moments) = (zeros.clone(), zeros.clone());
        Self { toy, skill: 0.0, logits, moments, dropped: zeros }
    }

    fn softmax(&self, d: usize, noise: impl FnMut() -> f32, temperature: f32) -> Vec<f32> {
        let mut noise = noise;
        let raw: Vec<f32> = self.logits[d]
            .iter()
            .zip(&self.dropped[d])
            .map(|(logit, dropped)| {
                let value = ((logit + noise()) / temperature).exp();
                if *dropped > 0.0 { 0.0 } else { value }
            })
            .collect();
        let sum: f32 = raw.iter().sum();
        raw.iter().map(|value| value / sum).collect()
    }
}

impl Supernet for ToySupernet<'_> {
    type Error = ToyError;

    fn train_weights(
        &mut self,
        pass: &Pass,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop<ToyError>> {
        assert_ne!(pass.part, Part::Choices);
        for step in 0..STEPS {
            if self.toy.fault.get() == Fault::Fails {
                return Err(Stop::Failed(ToyError("out of memory")));
            }
            let noise: f32 = self.toy.random(pass, step).random();
            self.skill += pass.rate[0] as f32 * (1.0 - self.skill) * noise;
            report(self.toy, on_step, step + 1, f64::from(1.0 - self.skill))?;
        }
        Ok(PassReport { loss: f64::from(1.0 - self.skill), cost: 300.0 })
    }

    fn train_choices(
        &mut self,
        pass: &Pass,
        on_step: OnStep<'_>,
    ) -> Result<PassReport, Stop<ToyError>> {
        assert_eq!(pass.part, Part::Choices);
        let (temperature, factor) =
            (pass.temperature as f32, self.toy.recipe.objective.factor as f32);
        let mut loss = 0.0;
        for step in 0..STEPS {
            let mut random = self.toy.random(pass, step);
            for d in 0..self.logits.len() {
                let mut gumbel = || -(-random.random_range(1e-6_f32..1.0).ln()).ln();
                let weights = self.softmax(d, &mut gumbel, temperature);
                let utility: Vec<f32> =
                    self.toy.worth[d].iter().map(|(q, macs)| q - factor * *macs as f32).collect();
                let mean: f32 = weights.iter().zip(&utility).map(|(w, u)| w * u).sum();
                loss -= mean;
                for c in 0..weights.len() {
                    let gradient = weights[c] * (utility[c] - mean);
                    self.moments[d][c] = 0.5 * self.moments[d][c] + gradient;
                    self.logits[d][c] += 10.0 * pass.rate[0] as f32 * self.moments[d][c];
                }
            }
            report(self.toy, on_step, step + 1, f64::from(loss))?;
        }
        let diverges = self.toy.fault.get() == Fault::Diverges && pass.epoch == 5;
        let loss = if diverges { f64::NAN } else { f64::from(loss) };
        Ok(PassReport { loss, cost: 300.0 })
    }

    fn probabilities(&self) -> Vec<Vec<f64>> {
        let rows = if self.toy.fault.get() == Fault::ShortTable { 3 } else { self.logits.len() };
        (0..rows)
            .map(|d| self.softmax(d, || 0.0, 1.0).into_iter().map(f64::from).collect())
            .collect()
    }

    fn drop_candidate(&mut self, decision: DecisionId, candidate: usize) {
        let dropped = &mut self.dropped[decision.index()][candidate];
        assert_eq!(*dropped, 0.0, "dropped twice");
        *dropped = 1.0;
    }

    fn score(
        &mut self,
        assignment: &Assignment,
        on_step: OnStep<'_>,
    ) -> Result<Metrics, Stop<ToyError>> {
        let network = self.toy.network(assignment);
        let miou = f64::from(self.skill * self.toy.quality(&network.choices));
        report(self.toy, on_step, STEPS, 1.0 - miou)?;
        Ok(self.toy.score(miou))
    }

    fn state(&self) -> Result<Weights, ToyError> {
        let mut state = Weights::new();
        state.insert("skill".to_owned(), Tensor { dims: vec![], data: vec![self.skill] });
        for d in 0..self.logits.len() {
            state.insert(format!("logits/{d}"), tensor(&self.logits[d]));
            state.insert(format!("optimizer/{d}"), tensor(&self.moments[d]));
            state.insert(format!("dropped/{d}"), tensor(&self.dropped[d]));
        }
        Ok(state)
    }

    fn restore(&mut self, state: &Weights) -> Result<(), ToyError> {
        self.skill = state["skill"].data[0];
        for d in 0..self.logits.len() {
            self.logits[d] = state[&format!("logits/{d}")].data.clone();
            self.moments[d] = state[&format!("optimizer/{d}")].data.clone();
            self.dropped[d] = state[&format!("dropped/{d}")].data.clone();
        }
        Ok(())
    }
}

/// A network in training: a weight that nears its quality, better after even epochs.
pub(super) struct ToyTrainee<'t> {
    toy: &'t Toy,
    quality: f32,
    weight: f32,
    epochs: f32,
}

impl Trainee for ToyTrainee<'_> {
    type Error = ToyError;

    fn train(&mut self, pass: &Pass, on_step: OnStep<'_>) -> Result<PassReport, Stop<ToyError>> {
        let epochs = f64::from(self.toy.recipe.retrain.epochs);
        assert_eq!(pass.drop_path, f64::from(pass.epoch) / epochs);
        for step in 0..STEPS {
            let noise: f32 = self.toy.random(pass, step).random();
            self.weight += 5.0 * pass.rate[0] as f32 * (self.quality - self.weight) * noise;
            report(self.toy, on_step, step + 1, f64::from(1.0 - self.weight))?;
        }
        self.epochs += 1.0;
        Ok(PassReport { loss: f64::from(1.0 - self.weight), cost: 0.0 })
    }

    fn score(&mut self, split: Split, on_step: OnStep<'_>) -> Result<Metrics, Stop<ToyError>> {
        let luck = if self.epochs % 2.0 == 0.0 { 0.0 } else { 0.3 };
        let base = f64::from(self.weight * (1.0 - luck));
        let miou = if split == Split::Test { 0.9 * base } else { base };
        report(self.toy, on_step, STEPS, 1.0 - miou)?;
        Ok(self.toy.score(miou))
    }

    fn load(&mut self, weights: &Weights) -> Result<(), ToyError> {
        self.weight = weights["y.weight"].data[0];
        Ok(())
    }

    fn state(&self) -> Result<Weights, ToyError> {
        let mut state = Weights::new();
        state.insert("y.weight".to_owned(), Tensor { dims: vec![1, 1], data: vec![self.weight] });
        state.insert("optimizer/epochs".to_owned(), tensor(&[self.epochs]));
        Ok(state)
    }

    fn restore(&mut self, state: &Weights) -> Result<(), ToyError> {
        self.weight = state["y.weight"].data[0];
        self.epochs = state["optimizer/epochs"].data[0];
        Ok(())
    }
}

impl<'t> Backend for &'t Toy {
    type Error = ToyError;
    type Supernet = ToySupernet<'t>;
    type Trainee = ToyTrainee<'t>;

    fn supernet(&self) -> Result<Self::Supernet, ToyError> {
        Ok(ToySupernet::new(self))
    }

    fn trainee(&self, network: Network) -> Result<Self::Trainee, ToyError> {
        let quality = self.quality(&network.choices);
        Ok(ToyTrainee { toy: self, quality, weight: 0.0, epochs: 0.0 })
    }
}
