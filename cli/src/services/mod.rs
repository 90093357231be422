//! What commands do alike: finding and reading files, picking from them, writing, starting
//! `nasc-train`, work in a process of its own.

pub mod answers;
pub(crate) mod apart;
pub mod compute;
pub mod definitions;
pub mod draw;
pub mod drawn;
pub mod expected;
pub mod files;
pub mod folders;
pub mod foreign;
pub mod form;
pub mod in_tract;
pub mod input;
pub mod module;
pub mod name_map;
pub mod npy;
pub mod onnx_file;
pub mod package;
pub mod pick;
pub mod provenance;
pub mod recipe;
pub mod record;
pub mod reference;
pub mod rounding;
pub mod runner;
pub mod scores;
pub mod size;
mod smaller;
pub mod source;
pub mod sources;
pub(crate) mod trainer;
pub mod verification;
pub mod weights_error;
pub mod weights_file;
