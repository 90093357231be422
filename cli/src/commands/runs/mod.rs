//! `nasc runs`: the runs that there are, side by side, and as data for others.

mod compare;
mod export;
mod list;
mod summary;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::render::report::Failure;

/// Arguments of `nasc runs`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct RunsArgs {
    #[command(subcommand)]
    action: Option<Action>,
    /// The folder that holds the runs, at any depth
    #[arg(default_value = "runs", value_name = "DIR")]
    dir: PathBuf,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// What differs between runs: settings, results, networks.
    Compare(compare::CompareArgs),
    /// What a run has written down, for other programs.
    Export(export::ExportArgs),
}

/// Lists, compares or exports runs.
///
/// # Errors
/// A folder holds no run, or a run is damaged.
pub fn run(args: &RunsArgs) -> Result<(), Failure> {
    match &args.action {
        None => list::run(&args.dir, args.json),
        Some(Action::Compare(args)) => compare::run(args),
        Some(Action::Export(args)) => export::run(args),
    }
}
