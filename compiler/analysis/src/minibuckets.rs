//! Bounds on extremes where exact elimination needs too large tables: mini-bucket elimination
//! (Dechter and Rish 2003). The factors of a decision are put into several small tables, and each
//! takes its own best candidate: the least sum can only fall, the greatest only rise.

use std::collections::BTreeSet;

use nas_ir::DecisionId;
use nas_ir::diagram::{Combine, Diagram, Diagrams, Entangled};
use rustc_hash::FxHashMap as HashMap;

/// The most rows that a table over the decisions of a mini-bucket could have.
const MAX_TABLE: usize = 20_000;

/// A bound on the extreme sum of factors: not above the least, or not below the greatest.
pub(super) fn bound(
    store: Diagrams<u64>,
    factors: &[Diagram],
    widths: &[usize],
    greatest: bool,
) -> Result<u64, Entangled> {
    let mut elimination = Elimination {
        store,
        widths,
        better: if greatest { u64::max } else { u64::min },
        buckets: widths.iter().map(|_| Vec::new()).collect(),
        rest: 0,
        sums: HashMap::default(),
    };
    // The widest first: what is narrow finds room beside them.
    let mut factors: Vec<_> = factors.iter().map(|&f| elimination.scoped(f)).collect();
    factors.sort_by_key(|factor| std::cmp::Reverse(factor.scope.len()));
    for factor in factors {
        elimination.place(factor);
    }
    for index in (0..widths.len()).rev() {
        elimination.eliminate(index);
        elimination.store.room()?;
    }
    Ok(elimination.rest)
}

/// A factor, and the decisions on which it depends.
struct Scoped {
    diagram: Diagram,
    scope: BTreeSet<DecisionId>,
}

struct Elimination<'w> {
    store: Diagrams<u64>,
    widths: &'w [usize],
    better: fn(u64, u64) -> u64,
    /// For each decision, the mini-buckets of the factors of which it is the highest.
    buckets: Vec<Vec<Scoped>>,
    rest: u64,
    sums: HashMap<(Diagram, Diagram), Diagram>,
}

impl Elimination<'_> {
    fn scoped(&self, diagram: Diagram) -> Scoped {
        Scoped { diagram, scope: self.store.decisions(diagram) }
    }

    fn place(&mut self, factor: Scoped) {
        let Some(highest) = factor.scope.last() else {
            let value = self.store.leaves(factor.diagram).first().map_or(0, |value| **value);
            self.rest = self.rest.saturating_add(value);
            return;
        };
        let Some(bucket) = self.buckets.get_mut(highest.index()) else { return };
        let room = bucket.iter_mut().find(|mini| {
            let widths = mini.scope.union(&factor.scope).filter_map(|d| self.widths.get(d.index()));
            let rows = widths.fold(1usize, |rows, width| rows.saturating_mul(*width));
            rows <= MAX_TABLE || mini.scope.is_superset(&factor.scope)
        });
        match room {
            Some(mini) => {
                let add = |a: &u64, b: &u64| a.saturating_add(*b);
                mini.diagram = self.store.apply(
                    mini.diagram,
                    factor.diagram,
                    &Combine::by(&add),
                    &mut self.sums,
                );
                mini.scope.extend(factor.scope);
            }
            None => bucket.push(factor),
        }
    }

    fn eliminate(&mut self, index: usize) {
        let bucket = self.buckets.get_mut(index).map(std::mem::take).unwrap_or_default();
        let (decision, better) = (DecisionId::new(index), self.better);
        for mini in bucket {
            let width = self.widths.get(index).copied().unwrap_or(0);
            let children = (0..width).map(|c| self.store.cofactor(mini.diagram, decision, c));
            let children: Vec<Diagram> = children.collect();
            let both = |a: &u64, b: &u64| better(*a, *b);
            let mut memo = HashMap::default();
            let message = children
                .into_iter()
                .reduce(|a, b| self.store.apply(a, b, &Combine::by(&both), &mut memo));
            if let Some(message) = message {
                let factor = self.scoped(message);
                self.place(factor);
            }
        }
    }
}
