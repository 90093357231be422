//! Sizes that are known only while a file runs, as vectors of integers.

use onnx_protobuf::tensor_proto::DataType;

use crate::graph::{Graph, Site};
use crate::message::{Value, attribute};
use crate::sizes::Size;

/// The sizes of a value of the file while it runs, as a vector of integers.
pub(crate) fn running_sizes(graph: &mut Graph<'_>, site: &Site, of: &str) -> String {
    let name = format!("{}:sizes", site.path);
    let rank = Size::Of(site.sizes.len() as i64);
    let output = (name.as_str(), DataType::INT64, vec![rank]);
    graph.node_of("Shape", &name, vec![of.to_owned()], vec![], &[output]);
    name
}

/// The sizes of the node's value as a vector of integers: a constant, or made while the file runs of the number of
/// images and, where height and width are open, of those of the node that it is as large as.
pub(crate) fn sizes_vector(graph: &mut Graph<'_>, site: &Site) -> String {
    if site.is_fixed {
        return graph.integers(site, "shape", &site.numbers());
    }
    let operand = site.inputs.first().cloned().unwrap_or_else(|| graph.input());
    let like = graph.like(site.index).map(|node| graph.name(node));
    let rank = site.sizes.len() as i64;
    let mut parts = vec![part_of_sizes(graph, site, "batch", &operand, [0, 1])];
    let rest: Vec<i64> = site.shape.dims().iter().map(|&size| size.into()).collect();
    match like {
        Some(like) if site.sizes.contains(&Size::Open) => {
            let channels = rest.first().copied().unwrap_or(1);
            parts.push(graph.integers(site, "channels", &[channels]));
            parts.push(part_of_sizes(graph, site, "plane", &like, [2, rank]));
        }
        _ => parts.push(graph.integers(site, "rest", &rest)),
    }
    let name = format!("{}:shape", site.path);
    let output = (name.as_str(), DataType::INT64, vec![Size::Of(rank)]);
    let axis = vec![attribute("axis", Value::Int(0))];
    graph.node_of("Concat", &name, parts, axis, &[output]);
    name
}

/// Some of the sizes of a value while the file runs, from one axis up to another.
fn part_of_sizes(
    graph: &mut Graph<'_>,
    site: &Site,
    what: &str,
    of: &str,
    [start, end]: [i64; 2],
) -> String {
    let all = format!("{}:{what}_sizes", site.path);
    graph.node_of(
        "Shape",
        &all,
        vec![of.to_owned()],
        vec![],
        &[(&all, DataType::INT64, vec![Size::Open])],
    );
    let name = format!("{}:{what}", site.path);
    let bounds = [("start", start), ("end", end)]
        .map(|(bound, axis)| graph.integers(site, &format!("{what}_{bound}"), &[axis]));
    let output = (name.as_str(), DataType::INT64, vec![Size::Of(end - start)]);
    let inputs = std::iter::once(all).chain(bounds).collect();
    graph.node_of("Slice", &name, inputs, vec![], &[output]);
    name
}
