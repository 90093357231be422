//! A policy that draws networks decision by decision: a recurrent network, an LSTM (Hochreiter and Schmidhuber 1997),
//! which reads the candidate that was chosen last and gives the probabilities of the next one, as the controllers of Zoph
//! and Le (2017, section 3.1) and of NASNet (Zoph et al. 2018) do. Without units nothing is read, and each decision
//! has probabilities of its own.

use std::ops::Range;

use rand::{Rng, RngCore};

use super::lstm::{Cell, Lstm, State, add_scaled, dot};

/// Fresh weights lie between this and its opposite (NASNet, Zoph et al. 2018, appendix A.1).
const SPREAD: f64 = 0.1;

/// A policy, with all its parameters in one list: the LSTM, what stands for the beginning, a vector for each candidate of
/// each decision, and for each candidate a row of weights and a bias.
pub(super) struct Policy {
    parameters: Vec<f64>,
    lstm: Lstm,
    beginning: Range<usize>,
    decisions: Vec<Layout>,
}

/// Where the parameters of a decision are.
struct Layout {
    /// What stands for its candidates where they are read.
    tokens: Range<usize>,
    /// The rows that give the logits of its candidates, the bias of each last.
    heads: Range<usize>,
}

/// A way through decisions, in their order.
#[derive(Default)]
pub(super) struct Walk(Vec<Step>);

/// A decision on a way, and what led to it.
struct Step {
    decision: usize,
    chosen: usize,
    /// The probability of each of its candidates.
    shares: Vec<f64>,
    cell: Cell,
}

impl Policy {
    /// One with fresh weights for decisions of so many candidates, whose logits are nearly equal.
    pub(super) fn new(widths: &[usize], units: usize, rng: &mut dyn RngCore) -> Self {
        let lstm = Lstm::new(units);
        let mut end = lstm.len();
        let mut next = |len: usize| {
            end += len;
            end - len..end
        };
        let beginning = next(units);
        let layout = |&width: &usize| Layout {
            tokens: next(width * units),
            heads: next(width * (units + 1)),
        };
        let decisions: Vec<Layout> = widths.iter().map(layout).collect();
        // Without units there is nothing to tell apart: all logits are zero.
        let spread = if units == 0 { 0.0 } else { SPREAD };
        let mut fresh = || if spread > 0.0 { rng.random_range(-spread..spread) } else { 0.0 };
        Self { parameters: (0..end).map(|_| fresh()).collect(), lstm, beginning, decisions }
    }

    /// All parameters.
    pub(super) fn parameters_mut(&mut self) -> &mut [f64] {
        &mut self.parameters
    }

    /// How many parameters there are.
    pub(super) fn len(&self) -> usize {
        self.parameters.len()
    }

    /// Goes on to a decision: its candidate is that which `choose` picks by the probabilities.
    pub(super) fn go_on(
        &self,
        walk: &mut Walk,
        decision: usize,
        choose: impl FnOnce(&[f64]) -> usize,
    ) {
        let input = part(&self.parameters, &self.token(walk.0.last()));
        let before =
            walk.0.last().map_or_else(|| self.lstm.rest(), |step| step.cell.state().clone());
        let cell = self.lstm.forward(&self.parameters, input, before);
        let shares = softmax(&self.logits(decision, cell.state()));
        let chosen = choose(&shares);
        walk.0.push(Step { decision, chosen, shares, cell });
    }

    /// The way on which these decisions chose so.
    pub(super) fn follow(&self, choices: &[(usize, usize)]) -> Walk {
        let mut walk = Walk::default();
        for &(decision, chosen) in choices {
            self.go_on(&mut walk, decision, |_| chosen);
        }
        walk
    }

    /// Adds to a gradient that of a loss which has these derivatives with respect to the logits of a walk, decision by
    /// decision: back through time.
    pub(super) fn add_gradient(&self, walk: &Walk, by_logits: &[Vec<f64>], sum: &mut [f64]) {
        let mut behind = self.lstm.rest();
        for (place, (step, by_logits)) in walk.0.iter().zip(by_logits).enumerate().rev() {
            let Some(Layout { heads, .. }) = self.decisions.get(step.decision) else { continue };
            let row = self.lstm.units() + 1;
            let output = &step.cell.state().output;
            let rows = part(&self.parameters, heads).chunks_exact(row);
            let sums = part_mut(sum, heads).chunks_exact_mut(row);
            for ((weights, sum), slope) in rows.zip(sums).zip(by_logits) {
                add_scaled(&mut behind.output, weights, *slope);
                add_scaled(sum, output, *slope);
                sum.last_mut().into_iter().for_each(|bias| *bias += slope);
            }
            let read = self.token(place.checked_sub(1).and_then(|before| walk.0.get(before)));
            let (by_input, before) = self.lstm.backward(&self.parameters, &step.cell, behind, sum);
            add_scaled(part_mut(sum, &read), &by_input, 1.0);
            behind = before;
        }
    }

    /// What stands for the candidate that a step chose, or for the beginning.
    fn token(&self, step: Option<&Step>) -> Range<usize> {
        let of = |step: &Step| {
            let units = self.lstm.units();
            let first = self.decisions.get(step.decision)?.tokens.start + step.chosen * units;
            Some(first..first + units)
        };
        step.and_then(of).unwrap_or_else(|| self.beginning.clone())
    }

    fn logits(&self, decision: usize, state: &State) -> Vec<f64> {
        let Some(Layout { heads, .. }) = self.decisions.get(decision) else { return Vec::new() };
        let rows = part(&self.parameters, heads).chunks_exact(self.lstm.units() + 1);
        let logit = |row: &[f64]| dot(row, &state.output) + row.last().copied().unwrap_or_default();
        rows.map(logit).collect()
    }
}

impl Walk {
    /// What was chosen, decision by decision, with the probabilities of all candidates.
    pub(super) fn steps(&self) -> impl Iterator<Item = (usize, &[f64])> {
        self.0.iter().map(|step| (step.chosen, step.shares.as_slice()))
    }
}

fn part<'p>(parameters: &'p [f64], range: &Range<usize>) -> &'p [f64] {
    parameters.get(range.clone()).unwrap_or_default()
}

fn part_mut<'p>(parameters: &'p mut [f64], range: &Range<usize>) -> &'p mut [f64] {
    parameters.get_mut(range.clone()).unwrap_or_default()
}

/// Probabilities, none of them zero.
pub(super) fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = logits.iter().map(|logit| (logit - most).exp().max(1e-12)).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    const CHOICES: [(usize, usize); 4] = [(0, 1), (1, 2), (3, 0), (4, 1)];

    /// Sums of the logarithms of shares, with other weights each, so that every step counts.
    fn loss(policy: &Policy) -> f64 {
        let walk = policy.follow(&CHOICES);
        let each = walk.steps().enumerate();
        each.map(|(place, (chosen, shares))| (place as f64 - 1.6) * shares[chosen].ln()).sum()
    }

    #[test]
    fn the_gradient_is_that_of_differences() {
        for units in [0, 1, 5] {
            let mut rng = generator(3, Purpose::Policy);
            let mut policy = Policy::new(&[2, 3, 2, 4, 2], units, &mut rng);
            // Larger weights than fresh ones: what is nearly linear would hide faults.
            policy.parameters_mut().iter_mut().for_each(|w| *w = 12.0 * *w + 0.05);
            let walk = policy.follow(&CHOICES);
            let by_logits = walk.steps().enumerate().map(|(place, (chosen, shares))| {
                let toward = |(c, share): (usize, &f64)| f64::from(u8::from(c == chosen)) - share;
                let slopes = shares.iter().enumerate().map(toward);
                slopes.map(|slope| (place as f64 - 1.6) * slope).collect()
            });
            let by_logits: Vec<Vec<f64>> = by_logits.collect();
            let mut gradient = vec![0.0; policy.len()];
            policy.add_gradient(&walk, &by_logits, &mut gradient);
            let mut moved_any = 0;
            for (place, slope) in gradient.iter().enumerate() {
                let mut moved = |by: f64| {
                    policy.parameters_mut()[place] += by;
                    let loss = loss(&policy);
                    policy.parameters_mut()[place] -= by;
                    loss
                };
                let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                let error = (slope - difference).abs();
                assert!(error < 1e-7, "{units}, {place}: {slope} {difference}");
                moved_any += usize::from(difference != 0.0);
            }
            assert!(moved_any * 2 > policy.len(), "{units}: {moved_any} of {}", policy.len());
        }
    }

    #[test]
    fn what_was_chosen_changes_what_comes_behind_it() {
        let mut rng = generator(3, Purpose::Policy);
        let mut policy = Policy::new(&[2, 2], 4, &mut rng);
        policy.parameters_mut().iter_mut().for_each(|w| *w *= 12.0);
        let second = |first| {
            let walk = policy.follow(&[(0, first), (1, 0)]);
            walk.steps().nth(1).unwrap().1.to_vec()
        };
        assert_ne!(second(0), second(1));
        let independent = Policy::new(&[2, 2], 0, &mut rng);
        assert_eq!(independent.follow(&[(1, 0)]).steps().next().unwrap().1, [0.5, 0.5]);
    }
}
