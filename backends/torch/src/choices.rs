//! The logits of the decisions: probabilities, pruned candidates, and the optimiser Adam.

use nas_analysis::widths::{Obstacle, Width, widths};
use nas_ir::{Checked, DecisionId, Space, Tensor as Plain, Weights, fault};
use nas_search::shared::Adam;

use crate::error::TorchError;
use crate::parameters::fitting;

/// Denominator of Adam's step, as in PyTorch.
const EPSILON: f32 = 1e-8;

/// Logits of every decision, all 1 at first. They are few, so they live here and visit
/// the device as one tensor a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choices {
    decisions: Vec<Decision>,
    /// Steps that Adam has made.
    steps: u32,
}

#[derive(Debug, Clone, PartialEq)]
struct Decision {
    path: String,
    candidates: Vec<Candidate>,
    /// The candidates by their numbers of channels, if masks stand for these.
    widths: Option<Vec<usize>>,
    /// Whether it is on the sizes of maps and steps run each candidate for itself.
    is_apart: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    logit: f32,
    pruned: bool,
    /// Adam's running means of the gradient and of its square.
    moments: [f32; 2],
}

/// Names in a saved state, each followed by the path of the decision.
const LOGITS: &str = "choices/";
const PRUNED: &str = "dropped/";
const MOMENTS: [&str; 2] = ["optimizer/choices/mean/", "optimizer/choices/square/"];
const STEPS: &str = "optimizer/choices/steps";

impl Choices {
    pub(crate) fn new(space: &Space) -> Self {
        let fresh = Candidate { logit: 1.0, pruned: false, moments: [0.0; 2] };
        let decision = |decision: &nas_ir::Decision| Decision {
            path: decision.path.clone(),
            candidates: vec![fresh; decision.candidates.len()],
            widths: None,
            is_apart: false,
        };
        Self { decisions: space.decisions.iter().map(decision).collect(), steps: 0 }
    }

    /// The same, where masks stand for numbers of channels, and what differs in the sizes of maps runs for itself.
    pub(crate) fn masked(space: &Checked<Space>) -> Self {
        let mut choices = Self::new(space);
        for Width { decision, candidates } in widths(space) {
            if let Some(decision) = choices.decisions.get_mut(decision.index()) {
                decision.is_apart = matches!(candidates, Err(Obstacle::Sizes { .. }));
                decision.widths = candidates.ok();
            }
        }
        choices
    }

    /// The candidate of the most channels that is not pruned, if masks stand for those of fewer.
    pub(crate) fn widest(&self, decision: usize) -> Option<usize> {
        let Decision { candidates, widths, .. } = self.decisions.get(decision)?;
        let is_kept = |&place: &usize| candidates.get(place).is_some_and(|c| !c.pruned);
        widths.as_ref()?.iter().rev().copied().find(is_kept)
    }

    /// The decision whose candidates run each for itself; one at most.
    pub(crate) fn apart(&self) -> Option<usize> {
        self.decisions.iter().position(|decision| decision.is_apart)
    }

    /// Of each decision, how many candidates it has, and those that are not pruned.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (usize, Vec<usize>)> {
        self.decisions.iter().map(|Decision { candidates, .. }| {
            let kept = candidates.iter().enumerate().filter(|(_, c)| !c.pruned);
            (candidates.len(), kept.map(|(i, _)| i).collect())
        })
    }

    /// Those of no decision: for a supernet that is trained on networks that it is given.
    pub(crate) fn none() -> Self {
        Self { decisions: Vec::new(), steps: 0 }
    }

    /// The logits of all decisions, one after the other.
    pub(crate) fn logits(&self) -> Vec<f32> {
        self.decisions.iter().flat_map(|d| &d.candidates).map(|c| c.logit).collect()
    }

    /// Softmax of the logits over the candidates that are not pruned; 0 for the others.
    pub(crate) fn probabilities(&self) -> Vec<Vec<f64>> {
        self.decisions.iter().map(Decision::probabilities).collect()
    }

    /// Takes a candidate out for good. The last one of a decision stays.
    pub(crate) fn prune(&mut self, decision: usize, candidate: usize) {
        let all = self.decisions.get_mut(decision).map(|d| &mut d.candidates);
        let left = all.iter().flat_map(|all| all.iter()).filter(|c| !c.pruned).count();
        match all.and_then(|all| all.get_mut(candidate)) {
            Some(candidate) => candidate.pruned |= left > 1,
            None => missing(decision, candidate),
        }
    }

    /// Whether a candidate was taken out.
    pub(crate) fn is_pruned(&self, decision: DecisionId, candidate: usize) -> bool {
        let own = self.decisions.get(decision.index());
        match own.and_then(|d| d.candidates.get(candidate)) {
            Some(candidate) => candidate.pruned,
            None => missing(decision.index(), candidate),
        }
    }

    /// The gradient with respect to the logits of `sum over d, i of g[d][i] * p[d][i]` with g constant and
    /// p the probabilities: `p_i * (g_i - sum over j of g_j * p_j)`. Where g is the gradient of a cost
    /// with respect to p, this is the gradient of the cost.
    pub(crate) fn through_softmax(&self, gradient: &[Vec<f64>]) -> Vec<f64> {
        let through = |(p, g): (Vec<f64>, &Vec<f64>)| {
            let mean: f64 = p.iter().zip(g).map(|(p, g)| p * g).sum();
            let each = p.iter().zip(g).map(|(p, g)| p * (g - mean));
            each.collect::<Vec<f64>>()
        };
        self.probabilities().into_iter().zip(gradient).flat_map(through).collect()
    }

    /// One step of Adam (Kingma and Ba 2015, algorithm 1) with weight decay added to the
    /// gradient, as in PyTorch. Pruned candidates keep what they have.
    pub(crate) fn step(&mut self, gradient: &[f64], rate: f64, adam: &Adam) {
        self.steps = self.steps.saturating_add(1);
        let power = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let [beta1, beta2] = [adam.beta1, adam.beta2];
        let corrections = [beta1, beta2].map(|beta| 1.0 - beta.powi(power));
        let candidates = self.decisions.iter_mut().flat_map(|d| &mut d.candidates);
        for (candidate, gradient) in candidates.zip(gradient) {
            if candidate.pruned {
                continue;
            }
            let gradient = gradient + adam.decay * f64::from(candidate.logit);
            let [mean, square] = candidate.moments.map(f64::from);
            let mean = beta1 * mean + (1.0 - beta1) * gradient;
            let square = beta2 * square + (1.0 - beta2) * gradient * gradient;
            candidate.moments = [mean as f32, square as f32];
            let root = (square / corrections[1]).sqrt() + f64::from(EPSILON);
            let step = rate * mean / corrections[0] / root;
            candidate.logit = (f64::from(candidate.logit) - step) as f32;
        }
    }

    /// Adds logits, pruned candidates and Adam's state to `weights`; nothing where there are none.
    pub(crate) fn save(&self, weights: &mut Weights) {
        if self.decisions.is_empty() {
            return;
        }
        for decision in &self.decisions {
            let mut insert = |prefix: &str, of: &dyn Fn(&Candidate) -> f32| {
                let data: Vec<f32> = decision.candidates.iter().map(of).collect();
                let tensor = Plain::of_floats([data.len() as u32], data);
                weights.insert(format!("{prefix}{}", decision.path), tensor);
            };
            insert(LOGITS, &|c| c.logit);
            insert(PRUNED, &|c| f32::from(u8::from(c.pruned)));
            let [mean, square] = MOMENTS;
            insert(mean, &|c| c.moments[0]);
            insert(square, &|c| c.moments[1]);
        }
        // INVARIANT: f32 holds whole numbers up to 2^24 exactly, far above any number of steps
        // after which Adam's corrections still differ from 1.
        weights.insert(STEPS.to_owned(), Plain::of_floats([1], vec![self.steps as f32]));
    }

    /// Takes from `weights` what `save` put there; leaves all as it is if something does not fit.
    pub(crate) fn load(&mut self, weights: &Weights) -> Result<(), TorchError> {
        if self.decisions.is_empty() {
            return Ok(());
        }
        let mut loaded = self.clone();
        for decision in &mut loaded.decisions {
            let dims = [decision.candidates.len() as u32];
            let find = |prefix| fitting(weights, &format!("{prefix}{}", decision.path), &dims);
            let (logits, pruned) = (find(LOGITS)?, find(PRUNED)?);
            let [mean, square] = MOMENTS;
            let (mean, square) = (find(mean)?, find(square)?);
            let moments = mean.iter().zip(square);
            let values = logits.iter().zip(pruned).zip(moments);
            let read = |((&logit, &pruned), (&mean, &square)): ((&f32, &f32), (&f32, &f32))| {
                Candidate { logit, pruned: pruned != 0.0, moments: [mean, square] }
            };
            decision.candidates = values.map(read).collect();
        }
        let [steps] = fitting(weights, STEPS, &[1])? else {
            return Err(TorchError::broken("a tensor of one element has another number"));
        };
        loaded.steps = *steps as u32;
        *self = loaded;
        Ok(())
    }
}

fn missing(decision: usize, candidate: usize) -> ! {
    fault(&format!("decision {decision} has no logit of candidate {candidate}"))
}

impl Decision {
    fn probabilities(&self) -> Vec<f64> {
        let alive = self.candidates.iter().filter(|c| !c.pruned);
        let largest = alive.map(|c| f64::from(c.logit)).fold(f64::NEG_INFINITY, f64::max);
        let exponential =
            |c: &Candidate| if c.pruned { 0.0 } else { (f64::from(c.logit) - largest).exp() };
        let each: Vec<f64> = self.candidates.iter().map(exponential).collect();
        let sum: f64 = each.iter().sum();
        each.into_iter().map(|value| value / sum).collect()
    }
}
