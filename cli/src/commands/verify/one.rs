//! One file in a process of its own, `nasc verify-one`: a file may be made so that the engine does not survive it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use nas_ir::Tensor;
use nas_tract::{Model, Tolerance};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::diverging::Located;
use super::outcome::Outcome;
use super::recorded::{read, recorded};
use crate::render::report::Failure;
use crate::render::{stream, terminal};
use crate::services::apart;
use crate::services::foreign::ForeignFile;
use crate::services::in_tract::{ask, option};
use crate::services::record::{Case, Record};
use crate::services::verification::{Verification, tolerance_parser};

/// How much memory a file may take, in bytes.
const MEMORY: u64 = 16 << 30;

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
    /// Write what tract answers to the inputs of the record, instead of comparing with its outputs.
    #[arg(long, value_name = "FILE", requires = "check")]
    fill: Option<PathBuf>,
    /// How many runs on the inputs of the record are timed, instead.
    #[arg(long, value_name = "N", requires = "check")]
    runs: Option<usize>,
    /// How many runs are not timed before.
    #[arg(long, value_name = "N", default_value_t = 1)]
    warmup: usize,
    /// Write failures in colours.
    #[arg(long)]
    colours: bool,
}

/// What `nasc verify-one` answers, as JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) passed: bool,
    /// For people: what came of it, or why the file or its record cannot be read.
    pub(super) told: Result<String, String>,
    /// The report of the file as text, which is handed on to the digit.
    pub(super) json: String,
}

#[derive(Serialize)]
struct FileReport {
    file: String,
    #[serde(flatten)]
    outcome: Outcome,
}

impl Answer {
    pub(super) fn of(
        file: &Path,
        outcome: Result<Outcome, Failure>,
        has_colours: bool,
    ) -> Result<Self, Failure> {
        let (passed, told) = match &outcome {
            Ok(outcome) => (outcome.passed(), Ok(outcome.told())),
            Err(failure) => (false, Err(failure.text(has_colours))),
        };
        let unread = |failure: Failure| Outcome::Unread { passed: false, error: failure.summary() };
        let outcome = outcome.unwrap_or_else(unread);
        let report = FileReport { file: file.display().to_string(), outcome };
        let json = serde_json::to_string_pretty(&report);
        let json = json.map_err(|error| Failure::input(error.to_string()))?;
        Ok(Self { passed, told, json })
    }
}

impl Answer {
    /// With the node at which two engines part, or why that is not known.
    pub(super) fn with(mut self, located: &Result<Located, Failure>) -> Self {
        let told = match located {
            Ok(located) => located.told(),
            Err(failure) => format!("which node differs is not known: {}", failure.summary()),
        };
        self.told = self.told.map(|text| format!("{text}\n  {told}"));
        let Ok(Value::Object(mut report)) = serde_json::from_str(&self.json) else { return self };
        if let Ok(Located::At(diverging)) = located {
            report.insert("diverging".to_owned(), json!(diverging));
        }
        self.json = serde_json::to_string_pretty(&report).unwrap_or(self.json);
        self
    }
}

/// What comes of a file with a record, in a process of its own.
pub(super) fn answer(
    file: &Path,
    check: &Path,
    tolerance: Option<Tolerance>,
) -> Result<Answer, Failure> {
    let has_colours = terminal::has_colours();
    let tolerance = tolerance.map(|tolerance| format!("--tolerance={}", tolerance.name()).into());
    let colours = has_colours.then(|| "--colours".into());
    let options: Vec<OsString> =
        [Some(option("--check=", check)), tolerance, colours].into_iter().flatten().collect();
    match ask(file, &options) {
        Ok(answer) => Ok(answer),
        Err(aborted) => Answer::of(file, Err(aborted), has_colours),
    }
}

/// Verifies one file and writes what came of it, as JSON.
///
/// # Errors
/// It cannot be written.
pub fn run_one(args: &VerifyOneArgs) -> Result<u8, Failure> {
    apart::begin(args.memory);
    let json = match (&args.check, &args.fill, args.runs) {
        (Some(check), Some(to), _) => json_of(&told(fill(&args.file, check, to))),
        (Some(check), None, Some(runs)) => {
            json_of(&told(times(&args.file, check, args.warmup, runs)))
        }
        _ => {
            let verified = verify(args).map(|it| Outcome::Compared(Box::new(it)));
            json_of(&Answer::of(&args.file, verified, args.colours)?)
        }
    };
    stream::write_out(&format!("{}\n", json?))?;
    Ok(0)
}

fn told<T>(result: Result<T, Failure>) -> Result<T, String> {
    result.map_err(|failure| failure.summary())
}

fn json_of(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::input(error.to_string()))
}

fn verify(args: &VerifyOneArgs) -> Result<Verification, Failure> {
    let check = args.check.as_deref().unwrap_or(Path::new(""));
    recorded(&args.file, check, args.tolerance, None)
}

/// Writes a record with what tract answers to the inputs of another.
fn fill(file: &Path, check: &Path, to: &Path) -> Result<(), Failure> {
    let file = ForeignFile::read(file)?;
    let folder = file.folder();
    let mut record = Record::from_bytes(&read(check)?, &check.display().to_string())?;
    for Case { inputs, outputs, .. } in &mut record.cases {
        let inputs: Vec<_> = inputs.iter().map(|(_, tensor)| tensor.clone()).collect();
        let model = loaded(&file, &folder, &inputs)?;
        let made = model.run(&inputs).map_err(Failure::problem)?;
        *outputs = model.outputs().iter().map(|port| port.name.clone()).zip(made).collect();
    }
    record.reference = format!("tract {}", nas_tract::VERSION);
    nas_files::write_whole(to, &record.to_bytes()?).map_err(|e| Failure::input(e.to_string()))
}

/// How many milliseconds each run takes on the inputs of the first case of a record.
fn times(file: &Path, check: &Path, warmup: usize, runs: usize) -> Result<Vec<f64>, Failure> {
    let file = ForeignFile::read(file)?;
    let record = Record::from_bytes(&read(check)?, &check.display().to_string())?;
    let case = record.cases.into_iter().next();
    let inputs: Vec<_> = case.into_iter().flat_map(|case| case.inputs).map(|(_, it)| it).collect();
    let model = loaded(&file, &file.folder(), &inputs)?;
    let times = model.time(&inputs, warmup, runs).map_err(Failure::problem)?;
    Ok(times.iter().map(|time| time.as_secs_f64() * 1e3).collect())
}

/// tract with a file, for inputs of these sizes.
fn loaded(file: &ForeignFile, folder: &Path, inputs: &[Tensor]) -> Result<Model, Failure> {
    let sizes: Vec<Vec<u32>> = inputs.iter().map(|tensor| tensor.dims.clone()).collect();
    Model::load_beside(&file.bytes, &sizes, Some(folder)).map_err(Failure::problem)
}
