//! Networks drawn uniformly from those of a space that read their input.

use nas_ir::diagram::{Entangled, Top};
use nas_ir::{Assignment, Checked, DecisionId, IdVec, Space};
use num_bigint::BigUint;
use rand::Rng;

use super::count;
use super::elimination::Eliminated;

/// Draws networks of one space, each with the same probability. Those of which an output depends on no
/// input are drawn where the space admits them.
pub struct Sampler {
    first: Assignment,
    widths: IdVec<DecisionId, usize>,
    counts: Eliminated<BigUint>,
    /// The number of networks to draw from.
    total: BigUint,
}

impl Sampler {
    /// Prepares for drawing.
    ///
    /// # Errors
    /// [`Entangled`] where no table of bounded size holds the counts.
    pub fn new(space: &Checked<Space>) -> Result<Self, Entangled> {
        let counts = count::eliminated(space, |liveness| count::wanted(space, liveness))?;
        let (widths, total) = (space.widths(), counts.value.clone());
        Ok(Self { first: space.first_assignment(), widths, counts, total })
    }

    /// How many networks there are to draw from.
    #[must_use]
    pub fn count(&self) -> &BigUint {
        &self.total
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == BigUint::ZERO
    }

    /// One network, if there is one. Decisions that make no difference in it take their first candidate.
    ///
    /// Decisions are drawn from the lowest id up. The bucket of a decision counts, for each of
    /// its candidates and the decisions drawn before, the ways to complete the network.
    pub fn draw(&self, rng: &mut impl Rng) -> Assignment {
        let mut assignment = self.first.clone();
        for (decision, &bucket) in self.counts.buckets.iter() {
            let ways: Vec<BigUint> = match self.counts.store.top(bucket) {
                Top::Branch(first, children) if first == decision => children
                    .iter()
                    .map(|&child| self.counts.store.value(child, &assignment).clone())
                    .collect(),
                _ => vec![BigUint::from(1u32); self.widths[decision]],
            };
            assignment.set(decision, pick(&ways, rng));
        }
        assignment
    }
}

/// An index, each as probable as its weight says; the first where all weights are 0.
pub(super) fn pick(weights: &[BigUint], rng: &mut (impl Rng + ?Sized)) -> usize {
    let mut draw = below(&weights.iter().sum(), rng);
    for (index, weight) in weights.iter().enumerate() {
        if draw < *weight {
            return index;
        }
        draw -= weight;
    }
    0
}

/// A number below `bound`, uniformly: draws of its bit length until one is below.
fn below(bound: &BigUint, rng: &mut (impl Rng + ?Sized)) -> BigUint {
    let bits = bound.bits();
    if bits == 0 {
        return BigUint::default();
    }
    loop {
        let words = bits.div_ceil(32) as usize;
        let mut digits: Vec<u32> = (0..words).map(|_| rng.random()).collect();
        if let Some(last) = digits.last_mut() {
            *last >>= words as u64 * 32 - bits;
        }
        let draw = BigUint::new(digits);
        if draw < *bound {
            return draw;
        }
    }
}
