//! `nasc retrain`: one network trained.

use std::path::{Path, PathBuf};

use nas_search::record::{Choices, RunResult, Trained};
use nas_search::store::names;
use nas_search::{Start, Store};
use nasc::commands::retrain::RetrainArgs;
use nasc::render::costs::milliseconds;
use nasc::render::report::Failure;
use nasc::services::pick::Which;
use nasc::services::weights_file;

use crate::progress::millions;
use crate::scores::value_of;
use crate::training::Training;
use crate::whole::{REPORT_SVG, picture, predicted, trained};
use nasc::outln;

/// How to go on after a stop.
const HINT: &str = "go on by the same command";

/// Trains one network, or goes on with it, keeps the weights of its best epoch, prints its scores.
///
/// # Errors
/// The inputs are at fault, training fails, or the user stops it.
pub(crate) fn run(args: &RetrainArgs) -> Result<(), Failure> {
    let dir = args.out.clone().unwrap_or_else(|| default_folder(&args.arch));
    let RetrainArgs { file, recipe, space, arch, .. } = args;
    let (training, network) =
        Training::load_network(file, recipe, space.as_deref(), Which::Named(arch), Some(&dir))?;
    let training = training.stepping(&args.steps)?;
    let (network, weights) = match &args.weights {
        Some(path) => {
            let model = weights_file::load(network, path, args.names.as_deref())?;
            (model.network, Some(model.weights))
        }
        None => (network, None),
    };
    let choices: Choices = network.choices.into_iter().collect();
    let start = Start { choices: &choices, weights: weights.as_ref() };
    let mut store = training.store(Some(start), |inputs| Store::open(&dir, inputs))?;
    let result = training.run(&mut store, HINT)?;
    let model = trained(&training, &store, &result)?;
    let predictions = predicted(&training, &mut store, &result, &model)?;
    picture(&mut store, None)?;
    let RunResult { cost, trained, .. } = result;
    let Some(Trained { epoch, val, test, .. }) = trained else {
        return Err(Failure::input("the run has no weights"));
    };
    let row = |name: &str, value: String| outln!("{name:<14}{value}");
    row("MACs", format!("{} M", millions(cost.macs)))?;
    if let Some(latency) = cost.latency {
        row("latency", milliseconds(latency))?;
    }
    row("parameters", format!("{:.1} k", cost.params as f64 / 1e3))?;
    let (metric, val) = val.primary();
    let title = metric.title();
    row(
        &format!("val {title}"),
        format!("{} (epoch {})", value_of(metric, val), epoch.saturating_add(1)),
    )?;
    if let Some(test) = test {
        row(&format!("test {title}"), value_of(metric, test.primary().1))?;
    }
    row("report", dir.join(REPORT_SVG).display().to_string())?;
    row("predictions", predictions.display().to_string())?;
    row("weights", dir.join(names::WEIGHTS).display().to_string())
}

/// A folder for a network: of an item its name, of a file the name of the file.
fn default_folder(arch: &str) -> PathBuf {
    let name = Path::new(arch).file_stem().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '-' };
    Path::new("runs").join(format!("retrain-{}", name.chars().map(plain).collect::<String>()))
}
