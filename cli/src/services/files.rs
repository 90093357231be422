//! Writing files whole or not at all.

use std::path::Path;

use crate::render::report::Failure;

/// Writes a file aside, syncs it and renames it into place.
///
/// # Errors
/// The folder cannot be written; then the file is as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    nas_files::write_whole(path, bytes).map_err(|error| {
        Failure::input(format!("cannot write {}: {}", path.display(), error.source))
    })
}
