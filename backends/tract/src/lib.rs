//! Running ONNX in tract, and comparing what comes out.
//!
//! [`Model`] loads and runs a file; [`compare`] says how far two tensors are apart, and a
//! [`Tolerance`] how far they may be; a [`CaseReport`] does so for all outputs of a run, a [`Report`]
//! for several. [`seeded_inputs`] makes inputs that a record can name by their seed. [`Model::time`]
//! says how long a model takes.

mod compare;
mod error;
mod model;
mod report;
mod seeded;
mod timing;
mod version;

pub use nas_ir::Tensor;

pub use compare::{Agreement, Tolerance, compare};
pub use error::TractError;
pub use model::{Model, Port};
pub use report::{CaseReport, OutputReport, Report};
pub use seeded::seeded_inputs;
pub use version::VERSION;
