//! The rows of a store of diagrams: each once, the children of all of them in one list.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use nas_diagnostics::fault;
use rustc_hash::FxBuildHasher;

use crate::id_vec::{Id, IdVec};
use crate::ids::DecisionId;

/// A diagram: a row of the store that made it. Equal functions have equal rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Diagram(u32);

impl Id for Diagram {
    const OF: &'static str = "diagrams";

    fn of_row(row: usize) -> Self {
        // INVARIANT: stores are limited to far fewer rows than `u32::MAX`.
        Self(row as u32)
    }

    fn row(self) -> usize {
        self.0 as usize
    }
}

/// What a diagram begins with.
#[derive(Debug, PartialEq, Eq, Hash)]
pub enum Top<'d, T> {
    /// The same value whatever is decided.
    Leaf(&'d T),
    /// One diagram for each candidate of this decision.
    Branch(DecisionId, &'d [Diagram]),
}

/// Where a row has its value, or its children.
#[derive(Debug, Clone, Copy)]
enum Row {
    Leaf(usize),
    Branch(Branch),
}

impl Row {
    fn top<'r, T>(self, values: &'r [T], children: &'r [Diagram]) -> Top<'r, T> {
        let found = match self {
            Self::Leaf(value) => values.get(value).map(Top::Leaf),
            Self::Branch(branch) => {
                let own = children.get(branch.first..branch.first + branch.width);
                own.map(|own| Top::Branch(branch.decision, own))
            }
        };
        found.unwrap_or_else(|| fault("a diagram without what it is made of"))
    }
}

/// A row that branches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    pub(super) decision: DecisionId,
    /// How many children it has.
    pub(super) width: usize,
    /// The place of the first child in the list of all.
    first: usize,
}

/// See the file.
#[derive(Debug, Clone)]
pub(super) struct Rows<T> {
    rows: IdVec<Diagram, Row>,
    /// The hash of each row: a table that grows asks for all of them.
    hashes: IdVec<Diagram, u64>,
    /// The values of the leaves.
    values: Vec<T>,
    /// The children of the branches.
    children: Vec<Diagram>,
    /// The rows by what they are.
    places: HashTable<Diagram>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            rows: IdVec::default(),
            hashes: IdVec::default(),
            values: Vec::new(),
            children: Vec::new(),
            places: HashTable::new(),
        }
    }
}

impl<T> Rows<T> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn top(&self, diagram: Diagram) -> Top<'_, T> {
        self.rows[diagram].top(&self.values, &self.children)
    }

    /// All rows, children before those that have them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Top<'_, T>> {
        self.rows.rows().iter().map(|row| row.top(&self.values, &self.children))
    }

    /// The row, if it branches.
    pub(super) fn branch(&self, diagram: Diagram) -> Option<Branch> {
        match self.rows[diagram] {
            Row::Leaf(_) => None,
            Row::Branch(branch) => Some(branch),
        }
    }

    /// The child of a branch for one of the candidates.
    pub(super) fn child(&self, branch: Branch, candidate: usize) -> Diagram {
        let child = self.children.get(branch.first + candidate);
        match child.filter(|_| candidate < branch.width) {
            Some(&child) => child,
            None => fault("a diagram without a child for a candidate"),
        }
    }
}

impl<T: Eq + Hash> Rows<T> {
    pub(super) fn add_leaf(&mut self, value: T) -> Diagram {
        let (diagram, is_new) = self.place(&Top::Leaf(&value));
        if is_new {
            self.rows.push(Row::Leaf(self.values.len()));
            self.values.push(value);
        }
        diagram
    }

    /// The branch with these children; one of them, if they are all the same.
    pub(super) fn add_branch(&mut self, decision: DecisionId, own: &[Diagram]) -> Diagram {
        if let Some((first, rest)) = own.split_first()
            && rest.iter().all(|child| child == first)
        {
            return *first;
        }
        let (diagram, is_new) = self.place(&Top::Branch(decision, own));
        if is_new {
            let first = self.children.len();
            self.rows.push(Row::Branch(Branch { decision, width: own.len(), first }));
            self.children.extend_from_slice(own);
        }
        diagram
    }

    /// The place of a row, and whether it is one that the row shall come to now.
    fn place(&mut self, top: &Top<'_, T>) -> (Diagram, bool) {
        let Self { rows, hashes, values, children, places } = self;
        let hash = FxBuildHasher.hash_one(top);
        let is_same = |other: &Diagram| rows[*other].top(values, children) == *top;
        let hash_of = |other: &Diagram| hashes[*other];
        match places.entry(hash, is_same, hash_of) {
            Entry::Occupied(found) => (*found.get(), false),
            Entry::Vacant(free) => {
                let diagram = hashes.push(hash);
                free.insert(diagram);
                (diagram, true)
            }
        }
    }
}
