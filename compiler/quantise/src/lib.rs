//! From a model of floats to one that computes with integers of 8 bits.
//!
//! [`Plan`] says with what numbers each node computes, and what is rounded; [`calibrated`] watches the values of a model on
//! pictures and gives each group of them a grid; [`Grids`] puts grids, kernels and biases into the model, and takes what
//! training has learned of their steps. [`correct_biases`] takes out what rounding adds on
//! average, [`equalise`] evens out the channels of kernels before, and [`sensitivity`] tells which layers lose most. What
//! runs a model is the caller's: a [`Run`].

mod bias;
mod calibrate;
mod equalise;
mod grids;
mod histogram;
mod kernel;
mod observed;
mod plan;
mod run;
mod scheme;
mod sensitivity;

pub use bias::correct_biases;
pub use calibrate::calibrated;
pub use equalise::equalise;
pub use grids::Grids;
pub use histogram::{Extent, Histogram, Method};
pub use plan::{Plan, asked_floats};
pub use run::Run;
pub use scheme::Scheme;
pub use sensitivity::{Sensitivity, sensitivity};
