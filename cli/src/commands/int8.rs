//! `nasc int8`: its arguments. `nasc-train` does it.

use std::path::PathBuf;

use clap::Args;
use nas_tract::Tolerance;

use crate::services::compute::StepsArgs;
use crate::services::foreign::SizesArgs;
use crate::services::form::{FormArgs, NormaliseArg};
use crate::services::recipe::RecipeArgs;
use crate::services::rounding::RoundingArgs;
use crate::services::verification::tolerance_parser;

/// Arguments of `nasc int8`.
#[derive(Debug, Args)]
pub struct Int8Args {
    /// The file: one of the language, or an ONNX file of operators that are all ours.
    pub file: PathBuf,
    /// The network: an `arch` item, a JSON file, random:SEED, least:MEASURE or greatest:MEASURE.
    #[arg(long)]
    pub arch: Option<String>,
    /// Of an ONNX file: a folder with pictures that it is for, or with arrays (`.npy`) as it takes them.
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Of an ONNX file: mean and deviation that each channel of a picture is normalised with before, white being 1, such as
    /// 0.485,0.456,0.406/0.229,0.224,0.225; without it pictures are from 0 to 1.
    #[arg(long, value_name = "MEAN/STD")]
    pub expects: Option<NormaliseArg>,
    /// The sizes of its inputs.
    #[command(flatten)]
    pub sizes: SizesArgs,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Which recipe says where the data are, and what to change in it.
    #[command(flatten)]
    pub recipe: RecipeArgs,
    /// How `--tune` trains.
    #[command(flatten)]
    pub steps: StepsArgs,
    /// The trained weights, a safetensors file.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// How the weights file calls our tensors: lines `pattern = name`.
    #[arg(long, value_name = "FILE")]
    pub names: Option<PathBuf>,
    /// Where the ONNX file goes.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// The version of the ONNX operator set, 13 at least; without it, that of the space's target, or 17.
    #[arg(long)]
    pub opset: Option<i64>,
    /// How the integers are chosen.
    #[command(flatten)]
    pub rounding: RoundingArgs,
    /// In which form the file is.
    #[command(flatten)]
    pub form: FormArgs,
    /// How far tract may be from libtorch, relative to the largest value of an output.
    #[arg(long, value_name = "NAME", default_value = "coarse", value_parser = tolerance_parser())]
    pub tolerance: Tolerance,
}
