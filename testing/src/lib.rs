//! What tests share: programs from text with the one loader of modules, assignments, random spaces,
//! what was skipped, and all that the compiler does with a hostile input. Nothing that ships depends on it.
#![allow(clippy::panic, clippy::unwrap_used, reason = "only tests use it")]

pub mod exercise;
mod programs;
pub mod random;
mod skipped;

pub use programs::{
    assignments, beside_shipped, compile, load, shipped, shipped_names, space, titles,
};
pub use skipped::skipped;
