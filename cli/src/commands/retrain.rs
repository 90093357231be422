//! `nasc retrain`: its arguments. `nasc-train` does it.

use std::path::PathBuf;

use clap::Args;

use crate::services::compute::StepsArgs;
use crate::services::recipe::RecipeArgs;

/// Arguments of `nasc retrain`.
#[derive(Debug, Args)]
pub struct RetrainArgs {
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
    /// How it trains.
    #[command(flatten)]
    pub steps: StepsArgs,
    /// Weights to begin with, a safetensors file; without it, fresh weights.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// How the weights file calls our tensors: lines `pattern = name`.
    #[arg(long, value_name = "FILE", requires = "weights")]
    pub names: Option<PathBuf>,
    /// The run directory; runs/retrain-ARCH if not given. An unfinished run of the same network
    /// goes on.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
