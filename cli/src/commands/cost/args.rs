//! The arguments of `nasc cost`.

use std::path::PathBuf;

use clap::Args;

use crate::render::report::Failure;
use crate::services::foreign::SizesArgs;
use crate::services::input::DropArgs;

/// Arguments of `nasc cost`.
#[derive(Debug, Args)]
pub struct CostArgs {
    /// The file: one of the language, or an ONNX file.
    pub file: PathBuf,
    /// Whether what the target cannot run is left out.
    #[command(flatten)]
    pub drop: DropArgs,
    /// The network: an `arch` item, a JSON file, random:SEED, least:MEASURE or greatest:MEASURE.
    #[arg(long)]
    pub arch: Option<String>,
    /// The sizes of the inputs, if the file is one of ONNX.
    #[command(flatten)]
    pub sizes: SizesArgs,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Every layer that has multiply-accumulates or parameters, with the latency of what was measured
    /// together at the first of its layers.
    #[arg(long)]
    pub layers: bool,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
}

impl CostArgs {
    /// An ONNX file holds one network, and has no target.
    pub(super) fn refuse_names(&self) -> Result<(), Failure> {
        let given = [
            ("--arch", self.arch.is_some()),
            ("--space", self.space.is_some()),
            ("--drop-unsupported", self.drop.drop_unsupported),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            None => Ok(()),
            Some((option, _)) => {
                Err(Failure::input(format!("an ONNX file holds one network: leave out `{option}`")))
            }
        }
    }
}
