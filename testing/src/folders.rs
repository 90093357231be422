//! Folders that are gone after the test.

use std::path::Path;

pub use tempfile::TempDir as Folder;

/// Where Linux keeps files in memory.
const IN_MEMORY: &str = "/dev/shm";

/// A folder of its own for a test, gone with the value. It lies in memory where the system has
/// such folders: what is written there as a user's files are, and synced, waits for no disk.
#[must_use]
pub fn folder() -> Folder {
    let in_memory = Path::new(IN_MEMORY);
    let made =
        if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    made.or_else(|_| tempfile::tempdir()).unwrap()
}
