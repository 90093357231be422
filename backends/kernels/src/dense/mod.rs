//! Convolutions of all channels by a window.
//!
//! Lines of what is read are normalised once, with zeros around, into memory that stays in the cache; the values of a line of the
//! kernel lie side by side there, so that products of matrices read them where they are.

mod backward;
mod forward;
mod layer;

pub(crate) use backward::Backward;
pub(crate) use forward::Forward;
pub(crate) use layer::Dense;
