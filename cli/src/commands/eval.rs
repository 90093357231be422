//! `nasc eval`: its arguments. `nasc-train` does it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::services::recipe::RecipeArgs;

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
