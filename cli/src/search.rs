//! `nasc search`: search, derive, retrain, export, verify, in one run directory.

use std::path::{Path, PathBuf};

use clap::Args;
use nas_compiler::specialise;
use nas_search::record::RunResult;
use nas_search::store::names;
use nas_search::{Inputs, Job, Outcome, RunError, Store, regime};

use crate::name_map::NameMap;
use crate::package::{Making, Verification, package, provenance};
use crate::progress::{Progress, millions};
use crate::report::Failure;
use crate::training::{RecipeArgs, Training};
use crate::weights_file;

/// The ONNX file of a run.
pub const ONNX: &str = "network.onnx";
/// Its verification report.
pub const REPORT: &str = "network.verify.json";
/// Its record for `nasc verify`.
pub const CHECK: &str = "network.check.safetensors";
/// The operator set of the ONNX file.
const OPSET: i64 = 17;

/// Arguments of `nasc search`.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// The file.
    pub file: PathBuf,
    /// Which recipe, and what to change in it.
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// The run directory; runs/RECIPE if not given.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with the run in the directory.
    #[arg(long)]
    pub resume: bool,
}

/// The whole job; a table of the result on standard output.
///
/// # Errors
/// The inputs are at fault, training fails, or the user stops it.
pub fn run(args: &SearchArgs) -> Result<(), Failure> {
    let training = Training::load(&args.file, &args.recipe)?;
    let default = || Path::new("runs").join(&training.recipe.name);
    let dir = args.out.clone().unwrap_or_else(default);
    let opened = if args.resume { resume(&training, &dir) } else { create(&training, &dir) };
    let mut store = opened.map_err(Failure::problem)?;
    let done = whole(&training, &mut store, "go on by the same command with `--resume`")?;
    print!("{}", table(&done, &dir));
    Ok(())
}

/// What came of a run.
pub struct Done {
    /// Choices, cost and scores.
    pub result: RunResult,
    /// How the ONNX file did.
    pub verification: Verification,
}

/// A new run in a folder.
///
/// # Errors
/// See [`Store::create`].
pub fn create(training: &Training, dir: &Path) -> Result<Store, RunError> {
    with_inputs(training, |inputs| Store::create(dir, inputs))
}

/// The run of a folder.
///
/// # Errors
/// See [`Store::resume`].
pub fn resume(training: &Training, dir: &Path) -> Result<Store, RunError> {
    with_inputs(training, |inputs| Store::resume(dir, inputs))
}

fn with_inputs<T>(training: &Training, inner: impl FnOnce(&Inputs<'_>) -> T) -> T {
    inner(&Inputs {
        space_ref: &training.space_ref,
        space: &training.space,
        sources: &training.sources,
        recipe: &training.recipe,
        versions: &[("nasc".to_owned(), env!("CARGO_PKG_VERSION").to_owned())],
    })
}

/// Does what is left of a run, and writes its ONNX file. The hint says how to go on after a stop.
///
/// # Errors
/// Training fails, the user stops it, or tract and libtorch do not agree.
pub fn whole(training: &Training, store: &mut Store, hint: &str) -> Result<Done, Failure> {
    let backend = training.backend()?;
    let space = &training.space;
    let job = Job {
        space,
        recipe: &training.recipe,
        backend: &backend,
        specialise: &|assignment| specialise(space, assignment),
    };
    let mut progress = Progress::new()?;
    let outcome = regime::run(&job, store, &mut |event| progress.event(&event));
    progress.finish();
    let outcome = outcome.map_err(|failure| match failure {
        regime::Failure::Run(error) => Failure::problem(error),
        regime::Failure::Backend(error) => Failure::problem(error),
    })?;
    let result = match outcome {
        Outcome::Finished(result) => *result,
        Outcome::Interrupted(status) => {
            eprintln!(
                "stopped in {} after {} of {}; {} is whole: {hint}",
                status.phase,
                status.done,
                status.of,
                store.dir().display()
            );
            return Err(Failure::Interrupted);
        }
    };
    let verification = export(training, store, &result)?;
    Ok(Done { result, verification })
}

/// Writes and verifies the ONNX file of a finished run.
fn export(
    training: &Training,
    store: &mut Store,
    result: &RunResult,
) -> Result<Verification, Failure> {
    let assignment = nas_compiler::arch::from_choices(&training.space, &result.choices)
        .map_err(|misfit| Failure::input(format!("{}: {misfit}", names::RESULT)))?;
    let network = specialise(&training.space, &assignment);
    let bytes = store.read(names::WEIGHTS).map_err(Failure::problem)?;
    let bytes = bytes.ok_or_else(|| Failure::input("the run has no weights"))?;
    let weights = weights_file::take(&network, &bytes, &NameMap::default())
        .map_err(|faults| Failure::input(format!("{}: {faults}", names::WEIGHTS)))?;
    let provenance = provenance(&network, &training.sources, names::WEIGHTS);
    let made = package(&network, Making { opset: OPSET, provenance, weights: &weights })?;
    if !made.report.report.passed {
        for name in [ONNX, CHECK] {
            store.remove(name).map_err(Failure::problem)?;
        }
        store.write_json(REPORT, &made.report).map_err(Failure::problem)?;
        let summary = made.report.summary();
        return Err(Failure::input(format!("{ONNX} was not written: {summary}")));
    }
    store.write(CHECK, &made.check).map_err(Failure::problem)?;
    store.write_json(REPORT, &made.report).map_err(Failure::problem)?;
    store.write(ONNX, &made.onnx).map_err(Failure::problem)?;
    Ok(made.report)
}

/// The result for people.
#[must_use]
pub fn table(done: &Done, dir: &Path) -> String {
    let RunResult { space, choices, cost, inherited, epoch, val, test } = &done.result;
    let mut text = String::new();
    let mut row = |name: &str, value: String| text += &format!("{name:<28}{value}\n");
    row("space", space.clone());
    for (path, candidate) in choices {
        row(path, candidate.clone());
    }
    row("MACs", format!("{} M", millions(cost.macs)));
    row("parameters", format!("{:.1} k", cost.params as f64 / 1e3));
    row("val mIoU, inherited weights", format!("{:.3}", inherited.miou));
    row("val mIoU", format!("{:.3} (epoch {})", val.miou, epoch.saturating_add(1)));
    row("test mIoU", format!("{:.3}", test.miou));
    row("test pixels right", format!("{:.3}", test.accuracy));
    row("ONNX", dir.join(ONNX).display().to_string());
    row("verification", done.verification.summary());
    text
}
