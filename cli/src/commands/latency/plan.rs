//! `nasc latency plan`: a folder with an ONNX file for each distinct part of a space, and what they
//! are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use indexmap::IndexMap;
use nas_analysis::latency::{Key, Part, Place, Plan, Surroundings, plan, surrounded, surroundings};
use nas_ir::diagram::Entangled;
use nas_ir::measure::grouped;
use nas_ir::{Checked, Network, Opset, Precision, Space};
use nas_onnx::Integers;

use super::error::NotAPlan;
use super::manifest::{Around, FORMAT, MANIFEST, Manifest, Measurable, inputs, manifest_of, model};
use super::numbers::{has_integers, in_own_numbers};
use crate::render::report::{Failure, counted};
use crate::render::table::Table;
use crate::services::files::replace_whole;
use crate::services::input::{Asked, DropArgs, Input};
use crate::services::onnx_file::folded;
use crate::services::pick;
use crate::services::source::io_reason;
use crate::services::weights_file;
use crate::{out, tell};

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
    /// Each part alone, and not between neighbours as a network has it.
    #[arg(long)]
    pub(super) alone: bool,
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

/// Writes the plan of a space, and a table of how much it is.
///
/// # Errors
/// The file is at fault, or the folder cannot be written.
pub(super) fn run(args: &PlanArgs) -> Result<(), Failure> {
    let subject = subject(args.drop.of(&args.file), args.space.as_deref())?;
    let default = || PathBuf::from(format!("{}.plan", subject.plan.space));
    let folder = args.out.clone().unwrap_or_else(default);
    write(&subject, &args.file, &folder, args.alone)?;
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
/// held. Parts stand between neighbours there, or alone.
///
/// # Errors
/// The folder holds something else, or cannot be written.
pub(super) fn write(
    subject: &Subject,
    file: &Path,
    folder: &Path,
    alone: bool,
) -> Result<(), Failure> {
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
    tell_of_precisions(subject);
    let (manifest, models) = planned(subject, file, alone);
    for (key, network) in models {
        replace_whole(&model(folder, key), &onnx(network, subject.opset())?)?;
    }
    let mut json =
        serde_json::to_vec_pretty(&manifest).map_err(|e| Failure::input(e.to_string()))?;
    json.push(b'\n');
    replace_whole(&folder.join(MANIFEST), &json)?;
    for old in earlier {
        if !manifest.models().any(|key| key == old) {
            match std::fs::remove_file(model(folder, old)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed(error));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Tells that models are of other numbers than parts compute with, if the operator set has no integers.
fn tell_of_precisions(subject: &Subject) {
    let parts = &subject.plan.parts;
    let whole = parts.iter().filter(|part| has_integers(&part.network)).count();
    if whole > 0 && Integers::check(subject.opset()).is_err() {
        tell!(
            "warning: {whole} of {} compute with int8, and their models with floats, because operator set {} has no such \
             integers: convert them as you convert the network, or times are those of floats",
            counted(parts.len(), "part"),
            subject.opset()
        );
    }
}

/// Whether an entry of a folder is the model of a part, or one that was being written.
fn is_model(entry: &std::io::Result<std::fs::DirEntry>) -> bool {
    let Ok(entry) = entry else { return false };
    let path = entry.path();
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let is_onnx = path.extension().is_some_and(|extension| extension == "onnx");
    nas_files::is_aside(&path) || is_onnx && stem.parse::<Key>().is_ok()
}

/// The models of the plan that a folder holds already.
///
/// # Errors
/// What is there may be the plan of another nasc, or no plan.
fn earlier(folder: &Path) -> Result<Vec<Key>, Failure> {
    if !folder.join(MANIFEST).exists() {
        return Ok(Vec::new());
    }
    let manifest = manifest_of(folder).map_err(|why| {
        let help = "name another folder by `--out`, or remove this one".to_owned();
        Failure::problem(NotAPlan { folder: folder.display().to_string(), why, help })
    })?;
    Ok(manifest.models().collect())
}

/// A network as ONNX, in the numbers that its layers compute with as far as the operator set has them, and with weights that
/// are always the same.
///
/// # Errors
/// It cannot be written.
pub(super) fn onnx(mut network: Network, opset: Opset) -> Result<Vec<u8>, Failure> {
    if has_integers(&network) && Integers::check(opset).is_err() {
        network.precision = Precision::Fp32;
        network = network.in_one_precision();
    }
    let (model, numbers) = in_own_numbers(folded(weights_file::initial(network, SEED))?);
    let options = nas_onnx::Options { opset, numbers, ..nas_onnx::Options::default() };
    nas_onnx::emit(&model, &options).map_err(Failure::problem)
}

/// The plan of a space, and the models that are measured.
fn planned(subject: &Subject, file: &Path, alone: bool) -> (Manifest, IndexMap<Key, Network>) {
    let Subject { space, plan } = subject;
    let mut models = IndexMap::new();
    let mut manifest = Manifest {
        format: FORMAT,
        space: plan.space.clone(),
        file: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        precision: space.device.precision,
        opset: subject.opset().version(),
        surrounded: !alone,
        parts: Vec::new(),
        surroundings: Vec::new(),
    };
    for part in &plan.parts {
        let (network, around) = if alone {
            (part.network.clone(), None)
        } else {
            (surrounded(part), surroundings(part))
        };
        manifest.parts.push(Measurable {
            key: part.key,
            about: part.about.clone(),
            macs: part.network.cost().macs,
            inputs: inputs(&network),
            less: around.as_ref().map(|around| around.key),
            places: part.places.iter().map(placed).collect(),
        });
        models.insert(part.key, network);
        if let Some(Surroundings { key, network }) = around
            && !models.contains_key(&key)
        {
            manifest.surroundings.push(Around { key, inputs: inputs(&network) });
            models.insert(key, network);
        }
    }
    (manifest, models)
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
