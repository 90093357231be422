//! What a search optimises: the value of a network, and what strategies add to the loss that go down its
//! gradient.

use nas_analysis::ExpectedCost;
use nas_grammar::ast::Sense;
use nas_ir::diagram::Entangled;
use nas_ir::recipe::{Goal, Objective, Variable, Weighed};
use nas_ir::{Checked, Costs, Measure, Space};

use crate::error::RunError;
use crate::metrics::Metrics;

/// How good a network is, goal by goal, turned so that more is better; by its primary metric where the recipe has
/// no goals.
///
/// # Errors
/// A goal has no value, or none that is finite.
pub fn values(objective: &Objective, score: &Metrics, cost: &Costs) -> Result<Vec<f64>, RunError> {
    if objective.goals.is_empty() {
        return Ok(vec![score.fitness()]);
    }
    let goals = objective.goals.iter();
    goals.map(|goal| Ok(turned(goal, value(goal, score, cost)?))).collect()
}

/// The value of a goal, turned so that more is better; or one that was turned so, as it is written.
#[must_use]
pub fn turned(goal: &Goal, value: f64) -> f64 {
    match goal.sense {
        Sense::Minimize => -value,
        Sense::Maximize => value,
    }
}

/// The value of a goal, as it is written.
///
/// # Errors
/// It has none, or none that is finite.
pub fn value(goal: &Goal, score: &Metrics, cost: &Costs) -> Result<f64, RunError> {
    let of = |quantity: &Variable| match quantity {
        Variable::Metric(metric) => score.get(*metric),
        Variable::Named(name) => score.named(name),
        Variable::Measure(Measure::Latency) => cost.latency.map(|latency| latency as f64 / 1e9),
        Variable::Measure(measure) => cost.of(*measure).map(|cost| cost as f64),
    };
    let value = goal.formula.value(&of);
    if let Some(value) = value.filter(|value| value.is_finite()) {
        return Ok(value);
    }
    let mut quantities = Vec::new();
    goal.formula.add_quantities(&mut quantities);
    let why = match quantities.into_iter().find(|quantity| of(quantity).is_none()) {
        Some(lacking) => format!("its `{lacking}` is not known"),
        None => "it is not finite".to_owned(),
    };
    Err(RunError::NoValue { goal: goal.to_string(), why })
}

/// `factor * max(0, expected cost - above)`, as a function of the probabilities of the candidates of each decision
/// (Shaw et al. 2019, section 4.3).
#[derive(Debug, Clone)]
pub struct Penalty {
    weighed: Weighed,
    expected: ExpectedCost,
}

impl Penalty {
    /// That of an objective, over the networks of a space.
    ///
    /// # Errors
    /// [`Entangled`] where no table of bounded size holds the expected cost.
    pub fn new(space: &Checked<Space>, weighed: Weighed) -> Result<Self, Entangled> {
        let expected = ExpectedCost::new(space, weighed.measure)?;
        Ok(Self { weighed, expected })
    }

    /// What one unit of the expected cost adds to the loss, where it is above the target.
    #[must_use]
    pub fn factor(&self) -> f64 {
        self.weighed.factor
    }

    /// The expected cost in units of the measure, and the derivative by each probability of what counts of it: all
    /// zero below the target. Neither is multiplied by the factor. Probabilities are one row per decision and one entry
    /// per candidate.
    #[must_use]
    pub fn expected(&self, probabilities: &[Vec<f64>]) -> (f64, Vec<Vec<f64>>) {
        let (cost, mut slopes) = self.expected.evaluate(probabilities);
        if cost < self.weighed.above {
            slopes.iter_mut().flatten().for_each(|slope| *slope = 0.0);
        }
        (cost, slopes)
    }
}
