//! What the backends are tested with: small networks of every operator ([`cases`]), and how they are put together
//! ([`networks`]). What they compute by definition, [`mod@reference`] says.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "only tests use it, and a failed test panics"
)]

pub mod cases;
pub mod networks;

pub use nas_definitions as reference;
