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

use crate::choices::Choices;
use crate::random::{Moment, Purpose, gumbel, stream};

/// The gradient of the expected loss with respect to each logit, from the losses of networks that were drawn from the
/// probabilities. A decision that makes no difference to a network learns nothing of it.
pub(crate) fn gradient(
    choices: &Choices,
    space: &Checked<Space>,
    drawn: &[(Assignment, f64)],
) -> Vec<f64> {
    let mean = mean_loss(drawn);
    let others = drawn.len().saturating_sub(1).max(1) as f64;
    let mut gradient = Vec::new();
    for ((id, _), probabilities) in space.decision_ids().zip(choices.probabilities()) {
        let mut own = vec![0.0; probabilities.len()];
        for (network, loss) in drawn.iter().filter(|(network, _)| matters(space, id, network)) {
            let advantage = (loss - mean) / others;
            for (candidate, (sum, p)) in own.iter_mut().zip(&probabilities).enumerate() {
                let is_drawn = f64::from(u8::from(candidate == network.get(id)));
                *sum += advantage * (is_drawn - p);
            }
        }
        gradient.append(&mut own);
    }
    gradient
}

/// The mean loss of networks.
pub(crate) fn mean_loss(drawn: &[(Assignment, f64)]) -> f64 {
    drawn.iter().map(|(_, loss)| loss).sum::<f64>() / drawn.len().max(1) as f64
}

/// Networks of which each candidate has its probability: that of the greatest logit with Gumbel noise.
pub(crate) fn draw(
    choices: &Choices,
    space: &Space,
    (seed, moment): (u64, Moment),
    networks: u32,
) -> Vec<Assignment> {
    let logits = choices.logits();
    let mut drawn = vec![space.first_assignment(); networks as usize];
    let mut start = 0;
    for (decision, (count, kept)) in choices.kept().enumerate() {
        let own = logits.get(start..start + count).unwrap_or_default();
        start += count;
        let mut noise = stream(seed, Purpose::Noise { moment, decision });
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

/// Whether a decision makes a difference to a network; what is too entangled to say may.
fn matters(space: &Checked<Space>, id: DecisionId, network: &Assignment) -> bool {
    let Ok(liveness) = space.liveness() else { return true };
    *liveness.conditions.value(liveness.decision(id), network) == 1
}
