//! Which tract it is.

/// The version of tract.
pub const VERSION: &str = "0.23.9";
