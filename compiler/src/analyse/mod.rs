//! Analyses of a whole space: exact, without enumerating its networks.

pub mod count;
pub mod diagram;
mod elimination;
pub mod expected;
pub mod liveness;
pub mod range;
pub mod sample;

pub use count::count;
pub use expected::ExpectedCost;
pub use liveness::Entangled;
pub use range::{Range, range};
pub use sample::Sampler;
