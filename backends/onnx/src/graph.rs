//! The graph of a model: names, nodes, constants and shapes, in the order of the network.

use std::collections::BTreeSet;

use nas_ir::network::{NamedWeight, NetworkNode};
use nas_ir::{Model, Network, Opset, Shape, Tensor, fault};
use onnx_protobuf::tensor_proto::DataType;
use onnx_protobuf::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};

use crate::error::EmitError;
use crate::message;

/// What the lowering of one node sees of its surroundings.
pub(crate) struct Site {
    /// The node's index in the network.
    pub(crate) index: usize,
    /// The node's path.
    pub(crate) path: String,
    /// The names of the operands' values.
    pub(crate) inputs: Vec<String>,
    /// The shapes of the operands.
    pub(crate) shapes: Vec<Shape>,
    /// The name of the node's value.
    pub(crate) output: String,
    /// Its shape.
    pub(crate) shape: Shape,
}

/// A value of the file: name, element type, sizes.
pub(crate) type Output<'a> = (&'a str, DataType, Vec<i64>);

/// A graph under construction.
pub(crate) struct Graph<'m> {
    model: &'m Model,
    pub(crate) opset: Opset,
    /// For each node, the name of its value.
    values: Vec<String>,
    proto: GraphProto,
    not_finite: Vec<String>,
}

impl<'m> Graph<'m> {
    /// The graph of a verified model, still without nodes.
    pub(crate) fn new(model: &'m Model, opset: Opset) -> Self {
        let network = &model.network;
        let values = value_names(network);
        let choices: Vec<String> =
            network.choices.iter().map(|(path, choice)| format!("{path} = {choice}\n")).collect();
        let proto = GraphProto {
            name: network.space.clone(),
            doc_string: choices.concat(),
            ..GraphProto::default()
        };
        Self { model, opset, values, proto, not_finite: Vec::new() }
    }

    pub(crate) fn site(&self, index: usize, node: &NetworkNode) -> Site {
        Site {
            index,
            path: node.name.clone(),
            inputs: node.inputs.iter().map(|&operand| self.value(operand)).collect(),
            shapes: self.model.network.operand_shapes(node),
            output: self.value(index),
            shape: node.shape,
        }
    }

    // INVARIANT: the model is verified, so that every index is one of a node.
    fn value(&self, index: usize) -> String {
        let value = self.values.get(index).cloned();
        value.unwrap_or_else(|| fault("a verified network without one of its nodes"))
    }

    /// Adds a constant and answers its name.
    pub(crate) fn constant(&mut self, tensor: TensorProto) -> String {
        let name = tensor.name.clone();
        self.proto.initializer.push(tensor);
        name
    }

    /// Adds a constant of floats and answers its name.
    pub(crate) fn floats(&mut self, name: &str, dims: &[u32], data: &[f32]) -> String {
        if !data.iter().all(|x| x.is_finite()) {
            self.not_finite.push(name.to_owned());
        }
        self.constant(message::floats(name, dims, data))
    }

    /// Adds a constant that many nodes share, once, and answers its name.
    pub(crate) fn shared_scalar(&mut self, name: &str, value: f32) -> String {
        if self.proto.initializer.iter().any(|tensor| tensor.name == name) {
            return name.to_owned();
        }
        self.floats(name, &[], &[value])
    }

    /// Adds a node of the file that computes `output`, which is a value of the network or, with
    /// another shape, a step on the way to one.
    pub(crate) fn node(
        &mut self,
        kind: &str,
        name: &str,
        inputs: Vec<String>,
        attribute: Vec<AttributeProto>,
        (output, shape): (&str, Shape),
    ) {
        let output = (output, DataType::FLOAT, message::batched(shape));
        self.node_of(kind, name, inputs, attribute, &[output]);
    }

    /// Adds a node of the file that computes values of any element types and sizes.
    pub(crate) fn node_of(
        &mut self,
        kind: &str,
        name: &str,
        inputs: Vec<String>,
        attribute: Vec<AttributeProto>,
        outputs: &[Output<'_>],
    ) {
        self.proto.node.push(NodeProto {
            op_type: kind.to_owned(),
            name: name.to_owned(),
            input: inputs,
            output: outputs.iter().map(|(output, ..)| (*output).to_owned()).collect(),
            attribute,
            ..NodeProto::default()
        });
        for (output, kind, sizes) in outputs {
            if self.model.network.outputs.iter().all(|port| port.name != *output) {
                self.proto.value_info.push(message::value_info(output, *kind, sizes));
            }
        }
    }

    /// Adds all tensors of a node's parameters and answers their names, in the order of the
    /// operator's table.
    pub(crate) fn weights(&mut self, site: &Site) -> Vec<String> {
        let needed = self.needed(site);
        needed.iter().map(|it| self.tensor(it, &it.weight.dims)).collect()
    }

    /// Adds the slopes of a node, `[channels]`, with as many sizes of 1 after them as the value has
    /// directions, and answers their name.
    pub(crate) fn slopes(&mut self, site: &Site) -> Vec<String> {
        let (needed, shape) = (self.needed(site), site.shape.pooled());
        needed.iter().map(|it| self.tensor(it, shape.dims())).collect()
    }

    /// The tensors of a node's parameters.
    fn needed(&self, site: &Site) -> Vec<NamedWeight> {
        let network = &self.model.network;
        network.nodes.get(site.index).map_or_else(Vec::new, |node| network.node_weights(node))
    }

    /// Adds a tensor of the model with these sizes, and answers its name.
    // INVARIANT: the model is verified, so that it has each tensor that it needs, in 32-bit floats.
    fn tensor(&mut self, NamedWeight { name, .. }: &NamedWeight, dims: &[u32]) -> String {
        let floats = self.model.weights.get(name).and_then(Tensor::floats);
        let floats = floats.unwrap_or_else(|| fault("a verified model without one of its tensors"));
        self.floats(name, dims, floats)
    }

    pub(crate) fn finish(mut self) -> Result<GraphProto, EmitError> {
        let network = &self.model.network;
        for port in &network.inputs {
            if let Some(node) = network.nodes.get(port.node) {
                self.proto.input.push(port_info(&port.name, node.shape));
            }
        }
        for port in &network.outputs {
            let Some(node) = network.nodes.get(port.node) else { continue };
            let value = self.value(port.node);
            if value != port.name {
                self.node("Identity", &port.name, vec![value], vec![], (&port.name, node.shape));
            }
            self.proto.output.push(port_info(&port.name, node.shape));
        }
        if !self.not_finite.is_empty() {
            return Err(EmitError::NotFinite { names: self.not_finite });
        }
        unique_names(&self.proto)?;
        Ok(self.proto)
    }
}

fn port_info(name: &str, shape: Shape) -> ValueInfoProto {
    message::value_info(name, DataType::FLOAT, &message::batched(shape))
}

/// The names of the nodes' values: the input's or the first output's where there is one, else the
/// path of the node whose value it is.
fn value_names(network: &Network) -> Vec<String> {
    let mut names: Vec<String> =
        network.nodes.iter().map(|node| node.value_name().to_owned()).collect();
    // In reverse, so that the first port of a node wins; inputs last: they cannot be renamed.
    for port in network.outputs.iter().rev().chain(&network.inputs) {
        if let Some(name) = names.get_mut(port.node) {
            name.clone_from(&port.name);
        }
    }
    names
}

/// ONNX wants every value to be made once.
fn unique_names(graph: &GraphProto) -> Result<(), EmitError> {
    let inputs = graph.input.iter().map(|value| &value.name);
    let constants = graph.initializer.iter().map(|tensor| &tensor.name);
    let made = graph.node.iter().flat_map(|node| &node.output);
    let mut seen = BTreeSet::new();
    match inputs.chain(constants).chain(made).find(|&name| !seen.insert(name)) {
        Some(name) => Err(EmitError::DuplicateName { name: name.clone() }),
        None => Ok(()),
    }
}
