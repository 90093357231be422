//! Exact answers about all completions of a partial assignment: decisions are eliminated along a
//! path, from the highest id to the lowest, and what is left of every step is kept as a function
//! of the decisions before it. Reading the functions in the other direction, decision by decision,
//! draws or finds networks.

use std::hash::Hash;

use nas_ir::diagram::{Diagram, Diagrams, Entangled};
use nas_ir::{Assignment, DecisionId, IdVec, fault};
use rustc_hash::FxHashMap as HashMap;

use super::priced::Priced;

/// How the values of completions are made: from the last decision to the first.
pub(super) trait Folding {
    /// What the choice of a candidate adds.
    type Weight: Clone + Eq + Hash;
    /// What is known about all completions.
    type Value: Clone + Eq + Hash;

    /// The value where nothing is left to be decided.
    fn end(&self) -> Self::Value;
    /// The value of the choice among parts, each a weight and the value of what follows it.
    /// Equal parts stand once, with how often they occur. Without parts nothing completes.
    fn join(&self, step: usize, parts: &[(Self::Value, Self::Weight, u32)]) -> Self::Value;
}

/// The function of a step: it depends on the decisions before it.
struct Level<V> {
    store: Diagrams<V>,
    root: Diagram,
}

/// For each decision, the values of all completions from it on.
pub(super) struct Suffixes<F: Folding> {
    pub(super) folding: F,
    priced: Priced<F::Weight>,
    /// The first is the whole; the last has nothing left to be decided.
    levels: IdVec<usize, Level<F::Value>>,
}

/// The most joins in one elimination, and the most rows of one step.
const MAX_JOINS: usize = 200_000;
/// Stack that a step of the recursion needs, in bytes, and how much more it gets where less is left.
const STACK_LEFT: usize = 64 << 10;
const STACK_MORE: usize = 4 << 20;

impl<F: Folding> Suffixes<F> {
    /// Eliminates all decisions and keeps every step.
    pub(super) fn new(folding: F, priced: Priced<F::Weight>) -> Result<Self, Entangled> {
        let mut levels = Vec::with_capacity(priced.own.len() + 1);
        let last = walk(&folding, &priced, |level| levels.push(level))?;
        levels.push(last);
        levels.reverse();
        Ok(Self { folding, priced, levels: levels.into() })
    }

    /// Eliminates all decisions and keeps only what comes out.
    pub(super) fn fold(folding: &F, priced: &Priced<F::Weight>) -> Result<F::Value, Entangled> {
        Ok(walk(folding, priced, drop)?.whole())
    }

    /// The value of the whole.
    pub(super) fn whole(&self) -> F::Value {
        self.levels[0].whole()
    }

    /// The number of decisions.
    pub(super) fn decisions(&self) -> usize {
        self.priced.own.len()
    }

    /// The candidates of a decision where those before it are made as in `assignment`, in which it is
    /// then the last one: what each adds, and the value of its completions. `None` where the network is
    /// counted elsewhere.
    pub(super) fn candidates(
        &self,
        decision: DecisionId,
        assignment: &mut Assignment,
    ) -> Vec<Option<(F::Weight, F::Value)>> {
        let (own, after) = (self.priced.own[decision], &self.levels[decision.index() + 1]);
        let candidate = |candidate| {
            assignment.set(decision, candidate);
            let weight = self.priced.store.value(own, assignment).clone()?;
            Some((weight, after.store.value(after.root, assignment).clone()))
        };
        (0..self.priced.widths[decision]).map(candidate).collect()
    }
}

impl<V: Clone + Eq + Hash> Level<V> {
    /// The value before the first decision.
    fn whole(&self) -> V {
        let whole = self.store.leaf(self.root);
        whole.cloned().unwrap_or_else(|| fault("what is before all decisions depends on one"))
    }
}

/// Eliminates from the last decision to the first; every level but the last goes to `keep`.
fn walk<F: Folding>(
    folding: &F,
    priced: &Priced<F::Weight>,
    mut keep: impl FnMut(Level<F::Value>),
) -> Result<Level<F::Value>, Entangled> {
    let mut store = Diagrams::default();
    let root = store.constant(folding.end());
    let mut after = Level { store, root };
    let mut joins = 0;
    for (decision, &own) in priced.own.iter().rev() {
        let mut step = Step {
            folding,
            index: decision.index(),
            priced,
            after: &after,
            into: Diagrams::default(),
            memo: HashMap::default(),
            joins: &mut joins,
        };
        let parts = (0..priced.widths[decision]).map(|candidate| {
            let f = after.store.cofactor(after.root, decision, candidate);
            let o = priced.store.cofactor(own, decision, candidate);
            (f, o, 1)
        });
        let root = step.eliminate(parts.collect());
        let Step { into: store, .. } = step;
        if joins > MAX_JOINS {
            let mut decisions = after.store.decisions(after.root);
            decisions.extend(priced.store.decisions(own));
            return Err(Entangled::new(decisions));
        }
        keep(std::mem::replace(&mut after, Level { store, root }));
    }
    Ok(after)
}

/// A function of what follows, a price, and how often the pair occurs.
type Part = (Diagram, Diagram, u32);

/// The elimination of one decision.
struct Step<'s, F: Folding> {
    folding: &'s F,
    index: usize,
    priced: &'s Priced<F::Weight>,
    after: &'s Level<F::Value>,
    into: Diagrams<F::Value>,
    memo: HashMap<Vec<Part>, Diagram>,
    joins: &'s mut usize,
}

impl<F: Folding> Step<'_, F> {
    /// The function that joins all parts.
    fn eliminate(&mut self, parts: Vec<Part>) -> Diagram {
        let parts = self.tidy(parts);
        if let Some(&known) = self.memo.get(&parts) {
            return known;
        }
        *self.joins += 1;
        let tops = parts.iter().flat_map(|&(after, own, _)| {
            [self.after.store.decision(after), self.priced.store.decision(own)]
        });
        let result = match tops.flatten().max() {
            _ if *self.joins > MAX_JOINS => self.into.constant(self.folding.join(self.index, &[])),
            None => self.join(&parts),
            Some(decision) => stacker::maybe_grow(STACK_LEFT, STACK_MORE, || {
                let width = self.priced.widths[decision];
                let children = (0..width).map(|i| self.eliminate(self.given(&parts, decision, i)));
                let children: Vec<Diagram> = children.collect();
                self.into.branch(decision, &children)
            }),
        };
        self.memo.insert(parts, result);
        result
    }

    /// The parts where a decision takes a candidate.
    fn given(&self, parts: &[Part], decision: DecisionId, candidate: usize) -> Vec<Part> {
        let (after, own) = (&self.after.store, &self.priced.store);
        let given = |&(a, o, times): &Part| {
            (after.cofactor(a, decision, candidate), own.cofactor(o, decision, candidate), times)
        };
        parts.iter().map(given).collect()
    }

    /// Equal parts once, in order, without those that complete nothing.
    fn tidy(&self, mut parts: Vec<Part>) -> Vec<Part> {
        parts.retain(|(_, own, _)| self.priced.store.leaf(*own) != Some(&None));
        parts.sort_unstable();
        parts.dedup_by(|next, part| {
            let is_same = (next.0, next.1) == (part.0, part.1);
            part.2 += if is_same { next.2 } else { 0 };
            is_same
        });
        parts
    }

    /// The join of parts that depend on nothing more.
    fn join(&mut self, parts: &[Part]) -> Diagram {
        let leaves = parts.iter().map(|&(after, own, times)| {
            match (self.after.store.leaf(after), self.priced.store.leaf(own)) {
                (Some(value), Some(Some(weight))) => (value.clone(), weight.clone(), times),
                _ => fault("a part that depends on a decision, or completes nothing"),
            }
        });
        let leaves: Vec<_> = leaves.collect();
        self.into.constant(self.folding.join(self.index, &leaves))
    }
}
