//! `nasc latency check`: what a table lacks for a space, and how well it predicts whole networks.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::Args;
use nas_analysis::latency::{Key, Setting, Table};
use nas_ir::Assignment;
use nas_ir::fnv::fnv1a;
use nas_ir::measure::grouped;
use nas_ir::network::Port;
use nas_passes::specialise;
use serde_json::json;

use super::additivity::{Additivity, Measured};
use super::item::Item;
use super::journal::Journal;
use super::means::{Means, MeansArgs, Said};
use super::plan::{self, Subject};
use super::rounds;
use super::table::{self, agree, least};
use super::{error::Lacking, scatter};
use crate::render::report::{Failure, counted};
use crate::render::stream;
use crate::services::files::{replace_whole, write_whole};
use crate::services::input::{DropArgs, Input};
use crate::services::pick;
use crate::{out, tell};

/// How many draws are made for each network that is asked for: a small space has not as many.
const DRAWS: usize = 50;
/// What the figures of networks are kept in.
const FIGURES: &str = "networks.jsonl";
/// How many parts are named.
const LISTED: usize = 8;

/// Arguments of `nasc latency check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The file.
    pub(super) file: PathBuf,
    /// The space, where the file has several.
    #[arg(long)]
    pub(super) space: Option<String>,
    /// What is left out.
    #[command(flatten)]
    pub(super) drop: DropArgs,
    /// The table.
    #[arg(long, value_name = "TABLE")]
    pub(super) table: PathBuf,
    /// Measure whole networks too, as the parts were measured, and compare.
    #[arg(long)]
    pub(super) measure: bool,
    /// How many networks, drawn uniformly.
    #[arg(short, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(3..))]
    pub(super) k: u16,
    /// The same seed draws the same networks.
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// These networks instead of drawn ones: an `arch` item, a JSON file, random:SEED, least:MEASURE
    /// or greatest:MEASURE; may be given several times.
    #[arg(long, value_name = "ARCH", requires = "measure", conflicts_with_all = ["k", "seed", "write"])]
    pub(super) arch: Vec<String>,
    /// What measures a network.
    #[command(flatten)]
    pub(super) means: MeansArgs,
    /// Keep the ONNX files of the networks in a folder, and go on there after a stop.
    #[arg(long, value_name = "DIR", requires = "measure")]
    pub(super) out: Option<PathBuf>,
    /// Write the correction into the table.
    #[arg(long, requires = "measure")]
    pub(super) write: bool,
    /// A picture of predicted against measured latencies.
    #[arg(long, value_name = "FILE", requires = "measure")]
    pub(super) svg: Option<PathBuf>,
    /// Write JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Says what the table lacks; with `--measure`, how far it is from whole networks.
///
/// # Errors
/// The table lacks parts or is of another setting, a network has no figure, or the user stops it.
pub(super) fn run(args: &CheckArgs) -> Result<(), Failure> {
    let subject = plan::subject(args.drop.of(&args.file), args.space.as_deref())?;
    let mut table = table::read(&args.table)?;
    let precision = subject.space.device.precision;
    let needed = Setting { precision, ..table.device.clone() };
    agree(&args.table, &table.device, &needed)?;
    covered(args, &subject, &table)?;
    let additivity = if args.measure { Some(additivity(args, &subject, &table)?) } else { None };
    let stale = table.stale(&subject.plan);
    if args.json {
        let value = json!({
            "space": subject.plan.space,
            "device": table.device,
            "parts": subject.plan.parts.len(),
            "stale": stale,
            "correction": table.correction,
            "additivity": additivity,
        });
        stream::json(&value, true)?;
    } else {
        out!("{}", coverage(&subject, &table, &stale))?;
        if let Some(additivity) = &additivity {
            out!("\n{}", additivity.text())?;
        }
    }
    let Some(additivity) = additivity else { return Ok(()) };
    if let Some(path) = &args.svg {
        let svg = scatter::svg(&subject.plan.space, &table.device, &additivity);
        write_whole(path, svg.as_bytes())?;
    }
    if args.write {
        table.correction = Some(additivity.correction);
        table::write(&args.table, &table)?;
    }
    Ok(())
}

/// That the table has all parts.
fn covered(args: &CheckArgs, subject: &Subject, table: &Table) -> Result<(), Failure> {
    let missing = table.missing(&subject.plan);
    if missing.is_empty() {
        return Ok(());
    }
    let listed = missing.iter().take(LISTED);
    let mut parts: String =
        listed.map(|part| format!("\n  {} ({})", part.about, part.key)).collect();
    if let Some(more) = missing.len().checked_sub(LISTED).filter(|&more| more > 0) {
        parts += &format!("\n  … and {more} more");
    }
    Err(Failure::problem(Lacking {
        table: args.table.display().to_string(),
        lacks: missing.len(),
        of: subject.plan.parts.len(),
        space: subject.plan.space.clone(),
        parts,
    }))
}

fn coverage(subject: &Subject, table: &Table, stale: &[Key]) -> String {
    let device = &table.device;
    let mut text = format!(
        "{}: all {} parts are in the table\n{}, {} {}, {}, threads: {}\n",
        subject.plan.space,
        grouped(subject.plan.parts.len()),
        device.hardware,
        device.engine,
        device.engine_version,
        device.precision.name(),
        device.threads
    );
    if !stale.is_empty() {
        let entries = if stale.len() == 1 { "entry is" } else { "entries are" };
        text += &format!("{} {entries} of no part of this space:\n", grouped(stale.len()));
        let about = |key: &Key| table.entries.get(key).map(|entry| &*entry.about);
        for key in stale.iter().take(LISTED) {
            text += &format!("  {key} ({})\n", about(key).unwrap_or_default());
        }
        if let Some(more) = stale.len().checked_sub(LISTED).filter(|&more| more > 0) {
            text += &format!("  … and {more} more\n");
        }
    }
    if let Some(correction) = &table.correction {
        let residual = correction.residual;
        text += &format!(
            "its correction predicts {} with a mean error of {:.1} %, rank correlation {:.3}\n",
            counted(residual.networks, "network"),
            residual.mean_absolute_percent,
            residual.spearman
        );
    }
    text
}

/// Measures whole networks and compares.
fn additivity(args: &CheckArgs, subject: &Subject, table: &Table) -> Result<Additivity, Failure> {
    let device = &table.device;
    let said = Said {
        engine: Some(&device.engine),
        version: Some(&device.engine_version),
        hardware: Some(&device.hardware),
        precision: device.precision,
        threads: device.threads,
        surrounded: device.surrounded,
    };
    let Means { mut runner, device: here, conditions } = args.means.start(said)?;
    agree(&args.table, device, &here)?;
    let temporary = tempfile::tempdir().map_err(|error| Failure::input(error.to_string()))?;
    let folder = args.out.as_deref().unwrap_or(temporary.path());
    let networks = if args.arch.is_empty() { drawn(args, subject)? } else { named(args)? };
    let items = write_models(subject, &networks, folder)?;
    let mut journal = Journal::open(&folder.join(FIGURES), conditions)?;
    let rounds = args.means.effort().repeats;
    tell!("{}, {}", counted(items.len(), "network"), counted(rounds, "round"));
    rounds::measure(&items, args.means.effort(), &mut runner, &mut journal)?;
    let measured = networks.iter().zip(&items).map(|((name, assignment), item)| {
        let network = specialise(&subject.space, assignment);
        let nanoseconds = least(journal.samples(&item.key));
        let sample = table.sample(&subject.plan, assignment, nanoseconds);
        let sample = sample.map_err(|missing| Failure::input(missing.to_string()))?;
        let (name, macs) = (name.clone(), network.cost().macs);
        Ok(Measured { name, macs, choices: network.choices, sample })
    });
    let measured = measured.collect::<Result<Vec<_>, Failure>>()?;
    Ok(Additivity::of(&measured, table.correction))
}

/// Networks that are measured, those that are named with their names.
type Networks = Vec<(Option<String>, Assignment)>;

/// The networks of `--arch`.
fn named(args: &CheckArgs) -> Result<Networks, Failure> {
    let network = |name: &String| {
        let asked = args.drop.of(&args.file);
        let found = Input::without_tables(asked, |program, compiler| {
            pick::network(program, compiler, args.space.as_deref(), name)
        })?;
        Ok((Some(name.clone()), found.assignment))
    };
    args.arch.iter().map(network).collect()
}

/// Networks drawn uniformly, each once; fewer where the space has not as many.
fn drawn(args: &CheckArgs, subject: &Subject) -> Result<Networks, Failure> {
    let mut seen = HashSet::new();
    let k = usize::from(args.k);
    let draws = crate::services::draw::draw_any(&subject.space, args.seed)?.take(k * DRAWS);
    let distinct = draws.filter(|assignment| seen.insert(assignment.clone()));
    Ok(distinct.take(k).map(|assignment| (None, assignment)).collect())
}

/// Writes the networks as ONNX files, each named by what it holds.
fn write_models(
    subject: &Subject,
    networks: &Networks,
    folder: &Path,
) -> Result<Vec<Item>, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::input(error.to_string()))?;
    let write = |(_, assignment): &(Option<String>, Assignment)| {
        let network = specialise(&subject.space, assignment);
        let shape = |port: &Port| network.port_shape(port).batched(1);
        let shapes = network.inputs.iter().map(shape).collect();
        let onnx = plan::onnx(network, subject.opset())?;
        let key = format!("{:016x}", fnv1a(&onnx));
        let model = folder.join(format!("{key}.onnx"));
        replace_whole(&model, &onnx)?;
        Ok(Item { key, model, shapes })
    };
    networks.iter().map(write).collect()
}
