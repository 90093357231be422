//! The expected cost of a network drawn from independent probabilities, with its gradient.

use nas_ir::diagram::{Diagram, Entangled, Top};
use nas_ir::{Checked, Measure, Space, fault};
use rustc_hash::FxHashMap as HashMap;

use super::terms::{Terms, terms};

/// The expected cost as a function of the probabilities of the candidates: the sum over i, j of
/// p(i, j) C(i, j) of SqueezeNAS (section 4.3), decisions inside candidates included.
#[derive(Debug, Clone)]
pub struct ExpectedCost(Terms);

const NO_PROBABILITY: &str = "a candidate without a probability";

impl ExpectedCost {
    /// The expected cost of the networks of a space.
    ///
    /// # Errors
    /// [`Entangled`] where no table of bounded size holds the conditions.
    pub fn new(space: &Checked<Space>, measure: Measure) -> Result<Self, Entangled> {
        terms(space, &mut space.whole_liveness()?, measure).map(Self)
    }

    /// The value, and its derivative by each probability. `probabilities` has one row per decision
    /// and an entry a candidate.
    #[must_use]
    pub fn evaluate(&self, probabilities: &[Vec<f64>]) -> (f64, Vec<Vec<f64>>) {
        let mut gradient: Vec<Vec<f64>> =
            probabilities.iter().map(|p| vec![0.0; p.len()]).collect();
        let mut known = HashMap::default();
        let mut value = 0.0;
        for &function in &self.0.functions {
            value += self.expected(function, probabilities, &mut known);
        }
        // Every function passes its weight down to its children, highest decision first, so
        // that each diagram is visited once.
        let mut weights: std::collections::BTreeMap<
            (std::cmp::Reverse<Option<u32>>, Diagram),
            f64,
        > = std::collections::BTreeMap::new();
        let key = |diagram: Diagram| {
            let decision = self.0.store.decision(diagram);
            (std::cmp::Reverse(decision.map(|d| d.index() as u32)), diagram)
        };
        for &function in &self.0.functions {
            *weights.entry(key(function)).or_default() += 1.0;
        }
        while let Some(((_, diagram), weight)) = weights.pop_first() {
            let Top::Branch(decision, children) = self.0.store.top(diagram) else {
                continue;
            };
            for (candidate, &child) in children.iter().enumerate() {
                let inner = self.expected(child, probabilities, &mut known);
                let slot =
                    gradient.get_mut(decision.index()).and_then(|row| row.get_mut(candidate));
                *slot.unwrap_or_else(|| fault(NO_PROBABILITY)) += weight * inner;
                let p = probabilities.get(decision.index()).and_then(|row| row.get(candidate));
                let p = p.unwrap_or_else(|| fault(NO_PROBABILITY));
                *weights.entry(key(child)).or_default() += weight * p;
            }
        }
        (value, gradient)
    }

    fn expected(
        &self,
        diagram: Diagram,
        probabilities: &[Vec<f64>],
        known: &mut HashMap<Diagram, f64>,
    ) -> f64 {
        if let Some(&known) = known.get(&diagram) {
            return known;
        }
        let expected = match self.0.store.top(diagram) {
            Top::Leaf(cost) => *cost as f64,
            Top::Branch(decision, children) => {
                let row = probabilities.get(decision.index());
                let row = row.filter(|row| row.len() == children.len());
                let weighted = children
                    .iter()
                    .zip(row.unwrap_or_else(|| fault(NO_PROBABILITY)))
                    .map(|(&child, p)| p * self.expected(child, probabilities, known));
                weighted.sum()
            }
        };
        known.insert(diagram, expected);
        expected
    }
}
