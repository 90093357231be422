//! Running ONNX in tract, and comparing what comes out.
//!
//! [`Model`] loads and runs a file; [`compare`] says how far two tensors are apart, and a
//! [`Tolerance`] how far they may be; [`verify`] does all of it for recorded cases and answers a
//! [`Report`]. [`seeded_inputs`] makes inputs that a record can name by their seed.

mod compare;
mod error;
mod model;
mod seeded;
mod verify;

pub use compare::{Agreement, Tolerance, compare};
pub use error::TractError;
pub use model::{Model, Port};
pub use nas_compiler::weights::Tensor;
pub use seeded::seeded_inputs;
pub use verify::{Case, CaseReport, OutputReport, Report, verify};
