//! `nasc export`: one network as ONNX, verified before it gets its name.

use std::path::PathBuf;

use clap::Args;
use nas_compiler::specialise;

use crate::files::write_whole;
use crate::input::{self, Input};
use crate::package::{Making, beside, package, provenance};
use crate::report::Failure;
use crate::sources::sources;
use crate::weights_file;

/// Arguments of `nasc export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The file.
    pub file: PathBuf,
    /// The network: an `arch` item, a JSON file, or random:SEED.
    #[arg(long)]
    pub arch: String,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Its weights, a safetensors file; without it, fresh weights.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// How the weights file calls our tensors: lines `pattern = name`.
    #[arg(long, value_name = "FILE", requires = "weights")]
    pub names: Option<PathBuf>,
    /// Where the ONNX file goes.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// The version of the ONNX operator set.
    #[arg(long, default_value_t = 17)]
    pub opset: i64,
    /// The seed of fresh weights.
    #[arg(long, default_value_t = 0, conflicts_with = "weights")]
    pub seed: u64,
}

/// Writes the ONNX file, its verification report and its check record; on failure none.
///
/// # Errors
/// The network or its weights are at fault, or tract and libtorch do not agree.
pub fn run(args: &ExportArgs) -> Result<(), Failure> {
    let ExportArgs { file, output, .. } = args;
    let (network, sources) = Input::with(file, |program, compiler| {
        let named = input::network(program, compiler, args.space.as_deref(), &args.arch)?;
        Ok((specialise(&named.space, &named.assignment), sources(program)))
    })?;
    let (weights, origin) = match &args.weights {
        Some(path) => {
            let weights = weights_file::load(&network, path, args.names.as_deref())?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (weights, name.into_owned())
        }
        None => {
            eprintln!("note: no --weights, so the network has fresh ones of seed {}", args.seed);
            (weights_file::initial(&network, args.seed), format!("fresh, seed {}", args.seed))
        }
    };
    let provenance = provenance(&network, &sources, &origin);
    let made = package(&network, Making { opset: args.opset, provenance, weights: &weights })?;
    let [report, check] = beside(output);
    if !made.report.report.passed {
        // What an earlier export left under these names is not what was asked for now.
        for path in [output, &report, &check] {
            let _ = std::fs::remove_file(path);
        }
        let summary = made.report.summary();
        return Err(Failure::input(format!("{} was not written: {summary}", output.display())));
    }
    let mut json =
        serde_json::to_vec_pretty(&made.report).map_err(|e| Failure::input(e.to_string()))?;
    json.push(b'\n');
    write_whole(&check, &made.check)?;
    write_whole(&report, &json)?;
    write_whole(output, &made.onnx)?;
    eprintln!("{}", made.report.summary());
    for path in [output, &report, &check] {
        println!("{}", path.display());
    }
    Ok(())
}
