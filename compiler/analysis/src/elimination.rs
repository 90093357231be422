//! Exact sums and extremes over all networks by eliminating one decision after the other
//! (bucket elimination, Dechter 1999), on decision diagrams.

use std::hash::Hash;

use nas_ir::diagram::{Combine, Diagram, Diagrams, Entangled, Top};
use nas_ir::{DecisionId, IdVec, fault};
use rustc_hash::FxHashMap as HashMap;

/// How values of factors combine, and how the candidates of a decision are summarised.
pub(super) trait Semiring {
    /// What a factor's value is.
    type Value: Clone + Eq + Hash;

    /// The value of no factor.
    fn one(&self) -> Self::Value;
    /// The value of two factors together.
    fn combine(&self, a: &Self::Value, b: &Self::Value) -> Self::Value;
    /// The value of two candidates together.
    fn summarise(&self, a: &Self::Value, b: &Self::Value) -> Self::Value;
    /// The value of all candidates of a decision on which no factor depends.
    fn repeat(&self, value: &Self::Value, candidates: usize) -> Self::Value;
}

/// What elimination leaves: the result, and for each decision the combined factors in which it
/// was the highest one. With them an assignment can be drawn or traced back, lowest id first.
pub(super) struct Eliminated<V> {
    pub(super) value: V,
    pub(super) store: Diagrams<V>,
    pub(super) buckets: IdVec<DecisionId, Diagram>,
}

/// Eliminates all decisions, from the highest id to the lowest.
pub(super) fn eliminate<S: Semiring>(
    semiring: &S,
    mut store: Diagrams<S::Value>,
    factors: Vec<Diagram>,
    widths: &IdVec<DecisionId, usize>,
) -> Result<Eliminated<S::Value>, Entangled> {
    let one = store.constant(semiring.one());
    let mut buckets = widths.map(|_| one);
    let mut rest = semiring.one();
    let mut combined = HashMap::default();
    let combine = Combine {
        values: &|a, b| semiring.combine(a, b),
        at_once: &|a, b| match () {
            () if a == one => Some(b),
            () if b == one => Some(a),
            () => None,
        },
    };
    let mut place = |store: &mut Diagrams<S::Value>,
                     buckets: &mut IdVec<DecisionId, Diagram>,
                     rest: &mut S::Value,
                     factor: Diagram| {
        match store.top(factor) {
            Top::Leaf(value) => *rest = semiring.combine(rest, value),
            Top::Branch(decision, _) => {
                let bucket = buckets[decision];
                buckets[decision] = store.apply(bucket, factor, &combine, &mut combined);
            }
        }
    };
    for factor in factors {
        place(&mut store, &mut buckets, &mut rest, factor);
        store.room()?;
    }
    let summarise = Combine { values: &|a, b| semiring.summarise(a, b), at_once: &|_, _| None };
    let mut summarised = HashMap::default();
    for (decision, &width) in widths.iter().rev() {
        let bucket = buckets[decision];
        let children = match store.top(bucket) {
            Top::Branch(first, children) if first == decision => children.to_vec(),
            _ => {
                // The factors do not depend on it after all.
                rest = semiring.repeat(&rest, width);
                place(&mut store, &mut buckets, &mut rest, bucket);
                continue;
            }
        };
        let message = children
            .into_iter()
            .reduce(|a, b| store.apply(a, b, &summarise, &mut summarised))
            .unwrap_or_else(|| fault("a decision without candidates"));
        place(&mut store, &mut buckets, &mut rest, message);
        store.room()?;
    }
    Ok(Eliminated { value: rest, store, buckets })
}
