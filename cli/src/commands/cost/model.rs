//! What an ONNX file costs that others made.

use std::path::Path;

use nas_analysis::peak::{Tensor, peak_of};
use nas_ir::Costs;
use nas_ir::measure::grouped;
use nas_onnx_read::{Fact, Graph, GraphCosts, Inferred, Sizes, ValueId, costs, infer};
use serde_json::{Value, json};

use crate::render::costs::costs_table;
use crate::render::report::Failure;
use crate::render::stream;
use crate::render::table::Table;
use crate::services::foreign::ForeignFile;
use crate::{out, outln};

/// A node of which there is something to tell.
struct Layer {
    name: String,
    operator: String,
    sizes: Vec<u64>,
    macs: u64,
    params: u64,
}

/// What the model costs.
///
/// # Errors
/// The file is no model, sizes are open, or operators are not known.
pub(super) fn run(
    path: &Path,
    sizes: &Sizes,
    with_layers: bool,
    is_json: bool,
) -> Result<(), Failure> {
    let file = ForeignFile::read(path)?;
    let graph = file.graph()?;
    let inferred = infer(&graph, sizes).map_err(Failure::problem)?;
    let found = costs(&graph, &inferred).map_err(Failure::problem)?;
    let costs = summed(&found);
    let layers = with_layers.then(|| layers(&graph, &inferred, &found));
    if is_json {
        return stream::json(&as_json(&graph, &inferred, &costs, layers.as_deref()), true);
    }
    if let Some(layers) = &layers {
        outln!("{}", layers_table(layers))?;
    }
    out!("{}", costs_table(&costs))
}

fn summed(found: &GraphCosts) -> Costs {
    let sum = |of: fn(&nas_onnx_read::NodeCost) -> u64| {
        found.nodes.iter().map(of).fold(0, u64::saturating_add)
    };
    let tensors = found.tensors.iter().map(|made| Tensor {
        bytes: made.bytes,
        reads: made.reads.clone(),
        storage: made.storage,
        is_output: made.is_output,
    });
    let peak = peak_of(&tensors.collect::<Vec<_>>());
    Costs {
        macs: sum(|cost| cost.macs),
        params: sum(|cost| cost.params),
        weight_bytes: sum(|cost| cost.bytes),
        peak_memory: peak.at_most,
        peak_memory_is_bound: peak.exact().is_none(),
        latency: None,
        depth: found.depth,
    }
}

fn layers(graph: &Graph<'_>, inferred: &Inferred, found: &GraphCosts) -> Vec<Layer> {
    let with_costs = graph.nodes.iter().zip(&found.nodes);
    let with_costs = with_costs.filter(|(_, cost)| cost.macs > 0 || cost.params > 0);
    let layer = |(node, cost): (&nas_onnx_read::Node<'_>, &nas_onnx_read::NodeCost)| {
        let result = node.outputs.iter().flatten().next().copied();
        let made = result.map_or("", |id| graph.values[id].name);
        Layer {
            name: if node.name.is_empty() { made } else { node.name }.to_owned(),
            operator: node.operator_name(),
            sizes: sizes(inferred, result),
            macs: cost.macs,
            params: cost.params,
        }
    };
    with_costs.map(layer).collect()
}

fn sizes(inferred: &Inferred, value: Option<ValueId>) -> Vec<u64> {
    value.and_then(|id| inferred.fact(id)).map(|fact| fact.dims.clone()).unwrap_or_default()
}

fn as_json(
    graph: &Graph<'_>,
    inferred: &Inferred,
    costs: &Costs,
    layers: Option<&[Layer]>,
) -> Value {
    let port = |&id: &ValueId| {
        let element = inferred.fact(id).map(|fact: &Fact| fact.element.name());
        json!({"name": graph.values[id].name, "type": element, "shape": sizes(inferred, Some(id))})
    };
    let ports = |ids: &[ValueId]| ids.iter().map(port).collect::<Value>();
    let mut value = json!(costs);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("inputs".to_owned(), ports(&graph.inputs));
        fields.insert("outputs".to_owned(), ports(&graph.outputs));
        if let Some(layers) = layers {
            let rows = layers.iter().map(|Layer { name, operator, sizes, macs, params }| {
                json!({"name": name, "operator": operator, "shape": sizes, "macs": macs, "params": params})
            });
            fields.insert("layers".to_owned(), rows.collect());
        }
    }
    value
}

fn layers_table(layers: &[Layer]) -> Table {
    let mut table = Table::new(["layer", "operator", "shape", "macs", "params"]);
    for Layer { name, operator, sizes, macs, params } in layers {
        let (shape, name, operator) = (format!("{sizes:?}"), name.clone(), operator.clone());
        table.row([name, operator, shape, grouped(macs), grouped(params)]);
    }
    table
}
