//! The gradient of the choices by the score function (REINFORCE, Williams 1992; ProxylessNAS, Cai et al. 2019,
//! section 3.3.2): networks are drawn from the probabilities, and each draws its candidates' probabilities the way its
//! loss lies from that of the others.
//!
//! With `n` networks of losses `L_k`, the gradient with respect to the logits of a decision is
//!
//! `1 / (n - 1) * sum over k of (L_k - mean of L) * (onehot(choice_k) - p)`,
//!
//! which is the estimator whose baseline for a network is the mean loss of the others on the same batch (Kool, van Hoof
//! and Welling 2019, equation 8). It has no bias, whatever the shapes of the candidates and whatever follows
//! them: a factor on a candidate's result, as straight-through gradients have it, a batch norm takes out again.

use nas_ir::{Assignment, Checked, DecisionId, Space};
use tch::no_grad;

use crate::choices::Choices;
use crate::error::{Phase, TorchError};
use crate::kernel::Statistics;
use crate::mixing::assigned;
use crate::mixture::{Mixture, loss};
use crate::passes::TrainBatch;
use crate::random::{Moment, Purpose, gumbel, stream};
use crate::schedule::Schedule;

/// The mean loss of so many networks that are drawn from the probabilities, and the gradient of the expected loss with
/// respect to each logit. A decision that makes no difference to a network learns nothing of it.
pub(crate) fn gradient(
    mixture: &Mixture,
    space: &Checked<Space>,
    batch: &TrainBatch<'_>,
    networks: u32,
) -> Result<(f64, Vec<f64>), TorchError> {
    let drawn = draw(&mixture.choices, space, batch, networks);
    let losses = drawn.iter().map(|network| of_network(mixture, space, batch, network));
    let losses = losses.collect::<Result<Vec<f64>, TorchError>>()?;
    let mean = losses.iter().sum::<f64>() / losses.len().max(1) as f64;
    let others = losses.len().saturating_sub(1).max(1) as f64;
    let mut gradient = Vec::new();
    for ((id, _), probabilities) in space.decision_ids().zip(mixture.choices.probabilities()) {
        let mut own = vec![0.0; probabilities.len()];
        for (network, loss) in drawn.iter().zip(&losses) {
            if !matters(space, id, network) {
                continue;
            }
            let advantage = (loss - mean) / others;
            for (candidate, (sum, p)) in own.iter_mut().zip(&probabilities).enumerate() {
                let drawn = f64::from(u8::from(candidate == network.get(id)));
                *sum += advantage * (drawn - p);
            }
        }
        gradient.append(&mut own);
    }
    Ok((mean, gradient))
}

/// Networks of which each candidate has its probability: that of the greatest logit with Gumbel noise.
fn draw(
    choices: &Choices,
    space: &Space,
    batch: &TrainBatch<'_>,
    networks: u32,
) -> Vec<Assignment> {
    let moment = Moment { choices: true, epoch: batch.epoch, step: batch.step };
    let logits = choices.logits();
    let mut drawn = vec![space.first_assignment(); networks as usize];
    let mut start = 0;
    for (decision, (count, kept)) in choices.kept().enumerate() {
        let own = logits.get(start..start + count).unwrap_or_default();
        start += count;
        let mut noise = stream(batch.seed, Purpose::Noise { moment, decision });
        for network in &mut drawn {
            let noisy =
                own.iter().zip(gumbel(&mut noise, count)).map(|(logit, noise)| logit + noise);
            let noisy: Vec<f32> = noisy.collect();
            let value =
                |candidate: &usize| noisy.get(*candidate).copied().unwrap_or(f32::NEG_INFINITY);
            let best = kept.iter().copied().max_by(|a, b| value(a).total_cmp(&value(b)));
            network.set(DecisionId::new(decision), best.unwrap_or_default());
        }
    }
    drawn
}

/// The loss of a network with the weights of the supernet, its batch norms by the statistics of the batch.
fn of_network(
    mixture: &Mixture,
    space: &Checked<Space>,
    batch: &TrainBatch<'_>,
    network: &Assignment,
) -> Result<f64, TorchError> {
    let mixes = assigned(&mixture.program, space, network)?;
    let schedule = Schedule::new(&mixture.program, &mixes)?;
    let evaluation = mixture.evaluation(&schedule, &mixes, Statistics::Batch);
    Ok(no_grad(|| loss(&evaluation, batch, Phase::Choices))?.1)
}

/// Whether a decision makes a difference to a network; what is too entangled to say may.
fn matters(space: &Checked<Space>, id: DecisionId, network: &Assignment) -> bool {
    let Ok(liveness) = space.liveness() else { return true };
    *liveness.conditions.value(liveness.decision(id), network) == 1
}
