//! The arguments of `nasc verify`.

use std::path::PathBuf;

use clap::Args;
use nas_tract::Tolerance;

use crate::services::foreign::SizesArgs;
use crate::services::runner::Runner;
use crate::services::verification::tolerance_parser;

/// Arguments of `nasc verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// ONNX files, or packages.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The record to compare with, instead of NAME.check.safetensors beside the file.
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
    /// How far outputs may be from the recorded ones, instead of as recorded.
    #[arg(long, value_name = "NAME", value_parser = tolerance_parser())]
    pub tolerance: Option<Tolerance>,
    /// The sizes of the inputs of files without a record.
    #[command(flatten)]
    pub sizes: SizesArgs,
    /// An engine to run the files in instead of tract, and where there is no record, to hold against tract: a command that reads `input_0.npy` and so on from the folder
    /// {inputs} and writes `output_0.npy` and so on to {outputs}, such as `python run.py {model} {inputs} {outputs}`.
    #[arg(long, value_name = "COMMAND", value_parser = Runner::new)]
    pub runner: Option<Runner>,
    /// The reports as JSON.
    #[arg(long)]
    pub json: bool,
}
