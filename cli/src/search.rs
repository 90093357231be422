//! `nasc search`: search, derive, retrain, export, verify, in one run directory.

use std::path::{Path, PathBuf};

use clap::Args;
use nas_passes::specialise;
use nas_search::Store;
use nas_search::record::RunResult;
use nas_search::store::names;
use nas_tract::Tolerance;

use crate::cost::milliseconds;
use crate::name_map::NameMap;
use crate::package::{Making, Package, Verification, package, provenance};
use crate::progress::millions;
use crate::report::{Failure, counted};
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
/// What to do about outputs that differ.
const HELP: &str = "the weights are kept: `nasc export FILE --arch DIR/assignment.json --weights \
                    DIR/weights.safetensors --tolerance loose -o NAME.onnx` allows more";

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
    let folder = |recipe: &str| {
        let default = || Path::new("runs").join(recipe);
        args.out.clone().unwrap_or_else(default)
    };
    let resumed = |recipe: &str| args.resume.then(|| folder(recipe));
    let training = Training::load(&args.file, &args.recipe, resumed)?;
    let dir = folder(&training.recipe.name);
    let opened = if args.resume { resume(&training, &dir) } else { create(&training, &dir) };
    let mut store = opened?;
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
/// The data set cannot be read; else see [`Store::create`].
pub fn create(training: &Training, dir: &Path) -> Result<Store, Failure> {
    training.store(None, |inputs| Store::create(dir, inputs))
}

/// The run of a folder.
///
/// # Errors
/// The data set cannot be read; else see [`Store::resume`].
pub fn resume(training: &Training, dir: &Path) -> Result<Store, Failure> {
    training.store(None, |inputs| Store::resume(dir, inputs))
}

/// Does what is left of a run, and writes its ONNX file. The hint says how to go on after a stop.
///
/// # Errors
/// Training fails, the user stops it, or tract and libtorch do not agree.
pub fn whole(training: &Training, store: &mut Store, hint: &str) -> Result<Done, Failure> {
    let result = training.run(store, hint)?;
    let verification = export(training, store, &result)?;
    Ok(Done { result, verification })
}

/// Writes and verifies the ONNX file of a finished run.
fn export(
    training: &Training,
    store: &mut Store,
    result: &RunResult,
) -> Result<Verification, Failure> {
    let assignment = nas_frontend::items::arch::from_choices(&training.space, &result.choices)
        .map_err(|misfit| Failure::input(format!("{}: {misfit}", names::RESULT)))?;
    let network = specialise(&training.space, &assignment);
    let bytes = store.read(names::WEIGHTS).map_err(Failure::problem)?;
    let bytes = bytes.ok_or_else(|| Failure::input("the run has no weights"))?;
    let weights = weights_file::take(&network, &bytes, names::WEIGHTS, &NameMap::default())?;
    let provenance = provenance(&network, &training.sources, names::WEIGHTS);
    let making =
        Making { opset: OPSET, tolerance: Tolerance::Export, provenance, weights: &weights };
    let made = package(&network, making)?;
    keep(store, made)
}

/// Writes what was made, or where it did not pass only the report of why.
fn keep(store: &mut Store, made: Package) -> Result<Verification, Failure> {
    let Package { onnx, report, check } = made;
    if !report.report.passed {
        for name in [ONNX, CHECK] {
            store.remove(name).map_err(Failure::problem)?;
        }
        store.write_json(REPORT, &report).map_err(Failure::problem)?;
        return Err(report.failure(ONNX, HELP));
    }
    store.write(CHECK, &check).map_err(Failure::problem)?;
    store.write_json(REPORT, &report).map_err(Failure::problem)?;
    store.write(ONNX, &onnx).map_err(Failure::problem)?;
    Ok(report)
}

/// The result for people.
#[must_use]
pub fn table(done: &Done, dir: &Path) -> String {
    let RunResult { space, choices, cost, inherited, budget, epoch, val, test } = &done.result;
    let mut text = String::new();
    let mut row = |name: &str, value: String| text += &format!("{name:<28}{value}\n");
    row("space", space.clone());
    for (path, candidate) in choices {
        row(path, candidate.clone());
    }
    row("MACs", format!("{} M", millions(cost.macs)));
    if let Some(latency) = cost.latency {
        row("latency", milliseconds(latency));
    }
    row("parameters", format!("{:.1} k", cost.params as f64 / 1e3));
    if let Some(inherited) = inherited {
        let name = match budget.epochs {
            0 => "val mIoU, inherited weights".to_owned(),
            epochs => format!("val mIoU after {}", counted(epochs as usize, "epoch")),
        };
        row(&name, format!("{:.3}", inherited.miou));
    }
    row("val mIoU", format!("{:.3} (epoch {})", val.miou, epoch.saturating_add(1)));
    row("test mIoU", format!("{:.3}", test.miou));
    row("test pixels right", format!("{:.3}", test.accuracy));
    row("ONNX", dir.join(ONNX).display().to_string());
    row("verification", done.verification.summary());
    text
}

#[cfg(test)]
mod tests {
    use nas_ir::Space;
    use nas_ir::recipe::Recipe;
    use nas_search::Inputs;
    use nas_tract::{Agreement, CaseReport, OutputReport, Report};

    use super::*;

    /// A package whose only output is this far off.
    fn made(max_rel: f64) -> Package {
        let tolerance = Tolerance::Export;
        let agreement =
            Agreement { max_abs: 0.5, max_rel, not_finite: 0, argmax_agreement: 1.0, positions: 1 };
        let passed = tolerance.allows(&agreement);
        let output = OutputReport { name: "logits".to_owned(), dims: vec![1], passed, agreement };
        let case = CaseReport { name: "seed 1".to_owned(), passed, outputs: vec![output] };
        let report = Report::new(tolerance, vec![case]);
        let report = Verification { reference: "libtorch".to_owned(), report };
        Package { onnx: b"onnx".to_vec(), report, check: b"check".to_vec() }
    }

    #[test]
    fn a_network_that_is_not_verified_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let space = Space::default();
        let recipe = Recipe::default_for("s", nas_search::strategies::SCHEMAS[0]).unwrap();
        let (sources, data, versions) = (&[], &[], &[]);
        let inputs = Inputs {
            space_ref: "s",
            space: &space,
            drop_unsupported: false,
            sources,
            start: None,
            recipe: &recipe,
            data,
            versions,
        };
        let mut store = Store::create(dir.path(), &inputs).unwrap();
        let exist = || [ONNX, REPORT, CHECK].map(|name| dir.path().join(name).exists());
        keep(&mut store, made(1e-6)).unwrap();
        assert_eq!(exist(), [true, true, true]);
        let failure = keep(&mut store, made(1e-2)).err().unwrap();
        assert_eq!(exist(), [false, true, false]);
        let Failure::Problems(problems) = &failure else { panic!("{failure:?}") };
        let text = problems[0].to_string();
        assert!(
            text.contains("output `logits` on the input of seed 1: differs by 5.00e-1"),
            "{text}"
        );
        assert_eq!(failure.report(), 1);
    }
}
