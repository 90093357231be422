//! A network as a verified ONNX file with the record that `nasc verify` repeats the check from.
//!
//! Beside `NAME.onnx` lie `NAME.verify.json`, the report of the check, and
//! `NAME.check.safetensors`: for each seeded input the reference outputs at every so many rows and
//! columns, as tensors `seed.SEED/OUTPUT`, with a [`Record`] as its note.

use std::path::{Path, PathBuf};

use nas_compiler::Network;
use nas_compiler::weights::{Tensor, Weights};
use nas_tract::{CaseReport, Model, OutputReport, Report, Tolerance, compare, seeded_inputs};
use serde::{Deserialize, Serialize};

use crate::report::Failure;
use crate::weights_file;

/// The most values of a case that are recorded, about.
const RECORDED: usize = 1 << 16;
/// Inputs with more elements are large: one case is enough.
const LARGE: usize = 1_000_000;
/// The version of the record.
const FORMAT: u32 = 1;

/// A network as a file, checked.
pub struct Package {
    /// The ONNX file.
    pub onnx: Vec<u8>,
    /// How it did against the reference.
    pub report: Verification,
    /// The bytes of the record.
    pub check: Vec<u8>,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// What the outputs were compared with: "libtorch", or "tract" itself where nasc was built
    /// without it.
    pub reference: String,
    /// The report.
    #[serde(flatten)]
    pub report: Report,
}

/// The note of a check file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this record.
    pub format: u32,
    /// What computed the outputs: "libtorch" or "tract".
    pub reference: String,
    /// How far results may be from them.
    pub tolerance: Tolerance,
    /// The seeds of the inputs, as [`seeded_inputs`] takes them.
    pub seeds: Vec<u64>,
    /// For each output, the step of rows and columns at which it is recorded.
    pub steps: Vec<u32>,
}

/// What an ONNX file is made of beside the network.
pub struct Making<'a> {
    /// The operator set.
    pub opset: i64,
    /// Keys and values for the file.
    pub provenance: Vec<(String, String)>,
    /// The weights.
    pub weights: &'a Weights,
}

/// Where a network is from, as the file says it. Only what is the same on every machine.
#[must_use]
pub fn provenance(
    network: &Network,
    sources: &[(String, Vec<u8>)],
    weights: &str,
) -> Vec<(String, String)> {
    let arch: serde_json::Map<String, serde_json::Value> =
        network.choices.iter().map(|(path, name)| (path.clone(), name.clone().into())).collect();
    let sources: Vec<String> =
        sources.iter().map(|(name, bytes)| format!("{name} {:016x}", fnv1a(bytes))).collect();
    [
        ("nasc.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("nasc.space", network.space.clone()),
        ("nasc.arch", serde_json::Value::Object(arch).to_string()),
        ("nasc.sources", sources.join("\n")),
        ("nasc.weights", weights.to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// FNV-1a of 64 bits: tells versions of a source apart, and promises no more.
fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Writes the network as ONNX in memory, runs that in tract on seeded inputs and compares with
/// libtorch. A report that did not pass is no error here.
///
/// # Errors
/// The network cannot be written, or an engine fails.
pub fn package(network: &Network, making: Making<'_>) -> Result<Package, Failure> {
    let Making { opset, provenance, weights } = making;
    let options = nas_onnx::Options {
        opset,
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        provenance,
    };
    let onnx = nas_onnx::emit(network, weights, &options).map_err(Failure::problem)?;
    let shapes = |nodes: &[nas_compiler::network::Port]| -> Vec<Vec<u32>> {
        let nodes = nodes.iter().filter_map(|port| network.nodes.get(port.node));
        nodes.map(|node| [&[1], node.shape.dims()].concat()).collect()
    };
    let inputs = shapes(&network.inputs);
    let outputs = shapes(&network.outputs);
    let elements: usize = inputs.iter().map(|dims| volume(dims)).sum();
    let seeds: Vec<u64> = if elements > LARGE { vec![1] } else { vec![1, 2] };
    let tolerance = Tolerance::Export;
    let model = Model::load(&onnx).map_err(Failure::problem)?;
    let steps: Vec<u32> = outputs.iter().map(|dims| step(dims)).collect();
    let mut recorded = Weights::new();
    let mut cases = Vec::new();
    for &seed in &seeds {
        let inputs = seeded_inputs(&inputs, seed);
        let actual = model.run(&inputs).map_err(Failure::problem)?;
        let expected = match reference(network, weights, &inputs, &outputs)? {
            Some(expected) => expected,
            None => shaped_as(&actual, &outputs)?,
        };
        for ((port, tensor), step) in network.outputs.iter().zip(&expected).zip(&steps) {
            recorded.insert(format!("seed.{seed}/{}", port.name), sample(tensor, *step));
        }
        cases.push(judge(&model, seed, &expected, &actual, tolerance)?);
    }
    let reference = if cfg!(feature = "torch") { "libtorch" } else { "tract" }.to_owned();
    let record = Record { format: FORMAT, reference: reference.clone(), tolerance, seeds, steps };
    let note = serde_json::to_string(&record).map_err(|e| Failure::input(e.to_string()))?;
    let check = weights_file::to_bytes(&recorded, Some(note))?;
    Ok(Package {
        onnx,
        report: Verification { reference, report: report(cases, tolerance) },
        check,
    })
}

#[cfg(feature = "torch")]
fn reference(
    network: &Network,
    weights: &Weights,
    inputs: &[Tensor],
    shapes: &[Vec<u32>],
) -> Result<Option<Vec<Tensor>>, Failure> {
    let inputs: Vec<Vec<f32>> = inputs.iter().map(|tensor| tensor.data.clone()).collect();
    let outputs = nas_torch::run(network, weights, &inputs).map_err(Failure::problem)?;
    let tensors = outputs.into_iter().zip(shapes);
    Ok(Some(tensors.map(|(data, dims)| Tensor { dims: dims.clone(), data }).collect()))
}

#[cfg(not(feature = "torch"))]
#[allow(clippy::unnecessary_wraps, reason = "libtorch may fail")]
fn reference(
    _: &Network,
    _: &Weights,
    _: &[Tensor],
    _: &[Vec<u32>],
) -> Result<Option<Vec<Tensor>>, Failure> {
    Ok(None)
}

/// The outputs of tract, if they have the shapes that the compiler inferred.
fn shaped_as(actual: &[Tensor], shapes: &[Vec<u32>]) -> Result<Vec<Tensor>, Failure> {
    let found: Vec<&Vec<u32>> = actual.iter().map(|tensor| &tensor.dims).collect();
    if found != shapes.iter().collect::<Vec<_>>() {
        return Err(Failure::input(format!("tract infers outputs {found:?}, nasc {shapes:?}")));
    }
    Ok(actual.to_vec())
}

/// How a model does on what a check file records of another.
///
/// # Errors
/// The file is no check file, or is not for this model; tract fails.
pub fn repeat(onnx: &[u8], check: &[u8]) -> Result<Verification, Failure> {
    let faulty = |why: String| Failure::input(format!("the check file: {why}"));
    let note = weights_file::note(check).map_err(faulty)?;
    let note = note.ok_or_else(|| faulty("it was not written by `nasc export`".to_owned()))?;
    let record: Record = serde_json::from_str(&note).map_err(|e| faulty(e.to_string()))?;
    if record.format != FORMAT {
        return Err(faulty(format!("its format is {}, this nasc reads {FORMAT}", record.format)));
    }
    let recorded = weights_file::tensors(check).map_err(faulty)?;
    let model = Model::load(onnx).map_err(Failure::problem)?;
    let shapes: Vec<Vec<u32>> = model.inputs().iter().map(|port| port.dims.clone()).collect();
    if record.steps.len() != model.outputs().len() {
        let (found, needed) = (record.steps.len(), model.outputs().len());
        return Err(faulty(format!("it is of {found} outputs, the model has {needed}")));
    }
    let mut cases = Vec::new();
    for seed in record.seeds {
        let actual = model.run(&seeded_inputs(&shapes, seed)).map_err(Failure::problem)?;
        let sampled = actual.iter().zip(&record.steps);
        let sampled: Vec<Tensor> = sampled.map(|(tensor, step)| sample(tensor, *step)).collect();
        let names = model.outputs().iter().map(|port| format!("seed.{seed}/{}", port.name));
        let expected = names
            .map(|name| recorded.get(&name).cloned().ok_or_else(|| format!("it lacks `{name}`")))
            .collect::<Result<Vec<_>, _>>()
            .map_err(faulty)?;
        cases.push(judge(&model, seed, &expected, &sampled, record.tolerance)?);
    }
    Ok(Verification { reference: record.reference, report: report(cases, record.tolerance) })
}

fn judge(
    model: &Model,
    seed: u64,
    expected: &[Tensor],
    actual: &[Tensor],
    tolerance: Tolerance,
) -> Result<CaseReport, Failure> {
    let pairs = model.outputs().iter().zip(expected.iter().zip(actual));
    let outputs = pairs
        .map(|(port, (expected, actual))| {
            let agreement = compare(expected, actual).map_err(Failure::problem)?;
            let passed = tolerance.allows(&agreement);
            let (name, dims) = (port.name.clone(), actual.dims.clone());
            Ok(OutputReport { name, dims, passed, agreement })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let passed = outputs.iter().all(|output| output.passed);
    Ok(CaseReport { name: format!("seed {seed}"), passed, outputs })
}

fn report(cases: Vec<CaseReport>, tolerance: Tolerance) -> Report {
    let agreements = cases.iter().flat_map(|case| &case.outputs).map(|output| output.agreement);
    let worst = agreements
        .max_by(|a, b| a.not_finite.cmp(&b.not_finite).then(a.max_rel.total_cmp(&b.max_rel)));
    Report {
        engine: "tract".to_owned(),
        tolerance,
        bound: tolerance.bound(),
        passed: !cases.is_empty() && cases.iter().all(|case| case.passed),
        worst,
        cases,
    }
}

fn volume(dims: &[u32]) -> usize {
    dims.iter().map(|&d| d as usize).product()
}

/// The least step of rows and columns that leaves few enough values; all channels stay, so that
/// arg-max agreement can be told from the sample.
fn step(dims: &[u32]) -> u32 {
    let size = |step: u32| {
        let sizes = dims.iter().enumerate();
        sizes.map(|(i, &d)| if i < 2 { d } else { d.div_ceil(step) } as usize).product::<usize>()
    };
    let largest = dims.iter().skip(2).copied().max().unwrap_or(1).max(1);
    (1..=largest).find(|&step| size(step) <= RECORDED).unwrap_or(largest)
}

/// Every `step`-th row and column of `[N, C, H, W]`.
fn sample(tensor: &Tensor, step: u32) -> Tensor {
    let [n, c, h, w] = tensor.dims.as_slice() else { return tensor.clone() };
    let by = step.max(1) as usize;
    let rows = tensor.data.chunks((*w).max(1) as usize).enumerate();
    let rows = rows.filter(|(row, _)| (row % (*h).max(1) as usize).is_multiple_of(by));
    let data = rows.flat_map(|(_, row)| row.iter().step_by(by).copied()).collect();
    Tensor { dims: vec![*n, *c, h.div_ceil(by as u32), w.div_ceil(by as u32)], data }
}

/// The files of a package: the ONNX file, its report, its record.
#[must_use]
pub fn beside(onnx: &Path) -> [PathBuf; 2] {
    [onnx.with_extension("verify.json"), onnx.with_extension("check.safetensors")]
}

impl Verification {
    /// One line for people.
    #[must_use]
    pub fn summary(&self) -> String {
        let Report { passed, bound, tolerance, worst, cases, .. } = &self.report;
        let verdict = if *passed { "passed" } else { "FAILED" };
        let Some(worst) = worst else { return format!("{verdict}: there is nothing to compare") };
        let not_finite = match worst.not_finite {
            0 => String::new(),
            n => format!(", {n} values not finite"),
        };
        let against = match self.reference.as_str() {
            "tract" => "tract alone (not compared with libtorch)".to_owned(),
            other => format!("tract against {other}"),
        };
        format!(
            "{verdict}: {against} on {} inputs: max abs {:.2e}, max rel {:.2e} (bound {bound:.0e}, {}), arg-max agreement {:.4} %{not_finite}",
            cases.len(),
            worst.max_abs,
            worst.max_rel,
            tolerance.name(),
            worst.argmax_agreement * 100.0,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_keep_channels_and_first_rows() {
        let data: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let tensor = Tensor { dims: vec![1, 2, 3, 4], data };
        let sampled = sample(&tensor, 2);
        assert_eq!(sampled.dims, [1, 2, 2, 2]);
        assert_eq!(sampled.data, [0.0, 2.0, 8.0, 10.0, 12.0, 14.0, 20.0, 22.0]);
        assert_eq!(sample(&tensor, 1), tensor);
    }

    #[test]
    fn steps_bound_what_is_recorded() {
        assert_eq!(step(&[1, 7, 64, 64]), 1);
        assert_eq!(step(&[1, 19, 1024, 2048]), 25);
        assert_eq!(step(&[1, 100_000]), 1);
    }

    #[test]
    fn fnv1a_is_the_published_function() {
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
