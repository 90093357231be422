//! `nasc eval`: its arguments. `nasc-train` does it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::services::recipe::RecipeArgs;
use crate::services::runner::Runner;

/// Arguments of `nasc eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// The file.
    pub file: PathBuf,
    /// The network: an `arch` item, a JSON file, random:SEED, least:MEASURE or greatest:MEASURE; of `--onnx` it may be left
    /// out where the file was exported by nasc.
    #[arg(long, required_unless_present = "onnx")]
    pub arch: Option<String>,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Which recipe, and what to change in it.
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// The weights, a safetensors file.
    #[arg(long, value_name = "FILE", required_unless_present = "onnx")]
    pub weights: Option<PathBuf>,
    /// How the weights file calls our tensors: lines `pattern = name`.
    #[arg(long, value_name = "FILE", requires = "weights", conflicts_with = "onnx")]
    pub names: Option<PathBuf>,
    /// An exported file to score instead, in tract.
    #[arg(long, value_name = "FILE", conflicts_with = "weights")]
    pub onnx: Option<PathBuf>,
    /// An engine to run that file in instead of tract, as of `nasc verify`.
    #[arg(long, value_name = "COMMAND", value_parser = Runner::new, requires = "onnx", conflicts_with = "weights")]
    pub runner: Option<Runner>,
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
