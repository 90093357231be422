//! Small spaces and networks, made by hand or from text, and what the tests ask of them.

pub(crate) mod build;
mod distillation;
mod forecast;
mod gradients;
mod kernels;
mod loaders;
mod losses;
mod ops;
mod optimizers;
mod program;
mod reinforce;
mod search;
pub(crate) mod source;
mod supernet;
mod sweep;
mod train_outputs;
mod training;
mod varied;
