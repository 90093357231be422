//! `nasc verify`: ONNX files against what was recorded when they were exported.

use std::path::{Path, PathBuf};

use clap::Args;
use nas_tract::Tolerance;
use serde::Serialize;

use crate::render::report::Failure;
use crate::render::stream;
use crate::services::package::{Verification, beside, repeat, tolerance_parser};
use crate::services::source::io_reason;
use crate::{outln, tell};

/// Arguments of `nasc verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// ONNX files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The record to compare with, instead of NAME.check.safetensors beside the file.
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
    /// How far outputs may be from the recorded ones, instead of as recorded.
    #[arg(long, value_name = "NAME", value_parser = tolerance_parser())]
    pub tolerance: Option<Tolerance>,
    /// The reports as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct FileReport {
    file: String,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Compared(Verification),
    /// The file or its record cannot be read.
    Unread {
        passed: bool,
        error: String,
    },
}

/// Runs each file in tract and compares; all of them, also where one fails.
///
/// # Errors
/// A file or its record cannot be read, or its outputs are too far off.
pub fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let mut reports = Vec::new();
    let mut failed = Vec::new();
    for path in &args.files {
        let file = path.display().to_string();
        let outcome = match verify(path, args) {
            Ok(verification) => {
                if !args.json {
                    outln!("{file}: {}{}", verification.summary(), verification.failures())?;
                }
                if !verification.report.passed {
                    failed.push(file.clone());
                }
                Outcome::Compared(verification)
            }
            Err(failure) => {
                failed.push(file.clone());
                let error = failure.summary();
                tell!("{file}:");
                let _ = failure.report();
                Outcome::Unread { passed: false, error }
            }
        };
        reports.push(FileReport { file, outcome });
    }
    if args.json {
        stream::json(&reports, true)?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::input(format!("not verified: {}", failed.join(", "))))
}

fn verify(file: &Path, args: &VerifyArgs) -> Result<Verification, Failure> {
    let [_, beside] = beside(file);
    let check = args.check.as_ref().unwrap_or(&beside);
    let onnx = read(file)?;
    if !check.exists() {
        let check = check.display();
        return Err(Failure::input(format!(
            "there is no record {check} to compare with; name the one of this model by `--check`"
        )));
    }
    repeat(&onnx, &read(check)?, &check.display().to_string(), args.tolerance)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let reason = |error| Failure::input(format!("{}: {}", path.display(), io_reason(&error)));
    std::fs::read(path).map_err(reason)
}
