//! Tables by id: an index type per table, checked once.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// An id that is a row of tables.
pub trait Id: Copy {
    /// The id of a row.
    fn of_row(row: usize) -> Self;
    /// The row of the id.
    fn row(self) -> usize;
}

/// A table with one row for each id, in order. Only ids of what it is a table of are asked for: another
/// one is a fault of ours, and ends the command as such.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdVec<I, T> {
    rows: Vec<T>,
    ids: PhantomData<fn(I)>,
}

impl<I, T> Default for IdVec<I, T> {
    fn default() -> Self {
        Self { rows: Vec::new(), ids: PhantomData }
    }
}

impl<I: Id, T> IdVec<I, T> {
    /// A table of so many rows, all equal.
    #[must_use]
    pub fn filled(rows: usize, value: T) -> Self
    where
        T: Clone,
    {
        vec![value; rows].into()
    }

    /// An empty table with room for so many rows.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Vec::with_capacity(rows).into()
    }

    /// Adds a row, and gives its id.
    pub fn push(&mut self, row: T) -> I {
        self.rows.push(row);
        I::of_row(self.rows.len() - 1)
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of an id, for what is not known to be one of this table.
    #[must_use]
    pub fn look_up(&self, id: I) -> Option<&T> {
        self.rows.get(id.row())
    }

    /// The ids, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.rows.len()).map(I::of_row)
    }

    /// The rows with their ids, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator + Clone {
        self.rows.iter().enumerate().map(|(row, value)| (I::of_row(row), value))
    }

    /// As [`Self::iter`], to change them.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (I, &mut T)> + ExactSizeIterator {
        self.rows.iter_mut().enumerate().map(|(row, value)| (I::of_row(row), value))
    }

    /// The rows without their ids, in order.
    #[must_use]
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// As [`Self::rows`], to change them.
    pub fn rows_mut(&mut self) -> &mut [T] {
        &mut self.rows
    }

    /// The table of what becomes of each row.
    pub fn map<U>(&self, make: impl FnMut(&T) -> U) -> IdVec<I, U> {
        self.rows.iter().map(make).collect()
    }
}

impl<I, T> From<Vec<T>> for IdVec<I, T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows, ids: PhantomData }
    }
}

impl<I, T> FromIterator<T> for IdVec<I, T> {
    fn from_iter<R: IntoIterator<Item = T>>(rows: R) -> Self {
        rows.into_iter().collect::<Vec<T>>().into()
    }
}

impl<I, T> IntoIterator for IdVec<I, T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

impl<I: Id, T> Index<I> for IdVec<I, T> {
    type Output = T;

    #[track_caller]
    fn index(&self, id: I) -> &T {
        match self.rows.get(id.row()) {
            Some(row) => row,
            None => no_row(id.row(), self.rows.len()),
        }
    }
}

impl<I: Id, T> IndexMut<I> for IdVec<I, T> {
    #[track_caller]
    fn index_mut(&mut self, id: I) -> &mut T {
        let rows = self.rows.len();
        match self.rows.get_mut(id.row()) {
            Some(row) => row,
            None => no_row(id.row(), rows),
        }
    }
}

#[cold]
#[track_caller]
#[allow(clippy::panic, reason = "a fault of ours, which the command reports as such")]
fn no_row(row: usize, rows: usize) -> ! {
    panic!("row {row} of a table of {rows}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::NodeId;

    #[test]
    fn a_row_is_that_of_its_id() {
        let mut table: IdVec<NodeId, char> = ['a', 'b'].into_iter().collect();
        let third = table.push('c');
        table[third] = 'd';
        assert_eq!((table[NodeId::new(0)], table[third], table.len()), ('a', 'd', 3));
        assert_eq!(table.ids().collect::<Vec<_>>(), [0, 1, 2].map(NodeId::new));
        assert_eq!(table.iter().next_back(), Some((third, &'d')));
        assert_eq!(table.look_up(NodeId::new(3)), None);
    }

    #[test]
    #[should_panic(expected = "row 2 of a table of 1")]
    fn another_id_is_a_fault() {
        let table: IdVec<NodeId, char> = IdVec::filled(1, 'a');
        let _ = table[NodeId::new(2)];
    }
}
