//! The standard library of blocks and heads, embedded in the compiler, and where the shipped
//! spaces lie.

use include_dir::{Dir, include_dir};

static STD: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/std");

/// The text of a module of the standard library, `blocks` for `std.blocks`.
#[must_use]
pub fn std_module(name: &str) -> Option<&'static str> {
    STD.get_file(format!("{name}.nas"))?.contents_utf8()
}

/// The names of the modules of the standard library, sorted.
#[must_use]
pub fn std_modules() -> Vec<&'static str> {
    let mut names: Vec<&str> =
        STD.files().filter_map(|file| file.path().file_stem()?.to_str()).collect();
    names.sort_unstable();
    names
}

/// The folder of the shipped spaces and data in the checkout that this was built from.
#[must_use]
pub fn shipped() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}
