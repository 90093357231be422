//! Passes on spaces, and on the networks that come of them.

mod restrict;
pub mod simplify;
mod specialise;

pub use restrict::restrict;
pub use simplify::simplify;
pub use specialise::{PartTime, part_times, specialise};
