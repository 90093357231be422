//! The commands of `nasc` and of `nasc-train`, and the way from arguments to an exit status.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::{Parser, Subcommand};
use nas_grammar::visible_name;

use crate::commands::analyze::{self, AnalyzeArgs};
use crate::commands::check::{self, CheckArgs};
use crate::commands::cost::{self, CostArgs};
use crate::commands::demo::DemoArgs;
use crate::commands::eval::EvalArgs;
use crate::commands::explain::{self, ExplainArgs};
use crate::commands::export::{self, ExportArgs};
use crate::commands::fmt::{self, FmtArgs};
use crate::commands::int8::Int8Args;
use crate::commands::latency::{self, LatencyArgs};
use crate::commands::rank::{self, RankArgs};
use crate::commands::retrain::RetrainArgs;
use crate::commands::runs::{self, RunsArgs};
use crate::commands::sample::{self, SampleArgs};
use crate::commands::search::SearchArgs;
use crate::commands::show::{self, ShowArgs};
use crate::commands::verify::{self, VerifyArgs, VerifyOneArgs};
use crate::process;
use crate::render::report::Failure;
use crate::render::stream::unwritten;
use crate::services::source::name_of;
use crate::services::trainer;

/// A compiler for search spaces of neural networks.
#[derive(Debug, Parser)]
#[command(name = "nasc", version, max_term_width = 100)]
struct Cli<C: Subcommand> {
    #[command(subcommand)]
    command: C,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Report every problem of the files, and check their expectations.
    Check(CheckArgs),
    /// Bring files into canonical layout.
    Fmt(FmtArgs),
    /// Show what the compiler made of a file: as text, as a picture, as figures.
    Show(ShowArgs),
    /// What a whole space holds and costs, exactly.
    Analyze(AnalyzeArgs),
    /// What one network costs.
    Cost(CostArgs),
    /// Draw networks uniformly.
    Sample(SampleArgs),
    /// Explain the code of a diagnostic.
    Explain(ExplainArgs),
    #[command(flatten)]
    Train(TrainCommand),
    /// How far the scores of one run order networks as those of another do.
    Rank(RankArgs),
    /// The runs in a folder; what differs between them; their records as data.
    Runs(RunsArgs),
    /// Compare ONNX files with what was recorded at their export.
    Verify(VerifyArgs),
    #[command(hide = true)]
    VerifyOne(VerifyOneArgs),
    /// Latency tables: what to measure of a space, measuring it, how well it predicts.
    Latency(LatencyArgs),
}

/// What runs on libtorch: `nasc` reads the arguments, and `nasc-train` does it.
#[derive(Debug, Subcommand)]
pub enum TrainCommand {
    /// The whole job: search, derive, retrain, export, verify.
    Search(SearchArgs),
    /// Train one network from scratch.
    Retrain(RetrainArgs),
    /// Score a network on a split.
    Eval(EvalArgs),
    /// Write a trained network as ONNX that computes with integers of 8 bits, and say what that costs.
    Int8(Box<Int8Args>),
    /// The main job on the shipped data, in a few minutes.
    Demo(DemoArgs),
    /// Write a network as ONNX, proved right in another engine.
    Export(Box<ExportArgs>),
}

impl Command {
    /// The file of the language that it is about, if that is one.
    fn file(&self) -> Option<&Path> {
        match self {
            Self::Show(args) => Some(&args.file),
            Self::Analyze(args) => Some(&args.file),
            Self::Cost(args) => Some(&args.file),
            Self::Sample(args) => Some(&args.file),
            Self::Train(command) => command.file(),
            Self::Check(_)
            | Self::Fmt(_)
            | Self::Explain(_)
            | Self::Rank(_)
            | Self::Runs(_)
            | Self::Verify(_)
            | Self::VerifyOne(_) => None,
            Self::Latency(args) => args.file(),
        }
    }
}

impl TrainCommand {
    /// As of [`Command`].
    fn file(&self) -> Option<&Path> {
        match self {
            Self::Search(args) => Some(&args.file),
            Self::Retrain(args) => Some(&args.file),
            Self::Eval(args) => Some(&args.file),
            Self::Int8(args) => Some(&args.file),
            Self::Export(args) => Some(&args.file),
            Self::Demo(_) => None,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Search(_) => "search",
            Self::Retrain(_) => "retrain",
            Self::Eval(_) => "eval",
            Self::Int8(_) => "int8",
            Self::Demo(_) => "demo",
            Self::Export(_) => "export",
        }
    }
}

/// Runs the command line of `nasc`.
pub fn main() -> ! {
    process::begin();
    let args: Vec<OsString> = env::args_os().collect();
    let command = parsed(&args);
    process::end(command.map_or_else(|status| status, |it| process::work(move || run(it, &args))))
}

/// Runs the command line of `nasc-train`, as `nasc` hands it on: `run` does the command.
pub fn train_main(run: fn(TrainCommand) -> Result<(), Failure>) -> ! {
    process::begin();
    let args: Vec<OsString> = env::args_os().collect();
    let command = trainer::handed(&args).map_err(Failure::report);
    let command = command.and_then(|args| parsed(&args));
    let work = |command: TrainCommand| {
        process::work(move || {
            let file = command.file().map(name_of);
            run(command).map(|()| 0).map_err(|failure| failure.of_file(file.as_deref()))
        })
    };
    process::end(command.map_or_else(|status| status, work))
}

/// The command that arguments ask for, the name of the program first; else the exit status, after
/// what is wrong with them, or the help that they ask for, is printed.
fn parsed<C: Subcommand>(args: &[OsString]) -> Result<C, u8> {
    Cli::try_parse_from(args).map(|cli: Cli<C>| cli.command).map_err(|end| {
        // What is said repeats arguments, among them what a terminal would obey.
        let shown = args.iter().map(|arg| visible_name(&arg.to_string_lossy()).into_owned());
        let end = Cli::<C>::try_parse_from(shown).err().unwrap_or(end);
        match end.print().and_then(|()| io::stdout().flush()) {
            Err(error) if !end.use_stderr() => unwritten(&error).report(),
            _ => end.exit_code() as u8,
        }
    })
}

fn run(command: Command, args: &[OsString]) -> Result<u8, Failure> {
    let file = command.file().map(name_of);
    run_on(command, args).map_err(|failure| failure.of_file(file.as_deref()))
}

fn run_on(command: Command, args: &[OsString]) -> Result<u8, Failure> {
    let done = match command {
        Command::Check(args) => check::run(&args),
        Command::Fmt(args) => fmt::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Analyze(args) => analyze::run(&args),
        Command::Cost(args) => cost::run(&args),
        Command::Sample(args) => sample::run(&args),
        Command::Explain(args) => explain::run(&args),
        // Without libtorch, tract is compared with itself.
        Command::Train(TrainCommand::Export(args)) if !trainer::IS_BUILT => {
            export::run(&args, None)
        }
        Command::Train(command) => {
            return trainer::start(command.name(), args.get(1..).unwrap_or_default());
        }
        Command::Rank(args) => rank::run(&args),
        Command::Runs(args) => runs::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::VerifyOne(args) => return verify::run_one(&args),
        Command::Latency(args) => latency::run(&args),
    };
    done.map(|()| 0)
}
