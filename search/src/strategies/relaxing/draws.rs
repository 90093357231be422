//! From learned probabilities to networks.

use nas_analysis::best_kept;
use nas_ir::{Assignment, Checked, Space};
use nas_passes::specialise;
use rand::distr::Open01;
use rand::{Rng, RngCore};

use crate::error::RunError;
use crate::record::Choices;

/// A network that was drawn.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) assignment: Assignment,
    pub(super) choices: Choices,
    /// How often.
    pub(super) times: u32,
}

/// The distinct networks among the most probable one and the draws, in the order in which
/// they first came. Where the space has requirements, a draw is the network that keeps them
/// and has the highest perturbed probability (perturb and MAP, Papandreou and Yuille 2011).
pub(super) fn drawn(
    space: &Checked<Space>,
    probabilities: &[Vec<f64>],
    sample: u32,
    rng: &mut dyn RngCore,
) -> Result<Vec<Drawn>, RunError> {
    let mut drawn: Vec<Drawn> = Vec::new();
    for number in 0..sample {
        let scores = probabilities.iter().map(|row| match number {
            0 => row.iter().map(|p| p.ln()).collect(),
            _ => perturbed(row, rng),
        });
        let scores: Vec<Vec<f64>> = scores.collect();
        let Some(assignment) = highest(space, &scores)? else { continue };
        let choices: Choices = specialise(space, &assignment).choices.into_iter().collect();
        match drawn.iter_mut().find(|earlier| earlier.choices == choices) {
            Some(earlier) => earlier.times = earlier.times.saturating_add(1),
            None => drawn.push(Drawn { assignment, choices, times: 1 }),
        }
    }
    if drawn.is_empty() { Err(RunError::NoneKept) } else { Ok(drawn) }
}

/// Below the score of any candidate that was not pruned.
const PRUNED: f64 = -1e6;

/// The network of the highest score that keeps the requirements and reads its input.
fn highest(space: &Checked<Space>, scores: &[Vec<f64>]) -> Result<Option<Assignment>, RunError> {
    if space.requirements.is_empty() {
        let mut assignment = space.first_assignment();
        for ((id, _), row) in space.decision_ids().zip(scores) {
            assignment.set(id, most_probable(row));
        }
        if space.admits_constant || specialise(space, &assignment).reads_input() {
            return Ok(Some(assignment));
        }
    }
    // A pruned candidate is taken only where the limits leave no other.
    let finite = |row: &Vec<f64>| row.iter().map(|score| score.max(PRUNED)).collect();
    let scores: Vec<Vec<f64>> = scores.iter().map(finite).collect();
    best_kept(space, &scores)
        .map_err(|entangled| RunError::entangled_requirements(space, &entangled))
}

/// The index of the largest; the first of equals.
pub(super) fn most_probable(row: &[f64]) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (i, &probability) in row.iter().enumerate() {
        if probability > best.1 {
            best = (i, probability);
        }
    }
    best.0
}

/// `ln p + g`, g from the standard Gumbel distribution: the largest is a draw from the
/// probabilities (Maddison et al. 2014). A candidate of probability 0 is never drawn.
fn perturbed(row: &[f64], rng: &mut dyn RngCore) -> Vec<f64> {
    row.iter()
        .map(|p| {
            let uniform: f64 = rng.sample(Open01);
            p.ln() - (-uniform.ln()).ln()
        })
        .collect()
}
