//! What limits are set on: measures, how often candidates are chosen, how often an order is broken.

use std::fmt;

use num_bigint::BigInt;

use crate::decision::{Choice, Decision};
use crate::exact::{Exact, decimal};
use crate::figures::Figures;
use crate::measure::Measure;

/// A whole number that each network has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// What it costs.
    Measure(Measure),
    /// How often it chooses some candidates.
    Count(Count),
    /// How often what it chooses breaks an order.
    Breaks(Order),
}

/// The decisions of a label that make a difference in a network and take one of these candidates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count {
    /// The label.
    pub label: String,
    /// The candidates, by name.
    pub candidates: Vec<String>,
}

/// The values that the decisions of a label take, one after the other, where they make a difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Order {
    /// The label.
    pub label: String,
    /// Whether values may fall and must not rise; else they may rise and must not fall.
    pub is_decreasing: bool,
}

impl From<Measure> for Quantity {
    fn from(measure: Measure) -> Self {
        Self::Measure(measure)
    }
}

impl Quantity {
    /// The measure, if it is one.
    #[must_use]
    pub fn measure(&self) -> Option<Measure> {
        if let Self::Measure(measure) = self { Some(*measure) } else { None }
    }

    /// Whether it is a sum over the operators of a network, or over its decisions.
    #[must_use]
    pub fn is_sum(&self) -> bool {
        match self {
            Self::Measure(measure) => measure.is_sum(),
            Self::Count(_) => true,
            Self::Breaks(_) => false,
        }
    }

    /// What it is of a network; `None` for a latency that no table tells.
    #[must_use]
    pub fn of(&self, figures: &Figures<'_>) -> Option<u64> {
        match self {
            Self::Measure(measure) => figures.costs.of(*measure),
            Self::Count(count) => Some(count.of(figures)),
            Self::Breaks(order) => Some(order.breaks(figures).count() as u64),
        }
    }

    /// A value for people, as a literal of the language.
    #[must_use]
    pub fn show(&self, value: i128) -> String {
        self.measure().map_or_else(|| value.to_string(), |measure| measure.show(value))
    }
}

impl Count {
    /// Whether a decision that takes this candidate counts.
    #[must_use]
    pub fn has(&self, decision: &Decision, candidate: &str) -> bool {
        decision.label == self.label && self.candidates.iter().any(|counted| counted == candidate)
    }

    fn of(&self, figures: &Figures<'_>) -> u64 {
        figures.chosen.iter().filter(|(decision, candidate)| self.has(decision, candidate)).count()
            as u64
    }
}

impl Order {
    /// The value of a candidate, so that it must not fall from one decision to the next; `None` if it is no
    /// number, or the decision has another label.
    #[must_use]
    pub fn value(&self, decision: &Decision, candidate: &str) -> Option<Exact> {
        let value = number(decision, candidate).filter(|_| decision.label == self.label)?;
        Some(if self.is_decreasing { -value } else { value })
    }

    /// The pairs of successive choices that break it.
    pub fn breaks<'f, 's>(
        &self,
        figures: &'f Figures<'s>,
    ) -> impl Iterator<Item = [(&'s Decision, &'s str); 2]> + use<'f, 's> {
        let own = figures.chosen.iter().filter_map(|&(decision, candidate)| {
            Some(((decision, candidate), self.value(decision, candidate)?))
        });
        let own: Vec<_> = own.collect();
        let pairs: Vec<_> = own
            .iter()
            .zip(own.iter().skip(1))
            .filter(|((_, before), (_, after))| before > after)
            .map(|(&(before, _), &(after, _))| [before, after])
            .collect();
        pairs.into_iter()
    }
}

/// The number that a candidate of a choice of values is.
#[must_use]
pub fn number(decision: &Decision, candidate: &str) -> Option<Exact> {
    match decision.choice {
        Choice::Parts | Choice::Sets { .. } => None,
        Choice::Values | Choice::Elastic => {
            let whole = || candidate.parse::<BigInt>().ok().map(Exact::from);
            whole().or_else(|| decimal(candidate.parse().ok()?))
        }
    }
}

impl fmt::Display for Quantity {
    /// As the language has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measure(measure) => f.write_str(measure.name()),
            Self::Count(Count { label, candidates }) => {
                let chosen: Vec<String> =
                    candidates.iter().map(|candidate| format!("{label} == {candidate}")).collect();
                write!(f, "count({})", chosen.join(" or "))
            }
            Self::Breaks(Order { label, is_decreasing: false }) => write!(f, "monotone({label})"),
            Self::Breaks(Order { label, is_decreasing: true }) => {
                write!(f, "monotone({label}, decreasing = true)")
            }
        }
    }
}
