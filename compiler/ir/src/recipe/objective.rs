//! `minimize` and `maximize`: what a search makes as good as it can.

use std::fmt;

use nas_grammar::Source;
use nas_grammar::ast::{Sense, Span};
use num_bigint::BigInt;
use num_traits::{Signed, Zero};
use serde::{Serialize, Serializer};

use super::formula::{Formula, Trend, Variable};
use crate::exact::{Exact, power_of_ten, real};
use crate::measure::Measure;
use crate::metric::{Direction, Metric};

/// What a search optimises; nothing where the recipe does not say. Two of the same goals are equal wherever they
/// are written.
#[derive(Debug, Clone, Default)]
pub struct Objective {
    /// What is to become small or large.
    pub goals: Vec<Goal>,
    /// Where it is written, if it is.
    pub at: Option<(Source, Span)>,
}

/// A formula that is to become small or large.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// Which of the two.
    pub sense: Sense,
    /// The formula.
    pub formula: Formula,
}

impl Goal {
    /// Which values of a quantity this goal takes for better; `None` where it does not read the quantity, or its form
    /// does not show it.
    #[must_use]
    pub fn wanted(&self, quantity: &Variable) -> Option<Direction> {
        let rises = match self.formula.trend(quantity) {
            Trend::Constant | Trend::Unclear => return None,
            Trend::Rises => true,
            Trend::Falls => false,
        };
        let is_more = rises == (self.sense == Sense::Maximize);
        Some(if is_more { Direction::Higher } else { Direction::Lower })
    }
}

/// What is said of `minimize` and `maximize` in the reference.
#[derive(Debug)]
pub struct Minimize {
    /// What strategies that train choices make small where nothing is written.
    pub written: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// `minimize` and `maximize`.
pub static MINIMIZE: Minimize = Minimize {
    written: "cross_entropy + 0.02 * macs / 1M",
    doc: "what the search makes small, or large: a formula of metrics (`cross_entropy` or `loss`, which are the same, and what \
          else the task has: `accuracy`, `top5`, `miou`, `f1`, `micro_f1`, `auroc`, `mean_ap`, `mae`, `rmse`, `psnr`, and `metric(\"NAME\")`, which a command of yours prints or a table knows) and measures (`macs`, `params`, `weight_bytes`, `peak_memory`, `latency`, `depth`), with `+`, `-`, `*`, \
          `/`, `^` and a number, `max( )` and `min( )`. A strategy that sees nothing but scores tries networks for the \
          best value. One that trains choices goes down `cross_entropy` and one term more: a multiple of `macs`, `params`, \
          `weight_bytes` or `latency`, or of the hinge of one, `max(0, latency - 12ms)`, whose argument is then the \
          expected cost; it refuses other formulas. Whatever the strategy, the networks that were tried are ranked by the formula",
};

/// What a strategy that trains choices adds to their loss, in units of the loss: `factor * max(0, measure - above)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weighed {
    /// What one unit of the measure adds (one MAC, parameter, byte or nanosecond).
    pub factor: f64,
    /// What is measured.
    pub measure: Measure,
    /// The cost that adds nothing yet, in the same unit: 0 where all of it counts.
    pub above: f64,
}

/// Why an objective has no gradient by the choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoGradient {
    /// It reads a metric other than the loss.
    Metric(Variable),
    /// The measure is no sum over the operators, so its expectation is not computed.
    Measure(Measure),
    /// There is more than one term beside the loss.
    Terms,
    /// It is not linear, apart from the hinge of a measure.
    Formula,
    /// The loss is not part of it.
    NoLoss,
    /// There are several goals.
    Goals,
}

impl NoGradient {
    /// What to write beside the objective.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Metric(metric) => {
                format!("`{metric}` has no gradient by the choices")
            }
            Self::Measure(measure) => {
                format!("the expected `{}` of a network is not computed", measure.name())
            }
            Self::Terms => "more than one term beside `cross_entropy`".to_owned(),
            Self::Formula => "neither linear nor the hinge of one measure".to_owned(),
            Self::NoLoss => "without `cross_entropy`".to_owned(),
            Self::Goals => "more than one goal".to_owned(),
        }
    }
}

impl PartialEq for Objective {
    fn eq(&self, other: &Self) -> bool {
        self.goals == other.goals
    }
}

impl Objective {
    /// The quantities that it is made of.
    #[must_use]
    pub fn quantities(&self) -> Vec<Variable> {
        let mut all = Vec::new();
        self.goals.iter().for_each(|goal| goal.formula.add_quantities(&mut all));
        all
    }

    /// The metrics that it reads, by their names in files.
    #[must_use]
    pub fn metrics(&self) -> Vec<String> {
        let name = |quantity| match quantity {
            Variable::Metric(metric) => Some(metric.name().to_owned()),
            Variable::Named(name) => Some(name.to_string()),
            Variable::Measure(_) => None,
        };
        self.quantities().into_iter().filter_map(name).collect()
    }

    /// Which values of a metric, by its name in files, are better to the first goal that shows it.
    #[must_use]
    pub fn wanted(&self, metric: &str) -> Option<Direction> {
        let metric = Variable::metric(metric);
        self.goals.iter().find_map(|goal| goal.wanted(&metric))
    }

    /// The measure that is told in passing of the networks on which a supernet learns: the first that it weighs.
    #[must_use]
    pub fn measure(&self) -> Measure {
        let measure = |quantity| match quantity {
            Variable::Measure(measure) => Some(measure),
            Variable::Metric(_) | Variable::Named(_) => None,
        };
        self.quantities().into_iter().find_map(measure).unwrap_or(Measure::Macs)
    }

    /// What is added to the loss of the choices, `cross_entropy` counting once; what [`MINIMIZE`] writes where there
    /// are no goals.
    ///
    /// # Errors
    /// Why it is no such sum.
    pub fn weighed(&self) -> Result<Weighed, NoGradient> {
        let goal = match self.goals.as_slice() {
            [] => return Ok(Weighed { factor: 2e-8, measure: Measure::Macs, above: 0.0 }),
            [goal] => goal,
            _ => return Err(NoGradient::Goals),
        };
        let small = match goal.sense {
            Sense::Minimize => goal.formula.clone(),
            Sense::Maximize => goal.formula.negated(),
        };
        let (_, terms) = small.into_sum();
        let (mut loss, mut rest) = (Exact::zero(), None);
        for (factor, term) in terms {
            match term {
                Formula::Variable(Variable::Metric(Metric::Loss)) => loss = factor,
                Formula::Variable(metric @ (Variable::Metric(_) | Variable::Named(_))) => {
                    return Err(NoGradient::Metric(metric));
                }
                _ if rest.is_some() => return Err(NoGradient::Terms),
                term => rest = Some((factor, term)),
            }
        }
        let rest = rest.map(|(factor, term)| hinge(&term).map(|hinge| (factor, hinge)));
        let rest = rest.transpose()?;
        if !loss.is_positive() {
            return Err(NoGradient::NoLoss);
        }
        let Some((factor, Hinge { slope, measure, above })) = rest else {
            return Ok(Weighed { factor: 0.0, measure: Measure::Macs, above: 0.0 });
        };
        let unit = unit(measure);
        let factor = real(&(factor * slope * &unit / loss));
        let above = real(&(above / unit)).map(|above| above.max(0.0));
        let (Some(factor), Some(above)) = (factor, above) else { return Err(NoGradient::Formula) };
        Ok(Weighed { factor, measure, above })
    }
}

/// `slope * max(0, measure - above)`, in units of the language.
struct Hinge {
    slope: Exact,
    measure: Measure,
    above: Exact,
}

/// What a term is as a hinge, but for a constant.
fn hinge(term: &Formula) -> Result<Hinge, NoGradient> {
    let sum = |measure: Measure| {
        if measure.is_sum() { Ok(measure) } else { Err(NoGradient::Measure(measure)) }
    };
    match term {
        Formula::Variable(Variable::Measure(measure)) => Ok(Hinge {
            slope: BigInt::from(1).into(),
            measure: sum(*measure)?,
            above: Exact::zero(),
        }),
        Formula::Max(of) => {
            let [a, b] = of.as_slice() else { return Err(NoGradient::Formula) };
            let (floor, line) = match (a.number(), b.number()) {
                (Some(floor), None) => (floor, b),
                (None, Some(floor)) => (floor, a),
                _ => return Err(NoGradient::Formula),
            };
            let (constant, terms) = line.clone().into_sum();
            let [(slope, Formula::Variable(Variable::Measure(measure)))] = terms.as_slice() else {
                return Err(NoGradient::Formula);
            };
            if !slope.is_positive() {
                return Err(NoGradient::Formula);
            }
            let above = (floor - constant) / slope;
            Ok(Hinge { slope: slope.clone(), measure: sum(*measure)?, above })
        }
        _ => Err(NoGradient::Formula),
    }
}

/// What one of a measure, as it is counted, is in the language, which speaks of seconds.
fn unit(measure: Measure) -> Exact {
    power_of_ten(if measure == Measure::Latency { -9 } else { 0 })
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sense.word(), self.formula)
    }
}

/// As `recipe.json` has it: a line for each goal.
impl Serialize for Objective {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.goals.iter().map(Goal::to_string))
    }
}
