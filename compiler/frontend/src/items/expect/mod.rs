//! `expect`: claims about a space or a network that the compiler checks.

mod claims;
mod errors;
mod published;

pub(crate) use errors::CODES;

pub(crate) use claims::{asks_for_peak, expect_network, expect_space};
