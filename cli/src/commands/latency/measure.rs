//! `nasc latency measure`: a latency table of a plan, in tract on this host or by a command.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use nas_analysis::latency::{Setting, Table};
use nas_ir::Precision;
use nas_ir::measure::grouped;
use regex::Regex;

use super::journal::{Conditions, Journal};
use super::plan::{self, Manifest, Measurable};
use super::printed;
use super::rounds::{self, Effort, Item};
use super::runner::{Bench, Runner, Tract};
use super::table::{self, beside, entry};
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
    /// The table; what it holds is not measured again.
    #[arg(long, value_name = "TABLE")]
    pub(super) out: PathBuf,
    /// What measures a model.
    #[command(flatten)]
    pub(super) runner: RunnerArgs,
    /// What runs the models, if a command measures them.
    #[arg(long, value_name = "NAME", requires = "runner")]
    pub(super) engine: Option<String>,
    /// Its version.
    #[arg(long, value_name = "VERSION", requires = "runner")]
    pub(super) engine_version: Option<String>,
    /// On how many threads it runs them.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "runner")]
    pub(super) threads: u32,
}

/// What measures a model, and how often.
#[derive(Debug, Args)]
pub(super) struct RunnerArgs {
    /// A command that prints the milliseconds of one run of {model}, instead of tract on this host.
    /// It is split into words as a shell does it, but no shell runs it. The one number before `ms`
    /// in its output counts or, where there is none, the last line that is a number alone.
    #[arg(long, value_name = "COMMAND")]
    pub(super) runner: Option<String>,
    /// Which number of its output counts, where it prints several: a regular expression with the
    /// number in parentheses, 'Median: (\S+) ms'.
    #[arg(long, value_name = "REGEX", requires = "runner", value_parser = printed::pattern)]
    pub(super) pattern: Option<Regex>,
    /// The machine; the processor's name if it is this host.
    #[arg(long, value_name = "NAME")]
    pub(super) hardware: Option<String>,
    /// How often each model is measured: once in each of so many rounds.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) repeats: u16,
    /// How often tract runs a model before a run that counts.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "runner")]
    pub(super) warmup: usize,
    /// How often a command whose answer is bad is run again.
    #[arg(long, value_name = "N", default_value_t = 2, requires = "runner")]
    pub(super) retries: usize,
    /// After how many seconds a command is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0, requires = "runner", value_parser = seconds)]
    pub(super) timeout: f64,
}

/// Seconds that a timeout may be.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 1e6 => Ok(seconds),
        _ => Err("write a number of seconds above 0, such as 60".to_owned()),
    }
}

impl RunnerArgs {
    /// What measures.
    ///
    /// # Errors
    /// The command is none.
    pub(super) fn runner(&self) -> Result<Runner, Failure> {
        match &self.runner {
            None => Ok(Runner::Tract(Tract::new(self.warmup))),
            Some(command) => {
                let timeout = Duration::from_secs_f64(self.timeout);
                Bench::new(command, timeout, self.pattern.clone()).map(Runner::Command)
            }
        }
    }

    pub(super) fn effort(&self) -> Effort {
        Effort { repeats: usize::from(self.repeats), retries: self.retries }
    }

    /// What figures of one journal have in common.
    pub(super) fn conditions(&self, device: &Setting) -> Conditions {
        let warmup = self.runner.is_none().then_some(self.warmup);
        let pattern = self.pattern.as_ref().map(|pattern| pattern.as_str().to_owned());
        Conditions { device: device.clone(), warmup, pattern }
    }

    /// tract on this host.
    pub(super) fn this_host(&self, precision: Precision) -> Setting {
        Setting {
            hardware: self.hardware.clone().unwrap_or_else(processor),
            engine: "tract".to_owned(),
            engine_version: nas_tract::VERSION.to_owned(),
            precision,
            // A tract model runs on the thread that runs it.
            threads: 1,
        }
    }
}

/// The name of this host's processor.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim().to_owned());
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// Measures what the table lacks, and writes it.
///
/// # Errors
/// The plan is at fault, the table is of another setting, a model has no figure, or the user stops
/// it; what was measured stays in a file beside the table, and the same command goes on from it.
pub(super) fn run(args: &MeasureArgs) -> Result<(), Failure> {
    if !is_source(&args.plan) {
        return measure(args, &args.plan);
    }
    let folder = tempfile::tempdir().map_err(|error| Failure::input(error.to_string()))?;
    let subject = plan::subject(args.drop.of(&args.plan), args.space.as_deref())?;
    plan::write(&subject, &args.plan, folder.path())?;
    measure(args, folder.path())
}

fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "nas") && !path.is_dir()
}

fn measure(args: &MeasureArgs, folder: &Path) -> Result<(), Failure> {
    let manifest = plan::read(folder)?;
    let mut runner = args.runner.runner()?;
    let device = setting(args, manifest.precision)?;
    let mut table = table::read_or_new(&args.out, &device)?;
    let lacking = manifest.parts.iter().filter(|part| !table.entries.contains_key(&part.key));
    let lacking: Vec<&Measurable> = lacking.collect();
    let item = |part: &&Measurable| Item {
        key: part.key.to_string(),
        model: plan::model(folder, part.key),
    };
    let items: Vec<Item> = lacking.iter().map(item).collect();
    if !items.is_empty() {
        let path = beside(&args.out, PARTIAL);
        let mut journal = Journal::open(&path, args.runner.conditions(&device))?;
        tell!("{}", told(&device, items.len(), args.runner.effort()));
        let measured = rounds::measure(&items, args.runner.effort(), &mut runner, &mut journal);
        measured.inspect_err(|_| {
            tell!("{} keeps what was measured: the same command goes on", path.display());
        })?;
        for part in &lacking {
            let samples = journal.samples(&part.key.to_string());
            table.insert(part.key, entry(&part.about, samples));
        }
        table::write(&args.out, &table)?;
        journal.finish()?;
    }
    out!("{}", summary(&manifest, &table, items.len()))?;
    outln!("{}", args.out.display())
}

/// What the figures are of.
fn setting(args: &MeasureArgs, precision: Precision) -> Result<Setting, Failure> {
    if args.runner.runner.is_none() {
        return Ok(args.runner.this_host(precision));
    }
    let said = (&args.runner.hardware, &args.engine, &args.engine_version);
    let (Some(hardware), Some(engine), Some(version)) = said else {
        return Err(Failure::input(
            "the table must say what it is of: name what `--runner` measures by `--hardware`, `--engine` and `--engine-version`",
        ));
    };
    Ok(Setting {
        hardware: hardware.clone(),
        engine: engine.clone(),
        engine_version: version.clone(),
        precision,
        threads: args.threads,
    })
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
