//! Names and paths while a space is elaborated.

use std::collections::HashMap;

use super::value::Value;

/// A name bound to a value.
struct Binding<'p> {
    name: &'p str,
    value: Value,
}

/// The names of one block instance; an inner scope is a suffix of the list.
#[derive(Default)]
pub(super) struct Names<'p> {
    bindings: Vec<Binding<'p>>,
    /// For each name, where it is bound, innermost last.
    places: HashMap<&'p str, Vec<usize>>,
    /// Bindings below this belong to the outside of the candidate being elaborated.
    floor: usize,
}

/// How many names there were.
#[derive(Clone, Copy)]
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
        self.places.entry(name).or_default().push(self.bindings.len());
        self.bindings.push(Binding { name, value });
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name)?.last().copied()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.bindings.get(self.place(name)?).map(|b| &b.value)
    }

    pub(super) fn assign(&mut self, name: &str, value: Value) -> Assigned {
        let Some(place) = self.place(name) else { return Assigned::Unknown };
        if place < self.floor {
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

    pub(super) fn close(&mut self, mark: Mark) {
        while self.bindings.len() > mark.0 {
            let Some(binding) = self.bindings.pop() else { return };
            if let Some(places) = self.places.get_mut(binding.name) {
                places.pop();
            }
        }
    }

    /// From here on, what is bound now is outside; returns what `leave_candidate` needs.
    pub(super) fn enter_candidate(&mut self) -> usize {
        std::mem::replace(&mut self.floor, self.bindings.len())
    }

    pub(super) fn leave_candidate(&mut self, floor: usize) {
        self.floor = floor;
    }
}

/// The path of what is being elaborated: `unit.7/op=k3_e1/inverted_residual.0`.
#[derive(Default)]
pub(super) struct Paths {
    path: String,
    /// For each open segment, the length of the path before it and the counters inside it.
    open: Vec<(usize, HashMap<Box<str>, u32>)>,
    root: HashMap<Box<str>, u32>,
}

impl Paths {
    /// Opens a segment as it is.
    pub(super) fn enter(&mut self, segment: &str) {
        self.open.push((self.path.len(), HashMap::new()));
        if !self.path.is_empty() {
            self.path.push('/');
        }
        self.path.push_str(segment);
    }

    pub(super) fn leave(&mut self) {
        if let Some((length, _)) = self.open.pop() {
            self.path.truncate(length);
        }
    }

    /// How many things of this name there were before in this segment; counts this one.
    pub(super) fn count(&mut self, name: &str) -> u32 {
        let counters = self.open.last_mut().map_or(&mut self.root, |(_, counters)| counters);
        if let Some(count) = counters.get_mut(name) {
            *count += 1;
            return *count - 1;
        }
        counters.insert(name.into(), 1);
        0
    }

    /// The path of something in this segment.
    pub(super) fn join(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }
}
