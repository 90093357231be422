//! What is written and told beside a file of integers.

use std::path::{Path, PathBuf};

use nasc::render::report::Failure;
use nasc::services::record::beside;
use serde::Serialize;

/// How many layers of a report are told to people.
pub(crate) const LISTED: usize = 12;
/// What to do about outputs that differ.
pub(crate) const HELP: &str = "integers may differ by a step here and there; allow more by `--tolerance` if the difference is small \
                    enough for the use, and else please report it with the file and the weights";

/// The file of what integers cost, which lies beside the ONNX file.
pub(crate) fn integers_beside(onnx: &Path) -> PathBuf {
    let [verified, _] = beside(onnx);
    let name = verified.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".verify.json").unwrap_or(&name);
    onnx.with_file_name(format!("{stem}.integers.json"))
}

/// A report as a file of JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|e| Failure::input(e.to_string()))?;
    json.push(b'\n');
    Ok(json)
}
