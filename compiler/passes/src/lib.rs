//! Passes: functions from spaces and networks to spaces and networks.

mod choices;
mod restrict;
mod specialise;

pub use choices::{Choosing, Unfit, from_choices};
pub use restrict::restrict;
pub use specialise::specialise;
