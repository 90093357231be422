//! The rows of a store of diagrams: each once, the children of all of them in one list.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

use crate::ids::DecisionId;

/// A diagram: a row of the store that made it. Equal functions have equal rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Diagram(pub(super) u32);

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
    rows: Vec<Row>,
    /// The hash of each row: a table that grows asks for all of them.
    hashes: Vec<u64>,
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
            rows: Vec::new(),
            hashes: Vec::new(),
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

    pub(super) fn get(&self, diagram: Diagram) -> Option<Top<'_, T>> {
        let row = *self.rows.get(diagram.0 as usize)?;
        of(row, &self.values, &self.children)
    }

    /// All rows, children before those that have them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Top<'_, T>> {
        self.rows.iter().filter_map(|row| of(*row, &self.values, &self.children))
    }

    /// The row, if it branches.
    pub(super) fn branch(&self, diagram: Diagram) -> Option<Branch> {
        match self.rows.get(diagram.0 as usize)? {
            Row::Leaf(_) => None,
            Row::Branch(branch) => Some(*branch),
        }
    }

    /// A child of a branch, where it has so many.
    pub(super) fn child(&self, branch: Branch, candidate: usize) -> Option<Diagram> {
        if candidate >= branch.width {
            return None;
        }
        self.children.get(branch.first + candidate).copied()
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
        let at = |diagram: &Diagram| {
            rows.get(diagram.0 as usize).and_then(|row| of(*row, values, children))
        };
        let is_same = |other: &Diagram| at(other).as_ref() == Some(top);
        // INVARIANT: what is in the table is a row, and has its hash.
        let hash_of = |other: &Diagram| hashes.get(other.0 as usize).copied().unwrap_or_default();
        match places.entry(hash, is_same, hash_of) {
            Entry::Occupied(found) => (*found.get(), false),
            Entry::Vacant(free) => {
                let diagram = Diagram(rows.len() as u32);
                free.insert(diagram);
                hashes.push(hash);
                (diagram, true)
            }
        }
    }
}

fn of<'r, T>(row: Row, values: &'r [T], children: &'r [Diagram]) -> Option<Top<'r, T>> {
    Some(match row {
        Row::Leaf(value) => Top::Leaf(values.get(value)?),
        Row::Branch(branch) => {
            let own = children.get(branch.first..branch.first + branch.width)?;
            Top::Branch(branch.decision, own)
        }
    })
}
