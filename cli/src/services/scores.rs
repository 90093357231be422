//! Known scores of networks: tables in files, and what runs found.

use std::path::Path;

use nas_search::ScoreTable;
use nas_search::store::Recorded;

use crate::render::report::Failure;

/// The lines of a table of scores, a file or the folder of a run.
///
/// # Errors
/// There is no such file or run, or the run is damaged.
pub fn lines(path: &Path) -> Result<Vec<u8>, Failure> {
    if path.is_dir() {
        let run = Recorded::open(path).map_err(Failure::problem)?;
        return run.score_table().map_err(Failure::problem);
    }
    nas_files::read(path).map_err(|error| Failure::input(format!("{}: {error}", path.display())))
}

/// The table of these lines, which are of a file or a run.
///
/// # Errors
/// They are no scores.
pub fn table(path: &Path, lines: &[u8]) -> Result<ScoreTable, Failure> {
    ScoreTable::read(&path.display().to_string(), lines).map_err(Failure::problem)
}
