//! From learned probabilities to a network: draw, score with inherited weights, rank.

use std::cmp::Ordering;
use std::time::Instant;

use nas_ir::{Assignment, Costs, Measure, Network, Space};
use rand::Rng;
use rand::SeedableRng;
use rand::distr::Open01;
use rand_chacha::ChaCha8Rng;

use super::supernet::most_probable;
use super::{Halt, Run, choices, count};
use crate::error::RunError;
use crate::evaluator::{Backend, Supernet};
use crate::event::{Event, Phase, Work};
use crate::metrics::Metrics;
use crate::record::{Candidate, Choices, Status};
use crate::store::{damaged, names};

/// The stream of the seed's generator that drawing uses.
const STREAM: u64 = 1;

/// A network that was drawn.
struct Drawn {
    assignment: Assignment,
    choices: Choices,
    cost: Costs,
    times: u32,
}

impl<B: Backend> Run<'_, '_, B> {
    /// Draws, scores and ranks; writes the candidates and the best assignment.
    pub(super) fn derive(&mut self, mut supernet: B::Supernet) -> Result<(), Halt<B::Error>> {
        let drawn = self.drawn(&self.probabilities(&supernet)?)?;
        let mut scored = self.scored_before(&drawn)?;
        let of = count(drawn.len());
        self.begin(Phase::Derive, count(scored.len()), of)?;
        for (number, network) in drawn.iter().enumerate().skip(scored.len()) {
            let candidate = self.score(&mut supernet, count(number), of, network)?;
            scored.push(candidate);
            self.progress.check()?;
        }
        scored.sort_by(|a, b| rank(a, b, self.job.recipe.objective.measure));
        scored.truncate(self.recipe().derive.keep as usize);
        self.store.write_json(names::CANDIDATES, &scored)?;
        let best = scored.first().ok_or_else(|| damaged(names::SCORES, "it is empty"))?;
        self.store.write_json(names::ASSIGNMENT, &best.choices)?;
        self.progress.tell(Event::Ranked { candidates: &scored });
        self.progress.check()
    }

    /// The distinct networks among the most probable one and the draws, in the order in which
    /// they first came. Where the space has requirements, a draw is the network that keeps them
    /// and has the highest perturbed probability (perturb and MAP, Papandreou and Yuille 2011).
    fn drawn(&self, probabilities: &[Vec<f64>]) -> Result<Vec<Drawn>, RunError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.recipe().seed);
        random.set_stream(STREAM);
        let mut drawn: Vec<Drawn> = Vec::new();
        for number in 0..self.recipe().derive.sample {
            let scores = probabilities.iter().map(|row| match number {
                0 => row.iter().map(|p| p.ln()).collect(),
                _ => perturbed(row, &mut random),
            });
            let scores: Vec<Vec<f64>> = scores.collect();
            let Some(assignment) = self.highest(&scores)? else { continue };
            let network = (self.job.specialise)(&assignment);
            let choices = choices(&network);
            match drawn.iter_mut().find(|earlier| earlier.choices == choices) {
                Some(earlier) => earlier.times = earlier.times.saturating_add(1),
                None => drawn.push(Drawn {
                    assignment,
                    choices,
                    cost: nas_analysis::costs(&network),
                    times: 1,
                }),
            }
        }
        if drawn.is_empty() { Err(RunError::NoneKept) } else { Ok(drawn) }
    }

    /// The network of the highest score that keeps the requirements.
    fn highest(&self, scores: &[Vec<f64>]) -> Result<Option<Assignment>, RunError> {
        let Some(best_kept) = self.job.best_kept else {
            return Ok(Some(assign(self.job.space, scores, most_probable)));
        };
        // A dropped candidate is taken only where the limits leave no other.
        let finite = |row: &Vec<f64>| row.iter().map(|score| score.max(DROPPED)).collect();
        let scores: Vec<Vec<f64>> = scores.iter().map(finite).collect();
        best_kept(&scores).map_err(|entangled| RunError::EntangledRequirements {
            decisions: self.job.space.entanglement(&entangled),
        })
    }

    /// The scores that are on disk.
    fn scored_before(&mut self, drawn: &[Drawn]) -> Result<Vec<Candidate>, RunError> {
        let scored: Vec<Candidate> = self.store.lines(names::SCORES)?;
        let fits = scored.len() <= drawn.len()
            && scored.iter().zip(drawn).all(|(scored, drawn)| scored.choices == drawn.choices);
        if !fits {
            return Err(damaged(names::SCORES, "it scores networks that were not drawn"));
        }
        self.store.keep_lines(names::SCORES, scored.len())?;
        Ok(scored)
    }

    fn score(
        &mut self,
        supernet: &mut B::Supernet,
        number: u32,
        of: u32,
        network: &Drawn,
    ) -> Result<Candidate, Halt<B::Error>> {
        let since = Instant::now();
        let score =
            supernet.score(&network.assignment, &mut self.progress.steps(Work::Score, number))?;
        self.progress.check()?;
        let last = self.recipe().schedule.epochs.saturating_sub(1);
        let score = sound(score, "the score with inherited weights", last, "weights.rate")?;
        let candidate = Candidate {
            number,
            drawn: network.times,
            choices: network.choices.clone(),
            cost: network.cost,
            score,
        };
        self.store.append(names::SCORES, &candidate)?;
        let status = Status { phase: Phase::Derive, done: number.saturating_add(1), of };
        self.store.write_json(names::STATUS, &status)?;
        self.time(Phase::Derive, number, since)?;
        let (score, cost) = (&candidate.score, network.cost);
        self.progress.tell(Event::Scored { number, of, score, cost });
        Ok(candidate)
    }
}

/// The assignment that takes, for each decision, what `pick` says of its scores.
fn assign(space: &Space, scores: &[Vec<f64>], pick: impl Fn(&[f64]) -> usize) -> Assignment {
    let mut assignment = space.first_assignment();
    for ((id, _), row) in space.decision_ids().zip(scores) {
        assignment.set(id, pick(row));
    }
    assignment
}

/// The assignment that makes these choices; `None` if the space has no such candidate.
pub(super) fn assignment_of(space: &Space, choices: &Choices) -> Option<Assignment> {
    let mut assignment = space.first_assignment();
    let mut found = 0;
    for (id, decision) in space.decision_ids() {
        if let Some(chosen) = choices.get(&decision.path) {
            assignment.set(id, decision.candidates.iter().position(|name| name == chosen)?);
            found += 1;
        }
    }
    (found == choices.len()).then_some(assignment)
}

/// Below the score of any candidate that was not dropped.
const DROPPED: f64 = -1e6;

/// `ln p + g`, g from the standard Gumbel distribution: the largest is a draw from the
/// probabilities (Maddison et al. 2014). A candidate of probability 0 is never drawn.
fn perturbed(row: &[f64], random: &mut ChaCha8Rng) -> Vec<f64> {
    row.iter()
        .map(|p| {
            let uniform: f64 = random.sample(Open01);
            p.ln() - (-uniform.ln()).ln()
        })
        .collect()
}

/// Best first: by the primary metric, then lower cost, then earlier drawn.
fn rank(a: &Candidate, b: &Candidate, measure: Measure) -> Ordering {
    let cost = |candidate: &Candidate| candidate.cost.of(measure);
    let by_score = a.score.best_first(&b.score);
    by_score.then(cost(a).cmp(&cost(b))).then(a.number.cmp(&b.number))
}

/// A score, unless it holds what is no number.
pub(super) fn sound(
    score: Metrics,
    what: &'static str,
    epoch: u32,
    setting: &'static str,
) -> Result<Metrics, RunError> {
    if score.is_finite() { Ok(score) } else { Err(RunError::Diverged { what, epoch, setting }) }
}

/// The network of the choices that a file holds.
pub(super) fn network_of(
    space: &Space,
    specialise: &dyn Fn(&Assignment) -> Network,
    choices: &Choices,
) -> Result<Network, RunError> {
    let assignment = assignment_of(space, choices)
        .ok_or_else(|| damaged(names::ASSIGNMENT, "the space has no such network"))?;
    Ok(specialise(&assignment))
}
