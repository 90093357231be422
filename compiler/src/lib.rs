//! The compiler of `.nas`: names, elaboration, shapes, the IR, analyses, passes, diagnostics.
//! No I/O, no torch, no protobuf.

pub mod analyse;
pub mod arch;
pub mod assignment;
pub mod check;
pub mod compile;
pub mod device;
pub mod diagram;
pub mod elaborate;
pub mod error;
pub mod expect;
pub mod feasible;
pub mod int;
pub mod ir;
pub mod latency;
mod linear;
pub mod measure;
pub mod modules;
pub mod names;
pub mod network;
pub mod ops;
pub mod peak;
pub mod recipe;
mod removal;
pub mod requirement;
mod restrict;
pub mod shape;
mod specialise;
pub mod target;
pub mod weights;

pub use assignment::Assignment;
pub use check::Checked;
pub use compile::Compiler;
pub use ir::Space;
pub use measure::Measure;
pub use network::Network;
pub use restrict::restrict;
pub use specialise::specialise;
