//! What commands do alike: finding and reading files, picking from them, writing, starting
//! `nasc-train`, work in a process of its own.

pub(crate) mod apart;
pub mod draw;
pub mod expected;
pub mod files;
pub mod folders;
pub mod input;
pub mod name_map;
pub mod package;
pub mod pick;
pub mod recipe;
pub mod scores;
pub mod source;
pub mod sources;
pub(crate) mod trainer;
pub mod weights_error;
pub mod weights_file;
