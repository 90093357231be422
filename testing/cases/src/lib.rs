//! What the backends are tested with: small networks of every operator ([`cases`]), how they are
//! put together ([`networks`]), and what they compute by definition ([`reference`](mod@reference)).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "only tests use it, and a failed test panics"
)]

pub mod cases;
pub mod networks;
pub mod reference;
