//! The front end of `.nas`: modules and names, elaboration, and the items of a file. It turns text
//! into checked spaces, networks and recipes. No I/O.

mod context;
mod device;
pub mod elaborate;
mod feasible;
pub mod int;
pub mod items;
pub mod modules;
pub mod names;
mod removal;
pub mod session;

pub use session::Compiler;
