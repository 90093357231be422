//! `nasc latency measure`: a latency table of a plan, in an engine on this host or by a command.

use std::path::{Path, PathBuf};

use clap::Args;
use nas_analysis::latency::{Key, Setting, Table};
use nas_ir::measure::grouped;

use super::journal::Journal;
use super::manifest::{self, Manifest, Measurable};
use super::means::{Means, MeansArgs, Said, SettingArgs};
use super::plan;
use super::rounds::{self, Effort};
use super::table::{self, Samples, beside, entry};
use crate::render::report::{Failure, counted};
use crate::services::input::DropArgs;
use crate::{out, outln, tell};

/// What the journal of a table is called: the table's name and this.
const PARTIAL: &str = ".partial";
/// A median that is above the least by more than this share is told.
const NOISY: f64 = 0.2;

/// Arguments of `nasc latency measure`.
#[derive(Debug, Args)]
pub(super) struct MeasureArgs {
    /// The folder of a plan, or a file with a space.
    #[arg(value_name = "PLAN|FILE")]
    pub(super) plan: PathBuf,
    /// The space, where the file has several.
    #[arg(long)]
    pub(super) space: Option<String>,
    /// What is left out.
    #[command(flatten)]
    pub(super) drop: DropArgs,
    /// Of a file with a space: each part alone, and not between neighbours as a network has it.
    #[arg(long)]
    pub(super) alone: bool,
    /// The table; what it holds is not measured again.
    #[arg(long, value_name = "TABLE")]
    pub(super) out: PathBuf,
    /// What measures a model.
    #[command(flatten)]
    pub(super) means: MeansArgs,
    /// What is to be said of it.
    #[command(flatten)]
    pub(super) setting: SettingArgs,
}

/// Measures what the table lacks, and writes it.
///
/// # Errors
/// The plan is at fault, the table is of another setting, a model has no figure, or the user stops
/// it; what was measured stays in a file beside the table, and the same command goes on from it.
pub(super) fn run(args: &MeasureArgs) -> Result<(), Failure> {
    if !is_source(&args.plan) {
        return if args.alone {
            Err(Failure::input(
                "`--alone` is for a space; a plan is written so by `nasc latency plan --alone`",
            ))
        } else {
            measure(args, &args.plan)
        };
    }
    let folder = tempfile::tempdir().map_err(|error| Failure::input(error.to_string()))?;
    let subject = plan::subject(args.drop.of(&args.plan), args.space.as_deref())?;
    plan::write(&subject, &args.plan, folder.path(), args.alone)?;
    measure(args, folder.path())
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "nas") && !path.is_dir()
}

fn measure(args: &MeasureArgs, folder: &Path) -> Result<(), Failure> {
    let manifest = manifest::read(folder)?;
    let said = Said {
        engine: None,
        version: args.setting.engine_version.as_deref(),
        hardware: None,
        precision: manifest.precision,
        threads: args.setting.threads,
        surrounded: manifest.surrounded,
    };
    let Means { mut runner, device, conditions } = args.means.start(said)?;
    let mut table = table::read_or_new(&args.out, &device)?;
    let lacking = manifest.parts.iter().filter(|part| !table.entries.contains_key(&part.key));
    let lacking: Vec<&Measurable> = lacking.collect();
    let items = manifest.items(folder, &lacking);
    if !items.is_empty() {
        let path = beside(&args.out, PARTIAL);
        let mut journal = Journal::open(&path, conditions)?;
        tell!("{}", told(&device, items.len(), args.means.effort()));
        let measured = rounds::measure(&items, args.means.effort(), &mut runner, &mut journal);
        measured.inspect_err(|_| {
            tell!("{} keeps what was measured: the same command goes on", path.display());
        })?;
        for part in &lacking {
            let samples = |key: Key| journal.samples(&key.to_string());
            let (model, around) = (samples(part.key), part.less.map(samples).unwrap_or_default());
            table.insert(part.key, entry(&part.about, Samples { model, around }));
        }
        table::write(&args.out, &table)?;
        journal.finish()?;
    }
    out!("{}", summary(&manifest, &table, lacking.len()))?;
    outln!("{}", args.out.display())
}

fn told(device: &Setting, models: usize, effort: Effort) -> String {
    let Setting { hardware, engine, engine_version, threads, .. } = device;
    let threads = if *threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
    format!(
        "{hardware}, {engine} {engine_version}, {threads}: {}, {}",
        counted(models, "model"),
        counted(effort.repeats, "round")
    )
}

/// How much was measured, and how sure it is.
fn summary(manifest: &Manifest, table: &Table, new: usize) -> String {
    let entries = manifest.parts.iter().filter_map(|part| table.entries.get(&part.key));
    let noisy = entries.filter(|e| e.median as f64 > (1.0 + NOISY) * e.least as f64).count();
    let (all, space) = (counted(grouped(manifest.parts.len()), "part"), &manifest.space);
    let mut text = format!("{space}: {all} in the table, {} of them new\n", grouped(new));
    if noisy > 0 {
        text += &format!(
            "note: {} of them took over {:.0} % more in the median than at best; a calm machine and more `--repeats` make them surer\n",
            grouped(noisy),
            NOISY * 100.0
        );
    }
    text
}
