//! `nasc verify`: ONNX files against what was recorded when they were exported. Each is run in a
//! process of its own, `nasc verify-one`: a file may be made so that the engine does not survive it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;
use miette::Diagnostic;
use nas_tract::Tolerance;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::render::report::{Failure, counted};
use crate::render::{stream, terminal};
use crate::services::onnx_file::{Recorded, repeat};
use crate::services::package::Whole;
use crate::services::record::{Record, beside};
use crate::services::runner::Runner;
use crate::services::source::io_reason;
use crate::services::verification::{Verification, tolerance_parser};
use crate::services::{apart, package};
use crate::{outln, tell};

/// How long a file may take.
const TIME: Duration = Duration::from_secs(600);
/// How much memory it may take, in bytes.
const MEMORY: u64 = 16 << 30;

/// Arguments of `nasc verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// ONNX files, or packages.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The record to compare with, instead of NAME.check.safetensors beside the file.
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
    /// How far outputs may be from the recorded ones, instead of as recorded.
    #[arg(long, value_name = "NAME", value_parser = tolerance_parser())]
    pub tolerance: Option<Tolerance>,
    /// An engine to run the files in instead of tract: a command that reads `input_0.npy` and so on from the folder
    /// {inputs} and writes `output_0.npy` and so on to {outputs}, such as `python run.py {model} {inputs} {outputs}`.
    #[arg(long, value_name = "COMMAND", value_parser = Runner::new)]
    pub runner: Option<Runner>,
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
    /// Write failures in colours.
    #[arg(long)]
    colours: bool,
}

/// What `nasc verify-one` answers, as JSON.
#[derive(Serialize, Deserialize)]
struct Answer {
    passed: bool,
    /// For people: what came of it, or why the file or its record cannot be read.
    told: Result<String, String>,
    /// The [`FileReport`] as text, which is handed on to the digit.
    json: String,
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
    for (path, check) in checked(args)? {
        let file = path.display().to_string();
        let Answer { passed, told, json } = match (check, &args.runner) {
            (Err(damaged), _) => Answer::of(&path, Err(damaged), terminal::has_colours())?,
            (Ok(check), Some(runner)) => {
                let verified = verify(&path, check.as_deref(), args.tolerance, Some(runner));
                Answer::of(&path, verified, terminal::has_colours())?
            }
            (Ok(check), None) => answer(&path, check.as_deref(), args.tolerance)?,
        };
        match told {
            Ok(told) if !args.json => outln!("{file}: {told}")?,
            Ok(_) => {}
            Err(report) => {
                tell!("{file}:");
                terminal::tell_as_is(&format!("{}\n", report.trim_end()));
            }
        }
        if !passed {
            failed.push(file);
        }
        reports.push(indented(&json));
    }
    if args.json {
        stream::write_out(&stream::plain_json(&format!("[\n{}\n]\n", reports.join(",\n"))))?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::input(format!("not verified: {}", failed.join(", "))))
}

/// A file that is verified, and where its record is, if that is said.
type Checked = (PathBuf, Result<Option<PathBuf>, Failure>);

/// The files that are verified: of a package all models, after the checksums of all its files.
fn checked(args: &VerifyArgs) -> Result<Vec<Checked>, Failure> {
    let mut files = Vec::new();
    for path in &args.files {
        if !path.is_dir() {
            files.push((path.clone(), Ok(args.check.clone())));
            continue;
        }
        if args.check.is_some() {
            let path = path.display();
            return Err(Failure::input(format!(
                "--check: {path} is a package, which has the records of its models"
            )));
        }
        match models_of(path) {
            Ok(models) => {
                let manifest = path.join(package::MANIFEST);
                files.extend(models.into_iter().map(|file| (file, Ok(Some(manifest.clone())))));
            }
            Err(damaged) => files.push((path.clone(), Err(damaged))),
        }
    }
    Ok(files)
}

/// The models of a package that is as it was packed.
fn models_of(package: &Path) -> Result<Vec<PathBuf>, Failure> {
    let Whole { count, others } = package::check_sums(package)?;
    let folder = package.display();
    tell!("{folder}: {} are as they were packed", counted(count, "file"));
    if !others.is_empty() {
        tell!("note: {folder}: without a checksum: {}", others.join(", "));
    }
    package::models(package)
}

/// The text of a JSON value as one of a list.
fn indented(json: &str) -> String {
    json.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// What comes of a file, in a process of its own.
fn answer(
    file: &Path,
    check: Option<&Path>,
    tolerance: Option<Tolerance>,
) -> Result<Answer, Failure> {
    let has_colours = terminal::has_colours();
    let answer =
        asked(file, check, tolerance, has_colours).and_then(|command| apart::answer(command, TIME));
    let answer = answer.and_then(|bytes| {
        serde_json::from_slice(&bytes).map_err(|error| format!("gave no answer: {error}"))
    });
    answer.or_else(|why| {
        let name = file.display().to_string();
        let aborted = Failure::problem(Aborted { file: name, why });
        Answer::of(file, Err(aborted), has_colours)
    })
}

impl Answer {
    fn of(
        file: &Path,
        verified: Result<Verification, Failure>,
        has_colours: bool,
    ) -> Result<Self, Failure> {
        let (passed, told) = match &verified {
            Ok(it) => (it.report.passed, Ok(format!("{}{}", it.summary(), it.failures()))),
            Err(failure) => (false, Err(failure.text(has_colours))),
        };
        let outcome = match verified {
            Ok(verification) => Outcome::Compared(verification),
            Err(failure) => Outcome::Unread { passed: false, error: failure.summary() },
        };
        let report = FileReport { file: file.display().to_string(), outcome };
        let json = serde_json::to_string_pretty(&report);
        let json = json.map_err(|error| Failure::input(error.to_string()))?;
        Ok(Self { passed, told, json })
    }
}

/// The command that verifies a file.
fn asked(
    file: &Path,
    check: Option<&Path>,
    tolerance: Option<Tolerance>,
    has_colours: bool,
) -> Result<Command, String> {
    let program = std::env::current_exe();
    let program = program.map_err(|error| format!("cannot be started: {}", io_reason(&error)))?;
    let mut command = Command::new(program);
    command.arg("verify-one");
    if let Some(check) = check {
        let mut option = OsString::from("--check=");
        option.push(check);
        command.arg(option);
    }
    command.args(tolerance.map(|tolerance| format!("--tolerance={}", tolerance.name())));
    command.args(has_colours.then_some("--colours"));
    command.arg("--").arg(file);
    Ok(command)
}

/// Verifies one file and writes what came of it, as JSON.
///
/// # Errors
/// It cannot be written.
pub fn run_one(args: &VerifyOneArgs) -> Result<u8, Failure> {
    apart::begin(args.memory);
    let verified = verify(&args.file, args.check.as_deref(), args.tolerance, None);
    let answer = Answer::of(&args.file, verified, args.colours)?;
    let json = serde_json::to_string(&answer);
    let json = json.map_err(|error| Failure::input(error.to_string()))?;
    stream::write_out(&format!("{json}\n"))?;
    Ok(0)
}

fn verify(
    file: &Path,
    check: Option<&Path>,
    tolerance: Option<Tolerance>,
    runner: Option<&Runner>,
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
    let record_path = check.display().to_string();
    let record = if check.ends_with(package::MANIFEST) {
        package::record(check.parent().unwrap_or(Path::new("")), file)?
    } else {
        Record::from_bytes(&read(check)?, &record_path)?
    };
    let (record, record_path) = (&record, record_path.as_str());
    repeat(&Recorded { onnx: &onnx, path: file, record, record_path }, tolerance, runner)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let reason = |error| Failure::input(format!("{}: {}", path.display(), io_reason(&error)));
    nas_files::read(path).map_err(reason)
}
