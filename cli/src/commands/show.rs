//! `nasc show`: what the compiler made of a file.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nas_analysis::Supernet;
use nas_ir::measure::grouped;
use nas_ir::{Checked, Cost, Network, Space, text};
use serde_json::json;

use crate::render::diagram;
use crate::render::report::{Failure, counted};
use crate::render::stream::plain_json;
use crate::render::table::Table;
use crate::services::input::{DropArgs, Input};
use crate::services::pick::{self, named_network};
use crate::services::source::read_source;
use crate::{out, outln};

/// Arguments of `nasc show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The file.
    pub file: PathBuf,
    /// Whether what the target cannot run is left out.
    #[command(flatten)]
    pub drop: DropArgs,
    /// What to show; `network` needs `--arch`. [default: network with `--arch`, else space]
    #[arg(long, value_enum)]
    pub stage: Option<Stage>,
    /// A network: an `arch` item, a JSON file, random:SEED, least:MEASURE or greatest:MEASURE.
    #[arg(long, required_if_eq("stage", "network"))]
    pub arch: Option<String>,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// How it is written; not every stage has every format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// A stage of the compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// What was written.
    Ast,
    /// The graph with decisions.
    Space,
    /// One network.
    Network,
    /// What a search trains: the weights of each candidate, and of all together.
    Supernet,
}

/// How a stage is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people; a space or a network in the text form of the IR.
    Text,
    /// A space or a network for Graphviz, node by node.
    Dot,
    /// A picture of a space or a network; each choice is one box, each chain of layers another.
    Svg,
    /// The figures of a supernet for programs.
    Json,
}

/// What the compiler made of a file.
///
/// # Errors
/// The file is at fault, or the stage does not have the format.
pub fn run(args: &ShowArgs) -> Result<(), Failure> {
    let default = if args.arch.is_some() { Stage::Network } else { Stage::Space };
    match args.stage.unwrap_or(default) {
        Stage::Ast => show_ast(args),
        Stage::Space => {
            let space = load_space(args)?;
            out!("{}", space_as(&space, args.format)?)
        }
        Stage::Network => {
            let which = args.arch.as_deref();
            let which = which.ok_or_else(|| Failure::input("`--stage network` needs `--arch`"))?;
            let (_, network) =
                named_network(args.drop.of(&args.file), args.space.as_deref(), which)?;
            out!("{}", network_as(&network, which, args.format)?)
        }
        Stage::Supernet => {
            let space = load_space(args)?;
            out!("{}", supernet_as(&space, args.format)?)
        }
    }
}

fn show_ast(args: &ShowArgs) -> Result<(), Failure> {
    if args.format != Format::Text {
        return Err(refused("ast", "text"));
    }
    let source = read_source(&args.file)?;
    let parsed = nas_grammar::parse(&source);
    outln!("{:#?}", parsed.file)?;
    if parsed.problems.is_empty() { Ok(()) } else { Err(Failure::Problems(parsed.problems)) }
}

fn load_space(args: &ShowArgs) -> Result<std::sync::Arc<Checked<Space>>, Failure> {
    Input::with(args.drop.of(&args.file), |program, compiler| {
        pick::space(program, compiler, args.space.as_deref())
    })
}

fn refused(stage: &str, formats: &str) -> Failure {
    Failure::input(format!("`--stage {stage}` is written as {formats}"))
}

/// A space in this format.
///
/// # Errors
/// Spaces do not have it.
pub fn space_as(space: &Checked<Space>, format: Format) -> Result<String, Failure> {
    match format {
        Format::Text => Ok(text::print(space)),
        Format::Dot => Ok(text::dot(space)),
        Format::Svg => Ok(diagram::svg(&diagram::of_space(space))),
        Format::Json => Err(refused("space", "text, dot or svg")),
    }
}

/// A network in this format; `name` is what it was asked for by.
///
/// # Errors
/// Networks do not have it.
pub fn network_as(network: &Network, name: &str, format: Format) -> Result<String, Failure> {
    match format {
        Format::Text => Ok(text::print_network(network)),
        Format::Dot => Ok(text::dot_network(network)),
        Format::Svg => Ok(diagram::svg(&diagram::of_network(network, name))),
        Format::Json => Err(refused("network", "text, dot or svg")),
    }
}

/// The figures of a supernet in this format.
///
/// # Errors
/// Supernets do not have it.
pub fn supernet_as(space: &Checked<Space>, format: Format) -> Result<String, Failure> {
    let supernet = Supernet::of(space);
    match format {
        Format::Text => Ok(supernet_text(space, &supernet)),
        Format::Json => Ok(plain_json(&format!("{:#}\n", supernet_json(space, &supernet)))),
        Format::Dot | Format::Svg => Err(refused("supernet", "text or json")),
    }
}

fn supernet_text(space: &Space, supernet: &Supernet) -> String {
    let mut table = Table::new([space.name.as_str(), "candidate", "macs", "params"]);
    let mut row = |what: &str, candidate: &str, Cost { macs, params }: Cost| {
        table.row([what.to_owned(), candidate.to_owned(), grouped(macs), grouped(params)]);
    };
    for (decision, costs) in space.decisions.iter().zip(supernet.candidates.rows()) {
        let mut path = decision.path.as_str();
        for (candidate, cost) in decision.candidates.iter().zip(costs) {
            row(path, candidate, *cost);
            path = "";
        }
    }
    row("outside all", "", supernet.fixed);
    row("total", "", supernet.total);
    let decisions = counted(space.decisions.len(), "decision");
    let parameters = grouped(supernet.architecture_params());
    format!("{decisions}, {parameters} architecture parameters\n{table}")
}

fn supernet_json(space: &Space, supernet: &Supernet) -> serde_json::Value {
    let decisions =
        space.decisions.iter().zip(supernet.candidates.rows()).map(|(decision, costs)| {
            let candidates = decision.candidates.iter().zip(costs);
            let candidates = candidates.map(
            |(name, Cost { macs, params })| json!({"name": name, "macs": macs, "params": params}),
        );
            json!({"path": decision.path, "candidates": candidates.collect::<Vec<_>>()})
        });
    json!({
        "macs": supernet.total.macs,
        "params": supernet.total.params,
        "architecture_params": supernet.architecture_params(),
        "fixed": supernet.fixed,
        "decisions": decisions.collect::<Vec<_>>(),
    })
}
