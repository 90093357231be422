//! The subcommands, and the way from arguments to an exit code.

use std::io::{self, Write};

use clap::{Parser, Subcommand};

use crate::analyze::{self, AnalyzeArgs};
use crate::cost::{self, CostArgs};
#[cfg(feature = "torch")]
use crate::demo::{self, DemoArgs};
#[cfg(feature = "torch")]
use crate::eval::{self, EvalArgs};
use crate::export::{self, ExportArgs};
use crate::inspect::{self, CheckArgs, ExplainArgs, FmtArgs};
use crate::latency::{self, LatencyArgs};
use crate::report::{EXIT_BUG, Failure, PANIC};
#[cfg(feature = "torch")]
use crate::retrain::{self, RetrainArgs};
use crate::sample::{self, SampleArgs};
#[cfg(feature = "torch")]
use crate::search::{self, SearchArgs};
use crate::show::{self, ShowArgs};
use crate::verify::{self, VerifyArgs};

/// A compiler for search spaces of neural networks.
#[derive(Debug, Parser)]
#[command(name = "nasc", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
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
    /// Write a network as ONNX, proved right in another engine.
    Export(ExportArgs),
    /// Compare ONNX files with what was recorded at their export.
    Verify(VerifyArgs),
    /// Latency tables: what to measure of a space, measuring it, how well it predicts.
    Latency(LatencyArgs),
    /// The whole job: search, derive, retrain, export, verify.
    #[cfg(feature = "torch")]
    Search(SearchArgs),
    /// Train one network from scratch.
    #[cfg(feature = "torch")]
    Retrain(RetrainArgs),
    /// Score a network on a split.
    #[cfg(feature = "torch")]
    Eval(EvalArgs),
    /// The main job on the shipped data, in a few minutes.
    #[cfg(feature = "torch")]
    Demo(DemoArgs),
}

/// Bytes of stack: deep but legal nesting needs more than a main thread may have.
pub(crate) const STACK: usize = 64 << 20;

/// Runs the command line, and ends the process at once: libtorch takes a tenth of a second to free
/// what goes with the process anyway.
pub fn main() -> ! {
    let status = status();
    // Nothing is left to say it to if this fails.
    let _ = io::stdout().flush();
    signal_hook::low_level::exit(status.into())
}

/// Runs the command line, to its exit status.
fn status() -> u8 {
    // `nasc show … | head` ends quietly, as other tools do.
    sigpipe::reset();
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("error[{PANIC}]: a fault of nasc, not of your file");
        eprintln!("  {panic}");
        eprintln!("  please report it, with the command and the file");
    }));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help, too.
        Err(end) => {
            let _ = end.print();
            return end.exit_code() as u8;
        }
    };
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || run(cli.command));
    let result = worker.map(std::thread::JoinHandle::join);
    match result {
        Ok(Ok(Ok(()))) => 0,
        Ok(Ok(Err(failure))) => failure.report(),
        _ => EXIT_BUG,
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Check(args) => inspect::check(&args),
        Command::Fmt(args) => inspect::fmt(&args),
        Command::Show(args) => show::show(&args),
        Command::Analyze(args) => analyze::run(&args),
        Command::Cost(args) => cost::run(&args),
        Command::Sample(args) => sample::run(&args),
        Command::Explain(args) => inspect::explain(&args),
        Command::Export(args) => export::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Latency(args) => latency::run(&args),
        #[cfg(feature = "torch")]
        Command::Search(args) => search::run(&args),
        #[cfg(feature = "torch")]
        Command::Retrain(args) => retrain::run(&args),
        #[cfg(feature = "torch")]
        Command::Eval(args) => eval::run(&args),
        #[cfg(feature = "torch")]
        Command::Demo(args) => demo::run(&args),
    }
}
