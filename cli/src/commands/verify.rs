//! `nasc verify`: ONNX files against what was recorded when they were exported. Each is run in a
//! process of its own, `nasc verify-one`: a file may be made so that the engine does not survive it.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;
use miette::Diagnostic;
use nas_tract::Tolerance;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::render::report::Failure;
use crate::services::apart;
use crate::services::package::{Verification, beside, repeat, tolerance_parser};
use crate::services::source::io_reason;

/// How long a file may take.
const TIME: Duration = Duration::from_secs(600);
/// How much memory it may take, in bytes.
const MEMORY: u64 = 16 << 30;

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

/// Arguments of `nasc verify-one`, which `nasc verify` starts for each file.
#[derive(Debug, Args)]
pub struct VerifyOneArgs {
    file: PathBuf,
    #[arg(long)]
    check: Option<PathBuf>,
    #[arg(long, value_parser = tolerance_parser())]
    tolerance: Option<Tolerance>,
    /// The most memory, in bytes.
    #[arg(long, default_value_t = MEMORY)]
    memory: u64,
    /// Write failures for a terminal.
    #[arg(long)]
    terminal: bool,
}

/// What `nasc verify-one` answers, as JSON.
#[derive(Serialize, Deserialize)]
enum Answer {
    Compared(Verification),
    Unread {
        /// It in a line.
        summary: String,
        /// It as people read it.
        report: String,
    },
}

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

/// Runs each file in tract and compares; all of them, also where one fails.
///
/// # Errors
/// A file or its record cannot be read, or its outputs are too far off.
pub fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let mut reports = Vec::new();
    let mut failed = Vec::new();
    for path in &args.files {
        let file = path.display().to_string();
        let outcome = match answer(path, args) {
            Answer::Compared(verification) => {
                if !args.json {
                    println!("{file}: {}{}", verification.summary(), verification.failures());
                }
                if !verification.report.passed {
                    failed.push(file.clone());
                }
                Outcome::Compared(verification)
            }
            Answer::Unread { summary, report } => {
                failed.push(file.clone());
                eprintln!("{file}:\n{report}");
                Outcome::Unread { passed: false, error: summary }
            }
        };
        reports.push(FileReport { file, outcome });
    }
    if args.json {
        let json = serde_json::to_string_pretty(&reports);
        println!("{}", json.map_err(|error| Failure::input(error.to_string()))?);
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::input(format!("not verified: {}", failed.join(", "))))
}

/// What comes of a file, in a process of its own.
fn answer(file: &Path, args: &VerifyArgs) -> Answer {
    let is_terminal = std::io::stderr().is_terminal();
    let answer = asked(file, args, is_terminal).and_then(|command| apart::answer(command, TIME));
    let answer = answer.and_then(|bytes| {
        serde_json::from_slice(&bytes).map_err(|error| format!("gave no answer: {error}"))
    });
    answer.unwrap_or_else(|why| {
        let file = file.display().to_string();
        unread(&Failure::problem(Aborted { file, why }), is_terminal)
    })
}

/// The command that verifies a file.
fn asked(file: &Path, args: &VerifyArgs, is_terminal: bool) -> Result<Command, String> {
    let program = std::env::current_exe();
    let program = program.map_err(|error| format!("cannot be started: {}", io_reason(&error)))?;
    let mut command = Command::new(program);
    command.arg("verify-one");
    let with = |name: &str, value: OsString| [OsString::from(name), value];
    command.args(args.check.iter().flat_map(|check| with("--check", check.into())));
    let tolerance = args.tolerance.iter().map(|tolerance| tolerance.name());
    command.args(tolerance.flat_map(|name| with("--tolerance", name.into())));
    command.args(is_terminal.then_some("--terminal"));
    command.arg("--").arg(file);
    Ok(command)
}

fn unread(failure: &Failure, is_terminal: bool) -> Answer {
    Answer::Unread { summary: failure.summary(), report: failure.text(is_terminal) }
}

/// Verifies one file and writes an [`Answer`].
///
/// # Errors
/// It cannot be written.
pub fn run_one(args: &VerifyOneArgs) -> Result<u8, Failure> {
    apart::begin(args.memory);
    let verified = verify(&args.file, args.check.as_deref(), args.tolerance);
    let answer = match verified {
        Ok(verification) => Answer::Compared(verification),
        Err(failure) => unread(&failure, args.terminal),
    };
    let json = serde_json::to_string(&answer);
    let json = json.map_err(|error| Failure::input(error.to_string()))?;
    println!("{json}");
    Ok(0)
}

fn verify(
    file: &Path,
    check: Option<&Path>,
    tolerance: Option<Tolerance>,
) -> Result<Verification, Failure> {
    let [_, beside] = beside(file);
    let check = check.unwrap_or(&beside);
    let onnx = read(file)?;
    if !check.exists() {
        let check = check.display();
        return Err(Failure::input(format!(
            "there is no record {check} to compare with; name the one of this model by `--check`"
        )));
    }
    repeat(&onnx, &read(check)?, &check.display().to_string(), tolerance)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let reason = |error| Failure::input(format!("{}: {}", path.display(), io_reason(&error)));
    nas_files::read(path).map_err(reason)
}
