//! Spaces and networks as diagrams: what stands in which box, and what reads what.
//!
//! A box is a chain of layers of one block, or a choice with the names of its candidates; what is
//! inside candidates is not drawn.

mod boxes;
mod build;
mod layout;
mod svg;

pub use boxes::{Block, Content, Diagram};
pub use build::{of_network, of_space};
pub use svg::svg;
