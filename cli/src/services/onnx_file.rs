//! A network as an ONNX file, run in tract and compared with a reference before anybody gets it.

use std::path::{Path, PathBuf};

use nas_ir::network::{NetworkNode, Port};
use nas_ir::{Elements, Model, Network, Op, OpenSize, Opset, Precision, Tensor};
use nas_onnx::{Batch, EmitError, InputType, Resized};
use nas_passes::model::for_export;
use nas_tract::{CaseReport, Report, Tolerance, compare, seeded_inputs};
use tempfile::TempDir;

use super::answers::answered;
use super::form::Form;
use super::record::{Case, Record};
use super::reference::{LARGE, Reference, volume};
use super::runner::Runner;
use super::smaller::Smaller;
use super::source::io_reason;
use super::verification::{Nudge, Verification};
use crate::render::report::{Failure, counted};
use crate::tell;

/// By how much of itself each element of an input is moved, to see what becomes of rounding ([`Nudge::Millionth`]).
const NUDGE: f32 = 1e-6;
/// One element of so many is moved by a step ([`Nudge::Step`]).
const EACH: usize = 1000;
/// How many images a file of any number is tried on beside one.
const IMAGES: u32 = 3;

/// A network as a file, checked.
pub struct OnnxFile {
    /// The ONNX file.
    pub onnx: Vec<u8>,
    /// How it did against the reference.
    pub report: Verification,
    /// What it was given and has to answer.
    pub record: Record,
}

/// How an ONNX file is made.
pub struct Making<'a> {
    /// The form of the file.
    pub form: &'a Form,
    /// The operator set.
    pub opset: Opset,
    /// How far tract may be from the reference.
    pub tolerance: Tolerance,
    /// Keys and values for the file.
    pub provenance: Vec<(String, String)>,
    /// What it is tried on.
    pub on: TriedOn<'a>,
}

/// What a file is tried on before it is written.
#[derive(Debug, Clone, Copy)]
pub enum TriedOn<'a> {
    /// Drawn inputs; smaller ones of a network that is much to compute, if its file differs from that for these in sizes alone.
    Drawn,
    /// Drawn inputs of its own size.
    Whole,
    /// These pictures, each of one image for each input, normalised as the network takes them; drawn ones where they are too few.
    Pictures(&'a [Vec<Tensor>]),
}

/// Inputs of a file: a seed, how many images, and by how many steps height and width are larger than the network's own.
struct Trial {
    seed: u64,
    images: u32,
    steps: [u32; 2],
}

/// Writes a model as ONNX in memory, runs that in tract on seeded inputs and compares with what the reference makes of
/// another model that computes the same, before it was folded; where there is no reference, with tract itself. A report that
/// did not pass is no error here.
///
/// # Errors
/// The model cannot be written, or an engine fails.
pub fn onnx_file(
    model: &Model,
    exported: &Model,
    making: Making<'_>,
    reference: Option<&Reference>,
) -> Result<OnnxFile, Failure> {
    let Making { form, opset, tolerance, provenance, on } = making;
    let options = nas_onnx::Options {
        opset,
        numbers: form.numbers,
        levels: form.levels,
        batch: form.batch,
        open_size: form.open_size,
        inputs: form.inputs,
        answers: form.answers.clone(),
        lean: form.lean,
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        provenance: provenance.into_iter().chain(form.metadata(&exported.network)).collect(),
    };
    let onnx = nas_onnx::emit(exported, &options).map_err(Failure::problem)?;
    let smaller = match on {
        TriedOn::Drawn => Smaller::of(model, exported, &options, &onnx)?,
        TriedOn::Whole | TriedOn::Pictures(_) => None,
    };
    let (model, tried) = match &smaller {
        Some(smaller) => {
            // The sizes of the file itself are worked out, too, by an engine that holds them against those which it states.
            nas_tract::Model::check_sizes(&onnx).map_err(Failure::problem)?;
            (&smaller.model, &smaller.onnx)
        }
        None => (model, &onnx),
    };
    let file = File { onnx: tried, model, form, reference, on, open: open_size(model, form)? };
    let mut cases = Vec::new();
    let mut reports = Vec::new();
    let mut all_expected: Vec<Vec<Tensor>> = Vec::new();
    let trials = file.trials();
    for trial in &trials {
        let network = file.network(trial);
        let inputs = file.inputs(&network, trial);
        let loaded = file.load(&inputs)?;
        let actual = loaded.run(&inputs).map_err(Failure::problem)?;
        let (expected, answers) = match reference {
            Some(_) => {
                let expected = file.outputs(&network, &inputs)?;
                let answers = file.answers(&expected);
                (expected, answers)
            }
            None => (actual.clone(), actual.clone()),
        };
        let name = file.case_name(&network, trial);
        let names = port_names(loaded.outputs());
        let report = CaseReport::new(name.clone(), &names, &answers, &actual, tolerance);
        reports.push(report.map_err(Failure::problem)?);
        let named = |ports: &[nas_tract::Port], tensors: Vec<Tensor>| {
            ports.iter().map(|port| port.name.clone()).zip(tensors).collect()
        };
        let inputs = named(loaded.inputs(), inputs);
        let outputs = named(loaded.outputs(), answers);
        cases.push(Case { name, inputs, outputs });
        all_expected.push(expected);
    }
    let report = Report::new(tolerance, reports);
    let first_trial = Trial { seed: 1, images: file.images(), steps: [0, 0] };
    let own = file.network(&first_trial);
    let given = file.inputs(&own, &first_trial);
    let first = all_expected.first().map_or(&[][..], Vec::as_slice);
    let other = file.inputs(&own, &Trial { seed: 2, ..first_trial });
    let moved = apart(first, &file.outputs(&own, &other)?)?.into_iter().reduce(f64::min);
    let is_rounded = own.nodes.iter().any(|node| node.rounding.value.is_some());
    let nudge = if is_rounded { Nudge::Step } else { Nudge::Millionth };
    let nudged = if report.passed || form.inputs != InputType::Float {
        None
    } else {
        apart(first, &file.outputs(&own, &nudged(&own, given, nudge))?)?
            .into_iter()
            .reduce(f64::max)
    };
    let reference = reference.map_or_else(|| report.engine.clone(), |it| it.name.clone());
    let at = smaller.is_some().then(|| size_of(&model.network)).flatten();
    let resized = smaller.map(|smaller| smaller.resized);
    let record = Record { reference: reference.clone(), tolerance, cases, resized };
    let report = Verification { reference, report, moved, nudged, nudge, at };
    Ok(OnnxFile { onnx, report, record })
}

/// Tells that a file of floats is none of the integers that layers of a network are to compute with, if there are some.
pub fn tell_of_integers(network: &Network) {
    let is_layer = |node: &&NetworkNode| node.op.as_ref().is_some_and(Op::has_kernel);
    let layers = network.nodes.iter().filter(is_layer);
    let whole = layers.filter(|node| network.precision_of(node) == Precision::Int8).count();
    if whole > 0 {
        tell!(
            "note: the file computes with floats, also in {} of int8: `nasc int8` writes one of integers",
            counted(whole, "layer")
        );
    }
}

/// The model as it is written: after the passes for export.
///
/// # Errors
/// The model does not hold together.
pub fn folded(model: Model) -> Result<Model, Failure> {
    for_export(model).map_err(|unsound| Failure::problem(EmitError::from(unsound)))
}

/// The bytes of an ONNX file that computes what the model does, after the passes for export.
///
/// # Errors
/// The model cannot be written.
pub fn emit(model: Model, options: &nas_onnx::Options) -> Result<Vec<u8>, Failure> {
    nas_onnx::emit(&folded(model)?, options).map_err(Failure::problem)
}

/// Which sizes the file takes, if it leaves them open.
fn open_size(model: &Model, form: &Form) -> Result<Option<OpenSize>, Failure> {
    let open = form.open_size.then(|| OpenSize::of(&model.network)).transpose();
    open.map_err(|closed| Failure::problem(EmitError::closed(&model.network, &closed)))
}

/// A file that is checked, and what it is checked with.
struct File<'a> {
    onnx: &'a [u8],
    model: &'a Model,
    form: &'a Form,
    reference: Option<&'a Reference>,
    on: TriedOn<'a>,
    open: Option<OpenSize>,
}

impl File<'_> {
    /// How many images it takes at once; of any number one.
    fn images(&self) -> u32 {
        match self.form.batch {
            Batch::Of(images) => images.get(),
            Batch::Open => 1,
        }
    }

    /// Two seeds, of large inputs one; and where something is open, more images and a larger size.
    fn trials(&self) -> Vec<Trial> {
        let network = &self.model.network;
        let elements: usize = network
            .inputs
            .iter()
            .map(|port| volume(&network.port_shape(port).batched(self.images())))
            .sum();
        let mut trials: Vec<Trial> = (1..=if elements > LARGE { 1 } else { 2 })
            .map(|seed| Trial { seed, images: self.images(), steps: [0, 0] })
            .collect();
        let mut more = |images, steps| {
            let seed = trials.len() as u64 + 1;
            trials.push(Trial { seed, images, steps });
        };
        if self.form.batch == Batch::Open {
            more(IMAGES, [0, 0]);
        }
        if self.open.is_some() {
            more(self.images(), [2, 1]);
        }
        trials
    }

    fn case_name(&self, network: &Network, trial: &Trial) -> String {
        let of = if self.pictures(trial).is_some() { "picture" } else { "seed" };
        let mut name = format!("{of} {}", trial.seed);
        if self.form.batch == Batch::Open && trial.images > 1 {
            name += &format!(", {} images", trial.images);
        }
        if let Some([height, width]) = size_of(network).filter(|_| trial.steps != [0, 0]) {
            name += &format!(", {height} x {width}");
        }
        name
    }

    /// The network for inputs of the size of a trial.
    fn network(&self, trial: &Trial) -> Network {
        match &self.open {
            Some(open) => open.enlarged(&self.model.network, trial.steps),
            None => self.model.network.clone(),
        }
    }

    /// The inputs of a trial, as the file takes them: of pictures that it normalises itself, numbers of their range.
    fn inputs(&self, network: &Network, trial: &Trial) -> Vec<Tensor> {
        let shapes: Vec<Vec<u32>> = network
            .inputs
            .iter()
            .map(|port| network.port_shape(port).batched(trial.images))
            .collect();
        let drawn = self.pictures(trial).unwrap_or_else(|| seeded_inputs(&shapes, trial.seed));
        network.inputs.iter().zip(&drawn).map(|(port, tensor)| self.input(port, tensor)).collect()
    }

    /// Pictures for a trial, as many as it takes, if there are enough.
    fn pictures(&self, trial: &Trial) -> Option<Vec<Tensor>> {
        let TriedOn::Pictures(pictures) = self.on else { return None };
        let first = usize::try_from(trial.seed).ok()?.checked_sub(1)?;
        let some: Vec<&Vec<Tensor>> =
            pictures.iter().cycle().skip(first).take(trial.images as usize).collect();
        let is_own = trial.steps == [0, 0] && some.len() == trial.images as usize;
        let ports = 0..self.model.network.inputs.len();
        let joined = |port: usize| -> Option<Tensor> {
            let parts: Vec<&Tensor> = some.iter().filter_map(|images| images.get(port)).collect();
            let mut dims = parts.first()?.dims.clone();
            *dims.first_mut()? = trial.images;
            let floats = parts.iter().filter_map(|part| part.floats()).flatten().copied();
            Some(Tensor::of_floats(dims, floats.collect()))
        };
        if is_own { ports.map(joined).collect() } else { None }
    }

    /// Standard normal numbers, which stand for normalised images, as an input of the file.
    fn input(&self, port: &Port, tensor: &Tensor) -> Tensor {
        let given = self.form.given(&port.name, tensor);
        if self.form.inputs == InputType::Float {
            return given;
        }
        let is_normalised = self.form.normalised.iter().any(|by| by.input == port.name);
        let byte = |&x: &f32| (if is_normalised { x } else { x * 64.0 + 128.0 }).round() as u8;
        let bytes = given.floats().unwrap_or_default().iter().map(byte).collect();
        Tensor { dims: given.dims, elements: Elements::U8(bytes) }
    }

    /// tract with the file, for inputs of these sizes.
    fn load(&self, inputs: &[Tensor]) -> Result<nas_tract::Model, Failure> {
        let is_open = self.form.batch == Batch::Open || self.form.open_size;
        let loaded = if is_open {
            let sizes: Vec<Vec<u32>> = inputs.iter().map(|input| input.dims.clone()).collect();
            nas_tract::Model::load_for(self.onnx, &sizes)
        } else {
            nas_tract::Model::load(self.onnx)
        };
        loaded.map_err(Failure::problem)
    }

    /// What the reference makes of inputs, or tract where there is none; answers aside.
    fn outputs(&self, network: &Network, inputs: &[Tensor]) -> Result<Vec<Tensor>, Failure> {
        let Some(reference) = self.reference else {
            let outputs = self.load(inputs)?.run(inputs).map_err(Failure::problem)?;
            return Ok(outputs);
        };
        let model = Model { network: network.clone(), weights: self.model.weights.clone() };
        let floats: Vec<Tensor> = inputs.iter().map(as_floats).collect();
        (reference.run)(&model, &floats)
    }

    /// What the file answers of these outputs.
    fn answers(&self, outputs: &[Tensor]) -> Vec<Tensor> {
        let answer = |place: usize| self.form.answers.get(place).copied().unwrap_or_default();
        let all = outputs.iter().enumerate();
        all.flat_map(|(place, output)| answered(output, answer(place))).collect()
    }
}

/// The height and width of the first input that has them.
fn size_of(network: &Network) -> Option<[u32; 2]> {
    network.inputs.iter().find_map(|port| network.port_shape(port).plane())
}

/// Bytes as the floats that a file makes of them.
fn as_floats(input: &Tensor) -> Tensor {
    match &input.elements {
        Elements::U8(bytes) => {
            Tensor::of_floats(input.dims.clone(), bytes.iter().copied().map(f32::from).collect())
        }
        _ => input.clone(),
    }
}

/// How far each output is from another run's, of its largest value.
fn apart(one: &[Tensor], other: &[Tensor]) -> Result<Vec<f64>, Failure> {
    let compared = one.iter().zip(other).map(|(one, other)| compare(one, other));
    let compared = compared.map(|far| Ok(far.map_err(Failure::problem)?.max_rel));
    compared.collect()
}

/// Inputs that are all but the same: each element moved by [`NUDGE`] of itself, up and down in turn, or one of [`EACH`] by a
/// step towards 0, which leaves no range.
fn nudged(network: &Network, mut inputs: Vec<Tensor>, nudge: Nudge) -> Vec<Tensor> {
    for (port, input) in network.inputs.iter().zip(&mut inputs) {
        let grid = network.node(port.node).and_then(|node| node.rounding.value);
        for (number, value) in input.floats_mut().into_iter().flatten().enumerate() {
            match (nudge, grid) {
                (Nudge::Step, Some(grid)) if number % EACH == 0 => {
                    *value += if *value > 0.0 { -grid.step } else { grid.step };
                }
                (Nudge::Step, Some(_)) => {}
                _ => *value *= if number % 2 == 0 { 1.0 + NUDGE } else { 1.0 - NUDGE },
            }
        }
    }
    inputs
}

/// The names of ports, in their order.
fn port_names(ports: &[nas_tract::Port]) -> Vec<String> {
    ports.iter().map(|port| port.name.clone()).collect()
}

/// A file that is held against its record.
#[derive(Clone, Copy)]
pub struct Recorded<'a> {
    /// The ONNX file, and its path.
    pub onnx: &'a [u8],
    /// Where it is.
    pub path: &'a Path,
    /// What is recorded of it, and where.
    pub record: &'a Record,
    /// The path of the record.
    pub record_path: &'a str,
}

/// How a file does on what a record says of it, in tract or in the user's engine; a tolerance that is given counts instead
/// of the recorded one.
///
/// # Errors
/// The record is of another model, or the engine fails.
pub fn repeat(
    file: &Recorded<'_>,
    tolerance: Option<Tolerance>,
    runner: Option<&Runner>,
) -> Result<Verification, Failure> {
    let Recorded { record, .. } = file;
    let tolerance = tolerance.unwrap_or(record.tolerance);
    let resized = record.resized.as_ref().map(|resized| Cut::write(file, resized)).transpose()?;
    let at = resized.is_some().then(|| size_of_case(record)).flatten();
    let file = &resized.as_ref().map_or(*file, |cut| Recorded {
        onnx: &cut.onnx,
        path: &cut.path,
        ..*file
    });
    let mut reports = Vec::new();
    for case in &record.cases {
        let [inputs, expected] = [&case.inputs, &case.outputs].map(|ports| -> Vec<Tensor> {
            ports.iter().map(|(_, tensor)| tensor.clone()).collect()
        });
        let actual = match runner {
            Some(runner) => runner.run(file.path, &inputs)?,
            None => file.in_tract(case, &inputs)?,
        };
        let names: Vec<String> = case.outputs.iter().map(|(name, _)| name.clone()).collect();
        let report = CaseReport::new(case.name.clone(), &names, &expected, &actual, tolerance);
        reports.push(report.map_err(Failure::problem)?);
    }
    let report = match runner {
        Some(runner) => Report::of_engine(runner.text().to_owned(), tolerance, reports),
        None => Report::new(tolerance, reports),
    };
    Ok(Verification { at, ..Verification::new(record.reference.clone(), report) })
}

/// A file for inputs of the size of its record, in a folder of its own.
struct Cut {
    onnx: Vec<u8>,
    path: PathBuf,
    /// It is removed with this.
    _folder: TempDir,
}

impl Cut {
    fn write(file: &Recorded<'_>, resized: &Resized) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::input(io_reason(&error));
        let onnx = resized.apply(file.onnx).map_err(Failure::problem)?;
        let folder = tempfile::tempdir().map_err(failed)?;
        let path = folder.path().join(file.path.file_name().unwrap_or_default());
        std::fs::write(&path, &onnx).map_err(failed)?;
        Ok(Self { onnx, path, _folder: folder })
    }
}

/// The height and width of the first recorded input that has them.
fn size_of_case(record: &Record) -> Option<[u32; 2]> {
    let inputs = record.cases.iter().flat_map(|case| &case.inputs);
    inputs.filter_map(|(_, input)| input.dims.get(2..)?.try_into().ok()).next()
}

impl Recorded<'_> {
    /// What tract makes of the inputs of a case, whose ports have to be those of the model.
    fn in_tract(&self, case: &Case, inputs: &[Tensor]) -> Result<Vec<Tensor>, Failure> {
        let sizes: Vec<Vec<u32>> = inputs.iter().map(|input| input.dims.clone()).collect();
        let model = nas_tract::Model::load_for(self.onnx, &sizes).map_err(Failure::problem)?;
        for (side, recorded, ports) in
            [("inputs", &case.inputs, model.inputs()), ("outputs", &case.outputs, model.outputs())]
        {
            let needed: Vec<String> = recorded.iter().map(|(name, _)| name.clone()).collect();
            let found = port_names(ports);
            if found != needed {
                let [needed, found] = [needed, found].map(|names| {
                    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
                });
                let why = format!("its {side} are {needed}, and those of the model {found}");
                return Err(Record::faulty(self.record_path, why));
            }
        }
        model.run(inputs).map_err(Failure::problem)
    }
}

#[cfg(test)]
mod tests {
    use nas_ir::ops::Relu;
    use nas_ir::{Grid, Shape, Weights};

    use super::*;
    use crate::services::reference::{Calibrate, Run};

    const GRID: Grid = Grid { step: 0.05, zero: 128 };

    /// A network that rounds its input and its value.
    fn rounding() -> Model {
        let shape = Shape::from([3, 8, 8]);
        let input = NetworkNode::new("x", None, Vec::new(), shape);
        let relu = NetworkNode::new("relu.0", Some(Op::Relu(Relu)), vec![0], shape);
        let mut nodes = vec![input, relu];
        nodes.iter_mut().for_each(|node| node.rounding.value = Some(GRID));
        let port = |name: &str, node| vec![Port { name: name.to_owned(), node }];
        let (inputs, outputs) = (port("x", 0), port("y", 1));
        let network = Network { nodes, inputs, outputs, ..Network::default() };
        Model { network, weights: Weights::new() }
    }

    /// The value of the network, times a factor.
    fn times(inputs: &[Tensor], factor: f32) -> Result<Vec<Tensor>, Failure> {
        let mut outputs = inputs.to_vec();
        for value in outputs.iter_mut().filter_map(Tensor::floats_mut).flatten() {
            *value = GRID.round(f64::from(*value)).max(0.0) as f32 * factor;
        }
        Ok(outputs)
    }

    fn wrong(_: &Model, inputs: &[Tensor]) -> Result<Vec<Tensor>, Failure> {
        times(inputs, 1.2)
    }

    /// Another factor for each step that an input moves by, and the same for less.
    fn chaotic(_: &Model, inputs: &[Tensor]) -> Result<Vec<Tensor>, Failure> {
        let numbers = inputs.iter().filter_map(Tensor::floats).flatten();
        let levels: u32 = numbers.map(|&x| u32::from(GRID.level(f64::from(x)))).sum();
        times(inputs, 1.2 + (levels % 7) as f32 / 10.0)
    }

    /// A network of integers that makes much of a step is told from one that is computed otherwise.
    #[test]
    fn what_a_step_becomes_says_whether_integers_are_at_fault() {
        let model = rounding();
        let told = |run: Run| {
            let calibrate: Calibrate = |model, _| Ok(model);
            let reference = Reference { name: "a test".to_owned(), run, calibrate };
            let making = Making {
                form: &Form::default(),
                opset: nas_onnx::Options::default().opset,
                tolerance: Tolerance::Coarse,
                provenance: Vec::new(),
                on: TriedOn::Drawn,
            };
            let made = onnx_file(&model, &model, making, Some(&reference)).unwrap();
            made.report.failure("net.onnx", "a fault", "none").summary()
        };
        assert!(told(wrong).contains("does not answer as a test does"), "{}", told(wrong));
        assert!(told(chaotic).contains("changes by a step"), "{}", told(chaotic));
    }
}
