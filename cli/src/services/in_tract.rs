//! tract in a process of its own, `nasc verify-one`: a file may be made so that the engine does not survive it.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use miette::Diagnostic;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::apart;
use super::record::Record;
use super::source::io_reason;
use crate::render::report::Failure;

/// How long a file may take.
const TIME: Duration = Duration::from_secs(600);

/// The engine did not survive a file.
#[derive(Debug, Error, Diagnostic)]
#[error("the engine does not survive `{file}`: its process {why}")]
#[diagnostic(
    code(nas::verify::aborted),
    help(
        "the file is damaged, or asks for more than there is: export it anew; if it is as `nasc export` wrote it, please report it"
    )
)]
struct Aborted {
    file: String,
    why: String,
}

/// A record of the same inputs with what tract answers to them.
///
/// # Errors
/// tract does not run the file.
pub fn filled(file: &Path, record: &Record) -> Result<Record, Failure> {
    with_record(record, |asked, made| {
        let options = [option("--check=", asked), option("--fill=", made)];
        let told: Result<(), String> = ask(file, &options)?;
        told.map_err(Failure::input)?;
        let bytes = nas_files::read(made).map_err(|error| Failure::input(io_reason(&error)))?;
        Record::from_bytes(&bytes, &made.display().to_string())
    })
}

/// How many milliseconds tract takes for each of some runs on the inputs of the first case, on one thread.
///
/// # Errors
/// tract does not run the file.
pub fn timed(
    file: &Path,
    record: &Record,
    warmup: usize,
    runs: usize,
) -> Result<Vec<f64>, Failure> {
    with_record(record, |asked, _| {
        let options = [
            option("--check=", asked),
            format!("--runs={runs}").into(),
            format!("--warmup={warmup}").into(),
        ];
        let told: Result<Vec<f64>, String> = ask(file, &options)?;
        told.map_err(Failure::input)
    })
}

/// Writes a record to a file, and hands on where it is, and where there is room for another.
fn with_record<T>(
    record: &Record,
    work: impl FnOnce(&Path, &Path) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failed = |error: std::io::Error| Failure::input(io_reason(&error));
    let folder = tempfile::tempdir().map_err(failed)?;
    let [asked, made] = ["asked", "made"].map(|name| folder.path().join(name));
    std::fs::write(&asked, record.to_bytes()?).map_err(failed)?;
    work(&asked, &made)
}

/// An option with a path.
pub(crate) fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}

/// What the process of a file answers.
///
/// # Errors
/// The file ended it.
pub(crate) fn ask<T: DeserializeOwned>(file: &Path, options: &[OsString]) -> Result<T, Failure> {
    let asked = || {
        let program = std::env::current_exe();
        let program =
            program.map_err(|error| format!("cannot be started: {}", io_reason(&error)))?;
        let mut command = Command::new(program);
        command.arg("verify-one").args(options).arg("--").arg(file);
        let bytes = apart::answer(command, TIME)?;
        serde_json::from_slice(&bytes).map_err(|error| format!("gave no answer: {error}"))
    };
    asked().map_err(|why| Failure::problem(Aborted { file: file.display().to_string(), why }))
}
