//! Small spaces and networks, made by hand or from text, and what the tests ask of them.

pub(crate) mod build;
mod distillation;
mod forecast;
mod gradients;
mod kernels;
mod loaders;
mod losses;
mod masks;
mod ops;
mod optimizers;
mod program;
mod reinforce;
mod search;
pub(crate) mod source;
mod supernet;
mod sweep;
mod teaching;
mod train_outputs;
mod training;
mod training_loss;
mod varied;

use nas_ir::recipe::{Recipe, Training};
use nas_search::strategies::gumbel;

/// Stochastic gradient descent.
fn sgd(momentum: f64, decay: f64) -> Training {
    let Recipe { weights, .. } = Recipe::default_for("s", &gumbel::SCHEMA).unwrap();
    Training { momentum, decay, ..weights }
}
