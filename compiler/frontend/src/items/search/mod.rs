//! Search recipes: what a `search` item says, checked.
//!
//! The caller says which strategies there are; each brings a schema that declares every setting of
//! its recipes once: its name, what values it takes, its range, its default and what it means.
//! [`check`] reads a `search` item and the command line's [`Override`]s against the schema of the
//! item's strategy; diagnostics and the reference read the same rows.
//!
//! What a setting's value is, the caller's evaluator says ([`Evaluate`]); this module only knows
//! which values a setting takes.

pub mod errors;
mod objective;
mod overrides;
mod read;
mod statics;
#[cfg(test)]
mod tests;

pub use overrides::Override;
pub use read::{check, check_default};
pub use statics::{Evaluate, Static, Strategies};
