//! What a search minimises beside the task loss, for strategies that go down its gradient.

use nas_analysis::ExpectedCost;
use nas_ir::diagram::Entangled;
use nas_ir::recipe::Objective;
use nas_ir::{Checked, Space};

/// `factor * expected cost`, as a function of the probabilities of the candidates of each decision
/// (Shaw et al. 2019, section 4.3).
#[derive(Debug, Clone)]
pub struct Penalty {
    factor: f64,
    expected: ExpectedCost,
}

impl Penalty {
    /// That of an objective, over the networks of a space.
    ///
    /// # Errors
    /// [`Entangled`] where no table of bounded size holds the expected cost.
    pub fn new(space: &Checked<Space>, objective: Objective) -> Result<Self, Entangled> {
        let expected = ExpectedCost::new(space, objective.measure)?;
        Ok(Self { factor: objective.factor, expected })
    }

    /// What one unit of the expected cost adds to the loss.
    #[must_use]
    pub fn factor(&self) -> f64 {
        self.factor
    }

    /// The expected cost in units of the measure, and its derivative by each probability; neither is
    /// multiplied by the factor. Probabilities are one row per decision and one entry per candidate.
    #[must_use]
    pub fn expected(&self, probabilities: &[Vec<f64>]) -> (f64, Vec<Vec<f64>>) {
        self.expected.evaluate(probabilities)
    }
}
