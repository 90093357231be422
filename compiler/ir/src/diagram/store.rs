//! The store of diagrams, and how they combine.

use std::collections::BTreeSet;
use std::hash::Hash;

use indexmap::IndexSet;
use nas_diagnostics::fault;
use rustc_hash::{FxBuildHasher, FxHashMap as HashMap, FxHashSet as HashSet};

use super::entangled::Entangled;
use super::rows::{Branch, Diagram, Rows, Top};
use crate::assignment::Assignment;
use crate::id_vec::IdVec;
use crate::ids::DecisionId;

/// The store of diagrams with values of type `T`.
#[derive(Debug, Clone)]
pub struct Diagrams<T> {
    rows: Rows<T>,
    /// Children of rows that combinations are about to make.
    pending: Vec<Diagram>,
    /// Rows that large combinations made.
    combined: usize,
    /// Pairs and rows that large combinations visited.
    visits: usize,
    is_full: bool,
    /// The decisions of the combination that passed the limit.
    entangled: BTreeSet<DecisionId>,
}

/// The most pairs and rows that combinations visit in one store, and the most rows that they make.
/// What is written down directly, such as the choice of a decision, does not count, nor what is
/// small: there may be as many decisions as a space has.
const MAX_VISITS: usize = 4_000_000;
/// As [`MAX_VISITS`].
const MAX_ROWS: usize = 250_000;
/// A pair or a row counts once more for each so many candidates, which are looked at one by one.
const WIDE: usize = 1024;
/// Up to so many visits, a combination is small.
const SMALL: usize = 64;
/// Stack that a step of a recursion needs, in bytes, and how much more it gets where less is left.
const STACK_LEFT: usize = 64 << 10;
const STACK_MORE: usize = 4 << 20;

/// How two functions combine.
pub struct Combine<'f, T> {
    /// Value by value.
    pub values: &'f dyn Fn(&T, &T) -> T,
    /// The result, where it is known without a look at all of both.
    pub at_once: &'f dyn Fn(Diagram, Diagram) -> Option<Diagram>,
}

impl<'f, T> Combine<'f, T> {
    /// Value by value, and no faster.
    pub fn by(values: &'f dyn Fn(&T, &T) -> T) -> Self {
        Self { values, at_once: &|_, _| None }
    }
}

/// A row that is to become another one.
pub(super) enum Old<T> {
    Leaf(T),
    /// Its decision, and what its children have become.
    Branch(DecisionId, Vec<Diagram>),
}

/// What becomes of a row, which is given as it was and with what its children have become.
type Rewrite<'f, T> = dyn Fn(&mut Diagrams<T>, Diagram, Old<T>) -> Diagram + 'f;

impl<T: Clone + Eq + Hash> Default for Diagrams<T> {
    fn default() -> Self {
        Self {
            rows: Rows::default(),
            pending: Vec::new(),
            combined: 0,
            visits: 0,
            is_full: false,
            entangled: BTreeSet::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Diagrams<T> {
    /// Whether the store passed a limit. Then what was made since means nothing, and the analysis
    /// must say so.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Whether all that was made up to now means something.
    ///
    /// # Errors
    /// [`Entangled`] where the store passed a limit, with the decisions on which it then worked.
    pub fn room(&self) -> Result<(), Entangled> {
        if self.is_full { Err(Entangled::new(self.entangled.iter().copied())) } else { Ok(()) }
    }

    /// How much work large combinations were up to now.
    pub fn visits(&self) -> u64 {
        self.visits as u64
    }

    /// Counts a visit of a row with so many candidates, and the rows made of it since there were `rows`.
    fn count_width(&mut self, width: usize, rows: usize, visits: usize) {
        if visits >= SMALL {
            self.visits += width / WIDE;
            self.combined += (self.rows.len() - rows) * (width / WIDE);
        }
    }

    /// Counts a visit of a combination that visited so many before; `false` if there is no room
    /// for it.
    fn visit_more(&mut self, before: usize) -> bool {
        self.visits += usize::from(before >= SMALL);
        self.is_full |= self.visits > MAX_VISITS || self.combined > MAX_ROWS;
        !self.is_full
    }

    /// Counts the rows made since there were `rows`.
    fn count_rows(&mut self, rows: usize, visits: usize) {
        if visits >= SMALL {
            self.combined += self.rows.len() - rows;
        }
    }

    /// The constant function.
    pub fn constant(&mut self, value: T) -> Diagram {
        self.rows.add_leaf(value)
    }

    /// The function that is child `i` where the decision takes candidate `i`.
    ///
    /// The children depend on decisions below this one only.
    pub fn branch(&mut self, decision: DecisionId, children: &[Diagram]) -> Diagram {
        self.rows.add_branch(decision, children)
    }

    /// What the diagram begins with.
    #[must_use]
    pub fn top(&self, diagram: Diagram) -> Top<'_, T> {
        self.rows.top(diagram)
    }

    /// The highest decision on which the function depends.
    #[must_use]
    pub fn decision(&self, diagram: Diagram) -> Option<DecisionId> {
        self.rows.branch(diagram).map(|branch| branch.decision)
    }

    /// The value under an assignment.
    #[must_use]
    pub fn value(&self, mut diagram: Diagram, assignment: &Assignment) -> &T {
        while let Some(branch) = self.rows.branch(diagram) {
            diagram = self.rows.child(branch, assignment.get(branch.decision));
        }
        self.leaf(diagram).unwrap_or_else(|| fault("a diagram that ends without a value"))
    }

    /// The value of a diagram that depends on no decision.
    #[must_use]
    pub fn leaf(&self, diagram: Diagram) -> Option<&T> {
        match self.top(diagram) {
            Top::Leaf(value) => Some(value),
            Top::Branch(..) => None,
        }
    }

    /// The decisions on which the function depends.
    #[must_use]
    pub fn decisions(&self, diagram: Diagram) -> BTreeSet<DecisionId> {
        let mut decisions = BTreeSet::new();
        self.visit(diagram, &mut |top| {
            if let Top::Branch(decision, _) = top {
                decisions.insert(decision);
            }
        });
        decisions
    }

    /// The values that the function takes, each once, in the order in which a walk by candidate
    /// meets them: equal for equal functions.
    #[must_use]
    pub fn leaves(&self, diagram: Diagram) -> Vec<&T> {
        let mut leaves: IndexSet<&T, FxBuildHasher> = IndexSet::default();
        self.visit(diagram, &mut |top| {
            if let Top::Leaf(value) = top {
                leaves.insert(value);
            }
        });
        leaves.into_iter().collect()
    }

    /// Shows every row below a diagram once, parents first, children in order.
    fn visit<'d>(&'d self, diagram: Diagram, show: &mut dyn FnMut(Top<'d, T>)) {
        let mut seen = HashSet::default();
        let mut open = vec![diagram];
        while let Some(next) = open.pop() {
            if !seen.insert(next) {
                continue;
            }
            let top = self.top(next);
            if let Top::Branch(_, children) = top {
                open.extend(children.iter().rev());
            }
            show(top);
        }
    }

    /// The part of the diagram where `decision` takes `candidate`, if it begins with that
    /// decision; else the diagram itself.
    pub fn cofactor(&self, diagram: Diagram, decision: DecisionId, candidate: usize) -> Diagram {
        self.part(diagram, self.at(diagram, decision), candidate)
    }

    /// The row, if it branches on this decision.
    fn at(&self, diagram: Diagram, decision: DecisionId) -> Option<Branch> {
        self.rows.branch(diagram).filter(|branch| branch.decision == decision)
    }

    /// The child of a diagram that begins with a branch; else the diagram itself.
    fn part(&self, diagram: Diagram, branch: Option<Branch>, candidate: usize) -> Diagram {
        branch.map_or(diagram, |branch| self.rows.child(branch, candidate))
    }

    /// The function that two combine to. `memo` is for one `combine` only.
    pub fn apply(
        &mut self,
        a: Diagram,
        b: Diagram,
        combine: &Combine<'_, T>,
        memo: &mut HashMap<(Diagram, Diagram), Diagram>,
    ) -> Diagram {
        self.apply_by(a, b, (combine.values, combine.at_once), memo)
    }

    /// As [`Diagrams::apply`], compiled for how the functions combine.
    pub(super) fn apply_by<V, O>(
        &mut self,
        a: Diagram,
        b: Diagram,
        combine: (&V, &O),
        memo: &mut HashMap<(Diagram, Diagram), Diagram>,
    ) -> Diagram
    where
        V: Fn(&T, &T) -> T + ?Sized,
        O: Fn(Diagram, Diagram) -> Option<Diagram> + ?Sized,
    {
        let was_full = self.is_full;
        let result = self.apply_below(a, b, combine, memo);
        if self.is_full && !was_full {
            self.entangled = &self.decisions(a) | &self.decisions(b);
        }
        result
    }

    /// As [`Diagrams::apply`], for parts of diagrams.
    fn apply_below<V, O>(
        &mut self,
        a: Diagram,
        b: Diagram,
        combine: (&V, &O),
        memo: &mut HashMap<(Diagram, Diagram), Diagram>,
    ) -> Diagram
    where
        V: Fn(&T, &T) -> T + ?Sized,
        O: Fn(Diagram, Diagram) -> Option<Diagram> + ?Sized,
    {
        let (_, at_once) = combine;
        let known = at_once(a, b).or_else(|| memo.get(&(a, b)).copied());
        // A diagram is as deep as it has decisions, which may be thousands.
        known.unwrap_or_else(|| {
            stacker::maybe_grow(STACK_LEFT, STACK_MORE, || self.combine(a, b, combine, memo))
        })
    }

    fn combine<V, O>(
        &mut self,
        a: Diagram,
        b: Diagram,
        combine: (&V, &O),
        memo: &mut HashMap<(Diagram, Diagram), Diagram>,
    ) -> Diagram
    where
        V: Fn(&T, &T) -> T + ?Sized,
        O: Fn(Diagram, Diagram) -> Option<Diagram> + ?Sized,
    {
        if !self.visit_more(memo.len()) {
            return a;
        }
        let (of_a, of_b) = (self.rows.branch(a), self.rows.branch(b));
        let decision = |branch: Option<Branch>| branch.map(|branch| branch.decision);
        let result = match decision(of_a).max(decision(of_b)) {
            None => {
                let (values, _) = combine;
                let (Top::Leaf(x), Top::Leaf(y)) = (self.top(a), self.top(b)) else {
                    fault("a branch without a decision");
                };
                let value = values(x, y);
                let before = self.rows.len();
                let result = self.constant(value);
                self.count_rows(before, memo.len());
                result
            }
            Some(decision) => {
                let at = |branch: Option<Branch>| branch.filter(|it| it.decision == decision);
                let (of_a, of_b) = (at(of_a), at(of_b));
                // One of them branches on it; if both do, they have as many children.
                let width = of_a.or(of_b).map_or(0, |branch| branch.width);
                let start = self.pending.len();
                for i in 0..width {
                    let (x, y) = (self.part(a, of_a, i), self.part(b, of_b, i));
                    let child = self.apply_below(x, y, combine, memo);
                    self.pending.push(child);
                }
                let before = self.rows.len();
                let children = self.pending.get(start..);
                let children = children.unwrap_or_else(|| fault("a branch lost its children"));
                let result = self.rows.add_branch(decision, children);
                self.pending.truncate(start);
                self.count_rows(before, memo.len());
                self.count_width(width, before, memo.len());
                result
            }
        };
        memo.insert((a, b), result);
        result
    }

    /// The function with every value replaced.
    pub fn map<U: Clone + Eq + Hash>(
        &self,
        diagram: Diagram,
        into: &mut Diagrams<U>,
        replace: &dyn Fn(&T) -> U,
        memo: &mut HashMap<Diagram, Diagram>,
    ) -> Diagram {
        if let Some(&known) = memo.get(&diagram) {
            return known;
        }
        let result = match self.top(diagram) {
            Top::Leaf(value) => into.constant(replace(value)),
            Top::Branch(decision, children) => {
                let mut inner = |child: &Diagram| {
                    stacker::maybe_grow(STACK_LEFT, STACK_MORE, || {
                        self.map(*child, into, replace, memo)
                    })
                };
                let children: Vec<Diagram> = children.iter().map(&mut inner).collect();
                into.branch(decision, &children)
            }
        };
        memo.insert(diagram, result);
        result
    }

    /// The function of the candidates that are kept, which count anew. `kept` has the candidates of
    /// each decision.
    pub fn of_candidates(
        &self,
        diagram: Diagram,
        into: &mut Self,
        kept: &IdVec<DecisionId, Vec<usize>>,
        memo: &mut HashMap<Diagram, Diagram>,
    ) -> Diagram {
        if let Some(&known) = memo.get(&diagram) {
            return known;
        }
        let result = match self.top(diagram) {
            Top::Leaf(value) => into.constant(value.clone()),
            Top::Branch(decision, _) => {
                let mut inner = |&candidate: &usize| {
                    let child = self.cofactor(diagram, decision, candidate);
                    stacker::maybe_grow(STACK_LEFT, STACK_MORE, || {
                        self.of_candidates(child, into, kept, memo)
                    })
                };
                let children: Vec<Diagram> = kept[decision].iter().map(&mut inner).collect();
                into.branch(decision, &children)
            }
        };
        memo.insert(diagram, result);
        result
    }

    /// As [`Diagrams::map`], within the store.
    pub(super) fn rewrite(
        &mut self,
        diagram: Diagram,
        replace: &Rewrite<'_, T>,
        memo: &mut HashMap<Diagram, Diagram>,
    ) -> Diagram {
        let was_full = self.is_full;
        let result = self.rewrite_below(diagram, replace, memo);
        if self.is_full && !was_full {
            self.entangled = self.decisions(diagram);
        }
        result
    }

    /// As [`Diagrams::rewrite`], for parts of a diagram.
    fn rewrite_below(
        &mut self,
        diagram: Diagram,
        replace: &Rewrite<'_, T>,
        memo: &mut HashMap<Diagram, Diagram>,
    ) -> Diagram {
        if let Some(&known) = memo.get(&diagram) {
            return known;
        }
        if !self.visit_more(memo.len()) {
            return diagram;
        }
        let old = match self.top(diagram) {
            Top::Leaf(value) => Old::Leaf(value.clone()),
            Top::Branch(decision, children) => {
                let mut children = children.to_vec();
                for child in &mut children {
                    *child = stacker::maybe_grow(STACK_LEFT, STACK_MORE, || {
                        self.rewrite_below(*child, replace, memo)
                    });
                }
                Old::Branch(decision, children)
            }
        };
        let rows = self.rows.len();
        let result = replace(self, diagram, old);
        self.count_rows(rows, memo.len());
        memo.insert(diagram, result);
        result
    }
}

/// The least and the greatest value of each diagram of a store.
pub struct Ends<T>(IdVec<Diagram, (T, T)>);

impl<T: Copy + Ord + Eq + Hash> Diagrams<T> {
    /// The ends of all diagrams that there are by now.
    pub fn ends(&self) -> Ends<T> {
        let mut ends: IdVec<Diagram, (T, T)> = IdVec::with_capacity(self.rows.len());
        for row in self.rows.iter() {
            // INVARIANT: children are made before the rows that have them.
            let own = match row {
                Top::Leaf(value) => Some((*value, *value)),
                Top::Branch(_, children) => {
                    let children = children.iter().map(|&child| ends[child]);
                    children.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
                }
            };
            ends.push(own.unwrap_or_else(|| fault("a branch without children")));
        }
        Ends(ends)
    }
}

impl<T: Copy> Ends<T> {
    /// The least and the greatest value of a diagram.
    pub fn of(&self, diagram: Diagram) -> (T, T) {
        self.0[diagram]
    }
}
