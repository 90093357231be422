//! `nasc cost`: what one network costs, in every measure; or a model that others made.

mod model;

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;
use nas_frontend::session::NamedNetwork;
use nas_ir::measure::grouped;
use nas_ir::network::NetworkNode;
use nas_ir::{Cost, Costs, Network, Shape, Space};
use nas_passes::{PartTime, part_times};
use serde_json::{Value, json};

use crate::render::costs::{costs_table, milliseconds, warn_of_memory};
use crate::render::report::Failure;
use crate::render::stream;
use crate::render::table::Table;
use crate::services::foreign::{SizesArgs, is_onnx};
use crate::services::input::DropArgs;
use crate::services::pick::examined_network;
use crate::{out, outln};

/// Arguments of `nasc cost`.
#[derive(Debug, Args)]
pub struct CostArgs {
    /// The file: one of the language, or an ONNX file.
    pub file: PathBuf,
    /// Whether what the target cannot run is left out.
    #[command(flatten)]
    pub drop: DropArgs,
    /// The network: an `arch` item, a JSON file, random:SEED, least:MEASURE or greatest:MEASURE.
    #[arg(long)]
    pub arch: Option<String>,
    /// The sizes of the inputs, if the file is one of ONNX.
    #[command(flatten)]
    pub sizes: SizesArgs,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Every layer that has multiply-accumulates or parameters, with the latency of what was measured
    /// together at the first of its layers.
    #[arg(long)]
    pub layers: bool,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
}

/// What one network costs.
///
/// # Errors
/// The file is at fault.
pub fn run(args: &CostArgs) -> Result<(), Failure> {
    if is_onnx(&args.file) {
        args.refuse_names()?;
        return model::run(&args.file, &args.sizes.sizes(), args.layers, args.json);
    }
    args.sizes.refuse()?;
    let Some(arch) = &args.arch else {
        return Err(Failure::input("say which network it is by `--arch`"));
    };
    let asked = args.drop.of(&args.file);
    let ((named, network), verdict) = examined_network(asked, args.space.as_deref(), arch)?;
    let costs = nas_analysis::costs(&network);
    let layers = args.layers.then(|| layers(&named, &network));
    if args.json {
        stream::json(&as_json(&costs, layers.as_deref()), true)?;
    } else {
        if let Some(layers) = &layers {
            outln!("{}", layers_table(layers))?;
        }
        out!("{}", costs_table(&costs))?;
    }
    warn_of_memory(&named.space, &costs);
    verdict
}

impl CostArgs {
    /// An ONNX file holds one network, and has no target.
    fn refuse_names(&self) -> Result<(), Failure> {
        let given = [
            ("--arch", self.arch.is_some()),
            ("--space", self.space.is_some()),
            ("--drop-unsupported", self.drop.drop_unsupported),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            None => Ok(()),
            Some((option, _)) => {
                Err(Failure::input(format!("an ONNX file holds one network: leave out `{option}`")))
            }
        }
    }
}

/// A layer.
struct Layer<'n> {
    /// Its path.
    name: &'n str,
    shape: Shape,
    cost: Cost,
    /// The nanoseconds of what was measured together, at the first of its layers.
    latency: Option<u64>,
}

/// The layers that cost something, and the first layer of each measured part.
fn layers<'n>(named: &NamedNetwork, network: &'n Network) -> Vec<Layer<'n>> {
    let times = part_times(&named.space, &named.assignment);
    let times = times.map(|parts| at_layers(&named.space, network, &parts)).unwrap_or_default();
    let layer = |node: &'n NetworkNode| Layer {
        name: &node.name,
        shape: node.shape,
        cost: network.node_cost(node),
        latency: times.get(&*node.name).copied(),
    };
    let layers = network.nodes.iter().map(layer);
    layers.filter(|layer| layer.cost != Cost::default() || layer.latency.is_some()).collect()
}

/// The times of parts by the path of the first of their layers that has a cost, or of the first node.
fn at_layers(space: &Space, network: &Network, parts: &[PartTime<'_>]) -> HashMap<String, u64> {
    let costs = network.nodes.iter().map(|node| (&*node.name, network.node_cost(node)));
    let costs: HashMap<&str, Cost> = costs.collect();
    let mut times: HashMap<String, u64> = HashMap::new();
    for part in parts {
        let paths = || part.nodes.iter().map(|&id| &*space.graph[id].name);
        let is_there = |path: &&str| costs.contains_key(path);
        let is_dear = |path: &&str| costs.get(path).is_some_and(|cost| *cost != Cost::default());
        if let Some(first) = paths().find(is_dear).or_else(|| paths().find(is_there)) {
            *times.entry(first.to_owned()).or_default() += part.nanoseconds;
        }
    }
    times
}

fn as_json(costs: &Costs, layers: Option<&[Layer<'_>]>) -> Value {
    let mut value = json!(costs);
    if let (Some(layers), Some(fields)) = (layers, value.as_object_mut()) {
        let rows =
            layers.iter().map(|Layer { name, shape, cost: Cost { macs, params }, latency }| {
                let mut row = json!({"name": name, "shape": shape, "macs": macs, "params": params});
                if let (Some(latency), Some(fields)) = (latency, row.as_object_mut()) {
                    // Seconds, as of the whole network.
                    fields.insert("latency".to_owned(), json!(*latency as f64 / 1e9));
                }
                row
            });
        fields.insert("layers".to_owned(), rows.collect());
    }
    value
}

fn layers_table(layers: &[Layer<'_>]) -> Table {
    let is_measured = layers.iter().any(|layer| layer.latency.is_some());
    let mut table = Table::empty();
    let heads = ["layer", "shape", "macs", "params"].into_iter();
    table.row(heads.chain(is_measured.then_some("latency")).map(str::to_owned));
    for Layer { name, shape, cost: Cost { macs, params }, latency } in layers {
        let latency = latency.map(milliseconds);
        let cells = [(*name).to_owned(), shape.to_string(), grouped(macs), grouped(params)];
        table.row(cells.into_iter().chain(latency));
    }
    table
}
