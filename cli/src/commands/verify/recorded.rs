//! Files against the records of their exports.

use std::path::Path;

use nas_tract::Tolerance;

use crate::render::report::Failure;
use crate::services::onnx_file::{Recorded, repeat};
use crate::services::package;
use crate::services::record::Record;
use crate::services::runner::Runner;
use crate::services::source::io_reason;
use crate::services::verification::Verification;

/// That a file has no record.
pub(super) fn no_record(record: &Path) -> Failure {
    let record = record.display();
    Failure::input(format!(
        "there is no record {record} to compare with: `nasc export` writes it with the model, so take it along, or name it by `--check`; \
         a `--runner` is held against tract without one"
    ))
}

/// A file against its record.
///
/// # Errors
/// There is no record, or it is of another model, or an engine fails.
pub(super) fn recorded(
    file: &Path,
    check: &Path,
    tolerance: Option<Tolerance>,
    runner: Option<&Runner>,
) -> Result<Verification, Failure> {
    let onnx = read(file)?;
    if !check.exists() {
        return Err(no_record(check));
    }
    let (record, record_path) = (&record_of(file, check)?, &*check.display().to_string());
    repeat(&Recorded { onnx: &onnx, path: file, record, record_path }, tolerance, runner)
}

/// The record of a file; that of a package has those of all its models.
///
/// # Errors
/// It cannot be read.
pub(super) fn record_of(file: &Path, check: &Path) -> Result<Record, Failure> {
    if check.ends_with(package::MANIFEST) {
        return package::record(check.parent().unwrap_or(Path::new("")), file);
    }
    Record::from_bytes(&read(check)?, &check.display().to_string())
}

/// The bytes of a file.
///
/// # Errors
/// It cannot be read.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let reason = |error| Failure::input(format!("{}: {}", path.display(), io_reason(&error)));
    nas_files::read(path).map_err(reason)
}
