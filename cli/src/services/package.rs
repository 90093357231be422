//! A network as a verified ONNX file with the record that `nasc verify` repeats the check from.
//!
//! Beside `NAME.onnx` lie `NAME.verify.json`, the report of the check, and
//! `NAME.check.safetensors`: for each seeded input the reference outputs at every so many rows and
//! columns, as tensors `seed.SEED/OUTPUT`, with a [`Record`] as its note.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use miette::Diagnostic;
use nas_ir::fnv::fnv1a;
use nas_ir::{Network, Opset, Tensor, Weights};
use nas_onnx::EmitError;
use nas_passes::model::for_export;
use nas_tract::{CaseReport, Model, Report, Tolerance, compare, seeded_inputs};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::expected::Expected;
use super::weights_file;
use crate::render::report::Failure;

/// The most values of a case that are recorded, about.
const RECORDED: usize = 1 << 16;
/// Inputs with more elements are large: one case is enough.
const LARGE: usize = 1_000_000;
/// By how much of itself each element of an input is moved, to see what becomes of rounding.
const NUDGE: f32 = 1e-6;
/// The seed of the pictures that fresh weights are calibrated on.
const CALIBRATION: u64 = 0;
/// How many these are, of small inputs and of large ones.
const PICTURES: [u32; 2] = [8, 2];
/// How many times the bound an output should move with its input.
const MOVES: f64 = 10.0;
/// How far a nudge must move outputs for the weights to amplify it: thirty times as far as itself.
const ILL: f64 = 3e-5;
/// How many times what a nudge moves engines may differ by for no other reason: they round at each layer.
const AMPLIFIED: f64 = 10.0;
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
    /// What the outputs were compared with: the name of a [`Reference`], or tract itself where
    /// there was none.
    pub reference: String,
    /// The report.
    #[serde(flatten)]
    pub report: Report,
    /// How far outputs move where their input is another one, of the largest value: of the output that
    /// moves least. Agreement proves little where this is not far above the bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<f64>,
    /// How far those of the reference move if the input moves by `NUDGE`, where engines differ by more than
    /// the bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nudged: Option<f64>,
}

/// The note of a check file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this record.
    pub format: u32,
    /// What computed the outputs, as in [`Verification`].
    pub reference: String,
    /// How far results may be from them.
    pub tolerance: Tolerance,
    /// The seeds of the inputs, as [`seeded_inputs`] takes them.
    pub seeds: Vec<u64>,
    /// For each output, the step of rows and columns at which it is recorded.
    pub steps: Vec<u32>,
}

/// How an ONNX file is made.
pub struct Making {
    /// The operator set.
    pub opset: Opset,
    /// How far tract may be from the reference.
    pub tolerance: Tolerance,
    /// Keys and values for the file.
    pub provenance: Vec<(String, String)>,
}

/// What computes the outputs that those of tract are compared with.
pub struct Reference {
    /// Its name and version.
    pub name: String,
    /// What runs a model.
    pub run: Run,
    /// What sets fresh weights by some pictures.
    pub calibrate: Calibrate,
}

/// The outputs of a model on these inputs.
pub type Run = fn(&nas_ir::Model, &[Tensor]) -> Result<Vec<Tensor>, Failure>;

/// A model with weights that bring the values of its layers on these pictures to order 1.
pub type Calibrate = fn(nas_ir::Model, &[Tensor]) -> Result<nas_ir::Model, Failure>;

/// Outputs that are too far from the reference, as are its own on all but the same input.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "{file} was not written: with these weights the network is ill-conditioned: {engine} and {reference} differ \
     by {found:.1e} of the largest value, and {reference} alone by {moved:.1e} if its input changes by a millionth"
)]
#[diagnostic(code(nas::verify::ill_conditioned), help("{help}"))]
pub struct IllConditioned {
    /// The ONNX file.
    pub file: String,
    /// What ran it.
    pub engine: String,
    /// What it was compared with.
    pub reference: String,
    /// How far they are apart.
    pub found: f64,
    /// How far the reference moves.
    pub moved: f64,
    /// What would help.
    pub help: String,
}

/// Outputs that are too far from the reference.
#[derive(Debug, Error, Diagnostic)]
#[error("{file} was not written: {engine} does not answer as {reference} does:{outputs}")]
#[diagnostic(code(nas::verify::differs), help("{help}"))]
pub struct Differs {
    /// The ONNX file.
    pub file: String,
    /// What ran it.
    pub engine: String,
    /// What it was compared with.
    pub reference: String,
    /// The outputs that are too far off, a line each.
    pub outputs: String,
    /// What would help.
    pub help: String,
}

/// A file that is no record of an export, or of another model.
#[derive(Debug, Error, Diagnostic)]
#[error("`{file}` is no record of this model: {why}")]
#[diagnostic(
    code(nas::verify::record),
    help("give by `--check` the NAME.check.safetensors that `nasc export` wrote with the model")
)]
pub struct NotARecord {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

/// Reads the name of a tolerance.
#[must_use]
pub fn tolerance_parser() -> impl TypedValueParser<Value = Tolerance> {
    let names = PossibleValuesParser::new(Tolerance::ALL.map(Tolerance::name));
    names.map(|name| {
        let named = Tolerance::ALL.into_iter().find(|tolerance| tolerance.name() == name);
        named.unwrap_or(Tolerance::Export)
    })
}

/// Where a network is from and what it expects, as the file says it. Only what is the same on every
/// machine.
#[must_use]
pub fn provenance(
    network: &Network,
    sources: &[(String, Vec<u8>)],
    weights: &str,
    expected: Option<&Expected>,
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
    .chain(expected.and_then(Expected::metadata))
    .collect()
}

/// Folds what is folded for export, writes the model as ONNX in memory, runs that in tract on seeded inputs and compares with
/// the reference; where there is none, with tract itself. A report that did not pass is no error
/// here.
///
/// # Errors
/// The model cannot be written, or an engine fails.
pub fn package(
    model: &nas_ir::Model,
    making: Making,
    reference: Option<&Reference>,
) -> Result<Package, Failure> {
    let Making { opset, tolerance, provenance } = making;
    let options = nas_onnx::Options {
        opset,
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        provenance,
        ..nas_onnx::Options::default()
    };
    let onnx = emit(model.clone(), &options)?;
    let loaded = Model::load(&onnx).map_err(Failure::problem)?;
    let network = &model.network;
    let (inputs, outputs) = (shapes(network, &network.inputs), shapes(network, &network.outputs));
    let elements: usize = inputs.iter().map(|dims| volume(dims)).sum();
    let seeds: Vec<u64> = if elements > LARGE { vec![1] } else { vec![1, 2] };
    let steps: Vec<u32> = outputs.iter().map(|dims| step(dims)).collect();
    let mut recorded = Weights::new();
    let mut cases = Vec::new();
    let run = |inputs: &[Tensor]| match reference {
        Some(reference) => (reference.run)(model, inputs),
        None => loaded.run(inputs).map_err(Failure::problem),
    };
    let mut all_expected = Vec::new();
    for &seed in &seeds {
        let inputs = seeded_inputs(&inputs, seed);
        let actual = loaded.run(&inputs).map_err(Failure::problem)?;
        let expected = match reference {
            Some(_) => run(&inputs)?,
            None => actual.clone(),
        };
        for ((port, tensor), step) in network.outputs.iter().zip(&expected).zip(&steps) {
            recorded.insert(format!("seed.{seed}/{}", port.name), sample(tensor, *step));
        }
        cases.push(judge(&loaded, seed, &expected, &actual, tolerance)?);
        all_expected.push(expected);
    }
    let report = Report::new(tolerance, cases);
    let first = all_expected.first().map_or(&[][..], Vec::as_slice);
    let other = match all_expected.get(1) {
        Some(other) => other,
        None => &run(&seeded_inputs(&inputs, 2))?,
    };
    let moved = apart(first, other)?.into_iter().reduce(f64::min);
    let nudged = if report.passed {
        None
    } else {
        apart(first, &run(&nudged(seeded_inputs(&inputs, 1)))?)?.into_iter().reduce(f64::max)
    };
    let reference = reference.map_or_else(|| report.engine.clone(), |it| it.name.clone());
    let record = Record { format: FORMAT, reference: reference.clone(), tolerance, seeds, steps };
    let note = serde_json::to_string(&record).map_err(|e| Failure::input(e.to_string()))?;
    let check = nas_safetensors::to_bytes(&recorded, Some(&note))
        .map_err(|error| Failure::input(error.to_string()))?;
    Ok(Package { onnx, report: Verification { reference, report, moved, nudged }, check })
}

/// How far each output is from another run's, of its largest value.
fn apart(one: &[Tensor], other: &[Tensor]) -> Result<Vec<f64>, Failure> {
    let compared = one.iter().zip(other).map(|(one, other)| compare(one, other));
    let compared = compared.map(|far| Ok(far.map_err(Failure::problem)?.max_rel));
    compared.collect()
}

/// Each element moved by [`NUDGE`] of itself, up and down in turn.
fn nudged(mut inputs: Vec<Tensor>) -> Vec<Tensor> {
    for values in inputs.iter_mut().filter_map(Tensor::floats_mut) {
        for (number, value) in values.iter_mut().enumerate() {
            *value *= if number % 2 == 0 { 1.0 + NUDGE } else { 1.0 - NUDGE };
        }
    }
    inputs
}

/// A network with fresh weights, and what they are, in words: those of a seed, calibrated where there is a
/// reference that can.
///
/// # Errors
/// The reference fails.
pub fn fresh(
    network: Network,
    seed: u64,
    reference: Option<&Reference>,
) -> Result<(nas_ir::Model, String), Failure> {
    let inputs = shapes(&network, &network.inputs);
    let model = weights_file::initial(network, seed);
    let Some(reference) = reference else { return Ok((model, format!("fresh, seed {seed}"))) };
    let elements: usize = inputs.iter().map(|dims| volume(dims)).sum();
    let [small, large] = PICTURES;
    let count = if elements > LARGE { large } else { small };
    let batches = inputs.into_iter().map(|mut dims| {
        dims.iter_mut().take(1).for_each(|batch| *batch = count);
        dims
    });
    let pictures = seeded_inputs(&batches.collect::<Vec<_>>(), CALIBRATION);
    let model = (reference.calibrate)(model, &pictures)?;
    Ok((model, format!("fresh, seed {seed}, calibrated")))
}

/// The bytes of an ONNX file that computes what the model does, after the passes for export.
///
/// # Errors
/// The model cannot be written.
pub fn emit(model: nas_ir::Model, options: &nas_onnx::Options) -> Result<Vec<u8>, Failure> {
    let model = for_export(model).map_err(|unsound| Failure::problem(EmitError::from(unsound)))?;
    nas_onnx::emit(&model, options).map_err(Failure::problem)
}

/// The shapes of ports, with a batch of one.
fn shapes(network: &Network, ports: &[nas_ir::network::Port]) -> Vec<Vec<u32>> {
    ports.iter().map(|port| network.port_shape(port).batched(1)).collect()
}

/// How a model does on what a check file records of another; a tolerance that is given counts
/// instead of the recorded one.
///
/// # Errors
/// The file is no check file, or is not for this model; tract fails.
pub fn repeat(
    onnx: &[u8],
    check: &[u8],
    file: &str,
    tolerance: Option<Tolerance>,
) -> Result<Verification, Failure> {
    let faulty = |why: String| Failure::problem(NotARecord { file: file.to_owned(), why });
    let recorded = weights_file::tensors(check, file)?;
    let note = nas_safetensors::note(check).map_err(|error| faulty(error.to_string()))?;
    let note = note.ok_or_else(|| faulty("it was not written by `nasc export`".to_owned()))?;
    let record: Record = serde_json::from_str(&note).map_err(|e| faulty(e.to_string()))?;
    if record.format != FORMAT {
        return Err(faulty(format!("its format is {}, this nasc reads {FORMAT}", record.format)));
    }
    let model = Model::load(onnx).map_err(Failure::problem)?;
    let shapes: Vec<&[u32]> = model.inputs().iter().map(|port| port.dims.as_slice()).collect();
    if record.steps.len() != model.outputs().len() {
        let (found, needed) = (record.steps.len(), model.outputs().len());
        return Err(faulty(format!("it is of {found} outputs, the model has {needed}")));
    }
    let tolerance = tolerance.unwrap_or(record.tolerance);
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
        cases.push(judge(&model, seed, &expected, &sampled, tolerance)?);
    }
    let (reference, report) = (record.reference, Report::new(tolerance, cases));
    Ok(Verification { reference, report, moved: None, nudged: None })
}

fn judge(
    model: &Model,
    seed: u64,
    expected: &[Tensor],
    actual: &[Tensor],
    tolerance: Tolerance,
) -> Result<CaseReport, Failure> {
    let name = format!("seed {seed}");
    CaseReport::new(name, model.outputs(), expected, actual, tolerance).map_err(Failure::problem)
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
    let ([n, c, h, w], Some(floats)) = (tensor.dims.as_slice(), tensor.floats()) else {
        return tensor.clone();
    };
    let by = step.max(1) as usize;
    let rows = floats.chunks((*w).max(1) as usize).enumerate();
    let rows = rows.filter(|(row, _)| (row % (*h).max(1) as usize).is_multiple_of(by));
    let data = rows.flat_map(|(_, row)| row.iter().step_by(by).copied()).collect();
    Tensor::of_floats([*n, *c, h.div_ceil(by as u32), w.div_ceil(by as u32)], data)
}

/// The files beside an ONNX file: its report and its record. Their names are that of the file without
/// `.onnx`, so that `net.v1` and `net.v2` have their own.
#[must_use]
pub fn beside(onnx: &Path) -> [PathBuf; 2] {
    let name = onnx.file_name().unwrap_or_default();
    let is_onnx = onnx.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"));
    let stem = if is_onnx { onnx.file_stem().unwrap_or(name) } else { name };
    ["verify.json", "check.safetensors"].map(|kind| {
        let mut name = stem.to_owned();
        name.push(".");
        name.push(kind);
        onnx.with_file_name(name)
    })
}

impl Verification {
    /// One line for people.
    #[must_use]
    pub fn summary(&self) -> String {
        let Report { engine, passed, bound, tolerance, worst, cases, .. } = &self.report;
        let verdict = if *passed { "passed" } else { "FAILED" };
        let Some(worst) = worst else { return format!("{verdict}: there is nothing to compare") };
        let not_finite = match worst.not_finite {
            0 => String::new(),
            n => format!(", {n} values not finite"),
        };
        let against = if self.reference == *engine {
            format!("{engine} alone (not compared with libtorch)")
        } else {
            format!("{engine} against {}", self.reference)
        };
        format!(
            "{verdict}: {against} on {} inputs: max abs {:.2e}, max rel {:.2e} (bound {bound:e}, {}), arg-max agreement {:.4} %{not_finite}",
            cases.len(),
            worst.max_abs,
            worst.max_rel,
            tolerance.name(),
            worst.argmax_agreement * 100.0,
        )
    }

    /// Each output that is too far off, on a line of its own.
    #[must_use]
    pub fn failures(&self) -> String {
        let Report { tolerance, bound, cases, .. } = &self.report;
        let mut lines = String::new();
        for case in cases {
            for output in case.outputs.iter().filter(|output| !output.passed) {
                let (name, far) = (&output.name, &output.agreement);
                let off = match far.not_finite {
                    0 => format!(
                        "differs by {:.2e}, {:.2e} of its largest value; `{}` allows {bound:e}",
                        far.max_abs,
                        far.max_rel,
                        tolerance.name()
                    ),
                    n => format!("has {n} values that are not finite"),
                };
                lines += &format!("\n  output `{name}` on the input of {}: {off}", case.name);
            }
        }
        lines
    }

    /// What agreement does not prove, where the outputs hardly depend on the input.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        let moved = self.moved.filter(|&moved| moved <= MOVES * self.report.bound)?;
        Some(format!(
            "warning: another input changes an output by no more than {moved:.1e} of its largest value, so that \
             the comparison proves little"
        ))
    }

    /// Why a file was not written; `remedy` is what helps where the weights amplify what differs.
    #[must_use]
    pub fn failure(&self, file: &str, help: &str, remedy: &str) -> Failure {
        let found = self.report.worst.map_or(0.0, |worst| worst.max_rel);
        let is_finite = self.report.worst.is_some_and(|worst| worst.not_finite == 0);
        if let Some(moved) =
            self.nudged.filter(|&moved| is_finite && moved >= ILL.max(found / AMPLIFIED))
        {
            return Failure::problem(IllConditioned {
                file: file.to_owned(),
                engine: self.report.engine.clone(),
                reference: self.reference.clone(),
                found,
                moved,
                help: remedy.to_owned(),
            });
        }
        Failure::problem(Differs {
            file: file.to_owned(),
            engine: self.report.engine.clone(),
            reference: self.reference.clone(),
            outputs: self.failures(),
            help: help.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_that_hardly_move_are_doubted() {
        let report = Report::new(Tolerance::Export, Vec::new());
        let moved = |moved| {
            let report = report.clone();
            Verification { reference: String::new(), report, moved, nudged: None }.doubt()
        };
        assert!(moved(Some(2.9e-3)).unwrap().contains("proves little"));
        assert_eq!([moved(Some(3.1e-3)), moved(None)], [None, None]);
    }

    #[test]
    fn samples_keep_channels_and_first_rows() {
        let data: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let tensor = Tensor::of_floats([1, 2, 3, 4], data);
        let sampled = sample(&tensor, 2);
        assert_eq!(sampled.dims, [1, 2, 2, 2]);
        assert_eq!(sampled.floats().unwrap(), [0.0, 2.0, 8.0, 10.0, 12.0, 14.0, 20.0, 22.0]);
        assert_eq!(sample(&tensor, 1), tensor);
    }

    #[test]
    fn steps_bound_what_is_recorded() {
        assert_eq!(step(&[1, 7, 64, 64]), 1);
        assert_eq!(step(&[1, 19, 1024, 2048]), 25);
        assert_eq!(step(&[1, 100_000]), 1);
    }
}
