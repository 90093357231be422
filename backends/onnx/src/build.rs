//! From a model to the graph that computes it.

use nas_ir::Model;
use onnx_protobuf::GraphProto;

use crate::error::EmitError;
use crate::graph::Graph;
use crate::lean::lean;
use crate::lower;
use crate::options::Options;

/// The graph that computes the model.
///
/// # Errors
/// See [`crate::emit`].
pub(crate) fn build(model: &Model, options: &Options) -> Result<GraphProto, EmitError> {
    model.verify()?;
    let mut graph = Graph::new(model, options)?;
    for (index, node) in model.network.nodes.iter().enumerate() {
        if let Some(op) = &node.op {
            let site = graph.site(index, node);
            lower::node(&mut graph, &site, op)?;
        }
        graph.rounded(index);
    }
    let mut graph = graph.finish()?;
    if options.lean {
        lean(&mut graph);
    }
    Ok(graph)
}
