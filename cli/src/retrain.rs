//! `nasc retrain`: one network trained.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use nas_compiler::weights::Weights;
use nas_search::evaluator::{Backend, Part, Pass, Score, Split, Trainee};
use nas_search::record::{CostRecord, RetrainEpoch};
use nas_torch::TorchTrainee;
use serde::Serialize;

use crate::files::write_whole;
use crate::progress::{Progress, millions, retrain_line};
use crate::report::Failure;
use crate::training::{RecipeArgs, Training, stopped};
use crate::weights_file;

/// What names of optimiser state begin with.
const OPTIMIZER: &str = "optimizer/";

/// Arguments of `nasc retrain`.
#[derive(Debug, Args)]
pub struct RetrainArgs {
    /// The file.
    pub file: PathBuf,
    /// The network: an `arch` item, a JSON file, or random:SEED.
    #[arg(long)]
    pub arch: String,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Which recipe, and what to change in it.
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// Weights to begin with, a safetensors file; without it, fresh weights.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// How the weights file calls our tensors: lines `pattern = name`.
    #[arg(long, value_name = "FILE", requires = "weights")]
    pub names: Option<PathBuf>,
    /// Where weights.safetensors, assignment.json and result.json go; runs/retrain-ARCH if not
    /// given.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// What came of a retraining.
#[derive(Serialize)]
struct Retrained<'a> {
    space: &'a str,
    cost: CostRecord,
    /// The epoch whose weights are kept, from 0.
    epoch: u32,
    val: &'a Score,
    test: &'a Score,
}

/// Trains one network, keeps the weights of its best epoch, prints its scores.
///
/// # Errors
/// The inputs are at fault, training fails, or the user stops it.
pub fn run(args: &RetrainArgs) -> Result<(), Failure> {
    let (training, network) =
        Training::load_network(&args.file, &args.recipe, args.space.as_deref(), &args.arch)?;
    let dir = args.out.clone().unwrap_or_else(|| default_folder(&args.arch));
    std::fs::create_dir_all(&dir)
        .map_err(|error| Failure::input(format!("cannot create {}: {error}", dir.display())))?;
    let (cost, choices) = (network.cost(), network.choices.clone());
    let initial = match &args.weights {
        Some(path) => Some(weights_file::load(&network, path, args.names.as_deref())?),
        None => None,
    };
    let mut trainee = training.backend()?.trainee(network).map_err(Failure::problem)?;
    if let Some(weights) = initial {
        trainee.load(&weights).map_err(Failure::problem)?;
    }
    let choices: serde_json::Map<String, serde_json::Value> =
        choices.into_iter().map(|(path, name)| (path, name.into())).collect();
    write_json(&dir.join("assignment.json"), &choices)?;
    let weights_path = dir.join("weights.safetensors");
    let Best { epoch, val, weights } = train(&training, &mut trainee, &weights_path)?;
    trainee.load(&weights).map_err(Failure::problem)?;
    let progress = Progress::new()?;
    let test = trainee.score(Split::Test, &mut |step| progress.step("test", step));
    progress.finish();
    let test = test.map_err(stopped)?;
    let space = training.space_ref.as_str();
    let result = Retrained { space, cost: cost.into(), epoch, val: &val, test: &test };
    write_json(&dir.join("result.json"), &result)?;
    let row = |name: &str, value: String| println!("{name:<12}{value}");
    row("MACs", format!("{} M", millions(cost.macs)));
    row("parameters", format!("{:.1} k", cost.params as f64 / 1e3));
    row("val mIoU", format!("{:.3} (epoch {})", val.miou, epoch.saturating_add(1)));
    row("test mIoU", format!("{:.3}", test.miou));
    row("weights", weights_path.display().to_string());
    Ok(())
}

/// A folder for a network: of an item its name, of a file the name of the file.
fn default_folder(arch: &str) -> PathBuf {
    let name = Path::new(arch).file_stem().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '-' };
    Path::new("runs").join(format!("retrain-{}", name.chars().map(plain).collect::<String>()))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|e| Failure::input(e.to_string()))?;
    bytes.push(b'\n');
    write_whole(path, &bytes)
}

struct Best {
    epoch: u32,
    val: Score,
    weights: Weights,
}

/// All epochs; the weights of the best one so far are in the file.
fn train(training: &Training, trainee: &mut TorchTrainee, path: &Path) -> Result<Best, Failure> {
    let recipe = &training.recipe.retrain;
    let progress = Progress::new()?;
    let mut best: Option<Best> = None;
    for epoch in 0..recipe.epochs {
        let since = Instant::now();
        let n = epoch.saturating_add(1);
        let rate = recipe.rate.over(epoch, recipe.epochs);
        let pass = Pass { part: Part::All, epoch, rate, temperature: 1.0 };
        let what = format!("retrain, epoch {n}");
        let report = trainee.train(&pass, &mut |step| progress.step(&what, step));
        let train = report.map_err(stopped)?;
        let what = format!("validate, epoch {n}");
        let score = trainee.score(Split::Val, &mut |step| progress.step(&what, step));
        let val = score.map_err(stopped)?;
        let is_best = best.as_ref().is_none_or(|best| val.miou > best.val.miou);
        if is_best {
            let state = trainee.state().map_err(Failure::problem)?;
            let plain = state.into_iter().filter(|(name, _)| !name.starts_with(OPTIMIZER));
            let weights: Weights = plain.collect();
            write_whole(path, &weights_file::to_bytes(&weights, None)?)?;
            best = Some(Best { epoch, val: val.clone(), weights });
        }
        let record = RetrainEpoch { epoch, rate, train, val };
        let seconds = since.elapsed().as_secs_f64();
        progress.line(&retrain_line(&record, recipe.epochs, is_best, seconds));
    }
    progress.finish();
    best.ok_or_else(|| Failure::input("`retrain.epochs` is 0: there is nothing to train"))
}
