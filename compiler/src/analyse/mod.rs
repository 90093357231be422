//! Analyses of a whole space: exact, without enumerating its networks.

pub mod count;
mod elimination;
pub mod expected;
pub mod liveness;
pub mod moments;
pub mod owners;
pub mod range;
pub mod sample;
pub mod supernet;
mod terms;

pub use count::count;
pub use expected::ExpectedCost;
pub use liveness::Entangled;
pub use moments::{Moments, moments};
pub use range::{Range, range};
pub use sample::Sampler;
pub use supernet::Supernet;
