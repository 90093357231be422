//! Small spaces and networks made by hand, and what the tests ask of them.

mod build;
mod naive;
mod ops;
mod optimizers;
mod supernet;
mod training;
