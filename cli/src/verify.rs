//! `nasc verify`: ONNX files against what was recorded when they were exported.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::package::{Verification, beside, repeat};
use crate::report::Failure;

/// Arguments of `nasc verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// ONNX files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The record to compare with, instead of NAME.check.safetensors beside the file.
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
    /// The reports as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct FileReport<'a> {
    file: String,
    #[serde(flatten)]
    verification: &'a Verification,
}

/// Runs each file in tract and compares; all of them, also where one fails.
///
/// # Errors
/// A file or its record cannot be read, or its outputs are too far off.
pub fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let mut reports = Vec::new();
    let mut failed = Vec::new();
    for file in &args.files {
        match verify(file, args.check.as_deref()) {
            Ok(report) => {
                if !args.json {
                    println!("{}: {}", file.display(), report.summary());
                }
                if !report.report.passed {
                    failed.push(file.display().to_string());
                }
                reports.push((file.display().to_string(), report));
            }
            Err(failure) => {
                eprintln!("{}:", file.display());
                let _ = failure.report();
                failed.push(file.display().to_string());
            }
        }
    }
    if args.json {
        let all: Vec<FileReport<'_>> = reports
            .iter()
            .map(|(file, verification)| FileReport { file: file.clone(), verification })
            .collect();
        let json = serde_json::to_string_pretty(&all).map_err(|e| Failure::input(e.to_string()))?;
        println!("{json}");
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::input(format!("not verified: {}", failed.join(", "))))
}

fn verify(file: &Path, check: Option<&Path>) -> Result<Verification, Failure> {
    let [_, beside] = beside(file);
    let check = check.unwrap_or(&beside);
    let read = |path: &Path| {
        std::fs::read(path)
            .map_err(|error| Failure::input(format!("cannot read {}: {error}", path.display())))
    };
    let onnx = read(file)?;
    repeat(&onnx, &read(check)?)
}
