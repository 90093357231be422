//! Mean and standard deviation of a measure over all networks of a space.

use nas_ir::diagram::{Diagram, Diagrams, Entangled};
use nas_ir::liveness::Liveness;
use nas_ir::{Checked, Measure, Space};
use num_bigint::BigUint;
use num_traits::{ToPrimitive, Zero};
use rustc_hash::FxHashMap as HashMap;
use serde::Serialize;

use super::count;
use super::elimination::{Semiring, eliminate};
use super::terms::{Terms, terms};

/// How a measure spreads over the networks of a space, each counted once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Moments {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub std: f64,
}

/// Over some networks: how many they are, the sum of what they cost, the sum of its squares.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sums {
    count: BigUint,
    cost: BigUint,
    square: BigUint,
}

impl Sums {
    /// This many networks that cost nothing.
    fn free(count: u32) -> Self {
        Self { count: BigUint::from(count), cost: BigUint::zero(), square: BigUint::zero() }
    }

    /// One network of this cost.
    fn one(cost: u64) -> Self {
        let cost = BigUint::from(cost);
        Self { count: BigUint::from(1u32), square: &cost * &cost, cost }
    }
}

/// Networks made of two parts each, and networks of either kind.
struct Summing;

impl Semiring for Summing {
    type Value = Sums;

    fn one(&self) -> Sums {
        Sums::free(1)
    }

    /// The sum over all pairs of a, b of (a + b)^2 is that of a^2 + 2ab + b^2.
    fn combine(&self, a: &Sums, b: &Sums) -> Sums {
        Sums {
            count: &a.count * &b.count,
            cost: &a.cost * &b.count + &a.count * &b.cost,
            square: &a.square * &b.count
                + BigUint::from(2u32) * &a.cost * &b.cost
                + &a.count * &b.square,
        }
    }

    fn summarise(&self, a: &Sums, b: &Sums) -> Sums {
        Sums { count: &a.count + &b.count, cost: &a.cost + &b.cost, square: &a.square + &b.square }
    }

    fn repeat(&self, value: &Sums, candidates: usize) -> Sums {
        Sums {
            count: &value.count * candidates,
            cost: &value.cost * candidates,
            square: &value.square * candidates,
        }
    }
}

/// The exact sums of a measure, as mean and standard deviation.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds the answer.
pub fn moments(space: &Checked<Space>, measure: Measure) -> Result<Moments, Entangled> {
    let mut liveness = space.whole_liveness()?;
    let terms = terms(space, &mut liveness, measure)?;
    of_terms(space, &mut liveness, &terms)
}

/// Mean and standard deviation of a sum of terms over all networks.
pub(super) fn of_terms(
    space: &Checked<Space>,
    liveness: &mut Liveness,
    terms: &Terms,
) -> Result<Moments, Entangled> {
    let mut store = Diagrams::default();
    let counted = count::conditions(space, liveness)?;
    let mut memo = HashMap::default();
    let mut factors: Vec<Diagram> = counted
        .into_iter()
        .map(|counts| {
            liveness.conditions.map(counts, &mut store, &|counts| Sums::free(*counts), &mut memo)
        })
        .collect();
    let (one, mut memo) = (|cost: &u64| Sums::one(*cost), HashMap::default());
    let functions = terms.functions.iter();
    factors.extend(functions.map(|&f| terms.store.map(f, &mut store, &one, &mut memo)));
    let Sums { count, cost, square } = eliminate(&Summing, store, factors, &space.widths())?.value;
    // variance = (count * square - cost^2) / count^2, exact until the division.
    let spread = (&count * square) - (&cost * &cost);
    let ratio = |a: &BigUint, b: &BigUint| quotient(a, b);
    Ok(Moments { mean: ratio(&cost, &count), std: ratio(&spread, &(&count * &count)).sqrt() })
}

/// a / b as a float, also where neither fits one.
#[must_use]
pub fn quotient(a: &BigUint, b: &BigUint) -> f64 {
    let shift = b.bits().saturating_sub(1000).max(a.bits().saturating_sub(1000));
    let float = |n: &BigUint| (n >> shift).to_f64().unwrap_or(f64::INFINITY);
    if b.is_zero() { 0.0 } else { float(a) / float(b) }
}
