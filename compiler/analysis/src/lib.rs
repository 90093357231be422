//! Analyses of a whole space: exact, without enumerating its networks.
//!
//! Analyses of sums begin with the same two steps: `liveness` (of the IR) says under which decisions a
//! node is part of a network, `terms` what each node adds to a measure, and when. After that there are
//! two ways to eliminate decisions.
//!
//! - `elimination` goes bucket by bucket and needs the smallest tables: counts, ranges, moments. Where
//!   these still grow too large, `minibuckets` proves bounds, and the decisions on which the table
//!   depends that got too large are the error, `Entangled`.
//! - `suffixes` goes along a path from the last decision to the first and keeps every step, with tables
//!   over what is left of a budget (`budget`) or lists of the sums that occur (`listed`): distributions,
//!   counts and draws under limits (`within`), the best network under limits (`best`), Pareto fronts
//!   (`front`; within limits `front_within`).
//!
//! `absorbed` says of which decisions straight-through gradients tell nothing, `widths` which are on numbers of channels
//! alone.
//!
//! `limits` makes limits ready for them: those on sums become budgets, those on the peak of memory, on the
//! depth and on the `order` of what is chosen conditions on decisions. What fits neither a grid nor a list of bounded size is rounded, and
//! the answer says by how much.

mod absorbed;
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
pub mod front_within;
pub mod latency;
pub mod layers;
mod limits;
mod listed;
pub mod memory;
mod minibuckets;
pub mod moments;
mod order;
pub mod owners;
pub mod peak;
mod priced;
pub mod range;
pub mod sample;
mod suffixes;
pub mod supernet;
mod terms;
pub mod widths;
pub mod within;

pub use nas_ir::{Form, Limit};

pub use absorbed::absorbed;
pub use best::{Best, best_kept, best_under, least_under};
pub use costs::{costs, figures};
pub use count::{count, count_as_written, count_reading};
pub use depth::depth_range;
pub use distribution::{Distribution, Histogram, distribution};
pub use expected::ExpectedCost;
pub use front::{Front, front};
pub use front_within::{FrontWithin, front_within};
pub use layers::{Layer, layers};
pub use memory::memory_range;
pub use moments::{Moments, moments, quotient};
pub use range::{Range, range, sum_range};
pub use sample::Sampler;
pub use supernet::Supernet;
pub use widths::widths;
pub use within::{Draw, SamplerWithin, Within, count_at_most, count_within};
