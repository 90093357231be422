//! `nasc export --package`: a folder with all that whoever runs a network needs.

mod readme;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nas_files::sha256;
use nas_ir::{Model, Network, Opset, Tensor};
use nas_onnx::{Answer, Batch, InputType, Numbers};
use nas_search::evaluator::Split;
use nasc::commands::export::{ExportArgs, opset};
use nasc::render::report::{Failure, counted};
use nasc::services::expected::Expected;
use nasc::services::files::{check_folder, write_together};
use nasc::services::form::{FileSize, Form, OneSize, formed};
use nasc::services::npy;
use nasc::services::onnx_file::{Making, OnnxFile, TriedOn, folded, onnx_file};
use nasc::services::package::{
    FORMAT, MANIFEST, Made, Manifest, Measured, ModelInfo, PortInfo, SUMS, VectorInfo, files_of,
    manifest, sums,
};
use nasc::services::pick::Which;
use nasc::services::provenance::provenance;
use nasc::services::record::Case;
use nasc::services::weights_file;
use nasc::{outln, tell};
use serde_json::{Map, Value, json};

use crate::engine::{FileEngine, score_file};
use crate::integers::{Integers, integers};
use crate::integers_file::REMEDY;
use crate::reference::libtorch;
use crate::training::Training;

/// How often a model is run before it is timed, and then.
const RUNS: [usize; 2] = [3, 15];
/// How many images there are for test vectors.
const PICTURES: usize = 8;
/// What to do about outputs that differ.
const HELP: &str = "export the model of that precision alone by `nasc export --precision` or `nasc int8`, and allow more by \
                    `--tolerance`";

/// The files of a package, by their names from its folder.
type Files = BTreeMap<String, Vec<u8>>;

/// What all models of a package have in common.
struct Package<'a> {
    args: &'a ExportArgs,
    training: &'a Training,
    network: Network,
    /// The network as it is written.
    folded: Network,
    expected: Option<Expected>,
    opset: Opset,
    /// Whether there are data to score on.
    has_data: bool,
    /// Validation images on which the models are tried; none where there are no data.
    pictures: Vec<Vec<Tensor>>,
    /// The file name of the weights.
    weights: String,
}

/// Writes the package; on failure nothing.
///
/// # Errors
/// The inputs are at fault, something else is in the folder, or tract and libtorch do not agree.
pub(crate) fn run(args: &ExportArgs, folder: &Path) -> Result<(), Failure> {
    check_folder(folder, "a package", |folder| manifest(folder).is_ok())?;
    let mut files = Files::new();
    let licence = args.licence.as_deref().map(|path| licence(path, &mut files)).transpose()?;
    let ExportArgs { file, recipe, space, arch, .. } = args;
    let (training, network) =
        Training::load_network(file, recipe, space.as_deref(), Which::Named(arch), None)?;
    if args.form.size == FileSize::Dynamic {
        OneSize::refuse(&network, &training.space)?;
    }
    let weights =
        args.weights.as_deref().ok_or_else(|| Failure::input("a package needs weights"))?;
    let weights_bytes = nas_files::read(weights)
        .map_err(|error| Failure::input(format!("{}: {error}", weights.display())))?;
    let model = weights_file::load_for_use(network.clone(), weights, args.names.as_deref())?;
    let asked = args.opset.map(nas_onnx::operator_set).transpose().map_err(Failure::problem)?;
    let opset = opset(asked, training.space.device.opset);
    let data = training.dataset();
    match &data {
        Ok(_) => nas_onnx::Integers::check(opset).map_err(Failure::problem)?,
        Err(missing) => tell!(
            "note: there are no data ({}), so the package has no model of integers and tells no metrics",
            missing.summary()
        ),
    }
    let expected = match data {
        Ok(_) => training.expected_with(&network, weights)?,
        Err(_) => Expected::beside(weights),
    };
    let weights = weights.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let package = Package {
        args,
        training: &training,
        network,
        folded: folded(model.clone())?.network,
        expected,
        opset,
        has_data: data.is_ok(),
        pictures: if data.is_ok() { pictures(&training)? } else { Vec::new() },
        weights: weights.clone(),
    };
    let mut models = Vec::new();
    let mut ports = (Vec::new(), Vec::new());
    let mut preprocessing = None;
    for precision in ["fp32", "fp16", "int8"] {
        if precision == "int8" && !package.has_data {
            continue;
        }
        let (info, form, expected) = package.model(precision, &model, &mut files)?;
        tell!("{precision}: {}", told(&info));
        if precision == "fp32" {
            ports = package.ports(&form);
            preprocessing = expected;
            if package.has_data && !form.answers_values() {
                tell!(
                    "note: what answers otherwise than by values is not scored, so the package tells no metrics"
                );
            }
        }
        models.push(info);
    }
    let classes = data.map(|data| data.classes).unwrap_or_default();
    let manifest = Manifest {
        format: FORMAT,
        nasc: env!("CARGO_PKG_VERSION").to_owned(),
        network: package.made([weights, sha256(&weights_bytes)]),
        inputs: ports.0,
        outputs: ports.1,
        preprocessing,
        classes,
        costs: json!(nas_analysis::costs(&package.network)),
        models,
        licence,
    };
    package.rest(&manifest, &mut files)?;
    write(folder, &files)?;
    outln!("{}", folder.display())?;
    Ok(())
}

/// The validation images on which files are tried, and of which test vectors are.
pub(crate) fn pictures(training: &Training) -> Result<Vec<Vec<Tensor>>, Failure> {
    training.backend()?.validation_images(PICTURES).map_err(Failure::problem)
}

/// A model in a line.
fn told(info: &ModelInfo) -> String {
    let metrics = info.metrics.as_ref().and_then(Value::as_object);
    let first = metrics.and_then(|metrics| metrics.iter().next());
    let metric = first.map(|(name, value)| format!(", val {name} {value:.4}")).unwrap_or_default();
    let ModelInfo { bytes, measured, .. } = info;
    format!(
        "{bytes} bytes, {:.2} ms in {} on one core{metric}",
        measured.milliseconds, measured.engine
    )
}

impl Package<'_> {
    /// Makes the model of a precision, with its files.
    fn model(
        &self,
        precision: &str,
        model: &Model,
        files: &mut Files,
    ) -> Result<(ModelInfo, Form, Option<Expected>), Failure> {
        let numbers = if precision == "fp16" { Numbers::Half } else { Numbers::Float };
        let (model, mut form, expected) =
            formed(&self.args.form, model.clone(), numbers, self.expected.clone())?;
        form.levels = self.args.rounding.integers();
        let mut floats = Vec::new();
        let (reference, exported, tolerance) = if precision == "int8" {
            let folder = self.args.package.as_deref().and_then(Path::file_name);
            let name = folder.unwrap_or_default().to_string_lossy();
            let Integers { model, report, .. } =
                integers(self.training, model, &form, &self.args.rounding, &name)?;
            floats = report.floats;
            (model.clone(), model, nas_tract::Tolerance::Coarse)
        } else {
            let exported = folded(model.clone())?;
            (model, exported, form.tolerance())
        };
        let tolerance = self.args.tolerance.unwrap_or(tolerance);
        let provenance =
            provenance(&exported.network, &self.training.sources, &self.weights, expected.as_ref());
        let on = TriedOn::Pictures(&self.pictures);
        let making = Making { form: &form, opset: self.opset, tolerance, provenance, on };
        let made = onnx_file(&reference, &exported, making, Some(&libtorch()))?;
        let file = format!("{precision}/model.onnx");
        if !made.report.report.passed {
            let remedy = if precision == "int8" { REMEDY } else { HELP };
            return Err(made.report.failure(&file, HELP, remedy));
        }
        let OnnxFile { onnx, record, .. } = made;
        let mut vectors = Vec::new();
        for (number, case) in record.cases.iter().enumerate() {
            vectors.push(vector(&format!("{precision}/test_data_set_{number}"), case, files)?);
        }
        let measured = measured(&onnx, record.cases.first())?;
        let metrics = self.metrics(&onnx, &form)?;
        let info = ModelInfo {
            precision: precision.to_owned(),
            opset: self.opset.version(),
            bytes: onnx.len() as u64,
            reference: record.reference,
            tolerance,
            bound: tolerance.bound(),
            vectors,
            metrics,
            measured,
            floats,
            file: file.clone(),
        };
        files.insert(file, onnx);
        Ok((info, form, expected))
    }

    /// What a file scores on the validation images; nothing where there are none, or where it answers with something else
    /// than its values.
    fn metrics(&self, onnx: &[u8], form: &Form) -> Result<Option<Value>, Failure> {
        if !(self.has_data && form.answers_values()) {
            return Ok(None);
        }
        let engine = FileEngine::of_bytes(onnx.to_vec(), self.training, &self.network)?;
        let score = score_file(self.training, engine, Split::Val)?;
        let values = score.values().map(|(metric, value)| (metric.key().to_owned(), json!(value)));
        Ok(Some(Value::Object(values.collect())))
    }

    /// Inputs and outputs as the files have them.
    fn ports(&self, form: &Form) -> (Vec<PortInfo>, Vec<PortInfo>) {
        let batch = match form.batch {
            Batch::Of(images) => json!(images.get()),
            Batch::Open => json!("batch"),
        };
        let renamed = |name| self.args.form.renamed(name).to_owned();
        let sizes = |dims: &[u32], is_open: bool| -> Vec<Value> {
            let rest = dims.iter().enumerate().map(|(axis, size)| match (is_open, axis) {
                (true, 1) => json!("height"),
                (true, 2) => json!("width"),
                _ => json!(size),
            });
            std::iter::once(batch.clone()).chain(rest).collect()
        };
        let network = &self.network;
        let inputs = network.inputs.iter().map(|port| PortInfo {
            name: renamed(&port.name),
            sizes: sizes(network.port_shape(port).dims(), form.open_size),
            kind: match form.inputs {
                InputType::Float => "float32".to_owned(),
                InputType::Byte => "uint8".to_owned(),
            },
            answer: None,
        });
        let mut outputs = Vec::new();
        for (place, port) in network.outputs.iter().enumerate() {
            let (name, shape) = (renamed(&port.name), network.port_shape(port));
            let open = form.open_size && shape.is_spatial();
            let mut dims = sizes(shape.dims(), open);
            let answer = form.answers.get(place).copied().unwrap_or_default();
            let mut push = |name: String, sizes: Vec<Value>, kind: &str, more: &str| {
                let told = (answer != Answer::Values).then(|| format!("{answer}{more}"));
                outputs.push(PortInfo { name, sizes, kind: kind.to_owned(), answer: told });
            };
            match answer {
                Answer::Values | Answer::Softmax => push(name, dims, "float32", ""),
                Answer::ArgMax => {
                    dims.remove(1);
                    push(name, dims, "int64", "");
                }
                Answer::Top(most) => {
                    dims.iter_mut().skip(1).take(1).for_each(|size| *size = json!(most.get()));
                    push(name.clone(), dims.clone(), "float32", "");
                    push(format!("{name}_indices"), dims, "int64", " indices");
                }
            }
        }
        (inputs.collect(), outputs)
    }

    /// What the network was made of.
    fn made(&self, weights: [String; 2]) -> Made {
        let Training { recipe, space, sources, data, .. } = self.training;
        let text = |value: &str| Value::String(value.to_owned());
        let choices = self.network.choices.iter();
        let sum = |bytes: &[u8]| Value::String(format!("{:016x}", nas_ir::fnv::fnv1a(bytes)));
        let mut used = Map::new();
        if self.has_data {
            let name = data.file_name().unwrap_or_default().to_string_lossy();
            used.insert("name".to_owned(), text(&recipe.name));
            used.insert("seed".to_owned(), json!(recipe.seed));
            used.insert("data".to_owned(), text(&name));
        }
        let mut target = Map::new();
        target.insert("precision".to_owned(), text(space.device.precision.name()));
        if let Some(opset) = space.device.opset {
            target.insert("opset".to_owned(), json!(opset.version()));
        }
        Made {
            space: space.name.clone(),
            choices: choices.map(|(path, choice)| (path.clone(), text(choice))).collect(),
            sources: sources.iter().map(|(name, bytes)| (name.clone(), sum(bytes))).collect(),
            weights,
            recipe: used,
            target,
        }
    }

    /// What is no model: the table of layers, classes, examples, the page for people, manifest and checksums.
    fn rest(&self, manifest: &Manifest, files: &mut Files) -> Result<(), Failure> {
        let mut text = |name: &str, text: String| files.insert(name.to_owned(), text.into_bytes());
        text("layers.csv", self.layers());
        if !manifest.classes.is_empty() {
            text("classes.txt", manifest.classes.join("\n") + "\n");
        }
        text("examples/run.py", include_str!("run.py").to_owned());
        text("examples/run.c", include_str!("run.c").to_owned());
        text("README.md", readme::page(manifest));
        let json = serde_json::to_string_pretty(manifest);
        text(MANIFEST, json.map_err(|e| Failure::input(e.to_string()))? + "\n");
        let all = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let sums = sums(all);
        files.insert(SUMS.to_owned(), sums.into_bytes());
        Ok(())
    }

    /// A line for each node of the models that has parameters or multiply-accumulates.
    fn layers(&self) -> String {
        let mut text = "layer,operator,input,output,macs,params,bytes_fp32,bytes_int8\n".to_owned();
        for node in &self.folded.nodes {
            let cost = self.folded.node_cost(node);
            let Some(op) = node.op.as_ref().filter(|_| cost != nas_ir::Cost::default()) else {
                continue;
            };
            let sizes =
                |dims: &[u32]| dims.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
            let operand = self.folded.operand_shapes(node).first().map(|shape| sizes(shape.dims()));
            let (name, kind) = (&node.name, op.declaration().name);
            let (from, to) = (operand.unwrap_or_default(), sizes(node.shape.dims()));
            let (macs, params) = (cost.macs, cost.params);
            let [floats, whole] = [4 * params, params];
            text += &format!("\"{name}\",{kind},{from},{to},{macs},{params},{floats},{whole}\n");
        }
        text
    }
}

/// Writes the vectors of a case into a folder of the package.
fn vector(folder: &str, case: &Case, files: &mut Files) -> Result<VectorInfo, Failure> {
    for (side, ports) in [("input", &case.inputs), ("output", &case.outputs)] {
        for (number, (name, tensor)) in ports.iter().enumerate() {
            let file = |ending: &str| format!("{folder}/{side}_{number}.{ending}");
            files.insert(file("npy"), npy::to_bytes(tensor).map_err(Failure::input)?);
            let proto = nas_onnx::tensor_file(name, tensor).map_err(Failure::problem)?;
            files.insert(file("pb"), proto);
        }
    }
    let names = |ports: &[(String, Tensor)]| ports.iter().map(|(name, _)| name.clone()).collect();
    Ok(VectorInfo {
        folder: folder.to_owned(),
        name: case.name.clone(),
        inputs: names(&case.inputs),
        outputs: names(&case.outputs),
    })
}

/// The median time of a model on the inputs of a case.
fn measured(onnx: &[u8], case: Option<&Case>) -> Result<Measured, Failure> {
    let inputs: Vec<Tensor> =
        case.into_iter().flat_map(|case| &case.inputs).map(|(_, tensor)| tensor.clone()).collect();
    let sizes: Vec<Vec<u32>> = inputs.iter().map(|input| input.dims.clone()).collect();
    let model = nas_tract::Model::load_for(onnx, &sizes).map_err(Failure::problem)?;
    let [warmup, runs] = RUNS;
    let mut times = model.time(&inputs, warmup, runs).map_err(Failure::problem)?;
    times.sort_unstable();
    let median = times.get(runs / 2).copied().unwrap_or_default();
    let engine = format!("tract {}", nas_tract::VERSION);
    Ok(Measured { engine, milliseconds: (median.as_secs_f64() * 1e6).round() / 1e3 })
}

/// Takes the licence into the package, and answers what it is called there.
fn licence(path: &Path, files: &mut Files) -> Result<String, Failure> {
    let bytes = nas_files::read(path)
        .map_err(|error| Failure::input(format!("{}: {error}", path.display())))?;
    files.insert("LICENCE".to_owned(), bytes);
    Ok("LICENCE".to_owned())
}

/// Writes the files, and removes what an earlier package had more.
fn write(folder: &Path, files: &Files) -> Result<(), Failure> {
    let earlier = files_of(folder);
    let paths: Vec<(PathBuf, &[u8])> =
        files.iter().map(|(name, bytes)| (folder.join(name), bytes.as_slice())).collect();
    let files: Vec<(&Path, &[u8])> =
        paths.iter().map(|(path, bytes)| (path.as_path(), *bytes)).collect();
    write_together(&files)?;
    for stale in earlier.iter().map(|name| folder.join(name)) {
        if !files.iter().any(|(path, _)| *path == stale) {
            let _ = std::fs::remove_file(&stale);
            // Of a folder that others still lie in this fails.
            let _ = stale.parent().map(std::fs::remove_dir);
        }
    }
    tell!("{} in {}", counted(files.len(), "file"), folder.display());
    Ok(())
}
