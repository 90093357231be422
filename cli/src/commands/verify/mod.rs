//! `nasc verify`: ONNX files against what was recorded when they were exported, or, of those that others made, engines
//! against each other.

mod diverging;
mod model;
mod one;
mod outcome;
mod recorded;

use std::path::{Path, PathBuf};

use clap::Args;
use nas_tract::Tolerance;

use crate::render::report::{Failure, counted};
use crate::render::{stream, terminal};
use crate::services::foreign::{ForeignFile, SizesArgs};
use crate::services::package;
use crate::services::package::Whole;
use crate::services::record::{Record, beside};
use crate::services::runner::Runner;
use crate::services::verification::tolerance_parser;
use crate::{outln, tell};

use diverging::{Located, Search};
use one::Answer;
use outcome::Outcome;
use recorded::{no_record, record_of, recorded};

pub use one::{VerifyOneArgs, run_one};

/// How the name of what wrote a file begins, if that is nasc.
const OURS: &str = "nasc ";

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
    /// The sizes of the inputs of files without a record.
    #[command(flatten)]
    pub sizes: SizesArgs,
    /// An engine to run the files in instead of tract, and where there is no record, to hold against tract: a command that reads `input_0.npy` and so on from the folder
    /// {inputs} and writes `output_0.npy` and so on to {outputs}, such as `python run.py {model} {inputs} {outputs}`.
    #[arg(long, value_name = "COMMAND", value_parser = Runner::new)]
    pub runner: Option<Runner>,
    /// The reports as JSON.
    #[arg(long)]
    pub json: bool,
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
        let Answer { passed, told, json } = match check {
            Ok(check) => verified(&path, check.as_deref(), args)?,
            Err(damaged) => Answer::of(&path, Err(damaged), terminal::has_colours())?,
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
            let [_, record] = beside(path);
            let of_package = || if record.exists() { None } else { package::manifest_of(path) };
            files.push((path.clone(), Ok(args.check.clone().or_else(of_package))));
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

/// What comes of a file.
fn verified(path: &Path, check: Option<&Path>, args: &VerifyArgs) -> Result<Answer, Failure> {
    let has_colours = terminal::has_colours();
    let [_, beside] = beside(path);
    if check.is_none() && !beside.exists() {
        return without_record(path, &beside, args);
    }
    let record = check.unwrap_or(&beside);
    let answer = match &args.runner {
        None => one::answer(path, record, args.tolerance)?,
        runner => {
            let compared = recorded(path, record, args.tolerance, runner.as_ref());
            let outcome = compared.map(|it| Outcome::Compared(Box::new(it)));
            Answer::of(path, outcome, has_colours)?
        }
    };
    Ok(match answer.told {
        // What cannot be read differs nowhere.
        Err(_) => answer,
        Ok(_) if answer.passed => answer,
        Ok(_) => answer.with(&located(path, record, args)),
    })
}

/// What comes of a file that has no record: others made it, or an engine is named to compare with.
fn without_record(path: &Path, record: &Path, args: &VerifyArgs) -> Result<Answer, Failure> {
    let tried = || {
        let file = ForeignFile::read(path)?;
        if args.runner.is_none() && file.graph()?.producer.starts_with(OURS) {
            return Err(no_record(record));
        }
        let (sizes, runner) = (args.sizes.sizes(), args.runner.as_ref());
        let (outcome, record) = model::verify(&file, &sizes, args.tolerance, runner)?;
        let is_known = matches!(outcome, Outcome::Compared(_)) && !outcome.passed();
        let located = is_known.then(|| first_of(&file, &record, args));
        Ok((outcome, located))
    };
    let has_colours = terminal::has_colours();
    match tried() {
        Ok((outcome, located)) => {
            let answer = Answer::of(path, Ok(outcome), has_colours)?;
            Ok(match located {
                Some(located) => answer.with(&located),
                None => answer,
            })
        }
        Err(failure) => Answer::of(path, Err(failure), has_colours),
    }
}

/// Where a file that failed on its record goes wrong.
fn located(path: &Path, record: &Path, args: &VerifyArgs) -> Result<Located, Failure> {
    let (mut file, record) = (ForeignFile::read(path)?, record_of(path, record)?);
    if let Some(resized) = &record.resized {
        file.bytes = resized.apply(&file.bytes).map_err(Failure::problem)?;
    }
    first_of(&file, &record, args)
}

/// The first node that differs, in the first case of a record in which one does.
fn first_of(file: &ForeignFile, record: &Record, args: &VerifyArgs) -> Result<Located, Failure> {
    let tolerance = args.tolerance.unwrap_or(record.tolerance);
    let runner = args.runner.as_ref();
    let mut found = None;
    for case in &record.cases {
        let search = Search { file, case, tolerance, runner };
        match search.first()? {
            at @ Located::At(_) => return Ok(at),
            nowhere => found = found.or(Some(nowhere)),
        }
    }
    found.ok_or_else(|| Failure::input("its record has no case"))
}
