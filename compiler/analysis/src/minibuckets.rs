//! Bounds on extremes where exact elimination needs too large tables: mini-bucket elimination
//! (Dechter and Rish 2003). The factors of a decision are put into several small tables, and each
//! takes its own best candidate: the least sum can only fall, the greatest only rise.

use std::collections::BTreeSet;

use nas_ir::diagram::{Combine, Diagram, Diagrams, Entangled};
use nas_ir::{DecisionId, IdVec, fault};
use rustc_hash::FxHashMap as HashMap;

/// The most rows that a table over the decisions of a mini-bucket could have.
const MAX_TABLE: usize = 20_000;

/// A bound on the extreme sum of factors: not above the least, or not below the greatest.
pub(super) fn bound(
    store: Diagrams<u64>,
    factors: &[Diagram],
    widths: &IdVec<DecisionId, usize>,
    greatest: bool,
) -> Result<u64, Entangled> {
    let mut elimination = Elimination {
        store,
        widths,
        better: if greatest { u64::max } else { u64::min },
        buckets: widths.map(|_| Vec::new()),
        rest: 0,
        sums: HashMap::default(),
    };
    // The widest first: what is narrow finds room beside them.
    let mut factors: Vec<_> = factors.iter().map(|&f| elimination.scoped(f)).collect();
    factors.sort_by_key(|factor| std::cmp::Reverse(factor.scope.len()));
    for factor in factors {
        elimination.place(factor);
    }
    for decision in widths.ids().rev() {
        elimination.eliminate(decision);
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
    widths: &'w IdVec<DecisionId, usize>,
    better: fn(u64, u64) -> u64,
    /// For each decision, the mini-buckets of the factors of which it is the highest.
    buckets: IdVec<DecisionId, Vec<Scoped>>,
    rest: u64,
    sums: HashMap<(Diagram, Diagram), Diagram>,
}

impl Elimination<'_> {
    fn scoped(&self, diagram: Diagram) -> Scoped {
        Scoped { diagram, scope: self.store.decisions(diagram) }
    }

    fn place(&mut self, factor: Scoped) {
        let Some(&highest) = factor.scope.last() else {
            let value = self.store.leaf(factor.diagram);
            let value = value.unwrap_or_else(|| fault("a factor without its decisions"));
            self.rest = self.rest.saturating_add(*value);
            return;
        };
        let bucket = &mut self.buckets[highest];
        let room = bucket.iter_mut().find(|mini| {
            let widths = mini.scope.union(&factor.scope).map(|&decision| self.widths[decision]);
            let rows = widths.fold(1usize, usize::saturating_mul);
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

    fn eliminate(&mut self, decision: DecisionId) {
        let better = self.better;
        for mini in std::mem::take(&mut self.buckets[decision]) {
            let children =
                (0..self.widths[decision]).map(|c| self.store.cofactor(mini.diagram, decision, c));
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
