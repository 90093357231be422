//! Spaces and networks as diagrams: what stands in which box, and what reads what.
//!
//! A box is a chain of layers of one block, or a choice with the names of its candidates; what is
//! inside candidates is not drawn.

mod build;
mod layout;
mod svg;

pub use build::{of_network, of_space};
pub use svg::{escaped, svg};

/// Boxes and arrows under a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagram {
    /// What is drawn.
    pub title: String,
    /// Its figures, in a line.
    pub figures: String,
    /// The boxes; those that are read come before those that read them.
    pub boxes: Vec<Block>,
    /// From which box to which, each once.
    pub arrows: Vec<(usize, usize)>,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it holds.
    pub content: Content,
    /// The shape of its result, in words.
    pub shape: String,
}

/// What a box holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An input or an output: its name.
    Port(String),
    /// Layers one after the other.
    Layers {
        /// The path of the block that they stand in.
        path: String,
        /// What they do, a line each.
        lines: Vec<String>,
        /// Whether a decision brought them in.
        is_chosen: bool,
    },
    /// One of several candidates.
    Choice {
        /// The path of the decision.
        path: String,
        /// The candidates.
        candidates: Vec<String>,
    },
}
