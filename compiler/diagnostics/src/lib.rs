//! How the compiler reports: where a problem is, the calls that led there, and the collector.

mod cases;
mod declare;
mod fault;
mod place;
mod problems;
mod reported;
mod suggest;

pub use cases::in_some_networks;
pub use fault::fault;
pub use nas_grammar::{Edit, Fix, Help};
pub use place::{CalledFrom, Place, Shown, Step};
pub use problems::{Problems, is_error};
pub use reported::Reported;
pub use suggest::{did_you_mean, listed, nearest, one_of, similar, suggested};
