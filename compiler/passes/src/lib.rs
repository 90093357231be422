//! Passes: functions from spaces and networks to spaces and networks.

mod restrict;
mod specialise;

pub use restrict::restrict;
pub use specialise::specialise;
