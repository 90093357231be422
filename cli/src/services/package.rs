//! A package: a folder with all that whoever runs a network needs, and the proof that it is whole.
//!
//! `manifest.json` says what is in it, `SHA256SUMS` has the checksum of each file in the form of `sha256sum`. Each model has a
//! folder of its own, with test vectors as ONNX has them (`test_data_set_0/input_0.pb`) and as `.npy`.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use miette::Diagnostic;
use nas_files::sha256;
use nas_tract::Tolerance;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use super::expected::Expected;
use super::npy;
use super::record::{Case, Record};
use super::rounding::FloatLayer;
use super::source::io_reason;
use crate::render::report::Failure;

/// The version of the manifest.
pub const FORMAT: u32 = 1;
/// The name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// How many faults of a package are told.
const TOLD: usize = 10;
/// How far below the folder of a package its models are, that included.
const MODELS_BELOW: usize = 2;
/// The name of the file of checksums.
pub const SUMS: &str = "SHA256SUMS";

/// What is in a package.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this form.
    pub format: u32,
    /// The version of nasc that wrote it.
    pub nasc: String,
    /// What the network was made of.
    pub network: Made,
    /// Its inputs, in order.
    pub inputs: Vec<PortInfo>,
    /// Its outputs, in order.
    pub outputs: Vec<PortInfo>,
    /// What is done to a picture before it is given to the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Expected>,
    /// The names of the classes, in the order of the channels.
    pub classes: Vec<String>,
    /// What it costs, in each measure.
    pub costs: Value,
    /// The models, one for each precision.
    pub models: Vec<ModelInfo>,
    /// The file of the licence of the weights; nothing is known of it where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
}

/// What a network was made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Made {
    /// The space.
    pub space: String,
    /// What was chosen, by the path of the decision.
    pub choices: Map<String, Value>,
    /// The files of the space, with the 64-bit FNV-1a checksum of each.
    pub sources: Map<String, Value>,
    /// The file of the weights, and its SHA-256.
    pub weights: [String; 2],
    /// The recipe by which it is scored, its seed, and its data.
    pub recipe: Map<String, Value>,
    /// What the target computes with, and reads.
    pub target: Map<String, Value>,
}

/// An input or an output.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PortInfo {
    /// Its name.
    pub name: String,
    /// Its sizes, `[N, C, H, W]` or `[N, C]`; symbols are open.
    pub sizes: Vec<Value>,
    /// What it holds: `float32`, `uint8`, `int64`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What an output answers if not its values: `softmax`, `argmax`, `top5` the largest values, `top5 indices` their
    /// channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// A model of the package.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelInfo {
    /// `fp32`, `fp16` or `int8`.
    pub precision: String,
    /// The file, from the folder of the package.
    pub file: String,
    /// The ONNX operator set.
    pub opset: i64,
    /// Bytes of the file.
    pub bytes: u64,
    /// What computed the outputs of the vectors.
    pub reference: String,
    /// How far outputs may be from those of the vectors, of the largest value.
    pub tolerance: Tolerance,
    /// The same as a number.
    pub bound: f64,
    /// Its test vectors.
    pub vectors: Vec<VectorInfo>,
    /// What it scores on the validation images, in tract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Value>,
    /// How long one run took where the package was made.
    pub measured: Measured,
    /// The layers that compute with floats in a model of integers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub floats: Vec<FloatLayer>,
}

/// A measured time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measured {
    /// What ran it.
    pub engine: String,
    /// The median, on one core.
    pub milliseconds: f64,
}

/// Inputs and outputs of a model in files: `FOLDER/input_0.pb` and so on, and the same as `.npy`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VectorInfo {
    /// The folder, from that of the package.
    pub folder: String,
    /// What the case is called.
    pub name: String,
    /// The names of the inputs.
    pub inputs: Vec<String>,
    /// The names of the outputs.
    pub outputs: Vec<String>,
}

/// A folder that is no whole package.
#[derive(Debug, Error, Diagnostic)]
#[error("`{folder}` is no whole package: {why}")]
#[diagnostic(
    code(nas::package::damaged),
    help("ask whoever gave it to you for a whole one; `nasc export --package` writes them")
)]
pub struct Damaged {
    folder: String,
    why: String,
}

fn damaged(folder: &Path, why: impl Into<String>) -> Failure {
    Failure::problem(Damaged { folder: folder.display().to_string(), why: why.into() })
}

/// The lines of the file of checksums.
#[must_use]
pub fn sums<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> String {
    files.into_iter().map(|(name, bytes)| format!("{}  {name}\n", sha256(bytes))).collect()
}

/// The names of a file of checksums, each with its sum.
fn listed(folder: &Path) -> Result<Vec<(String, String)>, Failure> {
    let text = needed(folder, SUMS)?;
    let text =
        String::from_utf8(text).map_err(|_| damaged(folder, format!("{SUMS} is no text")))?;
    let of_line = |line: &str| {
        // `sha256sum --binary` has a star before the name.
        let (sum, name) = line.split_once(' ').filter(|(sum, _)| sum.len() == 64)?;
        let name = name.strip_prefix([' ', '*'])?;
        Some((name.to_owned(), sum.to_lowercase()))
    };
    let no_sum = |line: &str| damaged(folder, format!("a line of {SUMS} is no checksum: {line}"));
    text.lines().map(|line| of_line(line).ok_or_else(|| no_sum(line))).collect()
}

/// The files of an earlier package in a folder, as far as its checksums name them.
#[must_use]
pub fn files_of(folder: &Path) -> Vec<String> {
    let listed = listed(folder).unwrap_or_default().into_iter().map(|(name, _)| name);
    listed.filter(|name| is_within(name)).chain([SUMS.to_owned()]).collect()
}

/// What a package holds against its checksums.
#[derive(Debug)]
pub struct Whole {
    /// How many files are as they were packed.
    pub count: usize,
    /// Files that have no checksum.
    pub others: Vec<String>,
}

/// Holds every file of a package against its checksum.
///
/// # Errors
/// A file is missing, or is another one; or a model has no checksum, or there is none.
pub fn check_sums(folder: &Path) -> Result<Whole, Failure> {
    let listed = listed(folder)?;
    let fault = |(name, sum): &(String, String)| match read(folder, name) {
        Ok(bytes) if sha256(&bytes) == *sum => None,
        Ok(_) => Some(format!("`{name}` is not the file that was packed")),
        Err(why) => Some(why),
    };
    let faults: Vec<String> = listed.iter().filter_map(fault).collect();
    if !faults.is_empty() {
        return Err(damaged(folder, in_words(&faults)));
    }
    let known: BTreeSet<&str> = listed.iter().map(|(name, _)| name.as_str()).collect();
    let models = manifest(folder)?.models;
    if models.is_empty() {
        return Err(damaged(folder, "it has no models"));
    }
    let needed = models.iter().map(|model| model.file.as_str()).chain([MANIFEST]);
    if let Some(name) = needed.into_iter().find(|name| !known.contains(name)) {
        return Err(damaged(folder, format!("{SUMS} has no checksum of `{name}`")));
    }
    let mut others = found(folder, Path::new(""))?;
    others.retain(|name| name != SUMS && !known.contains(name.as_str()));
    Ok(Whole { count: listed.len(), others })
}

/// Faults of a package, one or a line for each.
fn in_words(faults: &[String]) -> String {
    match faults {
        [only] => only.clone(),
        all => {
            let mut lines: Vec<&str> = all.iter().take(TOLD).map(String::as_str).collect();
            let more = format!("and {} more", all.len().saturating_sub(TOLD));
            lines.extend((all.len() > TOLD).then_some(more.as_str()));
            format!("{} faults\n  {}", all.len(), lines.join("\n  "))
        }
    }
}

/// The files of a folder below another one, by their names from that.
fn found(folder: &Path, below: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error: std::io::Error| {
        damaged(folder, format!("`{}`: {}", below.display(), io_reason(&error)))
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.join(below)).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = below.join(entry.file_name());
        if entry.file_type().map_err(unreadable)?.is_dir() {
            names.extend(found(folder, &name)?);
        } else {
            let parts = name.iter().map(|part| part.to_string_lossy());
            names.push(parts.collect::<Vec<_>>().join("/"));
        }
    }
    Ok(names)
}

/// The manifest of a package.
///
/// # Errors
/// It is missing, or none.
pub fn manifest(folder: &Path) -> Result<Manifest, Failure> {
    let bytes = needed(folder, MANIFEST)?;
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .map_err(|error| damaged(folder, format!("`{MANIFEST}` cannot be read: {error}")))?;
    match manifest.format {
        FORMAT => Ok(manifest),
        other => Err(damaged(folder, format!("its format is {other}, this nasc reads {FORMAT}"))),
    }
}

/// The models of a package.
///
/// # Errors
/// As [`manifest`].
pub fn models(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(manifest(folder)?.models.iter().map(|model| folder.join(&model.file)).collect())
}

/// The manifest of the package that a model is in, if it is in one.
#[must_use]
pub fn manifest_of(model: &Path) -> Option<PathBuf> {
    let model = std::path::absolute(model).ok()?;
    let mut folders = model.ancestors().skip(1).take(MODELS_BELOW);
    let is_of = |folder: &&Path| {
        models(folder).is_ok_and(|models| models.iter().any(|it| is_same(it, &model)))
    };
    folders.find(is_of).map(|folder| folder.join(MANIFEST))
}

/// Whether paths lead to the same file.
fn is_same(path: &Path, other: &Path) -> bool {
    let paths = path.canonicalize().ok().zip(other.canonicalize().ok());
    paths.is_some_and(|(path, other)| path == other)
}

/// What the test vectors of a model say that it answers.
///
/// # Errors
/// The model is none of the package, or a file of the vectors cannot be read.
pub fn record(folder: &Path, model: &Path) -> Result<Record, Failure> {
    let manifest = manifest(folder)?;
    let info = manifest.models.into_iter().find(|info| is_same(&folder.join(&info.file), model));
    let Some(info) = info else {
        return Err(damaged(folder, format!("`{}` is no model of it", model.display())));
    };
    let tensors = |vector: &VectorInfo, side: &str, names: &[String]| {
        let tensors = names.iter().enumerate().map(|(number, name)| {
            let file = format!("{}/{side}_{number}.npy", vector.folder);
            let tensor = npy::from_bytes(&needed(folder, &file)?);
            let tensor = tensor.map_err(|why| damaged(folder, format!("`{file}`: {why}")))?;
            Ok((name.clone(), tensor))
        });
        tensors.collect::<Result<Vec<_>, Failure>>()
    };
    let case = |vector: &VectorInfo| {
        let inputs = tensors(vector, "input", &vector.inputs)?;
        let outputs = tensors(vector, "output", &vector.outputs)?;
        Ok(Case { name: vector.name.clone(), inputs, outputs })
    };
    let cases = info.vectors.iter().map(case).collect::<Result<_, Failure>>()?;
    Ok(Record { reference: info.reference, tolerance: info.tolerance, cases, resized: None })
}

/// A file of a package, by its name from the folder, which must lie in it; or why there is none.
fn read(folder: &Path, name: &str) -> Result<Vec<u8>, String> {
    if !is_within(name) {
        return Err(format!("`{name}` is not in it"));
    }
    nas_files::read(&folder.join(name)).map_err(|error| format!("`{name}`: {}", io_reason(&error)))
}

/// The same, where it is at fault that there is none.
fn needed(folder: &Path, name: &str) -> Result<Vec<u8>, Failure> {
    read(folder, name).map_err(|why| damaged(folder, why))
}

/// Whether a file of this name is in the folder, and leads to nowhere else.
fn is_within(name: &str) -> bool {
    Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_held_against_their_checksums() {
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        let failure = || check_sums(folder.path()).unwrap_err().summary();
        let fails = |words: &str| assert!(failure().contains(words), "{words} in {}", failure());
        fails("`SHA256SUMS`: there is no such file");
        write("a.txt", b"abc");
        write(SUMS, sums([("a.txt", b"abd".as_slice())]).as_bytes());
        fails("`a.txt` is not the file that was packed");
        write(SUMS, sums([("../a.txt", b"abc".as_slice())]).as_bytes());
        fails("`../a.txt` is not in it");
        assert_eq!(files_of(folder.path()), [SUMS]);
        write(SUMS, b"abc\n");
        fails("is no checksum: abc");
        // As other tools write them; then there is no manifest.
        write(SUMS, format!("{} *a.txt\n", sha256(b"abc").to_uppercase()).as_bytes());
        fails("`manifest.json`: there is no such file");
        assert_eq!(files_of(folder.path()), ["a.txt", SUMS]);
    }
}
