//! The commands: one module for each. None knows another; what they share is in `services` and
//! `render`.

pub mod analyze;
pub mod check;
pub mod cost;
pub mod demo;
pub mod eval;
pub mod explain;
pub mod export;
pub mod fmt;
pub mod int8;
pub mod latency;
pub mod rank;
pub mod retrain;
pub mod runs;
pub mod sample;
pub mod search;
pub mod show;
pub mod verify;
