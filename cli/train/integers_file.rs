//! What is written and told of a file of integers, whether its network is of a space or of others.

use std::path::{Path, PathBuf};

use nasc::commands::int8::Int8Args;
use nasc::outln;
use nasc::render::report::Failure;
use nasc::services::files::{check_written, write_together};
use nasc::services::onnx_file::OnnxFile;
use nasc::services::record::beside;
use nasc::tell;
use serde::Serialize;

/// How many layers of a report are told to people.
const LISTED: usize = 12;
/// What to do about outputs that differ.
const HELP: &str = "integers may differ by a step here and there; allow more by `--tolerance` if the difference is small \
                    enough for the use, and else please report it with the file and the weights";
/// What to do about weights with which a step grows from layer to layer.
pub(crate) const REMEDY: &str = "each rounding makes whole steps of parts of one, and with these weights that grows to the size of the outputs; weights that \
                      were trained longer lose less, and so do some layers of floats (`--within`)";

/// Writes the file with its record, its report and what integers cost, all or none, and tells of it: the `lines`, the layers that
/// lose most with their decibels, and the files.
///
/// # Errors
/// Engines do not agree on the file, or the files cannot be written.
pub(crate) fn write<'l>(
    output: &Path,
    made: &OnnxFile,
    costs: &impl Serialize,
    lines: &[String],
    layers: impl Iterator<Item = (&'l str, f64)>,
) -> Result<(), Failure> {
    if !made.report.report.passed {
        return Err(made.report.failure(&output.display().to_string(), HELP, REMEDY));
    }
    let ([verified, check], integers) = (beside(output), costs_beside(output));
    write_together(&[
        (&check, &made.record.to_bytes()?),
        (&verified, &json(&made.report)?),
        (&integers, &json(costs)?),
        (output, &made.onnx),
    ])?;
    for line in lines {
        tell!("{line}");
    }
    for (path, decibels) in layers.take(LISTED) {
        tell!("{decibels:>7.1} dB {path}");
    }
    tell!("{}", made.report.summary());
    for path in [output, &verified, &check, &integers] {
        outln!("{}", path.display())?;
    }
    Ok(())
}

/// Where what integers cost stands.
fn costs_beside(output: &Path) -> PathBuf {
    let [verified, _] = beside(output);
    let name = verified.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".verify.json").unwrap_or(&name);
    output.with_file_name(format!("{stem}.integers.json"))
}

/// Refuses places where the files cannot or should not be written, before the work is done.
///
/// # Errors
/// One of them is a folder, cannot be replaced, or is read.
pub(crate) fn check(args: &Int8Args) -> Result<(), Failure> {
    let given = [&args.weights, &args.names].into_iter().flatten().map(PathBuf::as_path);
    let read = given.chain([args.file.as_path()]).chain(args.arch.as_deref().map(Path::new));
    let written = [args.output.clone(), costs_beside(&args.output)];
    check_written(written.into_iter().chain(beside(&args.output)), read)
}

/// A report as a file of JSON.
fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|e| Failure::input(e.to_string()))?;
    json.push(b'\n');
    Ok(json)
}
