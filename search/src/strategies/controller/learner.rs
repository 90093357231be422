//! How a policy learns: from batches of networks and their scores, by proximal policy optimisation (Schulman et al. 2017),
//! as the controllers of NASNet (Zoph et al. 2018) and MnasNet (Tan et al. 2019) do. With one pass over a batch it is
//! REINFORCE (Williams 1992), as that of Zoph and Le (2017).

use super::policy::{Policy, Walk};
use super::schema::Settings;

/// A policy that learns.
pub(super) struct Learner {
    pub(super) policy: Policy,
    settings: Settings,
    baseline: Baseline,
    adam: Adam,
    batch: Vec<Lesson>,
}

/// A network that was tried.
struct Lesson {
    /// The decisions that made a difference, each with its candidate.
    choices: Vec<(usize, usize)>,
    /// By how much it was better than the baseline, in standard deviations.
    advantage: f64,
}

impl Learner {
    pub(super) fn new(policy: Policy, settings: Settings) -> Self {
        let (baseline, adam) = (Baseline::default(), Adam::new(policy.len()));
        Self { policy, settings, baseline, adam, batch: Vec::new() }
    }

    /// What a network that chooses so scored. Whenever there is a batch of them, the policy learns.
    pub(super) fn tell(&mut self, choices: Vec<(usize, usize)>, score: f64) {
        let Some(advantage) = self.baseline.advantage(score, self.settings.memory) else { return };
        self.batch.push(Lesson { choices, advantage });
        if self.batch.len() >= self.settings.batch {
            let batch = std::mem::take(&mut self.batch);
            self.learn(&batch);
        }
    }

    fn learn(&mut self, batch: &[Lesson]) {
        let follow = |lesson: &Lesson, policy: &Policy| policy.follow(&lesson.choices);
        let before = batch.iter().map(|lesson| chosen_shares(&follow(lesson, &self.policy)));
        let before: Vec<Vec<f64>> = before.collect();
        for _ in 0..self.settings.passes {
            let mut gradient = vec![0.0; self.policy.len()];
            for (lesson, before) in batch.iter().zip(&before) {
                let walk = follow(lesson, &self.policy);
                let slopes = self.slopes(&walk, before, lesson.advantage);
                self.policy.add_gradient(&walk, &slopes, &mut gradient);
            }
            gradient.iter_mut().for_each(|slope| *slope /= batch.len() as f64);
            self.adam.ascend(self.policy.parameters_mut(), &gradient, self.settings.rate);
        }
    }

    /// The derivative of what is to grow with respect to the logits of each decision: the clipped advantage (Schulman
    /// et al. 2017, equation 7), the ratio being that of each decision, and the entropy.
    fn slopes(&self, walk: &Walk, before: &[f64], advantage: f64) -> Vec<Vec<f64>> {
        let Settings { clip, entropy, .. } = self.settings;
        let slopes = walk.steps().zip(before).map(|((chosen, shares), before)| {
            let ratio = shares.get(chosen).copied().unwrap_or_default() / before;
            let is_far = if advantage > 0.0 { ratio > 1.0 + clip } else { ratio < 1.0 - clip };
            let pull = if is_far { 0.0 } else { advantage * ratio };
            let disorder: f64 = shares.iter().map(|share| -share * share.ln()).sum();
            let slope = |(candidate, share): (usize, &f64)| {
                let toward = f64::from(u8::from(candidate == chosen)) - share;
                pull * toward - entropy * share * (share.ln() + disorder)
            };
            shares.iter().enumerate().map(slope).collect()
        });
        slopes.collect()
    }
}

/// The probability of what was chosen, decision by decision.
fn chosen_shares(walk: &Walk) -> Vec<f64> {
    let shares = walk.steps().map(|(chosen, shares)| shares.get(chosen).copied());
    shares.map(Option::unwrap_or_default).collect()
}

/// The mean of scores and their spread: of the first ones plain, then such that the last ones count most.
#[derive(Default)]
struct Baseline {
    mean: f64,
    /// The mean of the squared distances from it.
    spread: f64,
    told: u32,
}

impl Baseline {
    /// By how many standard deviations a score is above the mean so far, three at most; `None` of the first.
    fn advantage(&mut self, score: f64, memory: f64) -> Option<f64> {
        let distance = score - self.mean;
        let deviation = self.spread.sqrt().max(distance.abs() / 3.0).max(1e-12);
        let advantage = (self.told > 0).then(|| distance / deviation);
        self.told = self.told.saturating_add(1);
        let keeps = memory.min(1.0 - 1.0 / f64::from(self.told));
        self.spread = keeps * (self.spread + (1.0 - keeps) * distance * distance);
        self.mean += (1.0 - keeps) * distance;
        advantage
    }
}

/// Adam (Kingma and Ba 2015), upwards.
struct Adam {
    means: Vec<f64>,
    squares: Vec<f64>,
    steps: i32,
}

const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

impl Adam {
    fn new(len: usize) -> Self {
        Self { means: vec![0.0; len], squares: vec![0.0; len], steps: 0 }
    }

    fn ascend(&mut self, parameters: &mut [f64], gradient: &[f64], rate: f64) {
        self.steps = self.steps.saturating_add(1);
        let [of_mean, of_square] = BETAS.map(|beta| 1.0 - beta.powi(self.steps));
        let moments = self.means.iter_mut().zip(&mut self.squares);
        for ((parameter, slope), (mean, square)) in parameters.iter_mut().zip(gradient).zip(moments)
        {
            *mean += (1.0 - BETAS[0]) * (slope - *mean);
            *square += (1.0 - BETAS[1]) * (slope * slope - *square);
            *parameter += rate * (*mean / of_mean) / ((*square / of_square).sqrt() + EPSILON);
        }
    }
}
