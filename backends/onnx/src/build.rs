//! From a network to the graph that computes it.

use nas_ir::ops::signature::Operands;
use nas_ir::{Network, Opset, Weights};
use onnx_protobuf::GraphProto;

use crate::error::{EmitError, weight_problems};
use crate::graph::Graph;
use crate::lower;

/// The graph that computes the network.
///
/// # Errors
/// See [`crate::emit`].
pub(crate) fn build(
    network: &Network,
    weights: &Weights,
    opset: Opset,
) -> Result<GraphProto, EmitError> {
    check(network)?;
    let problems = weight_problems(network, weights);
    if !problems.is_empty() {
        return Err(EmitError::Weights { problems });
    }
    let mut graph = Graph::new(network, weights, opset);
    for (index, node) in network.nodes.iter().enumerate() {
        if let (Some(op), false) = (&node.op, graph.is_folded(index)) {
            let site = graph.site(index, node);
            lower::node(&mut graph, &site, op)?;
        }
    }
    graph.finish()
}

/// Operands come before their readers and make the shapes that the network states.
fn check(network: &Network) -> Result<(), EmitError> {
    for (index, node) in network.nodes.iter().enumerate() {
        let fail = |reason: String| Err(EmitError::network(&node.name, reason));
        let Some(op) = &node.op else { continue };
        if node.inputs.iter().any(|&operand| operand >= index) {
            return fail("it stands before one of its operands".to_owned());
        }
        let shapes = network.operand_shapes(node);
        let operands = op.declaration().operands;
        // A sum whose other operands were zeros has one.
        let fits =
            operands.accept(shapes.len()) || (operands == Operands::Many && !shapes.is_empty());
        match op.shape(&shapes) {
            // What is constant may stand without the operand that gave it its shape.
            _ if !op.reads_inputs() => {}
            _ if !fits => return fail(format!("it has {} operands", shapes.len())),
            Ok(shape) if shape == node.shape => {}
            Ok(shape) => return fail(format!("its shape is {shape} and not {}", node.shape)),
            Err(problem) => return fail(format!("{problem:?}")),
        }
    }
    let ports = network.inputs.iter().chain(&network.outputs);
    match ports.into_iter().find(|port| port.node >= network.nodes.len()) {
        Some(port) => Err(EmitError::network(&port.name, "the port has no node")),
        None => Ok(()),
    }
}
