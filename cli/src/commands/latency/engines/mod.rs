//! What can measure models beside tract, which is in this process: engines of Python that nasc sets
//! up itself, and the tools of vendors, on this host or on a board. Each is one row of a table.

mod environment;
pub(super) mod places;
pub(super) mod python;
pub(super) mod tools;

use super::error::UnknownEngine;
use crate::render::report::Failure;
use python::PYTHONS;
use tools::TOOLS;

/// The engine in this process.
pub(super) const TRACT: &str = "tract";

/// An engine of one of the tables.
#[derive(Debug, Clone, Copy)]
pub(super) enum Engine {
    /// tract, in this process.
    Tract,
    /// A package of Python.
    Python(&'static python::Python),
    /// A program of a vendor.
    Tool(&'static tools::Tool),
}

impl Engine {
    /// The engine of this name, if nasc knows it.
    pub(super) fn find(name: &str) -> Option<Self> {
        let python = || PYTHONS.iter().find(|engine| engine.name == name).map(Self::Python);
        let tool = || TOOLS.iter().find(|tool| tool.name == name).map(Self::Tool);
        (name == TRACT).then_some(Self::Tract).or_else(python).or_else(tool)
    }

    /// The engine of this name.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn named(name: &str) -> Result<Self, Failure> {
        Self::find(name).ok_or_else(|| {
            let known = names().collect::<Vec<_>>().join(", ");
            Failure::problem(UnknownEngine { engine: name.to_owned(), known })
        })
    }
}

/// The names of all engines.
fn names() -> impl Iterator<Item = &'static str> {
    let pythons = PYTHONS.iter().map(|engine| engine.name);
    std::iter::once(TRACT).chain(pythons).chain(TOOLS.iter().map(|tool| tool.name))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_name_is_one_engine() {
        let all: Vec<&str> = names().collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert!(all.iter().all(|name| Engine::find(name).is_some()));
        let refused = Engine::named("tensorrt").unwrap_err().summary();
        assert!(refused.contains("tensorrt"), "{refused}");
    }
}
