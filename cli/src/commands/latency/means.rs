//! By what models are measured: the arguments that say so, and what they start.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use nas_analysis::latency::Setting;
use nas_ir::Precision;
use regex::Regex;

use super::command::{Bench, Site};
use super::engines::places::Place;
use super::engines::python::Served;
use super::engines::{Engine, TRACT};
use super::journal::Conditions;
use super::printed;
use super::rounds::Effort;
use super::runner::{Runner, Tract};
use crate::render::report::Failure;

/// What measures a model, and how often.
#[derive(Debug, Args)]
pub(super) struct MeansArgs {
    /// What runs the models: tract (in nasc), onnxruntime, openvino (set up by nasc, in Python), or a
    /// tool that is there: benchmark_app, trtexec, benchncnn, benchmark_model, onnxruntime_perf_test.
    /// Of a command, what it runs, in words.
    #[arg(long, value_name = "NAME")]
    pub(super) engine: Option<String>,
    /// A command that prints the milliseconds of one run of {model}, instead of an engine.
    /// It is split into words as a shell does it, but no shell runs it. The one number before `ms`
    /// in its output counts or, where there is none, the last line that is a number alone.
    #[arg(long, value_name = "COMMAND")]
    pub(super) runner: Option<String>,
    /// Which number of its output counts, where it prints several: a regular expression with the
    /// number in parentheses, 'Median: (\S+) ms'.
    #[arg(long, value_name = "REGEX", requires = "runner", value_parser = printed::pattern)]
    pub(super) pattern: Option<Regex>,
    /// Where a command or a tool runs: adb, adb:SERIAL or ssh:HOST. Models are copied there.
    #[arg(long, value_name = "PLACE", value_parser = Place::parse)]
    pub(super) on: Option<Place>,
    /// The folder for models there; /data/local/tmp by adb, /tmp by ssh.
    #[arg(long, value_name = "DIR", requires = "on")]
    pub(super) folder: Option<String>,
    /// The path of the tool, where it runs, if its name alone does not find it.
    #[arg(long, value_name = "PATH", conflicts_with = "runner")]
    pub(super) program: Option<String>,
    /// A Python that has the packages of the engine, instead of one that nasc sets up.
    #[arg(long, value_name = "PYTHON", conflicts_with = "runner")]
    pub(super) python: Option<PathBuf>,
    /// The machine; the processor's name if it is this host.
    #[arg(long, value_name = "NAME")]
    pub(super) hardware: Option<String>,
    /// How often each model is measured: once in each of so many rounds.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) repeats: u16,
    /// How often an engine runs a model before a run that counts.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "runner")]
    pub(super) warmup: usize,
    /// How often a command whose answer is bad is run again.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(super) retries: usize,
    /// After how many seconds a command is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0, value_parser = seconds)]
    pub(super) timeout: f64,
}

/// What is measured on, where no table says it yet.
#[derive(Debug, Args)]
pub(super) struct SettingArgs {
    /// The version of what a command or a tool runs.
    #[arg(long, value_name = "VERSION")]
    pub(super) engine_version: Option<String>,
    /// On how many threads a model runs.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(super) threads: u32,
}

/// Seconds that a timeout may be.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 1e6 => Ok(seconds),
        _ => Err("write a number of seconds above 0, such as 60".to_owned()),
    }
}

/// What the figures are of, as far as the arguments of a command say it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'s> {
    /// The engine, where none is named.
    pub(super) engine: Option<&'s str>,
    /// The version of what does not tell it itself.
    pub(super) version: Option<&'s str>,
    /// The machine, where none is named.
    pub(super) hardware: Option<&'s str>,
    /// In what numbers.
    pub(super) precision: Precision,
    /// On how many threads.
    pub(super) threads: u32,
    /// Whether parts stand between neighbours.
    pub(super) surrounded: bool,
}

/// What measures, and what it measures on.
pub(super) struct Means {
    /// What measures.
    pub(super) runner: Runner,
    /// What the figures are of.
    pub(super) device: Setting,
    /// What figures of one journal have in common.
    pub(super) conditions: Conditions,
}

impl MeansArgs {
    /// Starts what measures.
    ///
    /// # Errors
    /// It is not known, cannot be started, or what it is must be said.
    pub(super) fn start(&self, said: Said<'_>) -> Result<Means, Failure> {
        let (runner, device) = match &self.runner {
            Some(text) => {
                let bench = Bench::new(text, self.pattern.clone(), self.site())?;
                let engine = self.engine.as_deref().or(said.engine);
                (Runner::Command(bench), self.device(said, "`--runner`", engine)?)
            }
            None => self.engine(said)?,
        };
        let warmup = match &runner {
            Runner::Tract(_) | Runner::Served(_) => Some(self.warmup),
            Runner::Command(_) => None,
        };
        let pattern = self.pattern.as_ref().map(|pattern| pattern.as_str().to_owned());
        let conditions = Conditions { device: device.clone(), warmup, pattern };
        Ok(Means { runner, device, conditions })
    }

    /// The engine that is named, or that the table is of.
    fn engine(&self, said: Said<'_>) -> Result<(Runner, Setting), Failure> {
        let engine = match (&self.engine, said.engine) {
            (Some(name), _) => Engine::named(name)?,
            (None, name) => name.and_then(Engine::find).unwrap_or(Engine::Tract),
        };
        let here = |engine: &str, version: &str, threads| Setting {
            hardware: self.hardware.clone().unwrap_or_else(processor),
            engine: engine.to_owned(),
            engine_version: version.to_owned(),
            precision: said.precision,
            threads,
            surrounded: said.surrounded,
        };
        self.fitting(engine)?;
        match engine {
            // A tract model runs on the thread that runs it.
            Engine::Tract => {
                Ok((Runner::Tract(Tract::new(self.warmup)), here(TRACT, nas_tract::VERSION, 1)))
            }
            Engine::Python(engine) => {
                let python = self.python.as_deref();
                let served = Served::start(engine, python, said.threads, self.warmup)?;
                let device = here(engine.name, served.version(), said.threads);
                Ok((Runner::Served(served), device))
            }
            Engine::Tool(tool) => {
                let device = self.device(said, &format!("`{}`", tool.name), Some(tool.name))?;
                let program = self.program.clone().unwrap_or_else(|| tool.name.to_owned());
                let numbers = (said.threads, said.precision);
                let bench = Bench::tool(tool, program, numbers, self.site());
                Ok((Runner::Command(bench), device))
            }
        }
    }

    /// That no argument is of another kind of engine.
    fn fitting(&self, engine: Engine) -> Result<(), Failure> {
        let (is_tool, is_python) =
            (matches!(engine, Engine::Tool(_)), matches!(engine, Engine::Python(_)));
        let stray = [
            ("--on", self.on.is_some() && !is_tool, "a tool or a `--runner`"),
            ("--program", self.program.is_some() && !is_tool, "a tool"),
            ("--python", self.python.is_some() && !is_python, "onnxruntime and openvino"),
        ];
        match stray.into_iter().find(|(_, is_stray, _)| *is_stray) {
            Some((name, _, of)) => {
                Err(Failure::input(format!("`{name}` is for {of}; name that by `--engine`")))
            }
            None => Ok(()),
        }
    }

    /// What a command or a tool measures on, which it does not say itself.
    fn device(&self, said: Said<'_>, what: &str, engine: Option<&str>) -> Result<Setting, Failure> {
        let hardware = self.hardware.as_deref().or(said.hardware);
        let (Some(hardware), Some(engine), Some(version)) = (hardware, engine, said.version) else {
            return Err(Failure::input(format!(
                "the table must say what it is of: name what {what} measures by `--hardware`, `--engine` and `--engine-version`",
            )));
        };
        Ok(Setting {
            hardware: hardware.to_owned(),
            engine: engine.to_owned(),
            engine_version: version.to_owned(),
            precision: said.precision,
            threads: said.threads,
            surrounded: said.surrounded,
        })
    }

    fn site(&self) -> Site {
        let place = self.on.clone().unwrap_or(Place::Here);
        let folder = self.folder.clone().unwrap_or_else(|| place.folder().to_owned());
        Site { place, folder, timeout: Duration::from_secs_f64(self.timeout) }
    }

    pub(super) fn effort(&self) -> Effort {
        Effort { repeats: usize::from(self.repeats), retries: self.retries }
    }
}

/// The name of this host's processor.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim().to_owned());
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}
