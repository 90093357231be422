//! `nasc latency`: the life of a latency table: what to measure, measuring it, figures from
//! elsewhere, and how well the table predicts whole networks.

mod additivity;
mod check;
mod command;
mod engines;
mod error;
mod import;
mod item;
mod journal;
mod manifest;
mod means;
mod measure;
mod model;
mod numbers;
mod plan;
mod printed;
mod rounds;
mod runner;
mod scatter;
mod table;

use std::path::Path;

use clap::{Args, Subcommand};

use crate::render::report::Failure;

/// Arguments of `nasc latency`.
#[derive(Debug, Args)]
pub struct LatencyArgs {
    #[command(subcommand)]
    command: LatencyCommand,
}

impl LatencyArgs {
    /// The file of the language that it is about, if that is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.command {
            LatencyCommand::Plan(args) => Some(&args.file),
            LatencyCommand::Check(args) => Some(&args.file),
            // If it is a plan, nothing is said of what it holds as a file of the language.
            LatencyCommand::Measure(args) => Some(&args.plan),
            LatencyCommand::Import(_) | LatencyCommand::Model(_) => None,
        }
    }
}

#[derive(Debug, Subcommand)]
enum LatencyCommand {
    /// Write what must be measured of a space: an ONNX file for each distinct part.
    Plan(plan::PlanArgs),
    /// Measure the parts of a plan or of a space, in an engine or by a command.
    Measure(measure::MeasureArgs),
    /// Make a table of figures that were measured elsewhere.
    Import(import::ImportArgs),
    /// How long a whole ONNX file takes, whoever made it.
    Model(model::ModelArgs),
    /// What a table lacks, and how well the sum of parts predicts whole networks.
    Check(check::CheckArgs),
}

/// Runs the command.
///
/// # Errors
/// The inputs are at fault, a measurement fails, or the user stops it.
pub fn run(args: &LatencyArgs) -> Result<(), Failure> {
    match &args.command {
        LatencyCommand::Plan(args) => plan::run(args),
        LatencyCommand::Measure(args) => measure::run(args),
        LatencyCommand::Import(args) => import::run(args),
        LatencyCommand::Model(args) => model::run(args),
        LatencyCommand::Check(args) => check::run(args),
    }
}
