//! Functions of decisions as decision diagrams: reduced, ordered, hash-consed.
//!
//! A diagram maps every assignment to a value. It branches on the decision with the highest id
//! first, which elimination from the innermost decision outwards wants, and mentions only the
//! decisions on which the value really depends (Bryant 1986, for decisions of many candidates).

use std::collections::HashMap;
use std::hash::Hash;

use crate::assignment::Assignment;
use crate::ir::DecisionId;

/// A diagram: a row of the [`Diagrams`] that made it. Equal functions have equal rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Diagram(u32);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Row<T> {
    Leaf(T),
    Branch(DecisionId, Box<[Diagram]>),
}

/// What a diagram begins with.
#[derive(Debug, PartialEq)]
pub enum Top<'d, T> {
    /// The same value whatever is decided.
    Leaf(&'d T),
    /// One diagram for each candidate of this decision.
    Branch(DecisionId, &'d [Diagram]),
}

/// The store of diagrams with values of type `T`.
#[derive(Debug, Clone)]
pub struct Diagrams<T> {
    rows: Vec<Row<T>>,
    index: HashMap<Row<T>, Diagram>,
    is_full: bool,
}

/// The most pairs of diagrams that one kind of combination visits.
const MAX_PAIRS: usize = 4_000_000;
/// The most rows that a store holds.
pub const MAX_ROWS: usize = 1_000_000;

impl<T: Clone + Eq + Hash> Default for Diagrams<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), index: HashMap::new(), is_full: false }
    }
}

impl<T: Clone + Eq + Hash> Diagrams<T> {
    fn intern(&mut self, row: Row<T>) -> Diagram {
        if let Some(&diagram) = self.index.get(&row) {
            return diagram;
        }
        let diagram = Diagram(self.rows.len() as u32);
        self.rows.push(row.clone());
        self.index.insert(row, diagram);
        diagram
    }

    /// Whether the store passed [`MAX_ROWS`]. Then what was made since means nothing, and the
    /// analysis must say so.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// The constant function.
    pub fn constant(&mut self, value: T) -> Diagram {
        self.intern(Row::Leaf(value))
    }

    /// The function that is child `i` where the decision takes candidate `i`.
    ///
    /// The children depend on decisions below this one only.
    pub fn branch(&mut self, decision: DecisionId, children: Vec<Diagram>) -> Diagram {
        match children.split_first() {
            Some((first, rest)) if rest.iter().all(|child| child == first) => *first,
            _ => self.intern(Row::Branch(decision, children.into())),
        }
    }

    /// What the diagram begins with.
    #[must_use]
    pub fn top(&self, diagram: Diagram) -> Option<Top<'_, T>> {
        Some(match self.rows.get(diagram.0 as usize)? {
            Row::Leaf(value) => Top::Leaf(value),
            Row::Branch(decision, children) => Top::Branch(*decision, children),
        })
    }

    /// The highest decision on which the function depends.
    #[must_use]
    pub fn decision(&self, diagram: Diagram) -> Option<DecisionId> {
        match self.top(diagram)? {
            Top::Leaf(_) => None,
            Top::Branch(decision, _) => Some(decision),
        }
    }

    /// The value under an assignment.
    #[must_use]
    pub fn value(&self, mut diagram: Diagram, assignment: &Assignment) -> Option<&T> {
        loop {
            match self.top(diagram)? {
                Top::Leaf(value) => return Some(value),
                Top::Branch(decision, children) => {
                    diagram = *children.get(assignment.get(decision))?;
                }
            }
        }
    }

    /// The part of the diagram where `decision` takes `candidate`, if it begins with that
    /// decision; else the diagram itself.
    fn cofactor(&self, diagram: Diagram, decision: DecisionId, candidate: usize) -> Diagram {
        match self.top(diagram) {
            Some(Top::Branch(d, children)) if d == decision => {
                children.get(candidate).copied().unwrap_or(diagram)
            }
            _ => diagram,
        }
    }

    /// The function `combine(a, b)`, value by value. `memo` is for one `combine` only.
    pub fn apply(
        &mut self,
        a: Diagram,
        b: Diagram,
        combine: &dyn Fn(&T, &T) -> T,
        memo: &mut HashMap<(Diagram, Diagram), Diagram>,
    ) -> Diagram {
        if let Some(&known) = memo.get(&(a, b)) {
            return known;
        }
        if self.rows.len() >= MAX_ROWS || memo.len() >= MAX_PAIRS {
            self.is_full = true;
            return a;
        }
        let result = match self.decision(a).max(self.decision(b)) {
            None => match (self.top(a), self.top(b)) {
                (Some(Top::Leaf(x)), Some(Top::Leaf(y))) => {
                    let value = combine(x, y);
                    self.constant(value)
                }
                _ => a,
            },
            Some(decision) => {
                let width = [a, b]
                    .into_iter()
                    .filter_map(|side| match self.top(side) {
                        Some(Top::Branch(d, children)) if d == decision => Some(children.len()),
                        _ => None,
                    })
                    .max()
                    .unwrap_or(0);
                let children = (0..width)
                    .map(|i| {
                        let (x, y) = (self.cofactor(a, decision, i), self.cofactor(b, decision, i));
                        self.apply(x, y, combine, memo)
                    })
                    .collect();
                self.branch(decision, children)
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
            Some(Top::Leaf(value)) => into.constant(replace(value)),
            Some(Top::Branch(decision, children)) => {
                let children =
                    children.iter().map(|&child| self.map(child, into, replace, memo)).collect();
                into.branch(decision, children)
            }
            None => diagram,
        };
        memo.insert(diagram, result);
        result
    }
}
