//! Names and paths while a space is elaborated.

use std::fmt::{self, Write};

use rustc_hash::FxHashMap as HashMap;

use super::value::Value;

/// A name bound to a value.
struct Binding<'p> {
    name: &'p str,
    value: Value,
    is_read: bool,
    /// The binding of the same name that this one hides.
    hidden: Option<usize>,
}

/// The names of a block instance, after those of the instances that called it; an inner scope is a
/// suffix of the list.
#[derive(Default)]
pub(super) struct Names<'p> {
    bindings: Vec<Binding<'p>>,
    /// For each name, its innermost binding.
    places: HashMap<&'p str, usize>,
    frame: Frame,
}

/// Which of the names can be seen, and which assigned.
#[derive(Clone, Copy, Default)]
pub(super) struct Frame {
    /// Bindings below this belong to the callers.
    base: usize,
    /// Bindings below this belong to the outside of the candidate being elaborated.
    floor: usize,
}

/// How many names there were.
#[derive(Clone, Copy, Default)]
pub(super) struct Mark(usize);

/// Whether an assignment could be made.
#[derive(PartialEq, Eq)]
pub(super) enum Assigned {
    Yes,
    /// The variable belongs to the outside of the candidate.
    Outside,
    Unknown,
}

impl<'p> Names<'p> {
    pub(super) fn bind(&mut self, name: &'p str, value: Value) {
        let hidden = self.places.insert(name, self.bindings.len());
        self.bindings.push(Binding { name, value, is_read: false, hidden });
    }

    /// The names that can be seen.
    pub(super) fn in_scope(&self) -> impl Iterator<Item = &'p str> {
        self.bindings.iter().skip(self.frame.base).map(|binding| binding.name)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied().filter(|&place| place >= self.frame.base)
    }

    /// Reads the value of a name.
    pub(super) fn get(&mut self, name: &str) -> Option<Value> {
        let place = self.place(name)?;
        let binding = self.bindings.get_mut(place)?;
        binding.is_read = true;
        Some(binding.value.clone())
    }

    pub(super) fn assign(&mut self, name: &str, value: Value) -> Assigned {
        let Some(place) = self.place(name) else { return Assigned::Unknown };
        if place < self.frame.floor {
            return Assigned::Outside;
        }
        if let Some(binding) = self.bindings.get_mut(place) {
            binding.value = value;
        }
        Assigned::Yes
    }

    pub(super) fn open(&self) -> Mark {
        Mark(self.bindings.len())
    }

    /// Forgets the names bound since then; returns what those held that were never read.
    pub(super) fn close(&mut self, mark: Mark) -> Vec<Value> {
        let mut unread = Vec::new();
        for binding in self.bindings.drain(mark.0.min(self.bindings.len())..).rev() {
            match binding.hidden {
                Some(hidden) => self.places.insert(binding.name, hidden),
                None => self.places.remove(binding.name),
            };
            if !binding.is_read {
                unread.push(binding.value);
            }
        }
        unread
    }

    /// Forgets the names bound since then, read or not.
    pub(super) fn forget(&mut self, mark: Mark) {
        let _ = self.close(mark);
    }

    /// The names bound since then, with their values.
    pub(super) fn since(&mut self, mark: Mark) -> Vec<(&'p str, Value)> {
        let bindings = self.bindings.get_mut(mark.0..).unwrap_or_default();
        let take = |binding: &mut Binding<'p>| {
            binding.is_read = true;
            (binding.name, binding.value.clone())
        };
        bindings.iter_mut().map(take).collect()
    }

    /// All values that can be seen, for [`Names::restore`].
    pub(super) fn values(&self) -> Vec<Value> {
        let seen = self.bindings.get(self.frame.base..).unwrap_or_default();
        seen.iter().map(|binding| binding.value.clone()).collect()
    }

    /// Gives every name the value that it had.
    pub(super) fn restore(&mut self, values: &[Value]) {
        let seen = self.bindings.get_mut(self.frame.base..).unwrap_or_default();
        for (binding, value) in seen.iter_mut().zip(values) {
            binding.value = value.clone();
        }
    }

    /// From here on, what is bound now is outside; returns what `leave` needs.
    pub(super) fn enter_candidate(&mut self) -> Frame {
        let outer = self.frame;
        self.frame.floor = self.bindings.len();
        outer
    }

    /// From here on, what is bound now cannot be seen; returns what `leave` needs.
    pub(super) fn enter_block(&mut self) -> Frame {
        let base = self.bindings.len();
        std::mem::replace(&mut self.frame, Frame { base, floor: base })
    }

    pub(super) fn leave(&mut self, outer: Frame) {
        self.frame = outer;
    }
}

/// Room for a number at the end of a path.
const ROOM: usize = 4;

/// The path of what is being elaborated: `unit.7/op=k3_e1/inverted_residual.0`.
#[derive(Default)]
pub(super) struct Paths {
    path: String,
    /// For each open segment, the length of the path before it.
    open: Vec<usize>,
    /// For each depth, what was counted in the segment that is open there.
    counters: Vec<HashMap<Box<str>, u32>>,
    /// In a cell: its name, and the length of the path up to it.
    cell: Option<CellPath>,
}

/// Where the paths of the decisions of a cell begin.
pub(super) struct CellPath {
    name: String,
    from: usize,
}

impl Paths {
    /// Opens a segment as it is.
    pub(super) fn enter(&mut self, segment: fmt::Arguments<'_>) {
        self.open.push(self.path.len());
        if !self.path.is_empty() {
            self.path.push('/');
        }
        // Writing to a string does not fail.
        let _ = self.path.write_fmt(segment);
    }

    pub(super) fn leave(&mut self) {
        if let Some(inner) = self.counters.get_mut(self.open.len()) {
            inner.clear();
        }
        if let Some(length) = self.open.pop() {
            self.path.truncate(length);
        }
    }

    /// Opens the segment of an instance of a cell; returns what `leave_cell` needs.
    pub(super) fn enter_cell(&mut self, name: &str, ordinal: u32) -> Option<CellPath> {
        self.enter(format_args!("{name}.{ordinal}"));
        self.cell.replace(CellPath { name: name.to_owned(), from: self.path.len() })
    }

    pub(super) fn leave_cell(&mut self, outer: Option<CellPath>) {
        self.cell = outer;
        self.leave();
    }

    pub(super) fn is_in_cell(&self) -> bool {
        self.cell.is_some()
    }

    /// The path of a decision in this segment: that of the cell, without the number of its
    /// instance, where there is one.
    pub(super) fn decision(&self, part: &str) -> String {
        match &self.cell {
            Some(CellPath { name, from }) => {
                format!("{name}{}/{part}", self.path.get(*from..).unwrap_or_default())
            }
            None => self.join(part),
        }
    }

    /// How many things of this name there were before in this segment; counts this one.
    pub(super) fn count(&mut self, name: &str) -> u32 {
        let depth = self.open.len();
        if self.counters.len() <= depth {
            self.counters.resize_with(depth + 1, HashMap::default);
        }
        let Some(counters) = self.counters.get_mut(depth) else { return 0 };
        if let Some(count) = counters.get_mut(name) {
            *count += 1;
            return *count - 1;
        }
        counters.insert(name.into(), 1);
        0
    }

    /// The path of this segment.
    pub(super) fn here(&self) -> &str {
        &self.path
    }

    /// The path of something in this segment.
    pub(super) fn join(&self, name: &str) -> String {
        let mut path = String::with_capacity(self.path.len() + name.len() + ROOM);
        path.push_str(&self.path);
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(name);
        path
    }

    /// The path of the next thing of this name in this segment.
    pub(super) fn next(&mut self, name: &str) -> String {
        let ordinal = self.count(name);
        let mut path = self.join(name);
        // Writing to a string does not fail.
        let _ = write!(path, ".{ordinal}");
        path
    }
}
