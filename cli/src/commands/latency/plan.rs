//! `nasc latency plan`: a folder with an ONNX file for each distinct part of a space, and what they
//! are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use nas_analysis::latency::{Key, Part, Place, Plan, plan};
use nas_ir::diagram::Entangled;
use nas_ir::measure::grouped;
use nas_ir::network::Port;
use nas_ir::{Checked, Network, Opset, Precision, Space};
use serde::{Deserialize, Serialize};

use super::error::NotAPlan;
use crate::render::report::Failure;
use crate::render::table::Table;
use crate::services::files::replace_whole;
use crate::services::input::{Asked, DropArgs, Input};
use crate::services::onnx_file::emit;
use crate::services::pick;
use crate::services::source::io_reason;
use crate::services::weights_file;
use crate::{out, tell};

/// What the ONNX files of a folder are.
const MANIFEST: &str = "manifest.json";
/// The version of the manifest.
const FORMAT: u32 = 1;
/// The seed of the weights: no latency depends on them.
const SEED: u64 = 0;

/// Arguments of `nasc latency plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// The file.
    pub(super) file: PathBuf,
    /// The space, where the file has several.
    #[arg(long)]
    pub(super) space: Option<String>,
    /// What is left out.
    #[command(flatten)]
    pub(super) drop: DropArgs,
    /// The folder for the ONNX files; SPACE.plan if not given.
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

/// A space that is to be measured.
pub(super) struct Subject {
    pub(super) space: Arc<Checked<Space>>,
    pub(super) plan: Plan,
}

impl Subject {
    /// The operator set of its models.
    pub(super) fn opset(&self) -> Opset {
        self.space.device.opset.unwrap_or_default()
    }
}

/// What a folder of models holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// The space.
    pub(super) space: String,
    /// The name of its file.
    file: String,
    /// What its target computes with; the models hold 32-bit floats.
    pub(super) precision: Precision,
    /// The operator set of the models.
    opset: i64,
    /// The parts, in the order in which the space has them.
    pub(super) parts: Vec<Measurable>,
}

/// A part that is to be measured: the model `KEY.onnx`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Measurable {
    /// Stands for what it computes.
    pub(super) key: Key,
    /// What it is, for people.
    pub(super) about: String,
    /// Its multiply-accumulates.
    macs: u64,
    /// Its inputs.
    inputs: Vec<ModelInput>,
    /// Where the space has it.
    places: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ModelInput {
    name: String,
    /// With a batch of one.
    shape: Vec<u32>,
}

/// Writes the plan of a space, and a table of how much it is.
///
/// # Errors
/// The file is at fault, or the folder cannot be written.
pub(super) fn run(args: &PlanArgs) -> Result<(), Failure> {
    let subject = subject(args.drop.of(&args.file), args.space.as_deref())?;
    let default = || PathBuf::from(format!("{}.plan", subject.plan.space));
    let folder = args.out.clone().unwrap_or_else(default);
    write(&subject, &args.file, &folder)?;
    out!("{}", overview(&subject.plan))?;
    tell!("{}: measure it by `nasc latency measure {0}`", folder.display());
    Ok(())
}

/// The space that a command works on, in parts.
///
/// # Errors
/// The file is at fault.
pub(super) fn subject(file: Asked<'_>, name: Option<&str>) -> Result<Subject, Failure> {
    let space =
        Input::without_tables(file, |program, compiler| pick::space(program, compiler, name))?;
    let plan =
        plan(&space).map_err(|error: Entangled| Failure::held(space.entanglement(&error)))?;
    Ok(Subject { space, plan })
}

/// Writes the models and the manifest into a folder, and removes the models of the plan that it
/// held.
///
/// # Errors
/// The folder holds something else, or cannot be written.
pub(super) fn write(subject: &Subject, file: &Path, folder: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::input(format!("{}: {}", folder.display(), io_reason(&error)))
    };
    // One that was interrupted has models and no manifest yet.
    let is_taken = folder.is_file()
        || folder.read_dir().is_ok_and(|mut entries| !entries.all(|entry| is_model(&entry)))
            && !folder.join(MANIFEST).exists();
    if is_taken {
        let folder = folder.display();
        return Err(Failure::input(format!(
            "{folder} holds something else than a plan; name another folder by `--out`"
        )));
    }
    let earlier = earlier(folder)?;
    std::fs::create_dir_all(folder).map_err(failed)?;
    let manifest = manifest(subject, file);
    for part in &subject.plan.parts {
        let onnx = onnx(part.network.clone(), subject.opset())?;
        replace_whole(&model(folder, part.key), &onnx)?;
    }
    let mut json =
        serde_json::to_vec_pretty(&manifest).map_err(|e| Failure::input(e.to_string()))?;
    json.push(b'\n');
    replace_whole(&folder.join(MANIFEST), &json)?;
    for old in earlier {
        if !manifest.parts.iter().any(|part| part.key == old.key) {
            match std::fs::remove_file(model(folder, old.key)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed(error));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether an entry of a folder is the model of a part, or one that was being written.
fn is_model(entry: &std::io::Result<std::fs::DirEntry>) -> bool {
    let Ok(entry) = entry else { return false };
    let path = entry.path();
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_onnx = path.extension().is_some_and(|extension| extension == "onnx");
    nas_files::is_aside(&path) || is_onnx && stem.parse::<Key>().is_ok()
}

/// The parts of the plan that a folder holds already.
///
/// # Errors
/// What is there may be the plan of another nasc, or no plan.
fn earlier(folder: &Path) -> Result<Vec<Measurable>, Failure> {
    if !folder.join(MANIFEST).exists() {
        return Ok(Vec::new());
    }
    let manifest = manifest_of(folder).map_err(|why| {
        let help = "name another folder by `--out`, or remove this one".to_owned();
        Failure::problem(NotAPlan { folder: folder.display().to_string(), why, help })
    })?;
    Ok(manifest.parts)
}

/// The plan of a folder.
///
/// # Errors
/// It holds none.
pub(super) fn read(folder: &Path) -> Result<Manifest, Failure> {
    manifest_of(folder).map_err(|why| {
        let folder = folder.display().to_string();
        let help = format!("write one by `nasc latency plan FILE --out {folder}`");
        Failure::problem(NotAPlan { folder, why, help })
    })
}

/// The manifest of a folder, or why there is none.
fn manifest_of(folder: &Path) -> Result<Manifest, String> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let text = nas_files::read_to_string(&folder.join(MANIFEST))
        .map_err(|error| format!("{MANIFEST}: {}", io_reason(&error)))?;
    let faulty = |error: serde_json::Error| format!("{MANIFEST}: {error}");
    // What another format holds need not be what this one does.
    let Version { format } = serde_json::from_str(&text).map_err(faulty)?;
    if format != FORMAT {
        return Err(format!("its format is {format}, this nasc reads {FORMAT}"));
    }
    serde_json::from_str(&text).map_err(faulty)
}

/// The model of a part.
pub(super) fn model(folder: &Path, key: Key) -> PathBuf {
    folder.join(format!("{key}.onnx"))
}

/// A network as ONNX, with weights that are always the same.
///
/// # Errors
/// It cannot be written.
pub(super) fn onnx(network: Network, opset: Opset) -> Result<Vec<u8>, Failure> {
    let model = weights_file::initial(network, SEED);
    let options = nas_onnx::Options { opset, ..nas_onnx::Options::default() };
    emit(model, &options)
}

fn manifest(subject: &Subject, file: &Path) -> Manifest {
    let Subject { space, plan } = subject;
    Manifest {
        format: FORMAT,
        space: plan.space.clone(),
        file: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        precision: space.device.precision,
        opset: subject.opset().version(),
        parts: plan.parts.iter().map(measurable).collect(),
    }
}

fn measurable(part: &Part) -> Measurable {
    let input = |port: &Port| {
        let shape = part.network.port_shape(port).batched(1);
        ModelInput { name: port.name.clone(), shape }
    };
    Measurable {
        key: part.key,
        about: part.about.clone(),
        macs: part.network.cost().macs,
        inputs: part.network.inputs.iter().map(input).collect(),
        places: part.places.iter().map(placed).collect(),
    }
}

/// `unit.7, where unit.7/op = k3_e6`.
fn placed(place: &Place) -> String {
    let choices: Vec<String> =
        place.choices.iter().map(|(path, candidate)| format!("{path} = {candidate}")).collect();
    if choices.is_empty() {
        return place.path.clone();
    }
    format!("{}, where {}", place.path, choices.join(", "))
}

/// How much there is to measure.
fn overview(plan: &Plan) -> String {
    let name = format!("plan of {}", plan.space);
    let mut table = Table::new([name.as_str(), "parts", "places", "macs"]);
    let is_fixed = |part: &&Part| part.places.iter().any(|place| place.choices.is_empty());
    let (fixed, chosen): (Vec<&Part>, Vec<&Part>) = plan.parts.iter().partition(is_fixed);
    for (name, parts) in [
        ("of every network", &fixed),
        ("of some networks", &chosen),
        ("to measure", &plan.parts.iter().collect()),
    ] {
        let places: usize = parts.iter().map(|part| part.places.len()).sum();
        let macs: u64 = parts.iter().map(|part| part.network.cost().macs).sum();
        table.row([name.to_owned(), grouped(parts.len()), grouped(places), grouped(macs)]);
    }
    table.to_string()
}
