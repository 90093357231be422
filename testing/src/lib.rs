//! What tests share, by features: programs from text with the one loader of modules, assignments,
//! recipes, random spaces and all that the compiler does with a hostile input (`programs`); data sets
//! made up (`pictures`); folders to work in (`folders`); what was skipped. Nothing that ships depends on it.
#![allow(clippy::panic, clippy::unwrap_used, reason = "only tests use it")]

#[cfg(feature = "programs")]
pub mod exercise;
#[cfg(feature = "folders")]
mod folders;
#[cfg(feature = "pictures")]
pub mod pictures;
#[cfg(feature = "programs")]
mod programs;
#[cfg(feature = "programs")]
pub mod random;
mod skipped;

#[cfg(feature = "folders")]
pub use folders::{Folder, folder};
#[cfg(feature = "programs")]
pub use programs::{
    assignments, beside_shipped, compile, load, searched, shipped, shipped_names, space, titles,
    with_problems,
};
pub use skipped::skipped;
