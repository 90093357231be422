//! Passes: plain functions from spaces, networks and models to such. In the order in which they run:
//!
//! | pass | from | to |
//! | --- | --- | --- |
//! | [`restrict`] | a space | the space without some candidates |
//! | [`specialise`] | a space and an assignment | the network that the assignment picks, simplified |
//! | [`simplify()`] | a network | the network without what computes nothing |
//! | [`drop_training`] | a model | the model without what acts in training alone |
//! | [`reparameterise`] | a model | the model with one convolution in the place of parallel branches |
//! | [`fold_batch_norm`] | a model | the model with batch norms folded into the operators with a kernel before them |
//! | [`model::fold_channel_order`] | a model | the model with the order of its channels in its kernels |
//! | [`fold_into_readers`] | a model | the model with what is left of them folded into those behind |
//!
//! A space is verified by `nas_ir::verify`, which the compiler runs anyway. The passes on models are
//! the rows of one table, [`model::PASSES`], which verifies a model before and after each of them.

mod choices;
pub mod model;
mod rewire;
pub mod space;

pub use choices::{Choosing, Unfit, from_choices};
pub use model::{drop_training, fold_batch_norm, fold_into_readers, reparameterise};
pub use space::{PartTime, part_times, restrict, simplify, specialise};
