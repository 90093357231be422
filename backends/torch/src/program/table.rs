//! Tables with an index type of their own, in which a missing row is a fault of this crate.

use std::fmt::{self, Display};
use std::marker::PhantomData;

use crate::error::TorchError;

/// The index type of a [`Table`].
pub(crate) trait Id: Copy + Ord + Display {
    /// The id of a row.
    fn new(row: usize) -> Self;

    /// The row.
    fn index(self) -> usize;
}

macro_rules! ids {
    ($($(#[doc = $doc:literal])* $name:ident $letter:literal)*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $name(u32);

        impl Id for $name {
            fn new(row: usize) -> Self {
                // INVARIANT: a space has far fewer than `u32::MAX` nodes, and a few cases of each.
                Self(row as u32)
            }

            fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }
    )*};
}

ids! {
    /// The value of an instruction. Prints as `v7`.
    ValueId "v"
    /// A tensor of parameters. Prints as `p7`.
    ParameterId "p"
    /// A rule by which instructions select among their operands, or mask channels of one. Prints as `s7`.
    SelectId "s"
}

/// Rows that are found by ids of their own type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table<I, T> {
    rows: Vec<T>,
    ids: PhantomData<I>,
}

impl<I, T> Default for Table<I, T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl<I, T> From<Vec<T>> for Table<I, T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows, ids: PhantomData }
    }
}

impl<I: Id, T> Table<I, T> {
    /// Adds a row.
    pub(crate) fn push(&mut self, row: T) -> I {
        self.rows.push(row);
        I::new(self.rows.len() - 1)
    }

    /// The row of an id.
    ///
    /// # Errors
    /// There is none: a fault of this crate.
    pub(crate) fn get(&self, id: I) -> Result<&T, TorchError> {
        self.rows.get(id.index()).ok_or_else(|| missing(id))
    }

    /// As `get`, to be changed.
    ///
    /// # Errors
    /// As `get`.
    pub(crate) fn get_mut(&mut self, id: I) -> Result<&mut T, TorchError> {
        self.rows.get_mut(id.index()).ok_or_else(|| missing(id))
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// All rows, in order.
    pub(crate) fn rows(&self) -> &[T] {
        &self.rows
    }

    /// All rows, in order, to be changed.
    pub(crate) fn rows_mut(&mut self) -> &mut [T] {
        &mut self.rows
    }

    /// All rows with their ids, in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        self.rows.iter().enumerate().map(|(row, value)| (I::new(row), value))
    }

    /// As `iter`, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (I, &mut T)> {
        self.rows.iter_mut().enumerate().map(|(row, value)| (I::new(row), value))
    }
}

fn missing(id: impl Id) -> TorchError {
    TorchError::broken(format!("there is no {id}"))
}
