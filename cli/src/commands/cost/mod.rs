//! `nasc cost`: what one network costs, in every measure; or a model that others made.

mod model;

use std::path::PathBuf;

use clap::Args;
use nas_ir::measure::grouped;
use nas_ir::{Cost, Costs, Measure, Network, Shape};
use serde_json::{Value, json};

use crate::render::costs::{milliseconds, warn_of_memory};
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
    /// Every layer that has multiply-accumulates or parameters.
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
        return args.refuse_names().and_then(|()| model::run(args));
    }
    args.sizes.refuse()?;
    let Some(arch) = &args.arch else {
        return Err(Failure::input("say which network it is by `--arch`"));
    };
    let asked = args.drop.of(&args.file);
    let ((named, network), verdict) = examined_network(asked, args.space.as_deref(), arch)?;
    let costs = nas_analysis::costs(&network);
    let layers = args.layers.then(|| layers(&network));
    if args.json {
        stream::json(&as_json(&costs, layers.as_deref()), true)?;
    } else {
        if let Some(layers) = &layers {
            outln!("{}", layers_table(layers))?;
        }
        out!("{}", table(&costs))?;
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

/// A layer: its path, its shape and what it costs.
type Layer = (String, Shape, Cost);

fn layers(network: &Network) -> Vec<Layer> {
    let nodes = network.nodes.iter();
    let layers = nodes.map(|node| (node.name.clone(), node.shape, network.node_cost(node)));
    layers.filter(|(_, _, cost)| *cost != Cost::default()).collect()
}

fn as_json(costs: &Costs, layers: Option<&[Layer]>) -> Value {
    let mut value = json!(costs);
    if let (Some(layers), Some(fields)) = (layers, value.as_object_mut()) {
        let rows = layers.iter().map(|(name, shape, Cost { macs, params })| {
            json!({"name": name, "shape": shape, "macs": macs, "params": params})
        });
        fields.insert("layers".to_owned(), rows.collect());
    }
    value
}

fn layers_table(layers: &[Layer]) -> Table {
    let mut table = Table::new(["layer", "shape", "macs", "params"]);
    for (name, shape, Cost { macs, params }) in layers {
        table.row([name.clone(), shape.to_string(), grouped(macs), grouped(params)]);
    }
    table
}

fn table(costs: &Costs) -> Table {
    let mut table = Table::new(["measure", "cost"]);
    for measure in Measure::ALL {
        table.row([measure.name().to_owned(), in_words(costs, measure)]);
    }
    table
}

fn in_words(costs: &Costs, measure: Measure) -> String {
    match (measure, costs.of(measure)) {
        (Measure::Latency, Some(nanoseconds)) => milliseconds(nanoseconds),
        (Measure::PeakMemory, Some(bytes)) if costs.peak_memory_is_bound => {
            format!("at most {}", grouped(bytes))
        }
        (_, Some(figure)) => grouped(figure),
        (_, None) => "no latency table".to_owned(),
    }
}
