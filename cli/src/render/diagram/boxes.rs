//! What a diagram is made of: boxes and arrows.

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
