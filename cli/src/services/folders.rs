//! The `.nas` files that paths mean: those that are files, and those in folders.

use std::path::{Path, PathBuf};

use super::input::is_run;
use super::source::is_stdin;
use crate::render::report::Failure;

/// The files that are meant, those of folders in order.
///
/// # Errors
/// A folder cannot be read, or has none in it; or standard input is meant twice.
pub fn files_of(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    if paths.iter().filter(|path| is_stdin(path)).count() > 1 {
        return Err(Failure::input("`-` is standard input, which can be read once"));
    }
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        add_files(path, &mut files)
            .map_err(|error| Failure::input(format!("{}: {error}", path.display())))?;
        if files.len() == before {
            return Err(Failure::input(format!(
                "{}: there is no `.nas` file in it",
                path.display()
            )));
        }
    }
    Ok(files)
}

fn add_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let entries = std::fs::read_dir(folder)?.map(|entry| {
        let entry = entry?;
        Ok((entry.path(), entry.file_type()?.is_dir()))
    });
    let mut entries = entries.collect::<std::io::Result<Vec<(PathBuf, bool)>>>()?;
    entries.sort();
    // Links are no folders here, so that no way leads in a circle.
    for (path, is_folder) in entries {
        if is_folder {
            // What a run keeps of its sources is theirs as they were.
            if !is_run(&path) {
                add_files(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "nas") {
            files.push(path);
        }
    }
    Ok(())
}
