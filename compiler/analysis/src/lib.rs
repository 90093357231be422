//! Analyses of a whole space: exact, without enumerating its networks.

pub mod best;
mod budget;
mod conditions;
pub mod costs;
pub mod count;
mod counting;
pub mod depth;
pub mod distribution;
mod elimination;
pub mod expected;
pub mod front;
pub mod latency;
pub mod layers;
mod limits;
mod listed;
pub mod memory;
mod minibuckets;
pub mod moments;
pub mod owners;
pub mod peak;
mod priced;
pub mod range;
pub mod sample;
mod suffixes;
pub mod supernet;
mod terms;
pub mod within;

pub use nas_ir::{Form, Limit};

pub use best::{Best, best_kept, best_under, least_under};
pub use costs::costs;
pub use count::count;
pub use depth::depth_range;
pub use distribution::{Distribution, Histogram, distribution};
pub use expected::ExpectedCost;
pub use front::{Front, front};
pub use layers::{Layer, layers};
pub use memory::memory_range;
pub use moments::{Moments, moments, quotient};
pub use range::{Range, range, sum_range};
pub use sample::Sampler;
pub use supernet::Supernet;
pub use within::{Draw, SamplerWithin, Within, count_at_most, count_within};
