//! `nasc search`: its arguments. `nasc-train` does it.

use std::path::PathBuf;

use clap::Args;

use crate::services::compute::StepsArgs;
use crate::services::recipe::RecipeArgs;

/// Arguments of `nasc search`.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// The file.
    pub file: PathBuf,
    /// Which recipe, and what to change in it.
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// How it trains.
    #[command(flatten)]
    pub steps: StepsArgs,
    /// Commands that run side by side, instead of `score.jobs` of the recipe.
    #[arg(long, value_name = "N")]
    pub jobs: Option<u32>,
    /// The run directory; runs/RECIPE if not given.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Networks to hold the result against, such as random ones: scores as `nasc runs export RUN --format jsonl` writes
    /// those of a run that trained them.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Go on with the run in the directory, if one is there.
    #[arg(long)]
    pub resume: bool,
}
