//! `nasc eval`: the score of one network.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nas_search::backend::TrainableNetwork;
use nas_search::evaluator::Split;

use crate::bar::Bar;
use crate::report::Failure;
use crate::training::{RecipeArgs, Training, score_lines, stopped};
use crate::weights_file;

/// Arguments of `nasc eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The file.
    pub file: PathBuf,
    /// The network: an `arch` item, a JSON file, random:SEED, least:MEASURE or greatest:MEASURE.
    #[arg(long)]
    pub arch: String,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Which recipe, and what to change in it.
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// The weights, a safetensors file.
    #[arg(long, value_name = "FILE")]
    pub weights: PathBuf,
    /// How the weights file calls our tensors: lines `pattern = name`.
    #[arg(long, value_name = "FILE")]
    pub names: Option<PathBuf>,
    /// The images.
    #[arg(long, value_enum, default_value_t = SplitName::Val)]
    pub split: SplitName,
    /// The score as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Images to score on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitName {
    /// Those for choosing.
    Val,
    /// Those for the last word.
    Test,
}

/// Prints the score of a network.
///
/// # Errors
/// The inputs are at fault, scoring fails, or the user stops it.
pub fn run(args: &EvalArgs) -> Result<(), Failure> {
    let EvalArgs { file, recipe, space, arch, .. } = args;
    let (training, network) = Training::load_network(file, recipe, space.as_deref(), arch, None)?;
    let weights = weights_file::load(&network, &args.weights, args.names.as_deref())?;
    let mut network = training.backend()?.trainable(&network).map_err(Failure::problem)?;
    network.load(&weights).map_err(|fault| Failure::Problems(vec![fault]))?;
    let split = match args.split {
        SplitName::Val => Split::Val,
        SplitName::Test => Split::Test,
    };
    let bar = Bar::new()?;
    let score = network.score(split, &mut |step| bar.step("score", step.done, step.of));
    bar.finish();
    let score = score.map_err(stopped)?;
    if args.json {
        let json =
            serde_json::to_string_pretty(&score).map_err(|e| Failure::input(e.to_string()))?;
        println!("{json}");
        return Ok(());
    }
    for (name, value) in score_lines(&score, &training.dataset()?.classes) {
        println!("{name:<20}{value}");
    }
    Ok(())
}
