//! What a search minimises beside the loss.

pub use nas_analysis::ExpectedCost;
