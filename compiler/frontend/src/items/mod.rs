//! The items of a file beside its blocks and spaces: one module each.

pub mod arch;
pub mod expect;
pub mod search;
pub mod target;
