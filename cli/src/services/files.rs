//! Writing files whole or not at all.

use std::path::{Path, PathBuf};

use super::source::io_reason;
use crate::render::report::Failure;

/// Refuses places where files cannot or should not be written, before the work is done: folders, what cannot be replaced, and what
/// is read.
///
/// # Errors
/// One of them is such a place.
pub fn check_written<'p>(
    written: impl IntoIterator<Item = PathBuf>,
    read: impl IntoIterator<Item = &'p Path>,
) -> Result<(), Failure> {
    let read: Vec<PathBuf> = read.into_iter().filter_map(|path| path.canonicalize().ok()).collect();
    for written in written {
        let why = if written.is_dir() {
            "it is a folder".to_owned()
        } else if let Err(error) =
            nas_files::replaceable(&written).and_then(|()| nas_files::writable(&written))
        {
            io_reason(&error)
        } else if written.canonicalize().is_ok_and(|path| read.contains(&path)) {
            "it is what is read here".to_owned()
        } else {
            continue;
        };
        let written = written.display();
        return Err(Failure::input(format!(
            "cannot write {written}: {why}; name another file by `-o`"
        )));
    }
    Ok(())
}

/// Writes a file aside, syncs it and renames it into place; where a link is, into that of the file
/// that it leads to.
///
/// # Errors
/// The folder cannot be written, or a device or a pipe is there; then all is as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    nas_files::write_whole(path, bytes).map_err(|error| failed(path, &error))
}

/// Writes files that belong together, as [`write_whole`] does: none gets its name before all are written. A
/// folder that is not there is made.
///
/// # Errors
/// As [`write_whole`].
pub fn write_together(files: &[(&Path, &[u8])]) -> Result<(), Failure> {
    for (path, _) in files {
        make_folder_of(path)?;
    }
    nas_files::write_together(files)
        .map_err(|error| Failure::input(format!("{error}: {}", error.source)))
}

/// Refuses a folder for `what` that cannot be written, or in which there is something else than an earlier one.
///
/// # Errors
/// There is, or it cannot be written, or is a file.
pub fn check_folder(
    folder: &Path,
    what: &str,
    is_earlier: impl Fn(&Path) -> bool,
) -> Result<(), Failure> {
    let is_empty = || std::fs::read_dir(folder).map_or(true, |mut all| all.next().is_none());
    let why = if folder.is_file() || !(is_empty() || is_earlier(folder)) {
        "something else is there".to_owned()
    } else if let Err(error) = nas_files::writable(&folder.join("a file")) {
        io_reason(&error)
    } else {
        return Ok(());
    };
    let folder = folder.display();
    Err(Failure::input(format!("cannot write {what} to {folder}: {why}; name another folder")))
}

/// Makes the folder of a file that is to be written.
fn make_folder_of(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let made = std::fs::create_dir_all(folder);
    made.map_err(|error| Failure::input(format!("cannot make {}: {error}", folder.display())))
}

/// Writes a file of a folder that nasc made: a link that is there is replaced, not followed.
///
/// # Errors
/// The folder cannot be written; then the file is as it was.
pub fn replace_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    nas_files::replace_whole(path, bytes).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &nas_files::WriteError) -> Failure {
    Failure::input(format!("cannot write {}: {}", path.display(), error.source))
}
